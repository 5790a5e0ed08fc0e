"""In 3D there is no axis, in slices it is that of the view."""

from __future__ import annotations

from typing import Any

from napari_vol3d.gui.forms.directions import Directions


def test_the_axis_is_that_of_the_slices(qtbot: Any) -> None:
    form = Directions()
    qtbot.addWidget(form)
    assert form.axis(1) is None
    with qtbot.waitSignal(form.valueChanged, timeout=1000):
        form.setValue(True)
    assert form.value()
    assert [form.axis(axis) for axis in range(3)] == [0, 1, 2]
