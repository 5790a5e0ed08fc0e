"""The reading room in napari's window: all parts are there, and nothing is left when it goes, whoever closes what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from napari.settings import get_plugin_settings
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QAbstractButton, QApplication
from superqt import QCollapsible

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.reading_room import ReadingRoom
from napari_vol3d.gui.workbench import Workbench
from tests.gui.bench.conftest import add, click, settle, view_of
from tests.gui.conftest import PLUGIN

WIDEST = 340


@pytest.fixture
def room(bench: Workbench) -> ReadingRoom:
    """The one in the dock, whose tab is in front."""
    bench.show_tab(bench.reading.panel)
    return bench.reading


def patient(viewer: Viewer) -> Image:
    data = np.random.default_rng(0).integers(0, 99, (12, 20, 16)).astype(np.int16)
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = 2, -1, -1, 1
    added = add(viewer, Volume(data=data, geometry=Geometry(affine=affine, anatomical=True), name="scan"))
    settle()
    return added


def press(qtbot: Any, button: QAbstractButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))
    settle()


def remembered() -> Any:
    return get_plugin_settings(PLUGIN).reading


def test_the_tab_has_its_parts(viewer: Viewer, bench: Workbench, room: ReadingRoom) -> None:
    """In the order of use; what is used less is folded; and all is as narrow as the dock."""
    patient(viewer)
    sections = [section for section in room.panel.findChildren(QCollapsible) if section.parent() is room.panel]
    shown = {section.text(): section.isExpanded() for section in sorted(sections, key=lambda section: section.y())}
    assert shown == {"Grey levels": True, "Classes": True, "Several images": False, "Measure": False}
    assert list(shown) == ["Grey levels", "Classes", "Several images", "Measure"]
    assert room.panel.isVisible()
    assert room.panel.minimumSizeHint().width() <= WIDEST


def test_each_view_has_scale_bar_letters_and_line(qtbot: Any, viewer: Viewer, room: ReadingRoom) -> None:
    """The line under the views tells of the point that was clicked."""
    scan = patient(viewer)
    press(qtbot, room.panel.form.four)
    assert len(room.bench.views) == 4
    assert all(view.model.canvas.overlays.scale_bar.visible for view in room.bench.views)
    click(qtbot, view_of(room.bench, Plane.CORONAL), scan.data_to_world((4, 9, 7)))
    z, y, x = (round(value) for value in scan.world_to_data(room.bench.point))
    room.line.point_at(None)
    qtbot.waitUntil(lambda: room.line.text().startswith(f"{scan.data[z, y, x]} "))
    assert room.line.isVisible()


def test_the_views_come_back_with_the_first_scan(qtbot: Any, viewer: Viewer, room: ReadingRoom) -> None:
    """As they were the last time; none without a scan."""
    remembered().open, remembered().alone = True, "SAGITTAL"
    assert not room.bench.is_open
    patient(viewer)
    assert room.bench.arrangement is not None
    assert room.bench.arrangement.alone is Plane.SAGITTAL
    assert room.panel.form.large[Plane.SAGITTAL].isChecked()
    room.bench.close()
    viewer.add_image(np.zeros((3, 4, 5)))
    assert not room.bench.is_open


def test_the_views_come_back_in_a_dock_that_opens_late(viewer: Viewer) -> None:
    """The scan and its labels are there already."""
    scan = patient(viewer)
    viewer.add_labels(np.zeros(scan.data.shape, np.uint8), scale=scan.scale, translate=scan.translate)
    remembered().open = True
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Vol3D")
    settle()
    assert dock.reading.bench.is_open
    dock.let_go()


def test_what_is_switched_is_remembered_at_once(qtbot: Any, viewer: Viewer, room: ReadingRoom) -> None:
    """A window that is killed forgets nothing."""
    patient(viewer)
    press(qtbot, room.panel.form.four)
    press(qtbot, room.panel.form.crosshair)
    press(qtbot, room.panel.form.wheel)
    press(qtbot, room.panel.form.large[Plane.VOLUME])
    kept = remembered()
    assert (kept.open, kept.crosshair, kept.wheel_turns, kept.alone) == (True, False, False, "VOLUME")
    press(qtbot, room.panel.form.four)
    assert kept.alone == ""
    press(qtbot, room.panel.form.four)
    assert kept.open is False


def test_the_window_is_closed_with_all_views_open(qtbot: Any, viewer: Viewer, room: ReadingRoom) -> None:
    """Nobody has said a word to the dock; `nothing_left_behind` looks for the rest. The views are remembered."""
    patient(viewer)
    press(qtbot, room.panel.form.four)
    assert room.bench.arrangement is not None
    room.bench.arrangement.open_window(Plane.CORONAL)
    settle()
    viewer.close()
    settle()
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    assert not room.bench.views
    assert remembered().open


def test_closing_the_dock_gives_napari_back(qtbot: Any, viewer: Viewer, bench: Workbench, room: ReadingRoom) -> None:
    """Its canvas alone, radiological, with no scale bar; and a second time is no harm."""
    patient(viewer)
    press(qtbot, room.panel.form.four)
    qtbot.keyClick(room.panel.form.sides, Qt.Key.Key_Down)
    viewer.window.remove_dock_widget(bench)
    settle()
    assert not room.bench.views
    assert viewer.window._qt_viewer.canvas.native.isVisible()
    assert viewer.window._qt_viewer.window() is viewer.window._qt_window
    assert tuple(map(str, viewer.scene.camera.orientation2d)) == ("down", "right")
    assert not viewer.canvas.overlays.scale_bar.visible
    assert remembered().neurological
    room.let_go()
    bench.deleteLater()
