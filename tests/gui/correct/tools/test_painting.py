"""Strokes with a real mouse: true balls in mm, without gaps, one step each, and limits hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication
from scipy import ndimage

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import Pixel, View
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.brush import BallBrush
from napari_vol3d.gui.correct.tools.painting import DISC, PaintingTool
from tests.gui.bench.conftest import opened, settle, slice_of, view_of
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.mousing import away, drag, go_to, move, pen, pixel_of, press, release, with_hands, world_of

CTRL = Qt.KeyboardModifier.ControlModifier
MIDDLE = (12, 20, 16)


@pytest.fixture
def brush(desk: Desk, record: Record) -> Iterator[BallBrush]:
    """In hand, with class 3."""
    made = BallBrush()
    record.layer.selected_label = 3
    desk.choose(made)
    made.size_form.setValue(9.0)
    settle()
    yield made
    desk.choose(None)
    made.deleteLater()


def names(record: Record) -> list[str]:
    """Give the names of all steps."""
    return [step.name for step in record.history.steps]


def line(view: View, record: Record, plane: Plane, reach: float) -> list[Pixel]:
    """Give the two ends of a slanted line through the middle of a view."""
    first, last = list(MIDDLE), list(MIDDLE)
    for axis in {0, 1, 2} - {plane.value}:
        first[axis], last[axis] = MIDDLE[axis] - reach, MIDDLE[axis] + reach
    return [pixel_of(view, record, (end[0], end[1], end[2])) for end in (first, last)]


def fill(qtbot: Any, record: Record, labels: NDArray[Any]) -> None:
    """Write labels as a script does, and wait until that is in the history."""
    before = len(record.history.steps)
    record.labels[:] = labels
    record.layer.refresh()
    qtbot.waitUntil(lambda: len(record.history.steps) > before, timeout=WAIT_MS)


def centre_of(view: View, record: Record, pixel: Pixel) -> tuple[float, ...]:
    """Give the voxel under the whole pixel of an event, on the middle of the slice."""
    voxel = list(record.to_voxel(world_of(view, pixel)))
    axis = view.plane.value
    voxel[axis] = round(voxel[axis])
    return tuple(voxel)


def test_a_dab_is_a_ball_in_mm_in_every_view(views: Bench, desk: Desk, record: Record, brush: BallBrush) -> None:
    with_hands(opened(views), desk)
    go_to(views, record, MIDDLE)
    for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL):
        view = view_of(views, plane)
        pixel = pixel_of(view, record, MIDDLE)
        drag(view, [pixel])
        ball = away(record, centre_of(view, record, pixel)) <= 4.5
        assert 100 < ball.sum() < record.labels.size / 4
        assert np.array_equal(record.labels == 3, ball)
        record.undo()
        assert not record.labels.any()


def test_a_disc_stays_in_its_slice(views: Bench, desk: Desk, record: Record, brush: BallBrush) -> None:
    with_hands(opened(views), desk)
    go_to(views, record, MIDDLE)
    brush.shape.setCurrentIndex(DISC)
    for plane in (Plane.AXIAL, Plane.CORONAL):
        view = view_of(views, plane)
        pixel = pixel_of(view, record, MIDDLE)
        drag(view, [pixel])
        disc = away(record, centre_of(view, record, pixel)) <= 4.5
        outside = np.arange(record.labels.shape[plane.value]) != MIDDLE[plane.value]
        disc[(*(slice(None),) * plane.value, outside)] = False
        assert np.array_equal(record.labels == 3, disc)
        record.undo()


def test_a_fast_stroke_has_no_gap_and_is_one_step(
    viewer: Viewer, views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    with_hands(opened(views), desk)
    go_to(views, record, MIDDLE)
    brush.size_form.setValue(2.0)
    for plane in (Plane.AXIAL, Plane.CORONAL):
        view = view_of(views, plane)
        first, last = line(view, record, plane, 8)
        drag(view, [first, last])
        painted = record.labels == 3
        assert ndimage.label(painted, np.ones((3, 3, 3)))[1] == 1
        share = np.linspace(0, 1, 200)[:, None]
        ends = np.array([centre_of(view, record, first), centre_of(view, record, last)])
        for point in np.rint(ends[0] + share * (ends[1] - ends[0])).astype(int):
            assert painted[tuple(point)]
    assert len(names(record)) == 2
    letter = names(record)[0].removeprefix("Paint class 3, ")
    assert letter == "z 12"
    assert names(record)[1].startswith("Paint class 3, y 19-21")
    viewer.layers["labels"].undo()
    viewer.layers["labels"].undo()
    assert not record.labels.any()


def test_it_makes_no_difference_how_often_the_mouse_reports(
    views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    first, last = (np.round(end) for end in line(view, record, Plane.AXIAL, 6))
    last = first + 8 * np.round((last - first) / 8)  # so that what lies between are whole pixels too
    drag(view, [tuple(first), tuple(last)])
    few = record.labels.copy()
    record.undo()
    drag(view, [tuple(first + share * (last - first)) for share in np.linspace(0, 1, 9)])
    assert np.array_equal(record.labels, few)
    record.undo()
    press(view, tuple(first))
    for share in np.linspace(0, 1, 9)[1:]:  # all in one burst
        move(view, tuple(first + share * (last - first)))
    release(view, tuple(last))
    assert np.array_equal(record.labels, few)


def test_it_is_on_the_screen_at_once_and_escape_leaves_everything_as_it_was(
    qtbot: Any, views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    before = record.labels.copy()
    before[10:14, 15:20, 10:20] = 2
    fill(qtbot, record, before)
    steps = names(record)
    first, last = line(view, record, Plane.AXIAL, 8)
    press(view, first)
    shown = np.asarray(record.layer._slice.image.raw)
    assert (shown == 3).any()
    move(view, last)
    QApplication.processEvents()
    assert (record.labels == 3).sum() > 200
    assert names(record) == steps
    qtbot.keyClick(view.native, Qt.Key.Key_Escape)
    assert np.array_equal(record.labels, before)
    assert np.array_equal(record.layer._slice.image.raw, before[12])
    release(view, last)
    assert np.array_equal(record.labels, before)
    assert names(record) == steps


def test_the_view_that_is_painted_in_shows_it_at_once(
    views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    with_hands(opened(views), desk)
    go_to(views, record, MIDDLE)
    for plane in (Plane.AXIAL, Plane.CORONAL):
        view = view_of(views, plane)
        pixel = pixel_of(view, record, MIDDLE)
        press(view, pixel)
        assert np.array_equal(slice_of(record.layer, view), record.labels.take(MIDDLE[plane.value], plane.value))
        assert (slice_of(record.layer, view) == 3).any()
        release(view, pixel)
        record.undo()
        settle()


def test_locked_classes_and_limits_hold(
    qtbot: Any, views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    said: list[str] = []
    desk.said.connect(said.append)
    before = record.labels.copy()
    before[:, :20], before[:, 20:, :16] = 1, 2
    fill(qtbot, record, before)
    record.locked = frozenset({1})
    desk.inside = frozenset({1, 2})
    pixel = pixel_of(view, record, MIDDLE)
    drag(view, [pixel])
    ball = away(record, centre_of(view, record, pixel)) <= 4.5
    assert np.array_equal(record.labels, np.where(ball & (before == 2), 3, before))
    record.undo()
    record.locked = frozenset({3})
    drag(view, [pixel])
    assert np.array_equal(record.labels, before)
    assert said[-1].startswith("class 3 is locked")
    record.locked, desk.inside = frozenset(), frozenset({7})
    drag(view, [pixel])
    assert np.array_equal(record.labels, before)
    assert said[-1].startswith("Nothing changed")


def test_ctrl_and_the_other_end_of_a_pen_erase(
    qtbot: Any, views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    fill(qtbot, record, np.full_like(record.labels, 5))
    pixel = tuple(float(round(v)) for v in pixel_of(view, record, MIDDLE))
    ball = away(record, centre_of(view, record, pixel)) <= 4.5
    drag(view, [pixel], CTRL)
    assert np.array_equal(record.labels == 0, ball)
    record.undo()
    for kind in (QEvent.Type.TabletPress, QEvent.Type.TabletRelease):
        pen(view, kind, pixel, eraser=True)
    assert np.array_equal(record.labels == 0, ball)
    assert names(record)[-1].startswith("Erase, z ")


def test_the_pressure_of_a_pen_sets_the_size_where_wanted(
    views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    pixel = tuple(float(round(v)) for v in pixel_of(view, record, MIDDLE))
    for wanted, radius in ((False, 4.5), (True, 2.25)):
        brush.by_pressure.setChecked(wanted)
        for kind in (QEvent.Type.TabletPress, QEvent.Type.TabletMove, QEvent.Type.TabletRelease):
            pen(view, kind, pixel, pressure=0.5)
        found = record.labels == 3
        assert np.array_equal(found, away(record, centre_of(view, record, pixel)) <= radius + 1e-3)
        record.undo()


def test_the_keys_of_naparis_brush_change_the_size_while_it_is_in_hand(
    qtbot: Any, viewer: Viewer, views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    ((view, hand),) = with_hands(views, desk).items()
    viewer.window.activate()
    view.native.setFocus()
    qtbot.waitUntil(view.native.hasFocus)
    move(view, (200.0, 150.0), held=Qt.MouseButton.NoButton)
    radius = hand.ring.radius
    qtbot.keyClick(view.native, Qt.Key.Key_BracketRight)
    assert brush.size_form.value() == pytest.approx(9.9)
    assert hand.ring.radius == pytest.approx(1.1 * radius)
    for _ in range(2):
        qtbot.keyClick(view.native, Qt.Key.Key_BracketLeft)
    assert brush.size_form.value() == pytest.approx(9.0 / 1.1, abs=0.01)
    desk.choose(None)
    qtbot.keyClick(view.native, Qt.Key.Key_BracketRight)
    assert brush.size_form.value() == pytest.approx(9.0 / 1.1, abs=0.01)


def test_a_stroke_over_a_turn_of_slices_draws_no_way_between_them(
    views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    brush.size_form.setValue(2.0)
    first, last = line(view, record, Plane.AXIAL, 8)
    press(view, first)
    go_to(views, record, (4, 20, 16))
    move(view, last)
    release(view, last)
    assert np.flatnonzero((record.labels == 3).any(axis=(1, 2))).tolist() == [4, 12]
    assert names(record) == ["Paint class 3, z 4-12"]


def test_it_fits_the_voxels(desk: Desk, record: Record, brush: PaintingTool) -> None:
    fresh = BallBrush()
    try:
        desk.choose(fresh)
        assert fresh.size_form.value() == pytest.approx(6 * min(record.spacing))
        assert fresh.size_form.box.suffix() == " mm"
    finally:
        desk.choose(None)
        fresh.deleteLater()


def test_a_stroke_is_given_up_where_other_labels_are_chosen_in_the_middle(
    views: Bench, desk: Desk, record: Record, brush: BallBrush
) -> None:
    with_hands(views, desk)
    go_to(views, record, MIDDLE)
    view = views.views[0]
    other = desk.viewer.add_labels(np.zeros_like(record.layer.data), name="other")
    desk.viewer.layers.selection.active = record.layer
    settle()
    press(view, pixel_of(view, record, MIDDLE))
    assert record.labels.any()
    desk.viewer.layers.selection.active = other
    release(view, pixel_of(view, record, MIDDLE))
    assert not record.drawing
    assert not record.labels.any()
    assert not other.data.any()
    assert names(record) == []
