"""Slices are marked one by one, those of each axis for themselves."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.marked_slices import MarkedSlices

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def form(qtbot: Any) -> MarkedSlices:
    form = MarkedSlices()
    qtbot.addWidget(form)
    form.show()
    return form


def test_the_button_marks_the_slice_shown_and_takes_it_back(qtbot: Any, form: MarkedSlices) -> None:
    for index in (9, 4):
        form.show_slice(0, index)
        with qtbot.waitSignal(form.valueChanged, timeout=1000):
            qtbot.mouseClick(form.mark, LEFT)
    assert form.value() == (4, 9)
    assert "z 4, 9" in form.words.text()
    assert form.mark.text() == "Unmark z 4"
    qtbot.mouseClick(form.mark, LEFT)
    assert form.value() == (9,)
    assert "one more" in form.words.text()


def test_each_axis_has_its_own_and_all_can_be_taken_away(qtbot: Any, form: MarkedSlices) -> None:
    form.setValue([1, 2])
    with qtbot.waitSignal(form.valueChanged, timeout=1000):
        form.show_slice(2, 5)
    assert form.value() == ()
    assert not form.clear.isEnabled()
    form.setValue([5])
    qtbot.mouseClick(form.clear, LEFT)
    assert form.value() == ()
    form.show_slice(0, 0)
    assert form.value() == (1, 2)
    form.forget()
    assert form.value() == ()
