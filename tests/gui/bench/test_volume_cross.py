"""The crosshair in the 3D view is drawn when there is time for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QWidget

from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.bench.volume_cross import ARM, VolumeCross
from tests.gui.bench.room3d import volume_view


@pytest.fixture
def view(qapp: Any) -> Iterator[View]:
    with volume_view() as made:
        made.model.layers.append(Image(np.zeros((10, 20, 30)), translate=(1, 2, 3)))
        yield made


@pytest.fixture
def cross(view: View) -> Iterator[VolumeCross]:
    made = VolumeCross(view)
    yield made
    made.let_go()


def drawn(cross: VolumeCross) -> Any:
    """The middle of what is drawn, x, y, z."""
    return None if not cross._line.visible else cross._line.pos.mean(axis=0)


def test_it_is_three_lines_through_the_point(qtbot: Any, cross: VolumeCross) -> None:
    cross.set_point((7.0, 4.0, 5.0, 6.0))  # time comes before z
    qtbot.waitUntil(lambda: drawn(cross) is not None)
    np.testing.assert_allclose(drawn(cross), (6, 5, 4), atol=1e-5)
    np.testing.assert_allclose(np.ptp(cross._line.pos, axis=0), 2 * ARM * 29, atol=1e-4)
    assert cross._line.color.shape == (6, 4)


@pytest.mark.parametrize("software", [True, False])
def test_many_moves_are_few_drawings(qtbot: Any, cross: VolumeCross, software: bool) -> None:
    drawings: list[Any] = []
    cross._timer.timeout.connect(lambda: drawings.append(drawn(cross)))
    cross.software = software
    for k in range(50):
        cross.set_point((float(k), 1.0, 1.0))
        QApplication.processEvents()
    qtbot.waitUntil(lambda: drawn(cross) is not None and np.isclose(drawn(cross)[2], 49))
    assert len(drawings) <= 2


def test_in_software_it_waits_for_the_mouse(qtbot: Any, cross: VolumeCross) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    cross.software = True
    qtbot.mousePress(widget, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    held = QApplication.mouseButtons() != Qt.MouseButton.NoButton
    cross.set_point((1.0, 2.0, 3.0))
    with qtbot.waitSignal(cross._timer.timeout):
        pass
    assert (drawn(cross) is None) is held
    qtbot.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    qtbot.waitUntil(lambda: drawn(cross) is not None)


def test_it_can_be_hidden_and_taken_away(qtbot: Any, view: View, cross: VolumeCross) -> None:
    cross.set_point((1.0, 2.0, 3.0))
    qtbot.waitUntil(lambda: drawn(cross) is not None)
    cross.show(False)
    qtbot.waitUntil(lambda: drawn(cross) is None)
    cross.let_go()
    assert cross._line.parent is None


def test_without_layers_there_is_no_crosshair(qtbot: Any, view: View, cross: VolumeCross) -> None:
    view.model.layers.clear()
    cross.set_point((1.0, 2.0, 3.0))
    with qtbot.waitSignal(cross._timer.timeout):
        pass
    assert drawn(cross) is None
