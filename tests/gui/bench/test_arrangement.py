"""Where the views are: in panes of napari's window or in windows of their own; and napari's canvas always draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QLabel, QSplitter, QWidget

from napari_vol3d.gui.bench.arrangement import PLACES, Arrangement
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.panes import Pane
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from tests.gui.bench.conftest import opened, settle, slice_of, view_of

LEFT = Qt.MouseButton.LeftButton


def arranged(bench: Bench) -> Arrangement:
    assert bench.arrangement is not None
    return bench.arrangement


def panes(viewer: Viewer) -> dict[Plane, Pane]:
    return {pane.plane: pane for pane in viewer.window._qt_window.findChildren(Pane)}


def visible(bench: Bench) -> list[Plane]:
    return [view.plane for view in bench.views if view.native.isVisible()]


def titles(viewer: Viewer) -> list[str]:
    """Give what stands above each pane, line by line."""
    labels = (panes(viewer)[plane].findChildren(QLabel) for plane in PLACES)
    return [next(label.text() for label in found if label.text()) for found in labels]


def assert_draws(qtbot: Any, view: View) -> None:
    """A canvas that has lost what OpenGL holds for it is never painted again."""
    drawn: list[object] = []
    draw = view.qt_viewer.canvas._scene_canvas.events.draw
    draw.connect(drawn.append)
    dims = view.model.dims
    dims.set_current_step(dims.order[0], dims.current_step[dims.order[0]] + 1)
    qtbot.waitUntil(lambda: bool(drawn))
    draw.disconnect(drawn.append)


def test_napari_s_canvas_draws_wherever_it_goes(qtbot: Any, viewer: Viewer, views: Bench, scan: Image) -> None:
    """Into its pane, alone, back into napari's window, and into a pane again."""
    first = views.views[0]
    settle()
    assert_draws(qtbot, first)
    opened(views)
    assert_draws(qtbot, first)
    for plane in (Plane.AXIAL, Plane.CORONAL, None):
        views.show_only(plane)
        settle()
        if plane is not Plane.CORONAL:
            assert_draws(qtbot, first)
    views.close()
    settle()
    assert first.native.isVisible()
    assert first.native.window() is viewer.window._qt_window
    assert_draws(qtbot, first)
    opened(views)
    for view in views.views[:3]:
        assert_draws(qtbot, view)


def test_napari_s_window_is_as_it_was_after_closing(viewer: Viewer, views: Bench, scan: Image) -> None:
    """The canvas is at its place in the middle, in all of its room."""
    settle()
    middle, canvas = viewer.window._qt_window.centralWidget(), viewer.window._qt_viewer
    before, size = [middle.layout().itemAt(k).widget() for k in range(middle.layout().count())], canvas.size()
    opened(views)
    assert canvas.width() < 0.6 * size.width()
    views.close()
    settle()
    assert [middle.layout().itemAt(k).widget() for k in range(middle.layout().count())] == before
    assert canvas.size() == size
    assert not panes(viewer)


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.SAGITTAL, Plane.VOLUME])
def test_a_pane_s_button_makes_it_large_and_small(
    qtbot: Any, viewer: Viewer, views: Bench, scan: Image, plane: Plane
) -> None:
    """The same button does both, and says so."""
    opened(views)
    everything = visible(views)
    assert len(everything) == 4
    button = panes(viewer)[plane].large
    with qtbot.waitSignal(views.changed):
        qtbot.mouseClick(button, LEFT)
    settle()
    assert arranged(views).alone is plane
    assert visible(views) == [plane]
    assert button.toolTip().startswith("All four views")
    qtbot.mouseClick(button, LEFT)
    settle()
    assert arranged(views).alone is None
    assert visible(views) == everything
    assert button.toolTip().startswith("Only this view")


def test_views_have_the_names_of_their_field(viewer: Viewer, views: Bench) -> None:
    """XY of cells, axial of a patient; what a person turns takes its new name."""
    opened(views)
    assert titles(viewer) == ["XY", "YZ", "XZ", "3D"]
    viewer.add_image(np.zeros((4, 5, 6)))
    views.views[0].set_plane(Plane.CORONAL)
    assert titles(viewer) == ["XZ", "YZ", "XZ", "3D"]


def test_a_patient_s_views_are_named(viewer: Viewer, views: Bench, scan: Image) -> None:
    """Also the windows."""
    opened(views)
    assert titles(viewer) == ["Axial", "Sagittal", "Coronal", "3D"]
    window = arranged(views).open_window(Plane.SAGITTAL)
    assert window.windowTitle() == f"Sagittal - {viewer.title}"


def test_a_window_of_its_own_shows_what_the_others_show(
    qtbot: Any, viewer: Viewer, views: Bench, scan: Image, labels: Labels
) -> None:
    """By the pane's button; layers, those to come too, and the crosshair's slice."""
    opened(views)
    qtbot.mouseClick(panes(viewer)[Plane.CORONAL].window_button, LEFT)
    settle()
    assert len(views.views) == 5
    window = views.views[-1]
    assert window.plane is Plane.CORONAL
    assert window.native.window() is not viewer.window._qt_window
    second = viewer.add_image(scan.data[::-1], scale=scan.scale, translate=scan.translate, units=scan.units)
    assert set(window.twins) == {scan, labels, second}
    views.go_to(scan.data_to_world((3, 31, 9)))
    np.testing.assert_array_equal(slice_of(scan, window), scan.data[:, 31])
    np.testing.assert_array_equal(slice_of(second, window), scan.data[::-1][:, 31])
    assert_draws(qtbot, window)
    assert views.point[1] == pytest.approx(scan.data_to_world((3, 32, 9))[1])  # it leads as well


def test_a_window_that_is_closed_leaves_nothing(qtbot: Any, views: Bench, scan: Image) -> None:
    """The layer has as many listeners as before, Qt as many windows; the others go on."""
    opened(views)
    before = len(scan.events.contrast_limits.callbacks), len(windows())
    window = arranged(views).open_window(Plane.SAGITTAL)
    settle()
    assert len(windows()) == before[1] + 1
    with qtbot.waitSignal(views.changed):
        window.close()
    settle()
    assert (len(scan.events.contrast_limits.callbacks), len(windows())) == before
    assert len(views.views) == 4
    views.go_to(scan.data_to_world((3, 31, 9)))
    for view in views.views[:3]:
        assert_draws(qtbot, view)


def test_windows_go_with_the_bench(qtbot: Any, views: Bench, scan: Image) -> None:
    """Two of them, one in 3D."""
    opened(views)
    before = len(windows())
    for plane in (Plane.VOLUME, Plane.AXIAL):
        arranged(views).open_window(plane)
    settle()
    assert len(windows()) == before + 2
    views.close()
    settle()
    assert len(windows()) == before
    assert len(views.views) == 1
    assert_draws(qtbot, views.views[0])


def test_what_is_dragged_apart_stays_so(qtbot: Any, viewer: Viewer, views: Bench, scan: Image) -> None:
    """Also when one had all the room meanwhile; it is told at once, so that it is remembered."""
    opened(views)
    assert arranged(views).sizes == ""
    row = panes(viewer)[Plane.AXIAL].parentWidget()
    assert isinstance(row, QSplitter)
    with qtbot.waitSignal(views.changed):
        drag_handle(qtbot, row.handle(1), QPoint(-120, 0))
    said = arranged(views).sizes
    assert said
    views.show_only(Plane.VOLUME)
    settle()
    views.show_only(Plane.AXIAL)
    settle()
    assert arranged(views).sizes == said
    views.show_only(None)
    settle()
    assert arranged(views).sizes == said
    assert view_of(views, Plane.AXIAL).native.width() < view_of(views, Plane.SAGITTAL).native.width()


def drag_handle(qtbot: Any, handle: QWidget, way: QPoint) -> None:
    """Drag with the left button down, which qtbot's own moves leave out."""
    middle = handle.rect().center()
    qtbot.mousePress(handle, LEFT, pos=middle)
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(middle + way), QPointF(handle.mapToGlobal(middle + way)),
        Qt.MouseButton.NoButton, LEFT, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(handle, event)
    qtbot.mouseRelease(handle, LEFT, pos=middle)
    settle()


def windows() -> list[QWidget]:
    return [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
