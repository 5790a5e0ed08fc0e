"""Grey levels from 0 to 255, as FreeSurfer makes them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.conform import conformed_levels
from napari_vol3d.io.registry import read_volume


def fastsurfer_getscale(data, f_high=0.999):
    """The published algorithm, over all voxels at once."""
    low, high = float(data.min()), float(data.max())
    counts, _ = np.histogram(data, bins=1000)
    limit = data.size - int((1.0 - f_high) * (np.abs(data) >= 1e-15).sum())
    upper = int(np.where(np.cumsum(counts) >= limit)[0][0]) - 2
    high = upper * (high - low) / 1000 + low
    return low, 255 / (high - low)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_it_is_the_published_scale(dtype):
    rng = np.random.default_rng(0)
    data = np.where(rng.random((20, 30, 25)) < 0.4, 0, rng.gamma(3, 90, (20, 30, 25))).astype(dtype)
    found = conformed_levels(data)
    assert (found.low, found.scale) == pytest.approx(fastsurfer_getscale(data))
    mapped = found.apply(data)
    assert (mapped.min(), mapped.max()) == (0, pytest.approx(255))
    assert 0 < np.mean(mapped == mapped.max()) < 2e-3


def test_a_real_head_is_brightened(shared_data):
    data = np.asarray(read_volume(shared_data / "scans" / "t1_crop.nii.gz").data)
    found = conformed_levels(data)
    assert (found.low, found.scale) == pytest.approx(fastsurfer_getscale(data))
    assert found.high < 200 < data.max()


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_a_constant_scan_stays_one(value):
    found = conformed_levels(np.full((3, 4, 5), value))
    assert not found.apply(np.full((3, 4, 5), value)).any()
