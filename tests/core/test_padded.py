"""Voxels around a volume: the volume stays where it is, and what is added is its smallest value."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.padded import Padded, padded
from napari_vol3d.core.volume import Geometry, Volume

BEFORE, SHAPE = (2, 0, 3), (9, 4, 12)


@pytest.mark.parametrize("channels", [(), (2,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_it_is_numpys_padding(channels, dtype):
    data = np.random.default_rng(0).integers(5, 99, (5, 4, 6, *channels)).astype(dtype)
    made = Padded(data, BEFORE, SHAPE)
    widths = [(b, n - b - k) for b, n, k in zip(BEFORE, SHAPE, data.shape[:3], strict=True)]
    each = data.reshape(*data.shape[:3], -1)
    whole = [np.pad(each[..., c], widths, constant_values=each[..., c].min()) for c in range(each.shape[-1])]
    expected = np.stack(whole, axis=-1).reshape((*SHAPE, *channels))
    for index in (np.s_[:], np.s_[3:5, 1:3, 4:6], np.s_[0:3, :, 2:11:2], np.s_[0:1], np.s_[::-1, 2]):
        np.testing.assert_array_equal(made[index], expected[index])
    assert made.dtype == dtype


def test_what_is_no_number_is_not_the_smallest():
    data = np.array([[[np.nan, 3.0, -np.inf]], [[7.0, 4.0, 5.0]]], np.float32)
    assert Padded(data, (1, 0, 0), (3, 1, 3))[0, 0, 0] == 3.0


def test_the_volume_stays_in_the_world():
    scan = Volume(data=np.zeros((5, 4, 6)), geometry=Geometry.from_spacing((3.0, 2.0, 1.0), origin=(1.0, 2.0, 3.0)))
    larger = padded(scan, BEFORE, SHAPE)
    first = larger.geometry.affine @ [*BEFORE, 1]
    np.testing.assert_allclose(first[:3], scan.geometry.origin)
    assert larger.shape == SHAPE
    assert padded(scan, (0, 0, 0), scan.shape) is scan
