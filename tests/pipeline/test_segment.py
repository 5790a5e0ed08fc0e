"""Labels lie on the scan's own grid, tile by tile, and are those that the model means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import softmax

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ModelProblem, ScanMismatch
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.metrics import dice
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import find_model, find_recipe
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.exchange import SLOTS
from napari_vol3d.pipeline.measure import measure_scan
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import brightness_network, finish, phantom, recipe_test_scans, write_model

SMALL_TILES = SegmentSettings(memory_gb=512 * 24**3 / 1e9, halo=8, cache=False)


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


# ---- where the person looks ----------------------------------------------------------------------------------------


def looking_at(*point, axis=None):
    return lambda: Focus(point=point, axis=axis)


def finished(reports):
    return [report.finished for report in reports if report.finished is not None]


def test_tiles_come_from_where_the_person_looks(shared_engine, tiny_model):
    volume, _ = ball_scan()
    for point in ((0.0, 0.0, 0.0), (39.0, 0.0, 37.0), (20.0, 43.0, 2.0)):
        reports, _ = finish(segment(volume, tiny_model, SMALL_TILES, focus=looking_at(*point), engine=shared_engine))
        boxes = finished(reports)
        assert boxes[0].distance2(point) == 0
        distances = [box.distance2(point) for box in boxes]
        assert distances == sorted(distances)


def test_whoever_looks_elsewhere_is_followed(shared_engine, tiny_model):
    volume, _ = ball_scan()
    places = [(0.0, 0.0, 0.0), (39.0, 43.0, 37.0), (0.0, 43.0, 0.0)]
    seen, legs = [places[0]], []
    verb = segment(volume, tiny_model, SMALL_TILES, focus=lambda: Focus(point=seen[-1]), engine=shared_engine)
    for place in places:
        seen.append(place)
        legs.append([next(report.finished for report in verb if report.finished is not None) for _ in range(8)])
    verb.close()
    for place, leg in zip(places, legs, strict=True):
        # Those that were on their way already come first, one to a slot.
        distances = [box.distance2(place) for box in leg[SLOTS:]]
        assert distances == sorted(distances)
        assert 0 in (distances[0], leg[0].distance2(place), leg[1].distance2(place))
    boxes = [box for leg in legs for box in leg]
    assert len(set(boxes)) == len(boxes)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 1.5, 1.2)])
def test_a_thin_slab_comes_first_and_is_final(shared_engine, tiny_model, axis, spacing):
    volume, _ = ball_scan(spacing=spacing)
    region = Box(start=(1, 2, 3), stop=(40, 44, 38))
    settings = SegmentSettings(halo=0, cache=False)
    _, clean = finish(segment(volume, tiny_model, settings, region=region, engine=shared_engine))
    at = (11.0, 30.0, 17.0)
    look = looking_at(*at, axis=axis)
    reports, prediction = finish(
        segment(volume, tiny_model, settings, region=region, focus=look, engine=shared_engine)
    )
    first, *later = finished(reports)
    assert first.start[axis] <= at[axis] < first.stop[axis]
    assert first.shape[axis] <= 4 < region.shape[axis]
    across = [a for a in range(3) if a != axis]
    assert all((first.start[a], first.stop[a]) == (region.start[a], region.stop[a]) for a in across)
    times = np.zeros(volume.shape, int)
    for box in (first, *later):
        times[box.slices] += 1
    assert (times[region.slices] == 1).all()
    assert times.sum() == region.size
    slab = next(report.labels for report in reports if report.finished == first)
    np.testing.assert_array_equal(prediction.labels[first.slices], slab)
    # Where nothing is interpolated, no rounding differs between the two patch shapes.
    same = (prediction.labels == clean.labels).mean()
    assert same == 1 if prediction.plan.grid.identity else same > 0.999
    bar = [(report.done, report.total) for report in reports if report.phase == "Segmenting"]
    assert bar[0] == (0, 0)
    assert bar[-1] == (1, 1)


# ---- probabilities -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["halo", "overlap"])
def test_probabilities_agree_with_the_labels(shared_engine, tiny_model, scheme):
    volume, _ = ball_scan()
    # What an earlier run kept holds no probabilities.
    kept = SMALL_TILES.model_copy(update={"cache": True, "scheme": scheme})
    _, without = finish(segment(volume, tiny_model, kept, engine=shared_engine))
    settings = kept.model_copy(update={"probabilities": True})
    look = looking_at(11.0, 30.0, 17.0, axis=0)
    _, prediction = finish(segment(volume, tiny_model, settings, focus=look, engine=shared_engine))
    np.testing.assert_array_equal(prediction.labels, without.labels)
    assert prediction.probabilities.shape == (2, *volume.shape)
    foreground = np.asarray(prediction.probabilities[...])
    background = 255 - foreground.sum(axis=0, dtype=int)
    stacked = np.concatenate([background[None], foreground])
    sure = np.sort(stacked, axis=0)[-1] - np.sort(stacked, axis=0)[-2] > 3  # the rest may tie in eight bits
    assert sure.mean() > 0.9
    ids = np.asarray([0, 3, 7])[stacked.argmax(axis=0)]
    np.testing.assert_array_equal(ids[sure], prediction.labels[sure])


def test_probabilities_of_what_was_skipped_are_zero(shared_engine, tiny_model):
    volume, _ = ball_scan()
    settings = SMALL_TILES.model_copy(update={"probabilities": True, "skip_below": 1e6})
    _, prediction = finish(segment(volume, tiny_model, settings, engine=shared_engine))
    assert not prediction.labels.any()
    assert not np.asarray(prediction.probabilities[...]).any()


# ---- several models, mirrors, what is skipped or known -------------------------------------------------------------


def test_several_models_are_averaged(shared_engine, tiny_model, tmp_path_factory):
    volume, _ = ball_scan()
    other = write_model(
        tmp_path_factory.mktemp("models") / "other", brightness_network(offsets=(0.0, -3.0, -5.5)),
        input={"spacing": (1.0, 1.0, 1.0)},
    )  # fmt: skip

    def labels_of(*models):
        verb = segment(volume, models[0], SMALL_TILES, others=models[1:], engine=shared_engine)
        return finish(verb)[1].labels

    (intensity,) = measure_scan(volume, tiny_model.card)
    values = intensity.apply(volume.data)[..., None] * np.arange(3)
    chances = np.mean([softmax(values + offsets, axis=-1) for offsets in ((0, -1, -4), (0, -3, -5.5))], axis=0)
    both = labels_of(tiny_model, other)
    ordered = np.sort(chances, axis=-1)
    sure = ordered[..., -1] - ordered[..., -2] > 1e-5
    np.testing.assert_array_equal(both[sure], np.asarray([0, 3, 7])[chances.argmax(axis=-1)][sure])
    np.testing.assert_array_equal(both, labels_of(other, tiny_model))
    assert not np.array_equal(both, labels_of(tiny_model))
    assert not np.array_equal(both, labels_of(other))


def test_models_that_are_not_alike_are_refused_before_anything_starts(tiny_model):
    classes = tuple(replace(item, id=item.id + 1) for item in tiny_model.card.output.classes)
    card = tiny_model.card.model_copy(update={"output": tiny_model.card.output.model_copy(update={"classes": classes})})
    with pytest.raises(ModelProblem, match="can't be averaged"):
        next(segment(ball_scan()[0], tiny_model, SMALL_TILES, others=(replace(tiny_model, card=card),)))


def test_mirrored_patches_are_seen_alike(shared_engine, unet_model):
    volume, _ = ball_scan((20, 24, 22))
    flipped = volume.with_data(volume.data[..., ::-1].copy())

    def labels_of(scan, mirror):
        settings = SegmentSettings(mirror=mirror, halo=10, cache=False)
        return finish(segment(scan, unet_model, settings, engine=shared_engine))[1].labels

    there, back = labels_of(volume, True), labels_of(flipped, True)[..., ::-1]
    assert (there != back).mean() < 1e-3  # ties alone
    assert (labels_of(volume, False) != labels_of(flipped, False)[..., ::-1]).mean() > 0.05


def test_mirroring_is_refused_where_the_card_names_no_axis(tiny_model):
    with pytest.raises(ScanMismatch, match="mirror"):
        next(segment(ball_scan()[0], tiny_model, SegmentSettings(mirror=True)))


def test_what_cannot_matter_is_left_out(shared_engine, tiny_model):
    volume, _ = ball_scan()
    _, whole = finish(segment(volume, tiny_model, SMALL_TILES, engine=shared_engine))
    mask = np.zeros(volume.shape, bool)
    mask[:5, :5, :5] = True
    reports, masked = finish(segment(volume, tiny_model, SMALL_TILES, mask=mask, engine=shared_engine))
    for box in finished(reports):
        seen = mask[box.slices].any()
        expected = whole.labels[box.slices] if seen else np.zeros(box.shape, np.uint8)
        np.testing.assert_array_equal(masked.labels[box.slices], expected)
    dark = volume.with_data(np.where(np.arange(40)[:, None, None] < 8, volume.data, 0.0).astype(np.float32))
    settings = SMALL_TILES.model_copy(update={"skip_below": 50.0})
    _, skipped = finish(segment(dark, tiny_model, settings, engine=shared_engine))
    _, plain = finish(segment(dark, tiny_model, SMALL_TILES, engine=shared_engine))
    np.testing.assert_array_equal(skipped.labels, plain.labels)
    assert plain.labels.any()


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 1.5, 1.2)])
def test_a_repeated_run_is_free_and_an_extended_one_costs_the_rest(shared_engine, tiny_model, monkeypatch, spacing):
    volume, _ = ball_scan(spacing=spacing)
    kept = SMALL_TILES.model_copy(update={"cache": True})
    plan = plan_segment(volume, tiny_model.card, kept)
    sent, tell = [], shared_engine.tell
    monkeypatch.setattr(shared_engine, "tell", lambda message: (sent.append(message.kind), tell(message)))

    def run(region=None):
        sent.clear()
        labels = finish(segment(volume, tiny_model, kept, region=region, engine=shared_engine))[1].labels
        return sent.count("patch"), labels

    first = plan.wanted_of(next(iter(plan.tiles)))
    region = Box(start=(0, 0, 0), stop=(40, first.stop[1], 38))
    some, part = run(region)
    rest, whole = run()
    again, same = run()
    assert some == plan_segment(volume, tiny_model.card, kept, region).count > 1
    assert some + rest == plan.count
    assert again == 0
    np.testing.assert_array_equal(whole, same)
    np.testing.assert_array_equal(part[region.slices], whole[region.slices])


# ---- any scan ------------------------------------------------------------------------------------------------------


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


def test_half_precision_is_had_for_the_asking_and_changes_little(shared_engine, unseen, bundled):
    scan, _ = unseen
    settings = SegmentSettings(cache=False, precision="bfloat16", device="cpu")
    _, exact = finish(segment(scan, bundled, SegmentSettings(cache=False), engine=shared_engine))
    engine = Engine(device="cpu", precision=settings.precision)
    try:
        _, half = finish(segment(scan, bundled, settings, engine=engine))
        assert engine.ready is not None
        assert engine.ready.policy == "mixed_bfloat16"
    finally:
        engine.close()
    assert shared_engine.ready.policy == "float32"
    assert min(dice(half.labels == i, exact.labels == i) for i in (1, 2)) > 0.98
