"""The right button changes grey levels and nothing else; a right click stays napari's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.qt import QtViewer
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.windows import Window
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.bench.window_drag import WHOLE, WindowDrag, dragged
from tests.gui.conftest import canvas_point, move_mouse, stroke

RIGHT, LEFT, NO_BUTTON = Qt.MouseButton.RightButton, Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
SHAPE = (12, 60, 80)


@pytest.fixture
def scan(viewer: Viewer) -> Image:
    data = np.random.default_rng(0).integers(-1000, 1000, SHAPE).astype(np.int16)
    layer = viewer.add_image(data, name="scan", contrast_limits=(-150, 250))
    QApplication.processEvents()
    return layer


@pytest.fixture
def drag(viewer: Viewer, scan: Image) -> Iterator[None]:
    """A drag on the viewer's canvas; not given out, because pytest would keep it longer than the viewer lives."""
    found = WindowDrag(own_view(viewer), lambda: scan)
    yield
    found.let_go()


def own_view(viewer: Viewer) -> View:
    return View(viewer, viewer.window._qt_viewer)


def canvas(viewer: Viewer) -> Any:
    return viewer.window._qt_viewer.canvas.native


def pull(native: Any, by: tuple[int, int], *, button: Any = RIGHT, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Drag in real events, which say which buttons are down; qtbot's moves don't."""
    start = QPointF(native.rect().center())
    steps = [QPointF(by[0], by[1]) * float(share) for share in np.linspace(0, 1, 9)[1:]]
    _send(native, QEvent.Type.MouseButtonPress, start, button, button, keys)
    for step in steps:
        _send(native, QEvent.Type.MouseMove, start + step, NO_BUTTON, button, keys)
    _send(native, QEvent.Type.MouseButtonRelease, start + steps[-1], button, NO_BUTTON, keys)
    QApplication.processEvents()


def _send(native: Any, kind: Any, at: QPointF, button: Any, buttons: Any, keys: Any) -> None:
    place = QPointF(native.mapToGlobal(at.toPoint()))
    QApplication.sendEvent(native, QMouseEvent(kind, at, place, button, buttons, keys))


def looks(viewer: ViewerModel) -> tuple[Any, ...]:
    """Zoom, centre, angles and slice."""
    camera = viewer.scene.camera
    return camera.zoom, camera.center, camera.angles, camera.perspective, viewer.dims.point


@pytest.mark.parametrize("ndisplay", [2, 3])
def test_a_right_drag_changes_grey_levels_and_nothing_else(
    viewer: Viewer, scan: Image, drag: None, ndisplay: int
) -> None:
    viewer.dims.ndisplay = ndisplay
    QApplication.processEvents()
    before, voxels = looks(viewer), hashlib.sha256(scan.data.tobytes()).digest()
    pull(canvas(viewer), (WHOLE // 2, 0))
    wider = Window(*scan.contrast_limits)
    assert wider.width == pytest.approx(400 * np.exp(0.5))
    assert wider.level == pytest.approx(50)
    pull(canvas(viewer), (0, -WHOLE // 4))
    assert Window(*scan.contrast_limits).width == pytest.approx(wider.width)
    assert Window(*scan.contrast_limits).level == pytest.approx(50 - wider.width / 4)  # lower is brighter
    assert looks(viewer) == before
    assert hashlib.sha256(scan.data.tobytes()).digest() == voxels


def test_without_an_image_or_after_letting_go_the_button_zooms_as_napari_has_it(viewer: Viewer, scan: Image) -> None:
    for target in (None, scan):
        drag = WindowDrag(own_view(viewer), lambda target=target: target)
        if target is scan:
            drag.let_go()
        before = looks(viewer)
        pull(canvas(viewer), (0, 60))
        drag.let_go()
        assert looks(viewer) != before
        assert tuple(scan.contrast_limits) == (-150, 250)


def test_left_drags_still_pan_and_paint(
    qtbot: Any, viewer: Viewer, scan: Image, drag: None
) -> None:  # fmt: skip
    center = viewer.scene.camera.center
    pull(canvas(viewer), (30, 20), button=LEFT)
    assert viewer.scene.camera.center != center
    viewer.reset_view()
    pull(canvas(viewer), (40, 40), keys=Qt.KeyboardModifier.ShiftModifier)  # another key: napari's too
    labels = paint_layer(viewer, "paint")
    stroke(qtbot, viewer, (20, 20), (20, 50))
    assert labels.data.any()
    assert tuple(scan.contrast_limits) == (-150, 250)


def paint_layer(viewer: Viewer, mode: str) -> Labels:
    labels = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="labels")
    labels.brush_size, labels.mode = 2, mode
    viewer.reset_view()
    QApplication.processEvents()
    return labels


def test_a_right_click_still_encircles(qtbot: Any, viewer: Viewer, drag: None, scan: Image) -> None:
    labels = paint_layer(viewer, "paint")
    corners = [(15, 20), (15, 60), (45, 60), (45, 20), (15, 20)]
    first = canvas_point(viewer, corners[0])
    qtbot.mouseMove(canvas(viewer), first)
    qtbot.mousePress(canvas(viewer), RIGHT, pos=first)
    assert not labels._overlays["brush_stroke"].active  # it may still become a drag
    qtbot.mouseRelease(canvas(viewer), RIGHT, pos=first + QPoint(2, 1))
    assert labels._overlays["brush_stroke"].active
    for start, stop in pairwise(corners):
        for share in np.linspace(0, 1, 9)[1:]:
            y, x = np.asarray(start) + (np.asarray(stop) - start) * share
            move_mouse(canvas(viewer), canvas_point(viewer, (y, x)), Qt.MouseButton.NoButton)
            qtbot.wait(8)  # napari takes moves at most each 5 ms
    assert not labels._overlays["brush_stroke"].active
    assert labels.data[viewer.dims.current_step[0], 30, 40] == 1  # filled
    assert tuple(scan.contrast_limits) == (-150, 250)


def test_right_clicks_take_back_corners_of_a_polygon_as_they_do_without_us(
    qtbot: Any, viewer: Viewer, scan: Image
) -> None:  # fmt: skip
    without = corners_after_clicks(qtbot, viewer, paint_layer(viewer, "polygon"))
    viewer.layers.remove("labels")
    drag = WindowDrag(own_view(viewer), lambda: scan)
    found = corners_after_clicks(qtbot, viewer, paint_layer(viewer, "polygon"))
    drag.let_go()
    assert found == without
    assert found[0] - 1 == found[1] == found[2] + 1


def corners_after_clicks(qtbot: Any, viewer: Viewer, labels: Labels) -> list[int]:
    """Count a polygon's points after left clicks, a right one and a right double click."""
    points, found = labels._overlays["polygon"], []
    for corner in ((15, 20), (15, 40), (15, 60), (30, 60), (45, 60)):
        qtbot.mouseClick(canvas(viewer), LEFT, pos=canvas_point(viewer, corner))
    found.append(len(points.points))
    qtbot.mouseClick(canvas(viewer), RIGHT, pos=canvas_point(viewer, (45, 20)))
    found.append(len(points.points))
    qtbot.mouseDClick(canvas(viewer), RIGHT, pos=canvas_point(viewer, (45, 20)))
    qtbot.mouseRelease(canvas(viewer), RIGHT, pos=canvas_point(viewer, (45, 20)))
    return [*found, len(points.points)]


def test_a_right_drag_paints_nothing_whatever_other_buttons_do(
    viewer: Viewer, drag: None, scan: Image
) -> None:  # fmt: skip
    labels = paint_layer(viewer, "paint")
    at = QPointF(canvas(viewer).rect().center())
    none = Qt.KeyboardModifier.NoModifier
    _send(canvas(viewer), QEvent.Type.MouseButtonPress, at, RIGHT, RIGHT, none)
    _send(canvas(viewer), QEvent.Type.MouseButtonPress, at, LEFT, LEFT | RIGHT, none)
    _send(canvas(viewer), QEvent.Type.MouseMove, at + QPointF(40, 0), NO_BUTTON, LEFT | RIGHT, none)
    _send(canvas(viewer), QEvent.Type.MouseButtonRelease, at + QPointF(40, 0), LEFT, RIGHT, none)
    _send(canvas(viewer), QEvent.Type.MouseButtonRelease, at + QPointF(40, 0), RIGHT, NO_BUTTON, none)
    pull(canvas(viewer), (0, 50))
    assert not labels.data.any()
    assert not labels._overlays["brush_stroke"].active
    assert Window(*scan.contrast_limits).width == pytest.approx(400 * np.exp(40 / WHOLE))


def test_a_release_that_went_elsewhere_ends_the_drag(viewer: Viewer, drag: None, scan: Image) -> None:
    at, none = QPointF(canvas(viewer).rect().center()), Qt.KeyboardModifier.NoModifier
    _send(canvas(viewer), QEvent.Type.MouseButtonPress, at, RIGHT, RIGHT, none)
    _send(canvas(viewer), QEvent.Type.MouseMove, at + QPointF(99, 0), NO_BUTTON, NO_BUTTON, none)
    assert tuple(scan.contrast_limits) == (-150, 250)
    pull(canvas(viewer), (40, 0))
    assert Window(*scan.contrast_limits).width == pytest.approx(400 * np.exp(40 / WHOLE))


def test_a_view_beside_the_viewer_changes_the_viewers_layer(qtbot: Any, viewer: Viewer, scan: Image) -> None:
    model = ViewerModel()
    widget = QtViewer(model)
    twin = model.add_image(scan.data, contrast_limits=(-150, 250))
    widget.resize(400, 300)
    widget.show()
    drag = WindowDrag(View(model, widget), lambda: scan)
    before = looks(model)
    pull(widget.canvas.native, (30, 0))
    drag.let_go()
    assert tuple(scan.contrast_limits) != (-150, 250) == tuple(twin.contrast_limits)
    assert looks(model) == before
    widget.close()
    widget.deleteLater()


@pytest.mark.parametrize("by", [(-100_000, 0), (-3000, 70), (3000, -3000), (0, 0)])
def test_every_drag_gives_a_window(by: tuple[int, int]) -> None:
    for least in (0.0, 1.0):
        found = dragged(Window(0.0, 80.0), QPointF(*by), least=least)
        assert found.low < found.high
        assert found.width > least * 0.999
