"""What was computed once is not computed again, and whatever is wrong with the cache costs time alone."""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from platformdirs import user_cache_path

from napari_vol3d.core.box import Box
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline import cache as cache_module
from napari_vol3d.pipeline.cache import ResultCache
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import brightness_network, finish, phantom, write_model

UINT8 = np.dtype(np.uint8)
# A card that measures nothing, so that one voxel more or less changes no other; and patches of 24^3 with a halo of 4.
FIXED = {"spacing": (1.0, 1.0, 1.0), "intensity": IntensityScheme(kind="window", lower=0, upper=400), "flip_axes": (2,)}
SMALL = SegmentSettings(memory_gb=512 * 24**3 / 1e9, halo=4)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Model:
    network = brightness_network(offsets=(0.0, -0.375, -1.0))
    return write_model(tmp_path_factory.mktemp("models") / "fixed", network, input=FIXED)


@pytest.fixture
def run(shared_engine, patches):
    """Gives the labels of a run, and how many patches it asked for."""

    def go(volume, model, settings=SMALL, **more):
        patches.clear()
        _, prediction = finish(segment(volume, model, settings, engine=shared_engine, **more))
        return prediction, len(patches)

    return go


def scan(shape=(40, 44, 38), seed=0, spacing=(1.0, 1.0, 1.0)) -> Volume:
    return Volume(data=phantom(shape, seed=seed)[0], geometry=Geometry.from_spacing(spacing))


def folder() -> Path:
    return user_cache_path("napari-vol3d") / "patches"


def files() -> list[Path]:
    return sorted(path for path in folder().rglob("*") if path.is_file())


def changed(model: Model, part: str, **fields) -> Model:
    record = getattr(model.card, part).model_copy(update=fields)
    return replace(model, card=model.card.model_copy(update={part: record}))


# ---- runs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 1.0, 1.3)])
def test_a_repeated_run_needs_no_engine(run, model, spacing):
    volume = scan(spacing=spacing)
    first, asked = run(volume, model)
    assert asked == first.plan.count > 4
    again, asked = run(volume.with_data(volume.data.copy()), model)
    assert asked == 0
    np.testing.assert_array_equal(again.labels, first.labels)
    assert again.counts == first.counts
    assert first.labels.any()
    assert run(volume, model, SMALL.model_copy(update={"cache": False}))[1] == first.plan.count


def test_a_scan_with_air_around_it_is_free_the_second_time_too(run, model):
    volume = scan()
    with_air = volume.with_data(np.pad(volume.data, 30))
    first, asked = run(with_air, model)
    assert 0 < asked < first.plan.count
    again, asked = run(with_air, model)
    assert asked == 0
    np.testing.assert_array_equal(again.labels, first.labels)


def test_whatever_changes_the_labels_is_computed_again(run, shared_engine, model, tmp_path):
    volume = scan()
    first, everything = run(volume, model)
    other = write_model(tmp_path / "other", brightness_network(offsets=(0.0, -0.3, -0.9)), input=FIXED)
    darker = IntensityScheme(kind="window", lower=0, upper=450)
    ids = tuple(LabelClass(id=c.id + 1, name=c.name, color=c.color) for c in model.card.output.classes)
    for label, changes in {
        "weights": {"model": other},
        "intensity": {"model": changed(model, "input", intensity=darker)},
        "classes": {"model": changed(model, "output", classes=ids)},
        "mirror": {"settings": SMALL.model_copy(update={"mirror": True})},
        "another model": {"others": (other,)},
        "halo": {"settings": SMALL.model_copy(update={"halo": 6})},
        "patch": {"settings": SMALL.model_copy(update={"memory_gb": 512 * 20**3 / 1e9})},
        "type": {"volume": volume.with_data(volume.data.astype(np.float64).astype(np.int16))},
    }.items():
        again, asked = run(**{"volume": volume, "model": model, **changes})
        assert asked == again.plan.count, label
    assert everything == first.plan.count
    # And what changes none: names, the title, where it is shown.
    renamed = replace(model, card=model.card.model_copy(update={"name": "renamed", "title": "Renamed"}))
    assert run(volume.with_data(volume.data, name="renamed"), renamed)[1] == 0


def test_another_voxel_changes_the_patches_that_hold_it(run, model):
    volume = scan()
    run(volume, model)
    data = volume.data.copy()
    data[20, 21, 19] += 50
    plan = plan_segment(volume, model.card, SMALL)
    there = Box(start=(20, 21, 19), stop=(21, 22, 20))
    holding = sum(tile.patch.intersect(there).size for tile in plan.tiles)
    _, asked = run(volume.with_data(data), model)
    assert asked == holding
    assert 1 < holding < plan.count


def test_an_extended_region_computes_the_new_tiles_alone(run, model):
    volume = scan((48, 70, 46))
    plan = plan_segment(volume, model.card, SMALL)
    spans = plan.tiles.axes
    half = Box(start=(0, 0, 0), stop=(48, spans[1][2][1], 46))  # up to where the third row of tiles begins
    first, asked = run(volume, model, region=half)
    assert asked == first.plan.count == plan.count // len(spans[1]) * 2
    whole, asked = run(volume, model)
    assert asked == whole.plan.count - first.plan.count
    fresh, _ = run(volume, model, SMALL.model_copy(update={"cache": False}))
    np.testing.assert_array_equal(whole.labels, fresh.labels)
    assert run(volume, model, region=half)[1] == 0


def test_probabilities_come_with_every_tile(run, model):
    volume = scan()
    without, _ = run(volume, model)
    asked_for = SMALL.model_copy(update={"probabilities": True})
    first, asked = run(volume, model, asked_for)
    assert asked == first.plan.count  # the cache holds labels alone
    np.testing.assert_array_equal(first.labels, without.labels)
    found = np.asarray(first.probabilities)
    assert (found.sum(axis=0, dtype=int) > 0).all()  # of a pointwise network every class is a little likely
    again, _ = run(volume, model, asked_for)
    np.testing.assert_array_equal(np.asarray(again.probabilities), found)


@pytest.mark.parametrize("on_disk", [True, False])
def test_air_is_computed_once_for_each_kind_of_place(run, model, on_disk):
    settings = SMALL.model_copy(update={"cache": on_disk})
    air = Volume(data=np.full((88, 24, 24), 3, np.int16), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    prediction, asked = run(air, model, settings)
    assert prediction.plan.tiles.patch_size == (24, 24, 24)
    spans = prediction.plan.tiles.axes[0]
    kinds = {(start - origin, stop - origin) for origin, start, stop in spans}
    assert asked == len(kinds) == 3  # at either end, and between
    assert prediction.plan.count == len(spans) == 5
    np.testing.assert_array_equal(prediction.labels, np.zeros(air.shape))
    bright = air.with_data(np.full(air.shape, 390, np.int16))
    filled, asked = run(bright, model, settings)
    assert asked == 3  # another value, another result
    assert (filled.labels == 7).all()


def spoil(path: Path, how: str) -> None:
    content = path.read_bytes()
    damaged = {
        "cut": content[: len(content) // 2], "empty": b"", "garbled": bytes(255 - byte for byte in content),
        "flipped": content[:-3] + bytes([content[-3] ^ 1]) + content[-2:], "short": zlib.compress(b"abc"),
    }  # fmt: skip
    path.write_bytes(damaged[how])


@pytest.mark.parametrize("how", ["cut", "empty", "garbled", "flipped", "short"])
def test_damaged_files_are_computed_again(run, model, how):
    volume = scan((40, 24, 24))
    first, asked = run(volume, model)
    assert len(files()) == asked > 1
    spoil(files()[0], how)
    again, asked = run(volume, model)
    assert asked == 1
    np.testing.assert_array_equal(again.labels, first.labels)
    assert run(volume, model)[1] == 0  # and mended


def test_a_cache_that_cannot_be_written_costs_nothing(run, model):
    folder().parent.mkdir(parents=True)
    folder().write_bytes(b"a file where the folder should be")
    volume = scan((40, 24, 24))
    first, asked = run(volume, model)
    again, asked_again = run(volume, model)
    assert asked == asked_again == first.plan.count
    np.testing.assert_array_equal(again.labels, first.labels)
    assert folder().read_bytes() == b"a file where the folder should be"


# ---- the cache alone -----------------------------------------------------------------------------------------------


def noise(seed: int, edge: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, (edge, edge, edge), np.uint8)


def test_labels_come_back_as_they_were():
    store = ResultCache("run", on_disk=True)
    voxels = noise(0)[..., None]
    key = store.key(voxels, "here")
    assert store.get(key, (16, 16, 16), UINT8) is None
    for dtype in (np.uint8, np.uint16, np.uint32):
        labels = noise(1).astype(dtype)[:, ::2]  # not contiguous
        store.put(key, labels)
        found = ResultCache("run", on_disk=True).get(key, labels.shape, np.dtype(dtype))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, labels)


def test_keys_tell_everything_apart():
    store, voxels = ResultCache("run", on_disk=True), noise(0)[..., None]
    flat, flatter = np.full((4, 4, 4, 1), 3, np.uint8), np.full((4, 4, 8, 1), 3, np.uint8)
    keys = [
        store.key(voxels, "here"), store.key(voxels, "there"), ResultCache("other", on_disk=True).key(voxels, "here"),
        store.key(voxels.astype(np.int16), "here"), store.key(voxels.reshape(8, 32, 16, 1), "here"),
        store.key(voxels.reshape(16, 16, 8, 2), "here"), store.key(flat, "here"), store.key(flatter, "here"),
        store.key(flat + 1, "here"), store.key(flat.astype(np.int8), "here"), store.key(flat, "there"),
        store.key(np.full((4, 4, 4, 2), (3, 4), np.uint8), "here"),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert store.key(voxels.copy(), "here") == store.key(voxels, "here")
    assert store.key(np.asfortranarray(voxels), "here") == store.key(voxels, "here")


def test_without_a_disk_only_patches_without_contrast_have_a_key():
    store = ResultCache("run", on_disk=False)
    assert store.key(noise(0)[..., None], "here") == ""
    flat = np.full((4, 4, 4, 1), 3, np.uint8)
    assert store.key(flat, "here") != ""
    store.put("", flat[..., 0])
    assert store.get("", (4, 4, 4), UINT8) is None


def test_no_number_is_a_value_too():
    store = ResultCache("run", on_disk=True)
    empty = np.full((4, 4, 4, 1), np.nan, np.float32)
    dotted = empty.copy()
    dotted[0, 0, 0] = 1
    assert store.key(empty, "here") == store.key(empty.copy(), "here") != store.key(dotted, "here")


def test_the_longest_unused_go_first(monkeypatch):
    store = ResultCache("run", on_disk=True)
    keys = [store.key(noise(seed)[..., None], "here") for seed in range(6)]
    for age, key in enumerate(keys):
        store.put(key, noise(age))
        (path,) = (path for path in files() if path.name == key)
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    assert store.get(keys[0], (16, 16, 16), UINT8) is not None  # used now: the youngest
    sizes = {path.name: path.stat().st_size for path in files()}
    store.tidy()
    assert len(files()) == 6  # far below the limit
    monkeypatch.setattr(cache_module, "MOST_BYTES", sum(sizes.values()) - sizes[keys[1]] - 1)
    store.tidy()
    assert {path.name for path in files()} == {keys[0], *keys[3:]}
    assert sum(path.stat().st_size for path in files()) <= cache_module.MOST_BYTES
    monkeypatch.setattr(cache_module, "MOST_BYTES", 0)
    store.tidy()
    assert files() == []
    store.tidy()  # and there is nothing to do where there is nothing


def test_a_disk_that_fills_up_leaves_nothing_half_done(monkeypatch):
    store = ResultCache("run", on_disk=True)
    key = store.key(noise(0)[..., None], "here")
    write = Path.write_bytes

    def full(self, content):
        write(self, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        store.put(key, noise(1))
    assert files() == []
    assert store.get(key, (16, 16, 16), UINT8) is None
    store.put(key, noise(1))
    assert len(files()) == 1


def test_a_disk_that_can_only_be_read_still_serves(monkeypatch):
    store = ResultCache("run", on_disk=True)
    key = store.key(noise(0)[..., None], "here")
    store.put(key, noise(1))

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    np.testing.assert_array_equal(store.get(key, (16, 16, 16), UINT8), noise(1))


def test_patches_without_contrast_are_remembered_without_a_disk():
    store = ResultCache("run", on_disk=False)
    flat = store.key(np.zeros((8, 8, 8, 1), np.uint8), "here")
    other = store.key(noise(0)[..., None], "here")
    for key in (flat, other):
        store.put(key, noise(2, 4))
    np.testing.assert_array_equal(store.get(flat, (4, 4, 4), UINT8), noise(2, 4))
    assert store.get(other, (4, 4, 4), UINT8) is None
    assert not folder().exists()


def test_memory_for_patches_without_contrast_is_bounded(monkeypatch):
    monkeypatch.setattr(cache_module, "MOST_CONSTANT", 3)
    store = ResultCache("run", on_disk=False)
    keys = [store.key(np.full((2, 2, 2, 1), value, np.uint8), "here") for value in range(5)]
    for key in keys:
        store.put(key, noise(3, 2))
    assert sum(store.get(key, (2, 2, 2), UINT8) is not None for key in keys) == 3
