"""The growing overlay never touches what a person painted, and draws only what is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Labels

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit, replay
from napari_vol3d.gui.overlay import Overlay

pytestmark = pytest.mark.usefixtures("qapp")
SHAPE = (8, 10, 12)
WAIT_MS = 5000


def make(shape: tuple[int, int, int] = SHAPE, **placed: Any) -> tuple[ViewerModel, Labels, Overlay]:
    viewer = ViewerModel()
    viewer.add_image(np.zeros(shape, np.float32), **placed)
    layer = viewer.add_labels(np.zeros(shape, np.uint8), **placed)
    return viewer, layer, Overlay(viewer, layer)


def box(*ranges: tuple[int, int]) -> Box:
    starts, stops = zip(*ranges, strict=True)
    return Box(start=starts, stop=stops)


def full(part: Box, value: int) -> Any:
    return np.full(part.shape, value, np.uint8)


ranges = st.tuples(*(st.tuples(st.integers(0, n - 1), st.integers(1, 4)) for n in SHAPE)).map(
    lambda picks: box(*((a, min(a + length, n)) for (a, length), n in zip(picks, SHAPE, strict=True)))
)
acts = st.lists(
    st.tuples(st.sampled_from(["tile", "stroke"]), ranges, st.integers(0, 3), st.integers(0, 2**32 - 1)), max_size=12
)


# Tiles come over each other here, which the verb never does: the promise holds all the same.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_in_any_order_of_tiles_and_strokes_the_painted_voxels_stay(work: list[Any]) -> None:
    _, layer, overlay = make()
    painted = np.zeros(SHAPE, bool)
    expected = np.zeros(SHAPE, np.uint8)
    for kind, part, value, seed in work:
        inside = np.zeros(SHAPE, bool)
        inside[part.slices] = True
        if kind == "tile":
            labels = np.random.default_rng(seed).integers(1, 4, part.shape, dtype=np.uint8)
            overlay.write(part, labels)
            predicted = np.zeros(SHAPE, np.uint8)
            predicted[part.slices] = labels
            expected = np.where(inside & ~painted, predicted, expected)
        else:
            # 10 to 13 is in no tile: such a voxel always differs from what was written.
            layer.data_setitem(np.nonzero(inside), 10 + value)
            painted |= inside
            expected[inside] = 10 + value
        np.testing.assert_array_equal(layer.data, expected)
    overlay.finish()
    np.testing.assert_array_equal(layer.data, expected)
    assert overlay.corrected == bool(painted.any())
    overlay.deleteLater()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_guarded_voxels_stay_also_where_a_tile_has_brought_the_same(work: list[Any]) -> None:
    _, layer, overlay = make()
    painted = np.zeros(SHAPE, bool)
    overlay.guard = lambda: painted
    expected = np.zeros(SHAPE, np.uint8)
    for kind, part, value, seed in work:
        labels = np.full(part.shape, value)
        if kind == "tile":
            labels = np.random.default_rng(seed).integers(0, 4, part.shape, dtype=np.uint8)
            expected[part.slices] = np.where(painted[part.slices], expected[part.slices], labels)
            overlay.write(part, labels)
        else:
            layer.data[part.slices] = expected[part.slices] = value  # 0 to 3, as tiles have it
            painted[part.slices] = True
        np.testing.assert_array_equal(layer.data, expected)
    overlay.finish()
    assert overlay.corrected == bool(painted.any())
    overlay.deleteLater()


def test_a_guard_that_knows_nothing_or_another_array_holds_nothing() -> None:
    _, layer, overlay = make()
    whole = Box.of(SHAPE)
    for value, kept in ((1, None), (2, np.ones((3, 3, 3), bool))):
        overlay.guard = lambda kept=kept: kept
        overlay.write(whole, full(whole, value))
        assert (layer.data == value).all()
    overlay.finish()


def test_each_tile_is_told_as_the_edit_that_it_was_once_it_is_in_the_array() -> None:
    _, layer, overlay = make((3, *SHAPE))
    before, heard = layer.data.copy(), []

    def hear(edit: Edit) -> None:
        assert edit.inverse().fits(layer.data)
        heard.append(edit)

    overlay.wrote.connect(hear)
    first, second = box((0, 2), (0, 3), (0, 4)), box((2, 4), (0, 3), (0, 4))
    layer.data[0, 0, 0, :2] = 9  # painted, and nobody knows of it yet
    overlay.write(first, full(first, 1))
    overlay.write(second, full(second, 2), 2)
    assert [edit.frame for edit in heard] == [0, 2]
    overlay.write(second, full(second, 2), 2)  # nothing new
    layer.data, seen = np.zeros((4, 4, 4), np.uint8), layer.data
    overlay.write(first, full(first, 1))
    assert len(heard) == 2
    replay(before, heard)
    painted = seen == 9
    assert painted.sum() == 2
    np.testing.assert_array_equal(before, np.where(painted, 0, seen))
    overlay.finish()


def test_erasing_what_the_model_wrote_stays_erased() -> None:
    _, layer, overlay = make()
    whole = Box.of(SHAPE)
    overlay.write(whole, full(whole, 2))
    assert not overlay.corrected
    layer.data_setitem((np.array([1]), np.array([2]), np.array([3])), 0)
    assert overlay.corrected
    overlay.write(whole, full(whole, 3))
    assert layer.data[1, 2, 3] == 0
    assert (layer.data == 3).sum() == layer.data.size - 1


def test_undo_after_a_tile_gives_the_voxels_back_to_the_person_not_to_nobody() -> None:
    # napari's undo knows nothing of other writers: it puts back what was there before the stroke.
    _, layer, overlay = make()
    layer.data_setitem((np.array([1]), np.array([2]), np.array([3])), 1)
    whole = Box.of(SHAPE)
    overlay.write(whole, full(whole, 2))
    layer.undo()
    assert layer.data[1, 2, 3] == 0
    assert overlay.corrected


def count_refreshes(layer: Labels) -> list[object]:
    seen: list[object] = []
    layer.events.set_data.connect(lambda event: seen.append(event))
    return seen


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)], ids=["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("placed", [{}, {"scale": (3, 2, 0.5), "translate": (-10, 20, 5)}], ids=["plain", "placed"])
def test_it_draws_soon_when_the_tile_is_in_view(qtbot: Any, order: Any, placed: Any) -> None:
    viewer, layer, overlay = make(**placed)
    viewer.dims.order = order
    held = order[0]
    point = layer.data_to_world([4, 4, 4])
    viewer.dims.set_point(held, point[held])
    seen = count_refreshes(layer)
    before, at = [(0, n) for n in SHAPE], [(0, n) for n in SHAPE]
    before[held], at[held] = (0, 4), (4, 5)
    overlay.write(box(*before), full(box(*before), 1))
    assert not overlay._timer.isActive()
    assert overlay._elsewhere.isActive()  # another view may show it
    overlay.write(box(*at), full(box(*at), 1))
    assert overlay._timer.isActive()
    assert not seen  # not at once: a burst of tiles is drawn once
    overlay.write(box(*at), full(box(*at), 2))
    qtbot.waitUntil(lambda: not overlay._timer.isActive(), timeout=WAIT_MS)
    assert not overlay._elsewhere.isActive()
    assert len(seen) == 1


def test_in_3d_every_tile_is_in_view() -> None:
    viewer, _, overlay = make()
    viewer.dims.ndisplay = 3
    corner = box((0, 1), (0, 1), (0, 1))
    overlay.write(corner, full(corner, 1))
    assert overlay._timer.isActive()


def test_over_a_scan_with_channels_the_slider_of_the_scan_decides() -> None:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((2, *SHAPE), np.float32))
    layer = viewer.add_labels(np.zeros(SHAPE, np.uint8))
    overlay = Overlay(viewer, layer)
    viewer.dims.set_point(1, 3)
    away, here = box((0, 3), (0, 10), (0, 12)), box((3, 6), (0, 10), (0, 12))
    overlay.write(away, full(away, 1))
    assert not overlay._timer.isActive()
    overlay.write(here, full(here, 1))
    assert overlay._timer.isActive()


def test_the_end_shows_everything(qtbot: Any) -> None:
    viewer, layer, overlay = make()
    viewer.dims.set_point(0, 0)
    away = box((4, 8), (0, 10), (0, 12))
    overlay.write(away, full(away, 1))
    seen = count_refreshes(layer)
    overlay.finish()
    assert seen
    assert not overlay._timer.isActive()


def test_a_removed_layer_stops_nothing(qtbot: Any) -> None:
    viewer, layer, overlay = make()
    whole = Box.of(SHAPE)
    overlay.write(whole, full(whole, 1))
    viewer.layers.remove(layer)
    overlay.write(whole, full(whole, 2))
    qtbot.waitUntil(lambda: not overlay._timer.isActive(), timeout=WAIT_MS)
    overlay.finish()
    assert not overlay.corrected


def test_an_array_replaced_by_another_shape_ends_the_growing() -> None:
    _, layer, overlay = make()
    layer.data = np.zeros((3, 3, 3), np.uint8)
    overlay.write(box((0, 2), (0, 2), (0, 2)), np.ones((2, 2, 2), np.uint8))
    assert not layer.data.any()


def test_of_a_series_only_the_time_point_of_the_tile_is_written(qtbot: Any) -> None:
    viewer, layer, overlay = make((3, *SHAPE))
    part = box((1, 4), (2, 5), (3, 6))
    layer.data[1, 1, 2, 3] = 9  # painted
    overlay.write(part, full(part, 2), 1)
    expected = np.zeros((3, *SHAPE), np.uint8)
    expected[(1, *part.slices)] = 2
    expected[1, 1, 2, 3] = 9
    np.testing.assert_array_equal(layer.data, expected)
    assert overlay.corrected
    for point, seen in ((2, True), (7, False)):
        overlay._timer.stop()
        viewer.dims.set_point(1, point)
        overlay.write(part, full(part, 2), 2)
        assert overlay._timer.isActive() is seen
    overlay.finish()
