"""The form gives back what it is told, and neighbours only where they count."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.gui.forms.where import Area, Where, WhereForm


@pytest.fixture
def form(qtbot: Any) -> WhereForm:
    form = WhereForm(neighbours=2)
    qtbot.addWidget(form)
    form.show()
    return form


@pytest.mark.parametrize("area", Area)
def test_what_is_set_is_given(form: WhereForm, area: Area) -> None:
    wanted = Where(area=area, neighbours=3 if area is Area.SLICE else 0)
    form.setValue(wanted)
    assert form.value() == wanted
    assert form.neighbours.isVisible() == (area is Area.SLICE)


def test_a_choice_is_told_and_neighbours_are_remembered(qtbot: Any, form: WhereForm) -> None:
    assert form.value() == Where()
    with qtbot.waitSignal(form.valueChanged, timeout=1000):
        form.area.setCurrentIndex(2)
    assert form.value() == Where(area=Area.SLICE, neighbours=2)
    with qtbot.waitSignal(form.valueChanged, timeout=1000):
        form.neighbours.setValue(0)
    assert "alone" in form.neighbours.text()
    assert form.value() == Where(area=Area.SLICE)
