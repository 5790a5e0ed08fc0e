"""Tiles come in the order in which they are wanted, and what cannot matter or is known already is not computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.coverage import Coverage
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.record import LocalRecord
from napari_vol3d.pipeline.compute import TileQueue
from napari_vol3d.pipeline.plan import SegmentPlan, plan_segment
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import brightness_network, finish, make_card, phantom, write_model

SMALL = SegmentSettings(memory_gb=512 * 24**3 / 1e9, halo=4, cache=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Finds something in every voxel, so that a tile that was left out is one of background."""
    network = brightness_network(offsets=(-9.0, 0.0, -0.5))
    fixed = {"spacing": (1.0, 1.0, 1.0), "intensity": IntensityScheme(kind="window", lower=0, upper=400)}
    return write_model(tmp_path_factory.mktemp("models") / "all", network, input=fixed)


def scan(shape=(60, 44, 38), spacing=(1.0, 1.0, 1.0)) -> Volume:
    return Volume(data=phantom(shape)[0], geometry=Geometry.from_spacing(spacing))


def plan_of(shape=(60, 44, 38), **chosen) -> SegmentPlan:
    volume = Volume(data=np.zeros(shape, np.uint8), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    card = make_card(Path("model.keras"), sha256="0" * 64)
    return plan_segment(volume, card, SMALL.model_copy(update=chosen), record=LocalRecord())


# ---- order ---------------------------------------------------------------------------------------------------------


def test_without_a_focus_the_plans_own_order():
    plan = plan_of()
    queue = TileQueue(plan, Coverage(), None)
    assert len(queue) == plan.count > 4
    found = [queue.pop() for _ in range(len(queue))]
    assert [tile for tile, _ in found] == list(plan.tiles)
    assert [box for _, box in found] == [plan.wanted_of(tile) for tile in plan.tiles]
    assert len(queue) == 0


def test_the_order_follows_where_the_person_looks():
    plan, looks = plan_of(), [Focus(point=(50.0, 20.0, 20.0), axis=0)]
    queue = TileQueue(plan, Coverage(), lambda: looks[-1])
    first = [queue.pop()[1] for _ in range(2)]
    assert all(box.start[0] <= 50 < box.stop[0] for box in first)
    looks.append(Focus(point=(2.0, 40.0, 2.0), axis=1))  # they scroll
    rest = [queue.pop()[1] for _ in range(len(queue))]
    assert rest == sorted(rest, key=looks[-1].rank)
    assert rest[0].distance2(looks[-1].point) == 0
    boxes = [plan.wanted_of(tile) for tile in plan.tiles]
    assert sorted([*first, *rest], key=boxes.index) == boxes  # each once


def test_what_is_final_does_not_wait():
    plan = plan_of()
    boxes = [plan.wanted_of(tile) for tile in plan.tiles]
    half = Box(start=(0, 0, 0), stop=(boxes[0].stop[0] - 1, *boxes[0].stop[1:]))  # not all of it
    queue = TileQueue(plan, Coverage([half, *boxes[1:3]]), None)
    assert [queue.pop()[1] for _ in range(len(queue))] == [boxes[0], *boxes[3:]]
    assert len(TileQueue(plan, Coverage([Box.of((60, 44, 38))]), None)) == 0


def test_blended_windows_keep_their_order_and_need_each_other():
    plan = plan_of(scheme="overlap")
    windows = list(plan.tiles)
    done = Coverage([windows[0].core])
    queue = TileQueue(plan, done, lambda: Focus(point=(59.0, 43.0, 37.0), axis=0))
    assert [queue.pop()[0] for _ in range(len(queue))] == windows
    assert len(TileQueue(plan, Coverage([Box.of((60, 44, 38))]), None)) == 0


# ---- what cannot matter --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 1.3, 1.0)])
def test_patches_without_a_bright_voxel_are_background_and_others_unchanged(shared_engine, patches, model, spacing):
    volume = scan(spacing=spacing)
    _, every = finish(segment(volume, model, SMALL, engine=shared_engine))
    assert every.labels.all()
    patches.clear()
    reports, some = finish(segment(volume, model, SMALL.model_copy(update={"skip_below": 250.0}), engine=shared_engine))
    plan, expected, bright = some.plan, every.labels.copy(), 0
    for tile in plan.tiles:
        seen = tile.patch if plan.grid.identity else plan.grid.needed(tile.patch)
        if (volume.read(seen) >= 250).any():
            bright += 1
        else:
            expected[plan.wanted_of(tile).slices] = 0
    assert 0 < bright < plan.count
    assert len(patches) == bright
    np.testing.assert_array_equal(some.labels, expected)
    assert some.counts[0] == np.count_nonzero(expected == 0)
    assert (reports[-1].done, reports[-1].total) == (plan.count, plan.count)
    assert sum(report.finished.size for report in reports if report.finished is not None) == volume.data.size


def test_tiles_outside_a_mask_are_background_and_others_unchanged(shared_engine, patches, model):
    volume = scan()
    _, every = finish(segment(volume, model, SMALL, engine=shared_engine))
    mask = np.zeros(volume.shape, bool)
    mask[30, 20, 5] = mask[2:9, 2:9, 2:9] = True
    patches.clear()
    _, some = finish(segment(volume, model, SMALL, mask=mask, engine=shared_engine))
    met = [box for box in map(some.plan.wanted_of, some.plan.tiles) if mask[box.slices].any()]
    assert len(patches) == len(met) == 2
    expected = np.zeros_like(every.labels)
    for box in met:
        expected[box.slices] = every.labels[box.slices]
    np.testing.assert_array_equal(some.labels, expected)


def test_a_mask_lies_on_the_scan_where_a_region_is_the_models_world(shared_engine, patches, tmp_path):
    network = brightness_network(offsets=(-9.0, 0.0, -0.5))
    known = {"spacing": (1.0, 1.0, 1.0), "field_of_view": (9.0, 9.0, 9.0)}
    local = write_model(tmp_path / "local", network, input=known)
    region, mask = Box(start=(12, 0, 0), stop=(60, 24, 24)), np.zeros((60, 44, 38), bool)
    mask[14, 2, 2] = True
    patches.clear()
    _, found = finish(segment(scan(), local, SMALL, region=region, mask=mask, engine=shared_engine))
    assert found.plan.frame == region
    assert len(patches) == 1
    assert found.labels[14, 2, 2]
    assert not found.labels[40:].any()


def test_like_patches_are_computed_once_even_next_to_each_other(shared_engine, patches, model):
    """Two patches are on their way at a time: the second of two that are alike waits for the first."""
    air = Volume(data=np.full((96, 24, 24), 9, np.uint8), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    settings = SMALL.model_copy(update={"halo": 0})
    reports, prediction = finish(segment(air, model, settings, engine=shared_engine))
    assert prediction.plan.count == 4
    assert len(patches) == 1
    assert (prediction.labels == 3).all()
    assert prediction.counts == {3: air.data.size}
    assert reports[-1].done == 4
