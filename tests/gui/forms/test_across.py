"""The axis is that of the view until one is chosen, and planes have the field's names."""

from __future__ import annotations

from typing import Any

from napari_vol3d.gui.forms.across import Across


def test_the_axis_is_that_of_the_view_until_one_is_chosen(qtbot: Any) -> None:
    form = Across()
    qtbot.addWidget(form)
    assert [form.axis(axis) for axis in range(3)] == [0, 1, 2]
    with qtbot.waitSignal(form.valueChanged, timeout=1000):
        form.setValue(2)
    assert [form.axis(axis) for axis in range(3)] == [2, 2, 2]
    form.setValue(None)
    assert form.value() is None


def test_planes_are_named_and_the_view_says_what_it_shows(qtbot: Any) -> None:
    form = Across()
    qtbot.addWidget(form)
    form.name(1, anatomical=True)
    texts = [form.itemText(place) for place in range(4)]
    assert texts == ["As seen last: Coronal (y)", "Axial (z)", "Coronal (y)", "Sagittal (x)"]
    form.name(2, anatomical=False)
    assert [form.itemText(place) for place in range(4)] == ["As seen last: YZ (x)", "XY (z)", "XZ (y)", "YZ (x)"]
