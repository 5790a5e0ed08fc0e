"""The measured halo gives the labels of the whole scan to the stated tolerance, and is no larger than that needs."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.resample import grid_map
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.card import CARD_NAME, InferenceDefaults, InputSpec, ModelCard, OutputSpec, Weights, sha256_of
from napari_vol3d.models.record import read_record
from napari_vol3d.models.store import open_model
from napari_vol3d.pipeline.halo import LEAST_FOREGROUND, PHASE, TOLERANCE, _tails, measure_halo
from napari_vol3d.pipeline.measure import measure_scan
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.segment import segment, warm_up
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import brightness_network, finish, random_unet, write_model

UNCACHED = SegmentSettings(cache=False)
UNET_REACH, DILATED_REACH = 9, 7


def tiled(voxels: int, bytes_per_voxel: int = 512, **chosen) -> SegmentSettings:
    """Settings under which a patch has at most so many voxels."""
    return UNCACHED.model_copy(update={"memory_gb": (voxels + 0.5) * bytes_per_voxel / 1e9, **chosen})


def dilated_network(*, background: float = 0.0, seed: int = 3):
    """Three convolutions that see 1, 2 and 4 voxels further, with random weights."""
    import keras

    keras.utils.set_random_seed(seed)
    inputs = features = keras.Input((None, None, None, 1))
    for rate in (1, 2, 4):
        features = keras.layers.Conv3D(5, 3, padding="same", dilation_rate=rate, activation="relu")(features)
    head = keras.layers.Conv3D(3, 1)
    network = keras.Model(inputs, head(features))
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + np.asarray([background, 0, 0], np.float32)])
    return network


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def unet(folder):
    return write_model(folder / "unet", random_unet(seed=1), input={"spacing": (1.0, 1.0, 1.0)})


@pytest.fixture(scope="module")
def dilated(folder):
    return write_model(folder / "dilated", dilated_network(), input={"multiple": 1})


@pytest.fixture(scope="module")
def pointwise(folder):
    network = brightness_network(offsets=(0.0, 0.0, -0.5))
    return write_model(folder / "point", network, input={"multiple": 1, "spacing": (1.0, 1.0, 1.0)})


def texture(shape=(88, 60, 56), spacing=(1.0, 1.0, 1.0), seed=0) -> Volume:
    """Blobs of all sizes, so that labels differ everywhere."""
    noise = np.random.default_rng(seed).normal(size=shape)
    data = sum(ndimage.gaussian_filter(noise, sigma) * sigma**1.5 for sigma in (1, 2, 4))
    return Volume(data=data.astype(np.float32), geometry=Geometry.from_spacing(spacing))


def differing(found: np.ndarray, reference: np.ndarray) -> float:
    """Share of the foreground of either that differs."""
    return np.count_nonzero(found != reference) / np.count_nonzero(found | reference)


def measured(reports) -> bool:
    return any(report.phase == PHASE for report in reports)


def measure(engine, volume, model, voxels=10**6):
    """What measuring gives, for a model and scan as they are."""
    finish(warm_up(volume, model, UNCACHED, engine))
    card, reach = model.card, engine.loaded.reach
    grid = grid_map(volume.shape, volume.geometry.spacing, card.input.spacing)
    intensity = measure_scan(volume, card)
    return finish(measure_halo(volume, card, grid, intensity, engine, reach=reach, most_voxels=voxels))[1]


@pytest.mark.parametrize(("name", "reach"), [("unet", UNET_REACH), ("dilated", DILATED_REACH)])
def test_tiles_with_the_measured_halo_agree_with_the_whole(request, shared_engine, name, reach):
    model, volume = request.getfixturevalue(name), texture()
    reports, in_tiles = finish(segment(volume, model, tiled(40**3), engine=shared_engine))
    assert measured(reports)
    record = read_record(model.card)
    assert record.reach == reach
    assert 0 < record.halo <= reach
    assert in_tiles.plan.count > 3
    assert in_tiles.plan.tiles.halo == -(-record.halo // model.card.input.multiple) * model.card.input.multiple
    _, whole = finish(segment(volume, model, UNCACHED, engine=shared_engine))
    assert whole.plan.count == 1
    assert len(np.unique(whole.labels)) == 3
    assert differing(in_tiles.labels, whole.labels) <= TOLERANCE
    # A guess that is too small would be noticed.
    _, guessed = finish(segment(volume, model, tiled(40**3, halo=0), engine=shared_engine))
    assert differing(guessed.labels, whole.labels) > 10 * TOLERANCE


@pytest.mark.parametrize(("name", "reach"), [("unet", UNET_REACH), ("dilated", DILATED_REACH)])
def test_it_says_for_every_halo_what_it_gets_wrong(request, shared_engine, name, reach):
    found = measure(shared_engine, texture(), request.getfixturevalue(name))
    assert len(found.wrong) == reach + 1
    assert list(found.wrong) == sorted(found.wrong, reverse=True)
    assert found.wrong[0] > 0.01
    assert found.wrong[reach - 3] > 0  # the theoretical reach is no overestimate by far ...
    assert found.wrong[reach] == 0  # ... and beyond it nothing differs
    assert found.wrong[found.halo] <= TOLERANCE < found.wrong[found.halo - 1]
    assert found.foreground >= LEAST_FOREGROUND
    assert max(found.window) <= 2 * reach + 32


def test_a_window_too_small_to_tell_says_nothing(shared_engine, unet):
    assert measure(shared_engine, texture(), unet, voxels=14**3) is None


def test_what_sees_a_voxel_alone_needs_no_halo(shared_engine, pointwise):
    volume = texture()
    _, in_tiles = finish(segment(volume, pointwise, tiled(40**3), engine=shared_engine))
    record = read_record(pointwise.card)
    assert (record.reach, record.halo) == (0, 0)
    assert in_tiles.plan.tiles.halo == 0
    assert in_tiles.plan.work < 1.2
    _, whole = finish(segment(volume, pointwise, UNCACHED, engine=shared_engine))
    np.testing.assert_array_equal(in_tiles.labels, whole.labels)


def test_where_there_is_no_foreground_nothing_is_claimed(shared_engine, folder):
    model = write_model(folder / "empty", dilated_network(background=1e4), input={"multiple": 1})
    volume = texture()
    _, prediction = finish(segment(volume, model, tiled(40**3), engine=shared_engine))
    assert not prediction.labels.any()
    record = read_record(model.card)
    assert (record.reach, record.halo) == (DILATED_REACH, None)
    assert prediction.plan.tiles.halo == DILATED_REACH < model.card.inference.halo  # no more than could matter
    assert measure(shared_engine, volume, model) is None


@pytest.mark.parametrize("spacing", [(0.8, 1.0, 1.3), (1.5, 0.7, 1.0)])
def test_on_another_grid_tiles_agree_with_the_whole(shared_engine, unet, pointwise, spacing):
    volume = texture(spacing=spacing)
    for model in (unet, pointwise):
        _, in_tiles = finish(segment(volume, model, tiled(36**3), engine=shared_engine))
        assert not in_tiles.plan.grid.identity
        assert in_tiles.plan.count > 2
        assert read_record(model.card).halo <= read_record(model.card).reach
        _, whole = finish(segment(volume, model, UNCACHED, engine=shared_engine))
        assert whole.plan.count == 1
        assert differing(in_tiles.labels, whole.labels) <= TOLERANCE
        _, exact = finish(segment(volume, model, tiled(36**3, context="exact"), engine=shared_engine))
        assert exact.plan.count > 2
        assert np.count_nonzero(exact.labels != whole.labels) <= 1  # a tie that rounding decides


def test_it_is_found_out_once_and_never_where_the_person_decides(shared_engine, dilated, unet):
    volume, settings = texture((60, 44, 44)), tiled(36**3)
    for decided in (settings.model_copy(update={"halo": 2}), settings.model_copy(update={"context": "exact"})):
        reports, prediction = finish(segment(volume, dilated, decided, engine=shared_engine))
        assert not measured(reports)
        assert prediction.plan.tiles.halo == (2 if decided.halo == 2 else DILATED_REACH)
    assert read_record(dilated.card).halo is None
    reports, _ = finish(segment(volume, dilated, UNCACHED, engine=shared_engine))
    assert not measured(reports)  # one patch holds the scan: no halo is needed
    reports, first = finish(segment(volume, dilated, settings, engine=shared_engine))
    assert measured(reports)
    found = read_record(dilated.card)
    assert volume.name in found.measured_on
    assert read_record(unet.card).halo is None  # other weights
    assert plan_segment(volume, dilated.card, settings).tiles.halo == found.halo  # before the engine is asked
    reports, again = finish(segment(volume, dilated, settings, engine=shared_engine))
    assert not measured(reports)
    assert (again.plan.tiles, again.plan.count) == (first.plan.tiles, first.plan.count)


# ---- a trained network on a real head ------------------------------------------------------------------------------

MESHNET_REACH = 46
MESHNET_BYTES = 120  # per voxel


@pytest.fixture(scope="module")
def meshnet(folder, shared_data):
    """MeshNet (Fedorov et al.), grey and white matter: 10 dilated convolutions of 5 filters."""
    place = folder / "meshnet"
    place.mkdir()
    (source,) = (shared_data / "models" / "meshnet_t1_gwm").glob("*_anysize.keras")
    shutil.copy(source, place / "model.keras")
    card = ModelCard(
        name="meshnet", title="MeshNet", weights=Weights(file="model.keras", sha256=sha256_of(place / "model.keras")),
        input=InputSpec(channels=("t1",), patch_size=(64, 64, 64), intensity=IntensityScheme(kind="minmax")),
        output=OutputSpec(
            classes=tuple(LabelClass(id=i, name=n, color=default_color(i)) for i, n in ((1, "white"), (2, "grey")))
        ),
        inference=InferenceDefaults(halo=MESHNET_REACH, bytes_per_voxel=MESHNET_BYTES),
    )  # fmt: skip
    (place / CARD_NAME).write_text(card.model_dump_json(), encoding="utf-8")
    return open_model(place)


@pytest.fixture(scope="module")
def head(shared_data):
    """The middle of a T1 scan."""
    scan = read_volume(shared_data / "scans" / "t1_crop.nii.gz")
    box = Box.of((128, 128, 128)).shifted(tuple((n - 128) // 2 for n in scan.shape))
    part = scan.cropped(box)
    return part.with_data(np.ascontiguousarray(part.data))


def test_a_trained_network_on_a_real_head(shared_engine, meshnet, head):
    _, whole = finish(segment(head, meshnet, UNCACHED, engine=shared_engine))
    assert whole.plan.count == 1
    assert min(whole.counts[1], whole.counts[2]) > 100_000

    exact = tiled(110**3, MESHNET_BYTES, context="exact")
    _, in_tiles = finish(segment(head, meshnet, exact, engine=shared_engine))
    assert (in_tiles.plan.tiles.halo, in_tiles.plan.count) == (MESHNET_REACH, 8)
    np.testing.assert_array_equal(in_tiles.labels, whole.labels)  # to the last voxel

    reports, measured_tiles = finish(segment(head, meshnet, tiled(124**3, MESHNET_BYTES), engine=shared_engine))
    assert measured(reports)
    record = read_record(meshnet.card)
    assert record.reach == MESHNET_REACH
    assert 40 <= record.halo <= 46
    assert measured_tiles.plan.tiles.halo == record.halo
    assert measured_tiles.plan.count > 1
    assert differing(measured_tiles.labels, whole.labels) <= TOLERANCE


def test_rounding_is_told_from_missing_context():
    wrong, planes = np.zeros(65), np.zeros(65)
    planes[:60] = 6
    wrong[:12] = 500 / 2.0 ** np.arange(12)  # for want of context
    clean = _tails(wrong, planes, 40)
    assert list(clean) == sorted(clean, reverse=True)
    np.testing.assert_allclose(clean[:12], np.cumsum(wrong[::-1])[::-1][:12])
    noisy = _tails(wrong + 7.0 * (planes > 0), planes, 40)
    np.testing.assert_allclose(noisy, clean, atol=1e-9)
    assert np.cumsum((wrong + 7.0 * (planes > 0))[::-1])[::-1][30] > 100  # which would have asked for all there is
