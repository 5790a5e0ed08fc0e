"""The tab for reading: what is clicked or pressed is done by the bench, and the tab shows what the bench does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QAbstractButton, QLabel, QWidget

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.forms.views import ORDER
from napari_vol3d.gui.panels.reading import ReadingPanel
from tests.gui.bench.conftest import add, settle, slice_of, view_of

WIDEST = 320
ALT = Qt.KeyboardModifier.AltModifier
DIGITS = dict(zip((None, *ORDER), (Qt.Key.Key_0, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4), strict=True))


@pytest.fixture
def scan(viewer: Viewer) -> Image:
    """A patient's, slices 2 mm apart."""
    data = np.random.default_rng(0).integers(0, 99, (12, 20, 16)).astype(np.int16)
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = 2, -1, -1, 1
    return add(viewer, Volume(data=data, geometry=Geometry(affine=affine, anatomical=True), name="scan"))


@pytest.fixture
def panel(viewer: Viewer, scan: Image) -> Iterator[ReadingPanel]:
    """In napari's window, at the right."""
    bench = Bench(viewer, QWidget())
    made = ReadingPanel(viewer, bench)
    dock = viewer.window.add_dock_widget(made, area="right")
    settle()
    yield made
    made.let_go()
    bench.let_go()
    viewer.window.remove_dock_widget(dock)
    made.deleteLater()
    settle()


def bench_of(panel: ReadingPanel) -> Bench:
    return panel._bench


def press(qtbot: Any, button: QAbstractButton) -> None:
    """Click at the left end, where the box of a check box is."""
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))
    settle()


def key(qtbot: Any, viewer: Viewer, plane: Plane | None) -> None:
    """Press Alt and a digit in napari's window."""
    window = viewer.window._qt_window
    qtbot.give_the_keyboard(window)
    qtbot.keyClick(window, DIGITS[plane], ALT)
    settle()


def state(panel: ReadingPanel) -> tuple[bool, Plane | None]:
    """Give whether the bench is open and what is alone, after checking that the form shows just that."""
    arrangement, form = bench_of(panel).arrangement, panel.form
    alone = arrangement.alone if arrangement is not None else None
    assert form.four.isChecked() is (arrangement is not None and alone is None)
    assert [plane for plane, button in form.large.items() if button.isChecked()] == ([] if alone is None else [alone])
    return arrangement is not None, alone


def test_buttons_open_and_close_views(qtbot: Any, panel: ReadingPanel) -> None:
    """Four, one, another one, four, none."""
    form = panel.form
    assert state(panel) == (False, None)
    for button, wanted in (
        (form.four, (True, None)), (form.large[Plane.CORONAL], (True, Plane.CORONAL)),
        (form.large[Plane.AXIAL], (True, Plane.AXIAL)), (form.large[Plane.AXIAL], (True, None)),
        (form.large[Plane.VOLUME], (True, Plane.VOLUME)), (form.four, (True, None)), (form.four, (False, None)),
        (form.large[Plane.SAGITTAL], (True, Plane.SAGITTAL)),
    ):  # fmt: skip
        press(qtbot, button)
        assert state(panel) == wanted


def test_keys_do_the_same(qtbot: Any, viewer: Viewer, panel: ReadingPanel) -> None:
    """Alt and a digit, in napari's own window, closed or open."""
    for plane in (Plane.SAGITTAL, Plane.AXIAL, Plane.VOLUME, Plane.CORONAL, None):
        key(qtbot, viewer, plane)
        assert state(panel) == (True, plane)
    key(qtbot, viewer, None)
    assert state(panel) == (False, None)


def test_the_tab_shows_what_others_do_to_the_bench(panel: ReadingPanel) -> None:
    """Buttons in the panes, for one."""
    bench_of(panel).show_only(Plane.VOLUME)
    assert state(panel) == (True, Plane.VOLUME)
    bench_of(panel).close()
    assert state(panel) == (False, None)


def test_switches_reach_the_bench_and_are_told(qtbot: Any, panel: ReadingPanel) -> None:
    """Each change once: it is written into the settings."""
    bench, form = bench_of(panel), panel.form
    told: list[None] = []
    panel.changed.connect(lambda: told.append(None))
    press(qtbot, form.crosshair)
    press(qtbot, form.wheel)
    qtbot.keyClick(form.sides, Qt.Key.Key_Down)
    assert (bench.crosshair, bench.wheel_turns, bench.neurological) == (False, False, True)
    assert len(told) == 3
    panel.follow()
    assert (form.crosshair.isChecked(), form.wheel.isChecked(), form.sides.currentIndex()) == (False, False, 1)
    assert len(told) == 3


def test_slabs_reach_all_views(qtbot: Any, panel: ReadingPanel, scan: Image) -> None:
    """8 mm are four slices of 2 mm, and eight of 1 mm."""
    bench, form = bench_of(panel), panel.form
    press(qtbot, form.four)
    bench.go_to(scan.data_to_world((5, 9, 8)))
    qtbot.keyClick(form.projection, Qt.Key.Key_Down)
    form.thickness.setValue(8)
    np.testing.assert_array_equal(slice_of(scan, view_of(bench, Plane.AXIAL)), scan.data[4:8].max(axis=0))
    np.testing.assert_array_equal(slice_of(scan, view_of(bench, Plane.CORONAL)), scan.data[:, 6:14].max(axis=1))
    qtbot.keyClick(form.projection, Qt.Key.Key_Up)
    np.testing.assert_array_equal(slice_of(scan, view_of(bench, Plane.AXIAL)), scan.data[5])


def test_words_and_units_are_those_of_the_first_layer(viewer: Viewer, panel: ReadingPanel, scan: Image) -> None:
    """A patient's millimetres, a cell's micrometres, or pixels."""
    form = panel.form
    assert (form.large[Plane.AXIAL].text(), form.unit.text()) == ("Axial", "mm")
    viewer.layers.remove(scan)
    viewer.add_image(np.zeros((3, 4, 5)), units=("um",) * 3)
    assert (form.large[Plane.AXIAL].text(), form.unit.text()) == ("XY", "µm")
    assert not form.sides.isEnabled()
    viewer.layers.clear()
    assert form.unit.text() == "px"


def test_sections_come_below_in_their_order(panel: ReadingPanel) -> None:
    """Folded where that was asked for; all of it is as narrow as the dock."""
    first = panel.add_section("Grey levels", QLabel("grey"))
    second = panel.add_section("Measure", QLabel("measure"), folded=True)
    settle()
    assert first.isExpanded()
    assert not second.isExpanded()
    assert panel.form.y() < first.y() < second.y()
    assert panel.minimumSizeHint().width() <= WIDEST


def test_nothing_is_left_of_it(qtbot: Any, viewer: Viewer, panel: ReadingPanel, scan: Image) -> None:
    """Keys are free again, slices thin, and the viewer is not listened to."""
    inserted = viewer.layers.events.inserted
    qtbot.keyClick(panel.form.projection, Qt.Key.Key_Down)
    before = len(inserted.callbacks)
    panel.let_go()
    assert len(inserted.callbacks) < before
    assert not any((*viewer.dims.margin_left, *viewer.dims.margin_right))
    key(qtbot, viewer, Plane.CORONAL)
    assert not bench_of(panel).is_open
