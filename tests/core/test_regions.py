"""Regions are where the voxels are, in one plane or many, in memory or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.measure import regionprops

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.regions import as_ids, classes_in, find_regions
from napari_vol3d.core.sliced import moved
from napari_vol3d.core.volume import Geometry, Volume
from tests.core.watched import Watched

SHAPE = (9, 8, 7)


def ids(dtype: Any = np.uint16) -> Any:
    rng = np.random.default_rng(0)
    labels = np.zeros(SHAPE, dtype)
    labels[2:7, 1:6, 2:5] = rng.choice([0, 3, 200], (5, 5, 3))
    labels[8, 7, 6] = 7
    return labels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int64])
def test_regions_are_as_scikit_image_measures_them(dtype: Any) -> None:
    found = find_regions(ids(dtype))
    meant = {int(p.label): p for p in regionprops(ids(np.int32))}
    assert list(found) == [3, 7, 200] == sorted(meant)
    for class_id, region in found.items():
        assert region.voxels == meant[class_id].num_pixels
        np.testing.assert_allclose(region.centroid, meant[class_id].centroid)
        assert (*region.box.start, *region.box.stop) == meant[class_id].bbox


def test_voxels_that_are_not_in_memory_are_read_plane_by_plane() -> None:
    lazy = Watched(ids())
    assert find_regions(lazy) == find_regions(ids())
    assert lazy.read == lazy.size
    assert find_regions(moved(lazy, (2, 1, 0))).keys() == {3, 7, 200}


@pytest.mark.parametrize("shape", [(0, 0, 0), (1, 1, 1), (3, 1, 2)])
def test_where_there_is_nothing_there_are_no_regions(shape: Any) -> None:
    assert find_regions(np.zeros(shape, np.uint8)) == {}


def test_huge_ids_take_no_room() -> None:
    labels = np.zeros(SHAPE, np.uint32)
    labels[1, 2, 3] = 2**32 - 1
    (region,) = find_regions(labels).values()
    assert (region.voxels, region.centroid) == (1, (1, 2, 3))


def test_every_id_has_a_class_and_every_class_stays() -> None:
    named = (LabelClass(id=9, name="spleen", color="#112233"), LabelClass(id=3, name="liver", color="#445566"))
    found = classes_in(find_regions(ids()), named)
    assert [(item.id, item.name) for item in found] == [(3, "liver"), (7, "class 7"), (9, "spleen"), (200, "class 200")]


def test_ids_are_whole_numbers_or_nothing() -> None:
    volume = Volume(data=ids(), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    assert as_ids(volume) is volume
    assert find_regions(as_ids(volume.with_data(ids(np.float64))).data) == find_regions(ids())
    for wrong in (0.5, -1.0, np.nan):
        with pytest.raises(Vol3dError):
            as_ids(volume.with_data(ids(np.float32) + np.float32(wrong)))
