"""The dock: what fits the moment, where napari's menus promise it, in its width, and gone without a trace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from napari import Viewer
from napari._app_model import get_app_model
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QFileDialog,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QWidget,
)
from superqt import QCollapsible

from napari_vol3d.core.box import Box
from napari_vol3d.gui.workbench import MINIMUM_WIDTH, Workbench
from tests.builders import phantom, save_nifti
from tests.gui.conftest import PLUGIN

WAIT_MS = 20_000
MM = ("mm",) * 3


def shown(bench: Workbench) -> QWidget:
    return bench.welcome if bench.welcome.isVisible() else bench.segment


def scroll_area(bench: Workbench) -> QScrollArea:
    """What the page that is seen is scrolled in."""
    (area,) = (area for area in bench.findChildren(QScrollArea) if area.isVisible())
    return area


def visible_buttons(bench: Workbench) -> list[str]:
    return [button.text() for button in bench.findChildren(QPushButton) if button.isVisible()]


# ---- what is shown -------------------------------------------------------------------------------------------------


def test_before_a_scan_there_are_ways_to_one_and_no_form(qtbot: Any, bench: Workbench) -> None:
    qtbot.mouseClick(bench.consent.no, Qt.MouseButton.LeftButton)
    assert visible_buttons(bench) == ["Open a scan", "Try the sample", "Review many scans ..."]
    assert not bench.segment.isVisible()
    assert not psutil.Process().children()  # nothing is started for someone who only looks


def test_the_sample_opens_and_brings_the_form(qtbot: Any, bench: Workbench, viewer: Viewer) -> None:
    qtbot.mouseClick(bench.welcome.sample, Qt.MouseButton.LeftButton)
    (layer,) = viewer.layers
    assert isinstance(layer, Image)
    assert bench.segment.isVisible()
    assert not bench.welcome.isVisible()
    qtbot.waitUntil(bench.segment.ui.run.isEnabled, timeout=WAIT_MS)
    assert bench.segment.ui.scan.value() is layer


def test_open_asks_for_a_file_and_opens_it_with_us(
    qtbot: Any, bench: Workbench, viewer: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, filters = save_nifti(tmp_path / "mine.nii.gz", phantom()[0]), []

    def choose(parent: Any, title: str, folder: str, wanted: str) -> tuple[str, str]:
        filters.append(wanted)
        return str(path), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    qtbot.mouseClick(bench.welcome.open, Qt.MouseButton.LeftButton)
    assert [layer.name for layer in viewer.layers] == ["mine"]
    for pattern in ("*.nii.gz", "*.tif", "*.npy"):
        assert pattern in filters[0]


def test_dismissing_the_file_dialog_opens_nothing(
    qtbot: Any, bench: Workbench, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    qtbot.mouseClick(bench.welcome.open, Qt.MouseButton.LeftButton)
    assert not viewer.layers


def test_labels_alone_can_be_corrected(bench: Workbench, viewer: Viewer) -> None:
    """They are no scan, so there is nothing to segment."""
    labels = viewer.add_labels(np.zeros((3, 4, 5), np.uint8))
    assert not bench.segment.ui.run.isEnabled()
    assert bench.correcting is not None
    assert bench.correcting.desk.record is not None
    assert bench.correcting.desk.record.layer is labels
    assert bench.correcting.panel.isVisible()


def test_when_the_last_scan_goes_the_welcome_comes_back(bench: Workbench, viewer: Viewer) -> None:
    layer = viewer.add_image(np.zeros((3, 4, 5)))
    assert shown(bench) is bench.segment
    viewer.layers.remove(layer)
    assert shown(bench) is bench.welcome


# ---- where it is found ---------------------------------------------------------------------------------------------


def test_opening_the_dock_loads_no_tensorflow(bench: Workbench, viewer: Viewer) -> None:
    viewer.add_image(np.zeros((3, 4, 5)))
    assert "tensorflow" not in sys.modules
    assert "keras" not in sys.modules


@pytest.mark.parametrize("menu", ["napari/layers/segment", "napari/plugins"])
def test_the_menus_have_it(viewer: Viewer, menu: str) -> None:
    items = list(get_app_model().menus.get_menu(menu))
    for item in list(items):
        if getattr(item, "submenu", None):
            items += get_app_model().menus.get_menu(item.submenu)
    commands = [item.command.id for item in items if getattr(item, "command", None)]
    assert any(command.startswith("napari-vol3d") for command in commands), commands


def test_opening_it_twice_gives_the_same_dock(bench: Workbench, viewer: Viewer) -> None:
    _, again = viewer.window.add_plugin_dock_widget(PLUGIN, "Vol3D")
    assert again is bench


def test_closing_the_dock_hides_it_and_it_comes_back_as_it_was(
    qtbot: Any, bench: Workbench, viewer: Viewer
) -> None:
    viewer.add_image(np.zeros((8, 16, 16)), units=MM)
    bench.segment.ui.options.memory.setValue(0.7)
    dock = viewer.window.dock_widgets  # by name
    assert any("Vol3D" in name for name in dock)
    holder = bench.parentWidget()
    while holder is not None and not hasattr(holder, "toggleViewAction"):
        holder = holder.parentWidget()
    assert holder is not None
    holder.toggleViewAction().trigger()
    QApplication.processEvents()
    assert not bench.isVisible()
    holder.toggleViewAction().trigger()
    QApplication.processEvents()
    assert bench.isVisible()
    assert bench.segment.ui.options.memory.value() == 0.7


# ---- the end -------------------------------------------------------------------------------------------------------


def test_closing_the_window_ends_the_waiting_engine(qtbot: Any, bench: Workbench, viewer: Viewer) -> None:
    viewer.add_image(np.zeros((8, 16, 16)), units=MM)
    qtbot.waitUntil(lambda: bench.segment._keeper._engine is not None, timeout=WAIT_MS)
    engine = bench.segment._keeper._engine
    assert engine is not None
    viewer.close()
    qtbot.waitUntil(lambda: not psutil.pid_exists(engine.process.pid), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not engine.folder.exists(), timeout=WAIT_MS)


def test_letting_go_twice_is_letting_go_once(qtbot: Any, bench: Workbench, viewer: Viewer) -> None:
    layer = viewer.add_image(np.zeros((8, 16, 16)), units=MM)
    qtbot.waitUntil(bench.segment.ui.run.isEnabled, timeout=WAIT_MS)
    bench.let_go()
    bench.let_go()
    assert not psutil.Process().children()
    # Nothing follows the viewer any more, and nothing is started again.
    viewer.layers.remove(layer)
    viewer.add_image(np.zeros((8, 16, 16)), units=MM)
    viewer.dims.set_current_step(0, 3)
    viewer.scene.camera.zoom *= 2
    QApplication.processEvents()
    assert not bench.segment._soon.isActive()  # no update, which would wake an engine, is on its way
    assert not psutil.Process().children()


# ---- how it looks --------------------------------------------------------------------------------------------------


def fill(bench: Workbench, viewer: Viewer, qtbot: Any) -> None:
    """Bring up all that the form can show before a run."""
    data = np.zeros((160, 160, 160), np.uint8)
    viewer.add_image(data, scale=(2.5, 0.875, 0.875), units=MM, name="a scan with a rather long name, T1 MPRAGE, 2.nii")
    qtbot.waitUntil(bench.segment.ui.run.isEnabled, timeout=WAIT_MS)
    ui = bench.segment.ui
    ui.show_region(Box(start=(10, 0, 0), stop=(53, 160, 160)), axis=0)
    ui.offer_save("a scan with a rather long name, T1 MPRAGE, 2.nii labels")
    ui.result.setText("<b>Done in 8.6 s</b> on CPU: anterior 1.72 mL, posterior 1.58 mL")
    ui.status.setText("5 of 12 tiles, 4 s left")
    for folded in bench.findChildren(QWidget):
        if type(folded).__name__ == "QCollapsible":
            folded.expand(animate=False)
    QApplication.processEvents()


def cut_off(bench: Workbench) -> list[str]:
    """Name visible widgets whose words do not fit into their width, or that reach beyond the dock."""
    found = []
    area = scroll_area(bench)
    for widget in bench.findChildren(QWidget):
        if not widget.isVisible() or not isinstance(widget, QLabel | QAbstractButton | QProgressBar):
            continue
        words = widget.text()
        room = area.viewport() if area.isAncestorOf(widget) else bench
        right = widget.mapTo(room, widget.rect().topRight()).x()
        if right >= room.width():
            found.append(f"{words!r} reaches to {right} of {room.width()}")
        if isinstance(widget, QLabel) and widget.wordWrap():
            if widget.heightForWidth(widget.width()) > widget.height():
                found.append(f"{words!r} needs {widget.heightForWidth(widget.width())}, has {widget.height()} px")
        elif isinstance(widget, QPushButton | QCheckBox | QLabel) and widget.sizeHint().width() > widget.width():
            found.append(f"{words!r} needs {widget.sizeHint().width()}, has {widget.width()} px")
    return found


def _assert_nothing(found: list[str]) -> None:
    assert not found


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("page", ["welcome", "segment"])
def test_at_its_least_width_no_word_is_cut_off(
    qtbot: Any, bench: Workbench, viewer: Viewer, theme: str, page: str
) -> None:
    viewer.theme = theme
    if page == "segment":
        fill(bench, viewer, qtbot)
    bench.setFixedWidth(MINIMUM_WIDTH)
    qtbot.waitUntil(lambda: bench.width() == MINIMUM_WIDTH, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: _assert_nothing(cut_off(bench)), timeout=WAIT_MS)  # the layout settles in steps
    picture = bench.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = picture.constBits().asarray(picture.sizeInBytes())
    colors = np.frombuffer(pixels, np.uint8).reshape(picture.height(), picture.width(), 4)[..., :3]
    assert len(np.unique(colors.reshape(-1, 3), axis=0)) > 20
    background = np.median(colors)
    assert (background < 100) == (theme == "dark")


def test_the_search_for_cut_off_words_finds(qtbot: Any, bench: Workbench, viewer: Viewer) -> None:
    fill(bench, viewer, qtbot)
    bench.segment.ui.cancel.setFixedWidth(20)
    QApplication.processEvents()
    assert any("Cancel" in line for line in cut_off(bench))


def test_taking_the_dock_out_of_the_window_ends_its_engine(qtbot: Any, viewer: Viewer) -> None:
    dock, bench = viewer.window.add_plugin_dock_widget(PLUGIN, "Vol3D")
    viewer.add_image(np.zeros((8, 16, 16), np.float32))
    qtbot.waitUntil(lambda: bench.segment._keeper._engine is not None, timeout=5000)
    engine = bench.segment._keeper._engine
    assert engine.alive
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: not engine.alive and not engine.folder.exists(), timeout=10_000)


def test_a_tab_is_as_high_as_what_it_shows(qtbot: Any, bench: Workbench, viewer: Viewer) -> None:
    """Segment fits into the window without a scroll bar, however much there is to be seen in Read."""
    viewer.window.resize(1280, 900)
    viewer.add_image(np.zeros((8, 9, 10), np.uint8), units=MM)

    def scrolls() -> bool:
        return bool(scroll_area(bench).verticalScrollBar().maximum() > 0)

    qtbot.waitUntil(lambda: not scrolls(), timeout=WAIT_MS)
    bench.show_tab(bench.reading.panel)
    for folded in bench.reading.panel.findChildren(QCollapsible):
        folded.expand(animate=False)
    qtbot.waitUntil(scrolls, timeout=WAIT_MS)
    assert bench.tabs.tabBar().visibleRegion().boundingRect() == bench.tabs.tabBar().rect()
    bench.show_tab(bench.segment)
    qtbot.waitUntil(lambda: not scrolls(), timeout=WAIT_MS)
