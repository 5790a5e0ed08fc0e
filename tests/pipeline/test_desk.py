"""Patches go to the engine and come back as labels, two at a time, and no slot is used twice at once."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import EngineProblem
from napari_vol3d.core.resample import grid_map
from napari_vol3d.core.tiles import TilePlan
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.engine.messages import Loaded
from napari_vol3d.pipeline.desk import Desk
from napari_vol3d.pipeline.exchange import SLOTS, exchange
from napari_vol3d.pipeline.handing import loading
from napari_vol3d.pipeline.measure import measure_scan

SHAPE = (24, 20, 28)
IDS = np.asarray([0, 3, 7], np.uint8)


@pytest.fixture
def engine(shared_engine, tiny_model):
    """The shared engine, with the pointwise network loaded."""
    shared_engine.cards = ()
    assert any(isinstance(report, Loaded) for report in shared_engine.ask(loading(shared_engine, [tiny_model]), Loaded))
    return shared_engine


def noise(dtype=np.float32, shape=SHAPE):
    data = np.random.default_rng(0).normal(100, 20, shape).astype(dtype)
    return Volume(data=data, geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))


@contextlib.contextmanager
def desk_for(engine, model, volume, *, patch, halo=0, spacing=(1.0, 1.0, 1.0), probabilities=False):
    grid = grid_map(volume.shape, spacing, (1.0, 1.0, 1.0))
    tiles = TilePlan(shape=grid.model_shape, patch_size=patch, halo=halo, multiple=2)
    with exchange(engine.folder) as files:
        desk = Desk(
            engine, files, volume, model.card, grid, tiles=tiles, intensity=measure_scan(volume, model.card),
            probabilities=probabilities,
        )  # fmt: skip
        with contextlib.closing(desk):
            for _ in desk.open():
                pass
            yield desk, tiles, grid


def fetch(desk):
    while True:
        found = desk.fetch()
        if found is not None:
            return found


def expected_labels(volume, model):
    """What the pointwise network says, computed by hand."""
    (intensity,) = measure_scan(volume, model.card)
    values = intensity.apply(np.asarray(volume.data))[..., None]
    return IDS[(values * np.arange(3) + np.asarray([0.0, -1.0, -4.0])).argmax(axis=-1)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, ">i2"])
def test_hundreds_of_small_tiles_keep_their_places(engine, tiny_model, dtype):
    volume = noise(dtype)
    labels, most = np.full(SHAPE, 99, np.uint8), 0
    with desk_for(engine, tiny_model, volume, patch=(4, 4, 4)) as (desk, tiles, _):
        waiting, under_way = list(tiles), 0
        assert len(waiting) == 210
        while waiting or desk.busy:
            while waiting and desk.has_room:
                tile = waiting.pop()
                desk.read(tile)
                desk.send(tile, tile.core)
                under_way += 1
            most = max(most, under_way)
            part = fetch(desk)
            under_way -= 1
            labels[part.box.slices] = part.labels
    assert most == SLOTS == 2
    np.testing.assert_array_equal(labels, expected_labels(volume, tiny_model))


def test_a_slot_is_not_free_before_its_labels_were_fetched(engine, tiny_model):
    volume = noise()
    with desk_for(engine, tiny_model, volume, patch=(8, 8, 8)) as (desk, tiles, _):
        first, second, third = list(tiles)[:3]
        assert desk.has_room
        assert not desk.busy
        held = []
        for tile in (first, second):
            held.append(desk.read(tile))
            desk.send(tile, tile.core)
        assert not desk.has_room
        assert not np.shares_memory(*held)
        found = [fetch(desk)]
        assert desk.has_room
        before = held[1].copy()
        again = desk.read(third)  # goes where the first patch lay: that of the second may still be needed
        assert np.shares_memory(again, held[0])
        np.testing.assert_array_equal(held[1], before)
        found.append(fetch(desk))
        assert not desk.busy
        assert [part.box for part in found] == [first.core, second.core]
        kept = found[0].labels.copy()
        desk.send(third, third.core)
        fetch(desk)
        np.testing.assert_array_equal(found[0].labels, kept)  # what was fetched is the caller's own


def test_a_patch_over_the_face_repeats_the_last_voxel(engine, tiny_model):
    volume = noise(shape=(5, 6, 7))
    with desk_for(engine, tiny_model, volume, patch=(6, 6, 8)) as (desk, tiles, _):
        (tile,) = tiles
        read = desk.read(tile)[..., 0]
        np.testing.assert_array_equal(read, np.pad(volume.data, ((0, 1), (0, 0), (0, 1)), mode="edge"))
        desk.send(tile, tile.core)
        part = fetch(desk)
        assert part.box == Box.of((5, 6, 7))
        np.testing.assert_array_equal(part.labels, expected_labels(volume, tiny_model))


def test_what_is_read_holds_nothing_of_an_earlier_patch(engine, tiny_model):
    volume = noise()
    with desk_for(engine, tiny_model, volume, patch=(6, 6, 6), spacing=(0.7, 0.8, 1.3)) as (desk, tiles, grid):
        sizes = set()
        for tile in tiles:
            box = grid.needed(tile.patch)
            np.testing.assert_array_equal(desk.read(tile)[..., 0], volume.read(box))
            sizes.add(box.shape)
        assert len(sizes) > 1  # otherwise this would have shown nothing


def test_probabilities_come_with_the_labels_where_asked_for(engine, tiny_model):
    volume = noise()
    for asked in (True, False):
        with desk_for(engine, tiny_model, volume, patch=(24, 20, 28), probabilities=asked) as (desk, tiles, _):
            (tile,) = tiles
            desk.read(tile)
            desk.send(tile, tile.core)
            part = fetch(desk)
        assert desk.gives_probabilities is asked
        assert (part.probabilities is not None) is asked
        if asked:
            assert part.probabilities.shape == (2, *SHAPE)
            assert (part.probabilities[1][part.labels == 7] >= 85).all()  # the best of three


def test_closing_with_patches_under_way_leaves_a_quiet_engine(engine, tiny_model):
    volume = noise(shape=(40, 40, 40))
    pid = engine.process.pid
    for under_way in (0, 1, 2):
        with desk_for(engine, tiny_model, volume, patch=(8, 8, 8)) as (desk, tiles, _):
            for tile in list(tiles)[:under_way]:
                desk.read(tile)
                desk.send(tile, tile.core)
        assert list(engine.folder.glob("*.npy")) == []
        assert engine.hear() is None  # no late answer of a patch that nobody waits for
    assert (engine.alive, engine.process.pid) == (True, pid)


def test_a_desk_without_room_on_the_disk_is_told(engine, tiny_model, monkeypatch):
    volume = Volume(data=np.broadcast_to(np.float32(1), (4096, 4096, 4096)), geometry=noise().geometry)
    grid = grid_map(volume.shape, (1.0, 1.0, 1.0), None)
    tiles = TilePlan(shape=volume.shape, patch_size=(65536, 65536, 4096), halo=0, multiple=2)
    with exchange(engine.folder) as files, pytest.raises(EngineProblem, match="No room"):
        Desk(engine, files, volume, tiny_model.card, grid, tiles=tiles, intensity=())
    assert list(engine.folder.glob("*.npy")) == []
