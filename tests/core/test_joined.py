"""Images of one case become channels, whatever their grids."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.joined import join_channels
from napari_vol3d.core.volume import Geometry, Volume


def scan(shape=(10, 12, 14), spacing=(1.0, 1.0, 1.0), seed=0, dtype=np.float32, **more):
    data = (np.random.default_rng(seed).random(shape) * 200).astype(dtype)
    return Volume(data=data, geometry=Geometry.from_spacing(spacing, **more), name=f"scan {seed}")


def test_on_one_grid_channels_are_the_images_bit_for_bit():
    images = [scan(seed=n, dtype=np.uint8) for n in range(3)]
    joined = join_channels(images[1], images, ("a", "b", "c"))
    assert joined.data.dtype == np.uint8
    assert joined.channels == ("a", "b", "c")
    assert joined.shape == images[1].shape
    np.testing.assert_array_equal(joined.read(Box.of(joined.shape)), np.stack([i.data for i in images], axis=-1))
    box = Box(start=(2, 3, 4), stop=(5, 9, 6))
    np.testing.assert_array_equal(joined.read(box), joined.read(Box.of(joined.shape))[box.slices])


def test_another_grid_is_interpolated_where_it_lies():
    coarse = scan((8, 9, 10), (2.0, 2.0, 2.0), seed=5)
    fine = scan((16, 18, 20), (1.0, 1.0, 1.0), seed=6, origin=(-0.5, -0.5, -0.5))
    joined = join_channels(fine, (fine, coarse), ("fine", "coarse"))
    whole = joined.read(Box.of(fine.shape))
    np.testing.assert_array_equal(whole[..., 0], fine.data)
    at = np.meshgrid(*[(np.arange(n) - 0.5) / 2 for n in fine.shape], indexing="ij")
    wanted = ndimage.map_coordinates(coarse.data, at, order=1, mode="nearest")
    np.testing.assert_allclose(whole[..., 1], wanted, rtol=1e-4)


def test_types_that_differ_meet_in_float32():
    joined = join_channels(scan(), (scan(dtype=np.int16), scan(seed=1)), ("a", "b"))
    assert joined.data.dtype == np.float32


def test_what_can_not_be_a_channel():
    with pytest.raises(ScanMismatch, match="elsewhere"):
        join_channels(scan(), (scan(), scan(seed=1, origin=(500.0, 0.0, 0.0))), ("a", "b"))
    with pytest.raises(ScanMismatch, match="several channels"):
        join_channels(scan(), (scan(), scan((10, 12, 14, 2))), ("a", "b"))
    with pytest.raises(ScanMismatch, match="nothing says where"):
        join_channels(scan(), (scan(), scan((5, 5, 5), unit="pixel")), ("a", "b"))
    with pytest.raises(ScanMismatch, match="nothing says where"):  # both begin at 0, as images without a place do
        join_channels(scan(), (scan(), scan((10, 12, 15))), ("a", "b"))


def test_without_a_place_the_same_voxels_are_enough():
    other = scan(seed=3, unit="pixel")
    joined = join_channels(scan(), (scan(), other), ("a", "b"))
    np.testing.assert_array_equal(joined.read(Box.of(other.shape))[..., 1], other.data)
