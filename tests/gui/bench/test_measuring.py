"""With a tool the mouse measures, and neither pans nor paints; what was measured stays on its slice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.board import Board
from napari_vol3d.gui.bench.measuring import Measuring
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View, World
from tests.gui.conftest import PLUGIN

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
SCALE, CORNER = (5.0, 2.0, 0.8), (-30.0, 7.0, 3.0)
LANDMARKS = (4, 10, 20), (4, 34, 71)  # voxels


@dataclass
class Desk:
    """A view with a board, and a mouse on it."""

    qtbot: Any
    viewer: Viewer
    view: View
    board: Board
    measuring: Measuring

    @property
    def pixel(self) -> float:
        """Breadth of a pixel, in mm."""
        return float(1 / self.viewer.scene.camera.zoom)

    @property
    def camera(self) -> tuple[Any, ...]:
        return self.viewer.scene.camera.center, self.viewer.scene.camera.zoom

    def at(self, point: World) -> QPoint:
        x, y = self.view.to_pixel(point)
        return QPoint(round(x), round(y))

    def move(self, point: World, held: Any = NONE) -> None:
        # QTest's own moves go through the window system, which takes its time.
        at = self.at(point)
        there = QPointF(self.view.native.mapToGlobal(at))
        event = QMouseEvent(QEvent.Type.MouseMove, QPointF(at), there, NONE, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.view.native, event)

    def press(self, point: World) -> None:
        self.qtbot.mousePress(self.view.native, LEFT, pos=self.at(point))

    def release(self, point: World) -> None:
        self.qtbot.mouseRelease(self.view.native, LEFT, pos=self.at(point))

    def drag(self, first: World, last: World) -> None:
        self.press(first)
        for share in (0.3, 0.7, 1):
            self.move(tuple(np.add(first, share * np.subtract(last, first))), LEFT)
            QApplication.processEvents()
        self.release(last)

    def click(self, point: World) -> None:
        self.press(point)
        self.release(point)

    def escape(self) -> None:
        self.qtbot.keyClick(self.view.native, Qt.Key.Key_Escape)


@contextmanager
def at_desk(qtbot: Any, viewer: Viewer) -> Iterator[Desk]:
    """No fixture: pytest would hold the canvas longer than the window is there."""
    view, board = View(viewer, viewer.window._qt_viewer), Board(viewer)
    desk = Desk(qtbot, viewer, view, board, Measuring(view, board))
    yield desk
    desk.measuring.let_go()
    board.let_go()


@pytest.fixture
def scan(viewer: Viewer) -> Image:
    """An anisotropic scan, at the slice of the landmarks."""
    voxels = np.random.default_rng(1).normal(100, 10, (9, 60, 110)).astype(np.float32)
    layer: Image = viewer.add_image(voxels, scale=SCALE, translate=CORNER, units=("mm",) * 3, name="scan")
    viewer.dims.set_point(0, layer.data_to_world((4, 0, 0))[0])
    QApplication.processEvents()
    return layer


@pytest.fixture
def ends(scan: Image) -> tuple[World, World]:
    """The landmarks in the world."""
    first, last = (scan.data_to_world(voxel) for voxel in LANDMARKS)
    return first, last


def test_a_ruler_over_two_landmarks_measures_the_true_length_in_every_plane(
    qtbot: Any, viewer: Viewer, scan: Image
) -> None:
    with at_desk(qtbot, viewer) as desk:
        for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL):
            voxels = np.array([(1, 12, 20), (7, 41, 85)])
            voxels[:, plane.value] = 4
            viewer.dims.order = plane.order
            viewer.scene.camera.orientation2d = plane.towards(anatomical=True, neurological=True)
            viewer.fit_to_view()
            first, last = (scan.data_to_world(voxel) for voxel in voxels)
            viewer.dims.set_point(plane.value, first[plane.value])
            before = desk.camera
            desk.board.tool = "ruler"
            desk.drag(first, last)
            found = desk.board.measurements[-1]
            assert found.value == pytest.approx(np.linalg.norm(np.subtract(*voxels) * SCALE), abs=desk.pixel)
            assert (found.kind, found.axis, found.unit) == ("ruler", plane.value, "mm")
            assert (desk.camera, desk.board.tool) == (before, None)
        assert [one.view for one in desk.board.measurements] == ["XY", "XZ", "YZ"]


def test_on_an_oblique_scan_the_length_is_true(qtbot: Any, viewer: Viewer, shared_data: Path) -> None:
    viewer.open(shared_data / "scans" / "MR_Gd.nii.gz", plugin=PLUGIN)
    layer = viewer.layers[0]
    viewer.dims.set_point(0, layer.data_to_world((20, 0, 0))[0])
    voxels = (20, 30, 40), (20, 110, 95)
    with at_desk(qtbot, viewer) as desk:
        desk.board.tool = "ruler"
        desk.drag(*(layer.data_to_world(voxel) for voxel in voxels))
        (found,) = desk.board.measurements
        assert found.value == pytest.approx(np.linalg.norm(np.subtract(*found.places)), abs=1e-6)
        assert found.value == pytest.approx(np.linalg.norm(np.subtract(*voxels) * layer.scale), abs=desk.pixel)
        assert found.view == "Axial"


def test_an_angle_takes_three_clicks_and_shows_itself_meanwhile(qtbot: Any, viewer: Viewer, scan: Image) -> None:
    first, corner, last = (scan.data_to_world(voxel) for voxel in ((4, 10, 20), (4, 40, 20), (4, 40, 80)))
    with at_desk(qtbot, viewer) as desk:
        desk.board.tool = "angle"
        desk.click(first)
        desk.move(corner)
        assert len(desk.measuring.figures[0].pixels) == 2
        desk.click(corner)
        desk.move(last)
        assert desk.measuring.figures[0].text == "90.0°"
        assert desk.board.measurements == ()
        desk.click(last)
        assert desk.board.measurements[0].value == pytest.approx(90, abs=0.6)
        assert desk.board.tool is None
        # Quick clicks come as double clicks.
        desk.board.tool = "angle"
        desk.click(first)
        desk.click(corner)
        qtbot.mouseDClick(desk.view.native, LEFT, pos=desk.at(last))
        assert desk.board.measurements[1].value == pytest.approx(90, abs=0.6)


def test_an_ellipse_tells_the_grey_levels_in_it(
    qtbot: Any, viewer: Viewer, scan: Image, ends: tuple[World, World]
) -> None:
    with at_desk(qtbot, viewer) as desk:
        desk.board.tool = "ellipse"
        desk.press(ends[0])
        desk.move(ends[1], LEFT)
        assert "mean" in desk.measuring.figures[0].text
        desk.release(ends[1])
        (found,) = desk.board.measurements
        assert found.statistics is not None
        assert found.value == pytest.approx(scan.data[4, 10:35, 20:72].mean(), abs=2)
        assert found.statistics.area == pytest.approx(np.pi / 4 * 24 * 2 * 51 * 0.8, rel=0.06)
        assert found.image == "scan"


def test_a_tool_neither_paints_nor_pans_and_without_one_all_is_napari_s(
    qtbot: Any, viewer: Viewer, scan: Image, ends: tuple[World, World]
) -> None:
    labels = viewer.add_labels(np.zeros(scan.data.shape, np.uint8), scale=SCALE, translate=CORNER, units=("mm",) * 3)
    with at_desk(qtbot, viewer) as desk:
        before = desk.camera
        labels.mode, labels.selected_label = "paint", 1
        desk.board.tool = "ellipse"
        desk.drag(*ends)
        assert not labels.data.any()
        desk.drag(*ends)  # the tool is off: this is a stroke, also over the handles
        assert labels.data.any()
        (found,) = desk.board.measurements
        assert desk.camera == before
        labels.mode = "pan_zoom"
        desk.drag(tuple(np.add(ends[0], (0, 30, 20))), ends[0])
        viewer.screenshot(canvas_only=True, flash=False)  # the camera follows when it draws
        assert desk.camera != before
        assert desk.board.measurements == (found,)


def test_escape_drops_what_is_half_drawn_and_then_the_tool(
    qtbot: Any, viewer: Viewer, ends: tuple[World, World]
) -> None:
    with at_desk(qtbot, viewer) as desk:
        desk.board.tool = "angle"
        desk.click(ends[0])
        desk.move(ends[1])
        assert desk.measuring.figures
        desk.escape()
        assert (desk.measuring.figures, desk.board.tool) == ((), "angle")
        desk.click(ends[0])
        viewer.dims.set_point(0, ends[0][0] + 5)  # so does another slice
        assert desk.measuring.figures == ()
        viewer.dims.set_point(0, ends[0][0])
        desk.escape()
        assert desk.board.tool is None
        desk.board.tool = "ruler"
        desk.press(ends[0])
        desk.move(ends[1], LEFT)
        desk.escape()
        desk.release(ends[1])
        desk.click(ends[0])  # a press without a drag is no ruler
        assert (desk.board.measurements, desk.board.tool) == ((), "ruler")


def test_an_end_can_be_moved_afterwards_also_when_a_series_has_come(
    qtbot: Any, viewer: Viewer, scan: Image, ends: tuple[World, World]
) -> None:
    targets = [scan.data_to_world(voxel) for voxel in ((4, 50, 20), (4, 50, 90))]
    with at_desk(qtbot, viewer) as desk:
        desk.board.keep, desk.board.tool = True, "ruler"
        desk.drag(*ends)
        assert desk.board.tool == "ruler"
        desk.board.tool = None
        desk.drag(ends[1], targets[0])
        (found,) = desk.board.measurements
        assert found.value == pytest.approx(np.linalg.norm(np.subtract(targets[0], ends[0])), abs=desk.pixel)
        assert desk.board.chosen is found
        series = np.zeros((3, *scan.data.shape), np.uint8)
        units = ("pixel", "mm", "mm", "mm")
        viewer.add_image(series, scale=(1, *SCALE), translate=(0, *CORNER), units=units)
        viewer.dims.set_point(1, ends[0][0])
        QApplication.processEvents()
        assert len(desk.measuring.figures) == 1
        before = desk.camera
        desk.drag((0.0, *targets[0]), (0.0, *targets[1]))
        (found,) = desk.board.measurements
        assert found.value == pytest.approx(np.linalg.norm(np.subtract(targets[1], ends[0])), abs=desk.pixel)
        assert desk.camera == before


def test_it_is_seen_at_its_place_on_its_slice_and_in_its_plane_only(
    qtbot: Any, viewer: Viewer, ends: tuple[World, World]
) -> None:
    with at_desk(qtbot, viewer) as desk:
        desk.board.tool = "ruler"
        desk.drag(*ends)
        z = ends[0][0]
        for at, seen in ((z + 2.4, True), (z - 2.4, True), (z + 2.6, False), (z - 5, False), (z, True)):
            viewer.dims.set_point(0, at)
            assert bool(desk.measuring.figures) == seen
        viewer.dims.order = Plane.CORONAL.order
        assert desk.measuring.figures == ()
        viewer.dims.order = Plane.AXIAL.order
        viewer.dims.ndisplay = 3
        assert desk.measuring.figures == ()
        viewer.dims.ndisplay = 2
        points = desk.board.measurements[0].points
        viewer.scene.camera.zoom *= 1.7
        viewer.scene.camera.center = (0, *np.add(viewer.scene.camera.center[1:], (4, -9)))
        np.testing.assert_allclose(desk.measuring.figures[0].pixels, [desk.view.to_pixel(p) for p in points])
        viewer.window.resize(1400, 850)
        QApplication.processEvents()
        np.testing.assert_allclose(desk.measuring.figures[0].pixels, [desk.view.to_pixel(p) for p in points])
