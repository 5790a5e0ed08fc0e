"""Tiles of a plan: networks of one size get that size, whatever the scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.blend import OverlapPlan
from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.resample import grid_map
from napari_vol3d.core.tiles import GivenTiles
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.record import LocalRecord
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.tiling import choose_tiles
from tests.builders import finish, make_card, phantom


def tiles_of(shape, *, most=10**9, **chosen):
    card = make_card(Path("model.keras"), sha256="0" * 64, input={"fixed": True, "patch_size": (16, 8, 24)})
    grid = grid_map(shape, (1.0, 1.0, 1.0), None)
    return choose_tiles(grid, card, SegmentSettings(**chosen), LocalRecord(), most)


@pytest.mark.parametrize("shape", [(40, 40, 40), (16, 8, 24), (5, 70, 9)])
@pytest.mark.parametrize("scheme", ["auto", "halo", "overlap"])
def test_a_network_of_one_size_gets_no_other(shape, scheme):
    tiles = tiles_of(shape, scheme=scheme)
    assert isinstance(tiles, OverlapPlan)
    assert {tile.patch.shape for tile in tiles} == {(16, 8, 24)}


def test_its_size_is_not_shrunk_to_what_memory_there_is():
    with pytest.raises(Vol3dError, match="memory budget"):
        tiles_of((40, 40, 40), most=16 * 8 * 24 - 1)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 1.0, 1.3)])
def test_tiles_around_a_box_give_the_labels_of_the_whole_scan(shared_engine, unet_model, spacing):
    image, _ = phantom((72, 64, 68))
    volume = Volume(data=image, geometry=Geometry.from_spacing(spacing))
    exact = SegmentSettings(memory_gb=4, context="exact", cache=False)
    region = Box(start=(40, 30, 33), stop=(52, 44, 50))
    whole = finish(segment(volume, unet_model, exact, engine=shared_engine))[1]
    part = finish(segment(volume, unet_model, exact, engine=shared_engine, region=region))[1]
    assert isinstance(part.plan.tiles, GivenTiles)
    assert part.plan.megavoxels <= whole.plan.megavoxels / 2
    np.testing.assert_array_equal(part.labels[region.slices], whole.labels[region.slices])
    assert len(np.unique(part.labels[region.slices])) > 1
