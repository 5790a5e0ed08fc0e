"""Alterations keep grid and type, leave the scan alone, and do change what a model sees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.pipeline.altered import ALTERED, BLUR, NEARER, blurred, nearer
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish, phantom


def scan(dtype=np.float32, channels=()):
    image, _ = phantom((20, 24, 18))
    data = np.stack([image, image[::-1]], axis=-1) if channels else image
    geometry = Geometry.from_spacing((2.0, 1.0, 1.5), origin=(3.0, 4.0, 5.0))
    return Volume(data=data.astype(dtype), geometry=geometry, channels=channels)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [(), ("a", "b")])
def test_shape_type_and_the_scan_itself_stay(dtype, channels) -> None:
    volume = scan(dtype, channels)
    before = volume.data.copy()
    for alter in ALTERED:
        other = alter(volume)
        assert other.data.dtype == dtype
        assert other.data.shape == before.shape
        assert other.channels == channels
        assert np.array_equal(volume.data, before)


def test_blurring_is_scipys_of_each_channel() -> None:
    volume = scan(channels=("a", "b"))
    other = blurred(volume)
    for channel in range(2):
        wanted = ndimage.gaussian_filter(volume.data[..., channel], BLUR)
        assert np.allclose(other.data[..., channel], wanted)
    whole = blurred(scan(np.uint8)).data.astype(float)
    assert np.abs(whole - ndimage.gaussian_filter(scan(np.uint8).data.astype(float), BLUR)).max() <= 0.51
    assert other.geometry is volume.geometry


def test_nearer_only_says_another_size() -> None:
    volume = scan()
    other = nearer(volume)
    assert other.data is volume.data
    assert other.geometry.spacing == pytest.approx([edge * NEARER for edge in volume.geometry.spacing])
    assert other.geometry.origin == volume.geometry.origin
    assert volume.geometry.spacing == (2.0, 1.0, 1.5)


def test_labels_of_altered_scans_lie_on_the_scans_grid(shared_engine, unet_model) -> None:
    volume = scan()
    for alter in ALTERED:
        _, found = finish(segment(alter(volume), unet_model, SegmentSettings(cache=False), engine=shared_engine))
        assert found.labels.shape == volume.shape
