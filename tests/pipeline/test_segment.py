"""Labels lie on the scan's own grid, tile by tile, and are those that the model means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.metrics import dice
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import find_model, find_recipe
from napari_vol3d.pipeline.segment import plan_segment, segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish, phantom, recipe_test_scans

SMALL_TILES = SegmentSettings(memory_gb=512 * 24**3 / 1e9)


@pytest.fixture(scope="module")
def bundled():
    return find_model("hippocampus-t1")


@pytest.fixture(scope="module")
def unseen(shared_data):
    """A scan that the bundled model was never trained on, and its labels."""
    name = recipe_test_scans(find_recipe("hippocampus-t1"))[0]
    folder = shared_data / "hippocampus"
    image = read_volume(folder / "images" / f"{name}.nii.gz")
    return image, np.asarray(read_volume(folder / "labels" / f"{name}.nii.gz").data)


def ball_scan(shape=(40, 44, 38), seed=0, spacing=(1.0, 1.0, 1.0)):
    image, labels = phantom(shape, seed=seed)
    return Volume(data=image, geometry=Geometry.from_spacing(spacing)), labels


def mean_dice(found, reference, ids):
    return np.mean([dice(found == i, reference == i) for i in ids])


def on_other_voxels(volume, factor):
    """The same field of view on voxels `factor` times as large, as (volume, index map)."""
    shape = tuple(round(n / factor) for n in volume.shape)
    steps = np.asarray(volume.shape) / shape
    grid = np.stack(np.meshgrid(*((np.arange(n) + 0.5) * s - 0.5 for n, s in zip(shape, steps, strict=True)),
                                indexing="ij"))  # fmt: skip
    affine = volume.geometry.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ (steps / 2 - 0.5)
    affine[:3, :3] = affine[:3, :3] * steps
    geometry = replace(volume.geometry, affine=affine)
    data = ndimage.map_coordinates(np.asarray(volume.data, np.float32), grid, order=1, mode="nearest")
    return volume.with_data(data, geometry=geometry), grid


def test_a_phantom_is_segmented(shared_engine, tiny_model):
    volume, labels = ball_scan()
    reports, prediction = finish(segment(volume, tiny_model, SegmentSettings(), engine=shared_engine))
    assert mean_dice(prediction.labels, labels, (3, 7)) > 0.9
    assert prediction.labels.dtype == np.uint8
    assert prediction.geometry is volume.geometry
    assert prediction.classes == tiny_model.card.output.classes
    assert tiny_model.card.weights.sha256[:12] in prediction.model
    assert prediction.device == "CPU"
    assert 0 < prediction.compute_seconds <= prediction.seconds
    assert prediction.probabilities is None
    assert reports[-1].done == reports[-1].total == prediction.plan.count
    assert volume.data.dtype == np.float32  # the scan itself is untouched


def test_finished_tiles_put_together_are_the_labels(shared_engine, tiny_model):
    volume, _ = ball_scan()
    reports, prediction = finish(segment(volume, tiny_model, SMALL_TILES, engine=shared_engine))
    tiles = [report for report in reports if report.finished is not None]
    assert len(tiles) == prediction.plan.count > 4
    together, written = np.zeros_like(prediction.labels), np.zeros(volume.shape, int)
    for report in tiles:
        together[report.finished.slices] = report.labels
        written[report.finished.slices] += 1
    assert (written == 1).all()
    np.testing.assert_array_equal(together, prediction.labels)
    assert [report.done for report in tiles] == list(range(1, len(tiles) + 1))
    done = [report.done for report in reports if report.phase == "Segmenting"]
    assert done == sorted(done)


def test_an_engine_of_its_own_gives_the_same_voxels(shared_engine, tiny_model):
    volume, _ = ball_scan()
    _, shared = finish(segment(volume, tiny_model, SMALL_TILES, engine=shared_engine))
    _, own = finish(segment(volume, tiny_model, SMALL_TILES.model_copy(update={"device": "cpu"})))
    np.testing.assert_array_equal(shared.labels, own.labels)


def test_a_region_alone_is_labelled(shared_engine, tiny_model):
    volume, _ = ball_scan()
    region = Box(start=(5, 6, 7), stop=(25, 30, 60))  # past the scan's face: the part on the scan counts
    reports, prediction = finish(segment(volume, tiny_model, SMALL_TILES, region=region, engine=shared_engine))
    _, whole = finish(segment(volume, tiny_model, SMALL_TILES, engine=shared_engine))
    expected = np.zeros_like(whole.labels)
    expected[region.slices] = whole.labels[region.slices]
    np.testing.assert_array_equal(prediction.labels, expected)
    assert expected.any()
    assert not np.array_equal(expected, whole.labels)
    on_scan = region.intersect(Box.of(volume.shape))
    assert sum(r.finished.size for r in reports if r.finished is not None) == on_scan.size


def test_in_a_scan_beyond_what_the_model_knows_the_region_is_its_world(shared_engine, tiny_model):
    card = tiny_model.card
    small = card.model_copy(
        update={"input": card.input.model_copy(update={"field_of_view": (16.0, 16.0, 16.0)})}
    )  # fmt: skip
    model = replace(tiny_model, card=small)
    volume, _ = ball_scan()
    region = Box(start=(5, 6, 7), stop=(25, 30, 36))
    plan = plan_segment(volume, small, SMALL_TILES, region)
    assert plan.frame == region
    assert plan.box == Box.of(region.shape)
    reports, prediction = finish(segment(volume, model, SMALL_TILES, region=region, engine=shared_engine))
    cropped = volume.cropped(region)
    _, alone = finish(segment(cropped, model, SMALL_TILES, engine=shared_engine))
    np.testing.assert_array_equal(prediction.labels[region.slices], alone.labels)
    assert prediction.labels.sum() == alone.labels.sum(dtype=np.int64) > 0
    assert all(r.finished.intersect(region) == r.finished for r in reports if r.finished is not None)


@pytest.mark.parametrize("region", [Box(start=(50, 0, 0), stop=(60, 9, 9)), Box(start=(5, 5, 5), stop=(5, 9, 9))])
def test_a_region_outside_is_refused(tiny_model, region):
    with pytest.raises(ScanMismatch, match="outside"):
        next(segment(ball_scan()[0], tiny_model, SMALL_TILES, region=region))


def test_tiles_come_from_where_the_person_looks(shared_engine, tiny_model):
    volume, _ = ball_scan()
    for focus in ((0.0, 0.0, 0.0), (39.0, 0.0, 37.0), (20.0, 43.0, 2.0)):
        reports, _ = finish(segment(volume, tiny_model, SMALL_TILES, focus=focus, engine=shared_engine))
        boxes = [report.finished for report in reports if report.finished is not None]
        assert boxes[0].distance2(focus) == 0
        distances = [box.distance2(focus) for box in boxes]
        assert distances == sorted(distances)


def test_probabilities_agree_with_the_labels(shared_engine, tiny_model):
    volume, _ = ball_scan()
    settings = SMALL_TILES.model_copy(update={"probabilities": True})
    _, prediction = finish(segment(volume, tiny_model, settings, engine=shared_engine))
    assert prediction.probabilities.shape == (2, *volume.shape)
    background = 255 - prediction.probabilities.sum(axis=0, dtype=int)
    stacked = np.concatenate([background[None], prediction.probabilities])
    sure = np.sort(stacked, axis=0)[-1] - np.sort(stacked, axis=0)[-2] > 3  # the rest may tie in eight bits
    assert sure.mean() > 0.9
    ids = np.asarray([0, 3, 7])[stacked.argmax(axis=0)]
    np.testing.assert_array_equal(ids[sure], prediction.labels[sure])


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 25), (30, 1, 1), (7, 50, 3)])
def test_scans_of_any_shape(shared_engine, tiny_model, shape):
    data = np.random.default_rng(0).normal(100, 20, shape).astype(np.int16)
    volume = Volume(data=data, geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    assert finish(segment(volume, tiny_model, SMALL_TILES, engine=shared_engine))[1].labels.shape == shape


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (2.0, 0.7, 1.0), (1.0, 3.0, 1.4)])
def test_other_spacings_are_labelled_on_their_own_grid(shared_engine, tiny_model, spacing):
    volume, labels = ball_scan(spacing=spacing)
    _, prediction = finish(segment(volume, tiny_model, SMALL_TILES, engine=shared_engine))
    assert prediction.labels.shape == volume.shape
    assert not prediction.plan.grid.identity
    assert mean_dice(prediction.labels, labels, (3, 7)) > 0.75
    as_it_is = SMALL_TILES.model_copy(update={"resample": False})
    assert plan_segment(volume, tiny_model.card, as_it_is).grid.identity


def test_another_card_for_the_same_weights_is_heard(shared_engine, tiny_model):
    volume, _ = ball_scan()
    _, first = finish(segment(volume, tiny_model, SMALL_TILES, engine=shared_engine))
    renamed = tuple(replace(item, id=item.id + 300) for item in tiny_model.card.output.classes)
    card = tiny_model.card.model_copy(
        update={"output": tiny_model.card.output.model_copy(update={"classes": renamed})}
    )  # fmt: skip
    _, second = finish(segment(volume, replace(tiny_model, card=card), SMALL_TILES, engine=shared_engine))
    assert second.labels.dtype == np.uint16
    assert first.labels.any()
    np.testing.assert_array_equal(second.labels, np.where(first.labels, first.labels.astype(np.uint16) + 300, 0))


def test_the_plan_is_known_beforehand(tiny_model):
    volume, _ = ball_scan()
    plan = plan_segment(volume, tiny_model.card, SMALL_TILES)
    assert plan.count == len(plan.tiles)
    assert plan.patch_bytes <= SMALL_TILES.memory_gb * 1e9
    assert plan.megavoxels == pytest.approx(plan.count * np.prod(plan.tiles.patch_size) / 1e6)
    again = plan_segment(volume, tiny_model.card, SMALL_TILES)
    assert (again.tiles, again.grid, again.box) == (plan.tiles, plan.grid, plan.box)
    with pytest.raises(Vol3dError, match="memory budget"):
        plan_segment(volume, tiny_model.card, SegmentSettings(memory_gb=1e-5))


def test_the_bundled_model_on_an_unseen_scan(shared_engine, bundled, unseen):
    image, reference = unseen
    _, prediction = finish(segment(image, bundled, SegmentSettings(), engine=shared_engine))
    assert mean_dice(prediction.labels, reference, (1, 2)) > 0.8


def test_a_resampled_scan_is_labelled_on_its_own_grid(shared_engine, bundled, unseen):
    image, reference = unseen
    fine, grid = on_other_voxels(image, 0.7)
    assert fine.geometry.spacing == pytest.approx((0.7, 0.7, 0.7), rel=0.02)
    _, prediction = finish(segment(fine, bundled, SegmentSettings(), engine=shared_engine))
    assert prediction.labels.shape == fine.shape
    nearest = ndimage.map_coordinates(reference, grid, order=0, mode="nearest")
    assert mean_dice(prediction.labels, nearest, (1, 2)) > 0.75
