from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_vol3d.core.phantom import nuclei


@pytest.fixture(scope="module")
def stack() -> tuple[np.ndarray, np.ndarray]:
    return nuclei(seed=5)


def test_the_same_seed_gives_the_same_stack(stack: tuple[np.ndarray, np.ndarray]) -> None:
    again, other = nuclei(seed=5), nuclei(seed=6)
    assert all(np.array_equal(a, b) for a, b in zip(stack, again, strict=True))
    assert not np.array_equal(stack[1], other[1])


def test_shapes_types_and_ids(stack: tuple[np.ndarray, np.ndarray]) -> None:
    image, labels = stack
    assert image.shape == labels.shape == (32, 128, 128)
    assert image.dtype == labels.dtype == np.uint16
    ids = np.unique(labels)
    assert np.array_equal(ids, np.arange(len(ids)))
    assert 50 <= ids[-1] <= 60
    assert image.max() < np.iinfo(np.uint16).max  # nothing saturates


def test_nuclei_are_brighter_than_what_is_around_them(stack: tuple[np.ndarray, np.ndarray]) -> None:
    image, labels = stack
    inside = ndimage.median(image, labels, range(1, labels.max() + 1))
    background = image[ndimage.binary_dilation(labels > 0, iterations=4) == 0]
    assert np.mean(inside > np.percentile(background, 95)) > 0.9


def test_some_nuclei_touch_and_sizes_differ(stack: tuple[np.ndarray, np.ndarray]) -> None:
    labels = stack[1]
    pieces = ndimage.label(labels > 0)[1]
    assert pieces < labels.max()
    sizes = np.bincount(labels.reshape(-1))[1:]
    assert np.percentile(sizes, 90) > 2 * np.percentile(sizes, 10)


def test_light_falls_off_with_depth_and_blur_is_stronger_along_z() -> None:
    image, labels = nuclei((48, 96, 96), (1.0, 1.0, 1.0), 150, seed=1)
    signal = image.astype(float) - np.median(image[labels == 0])
    brightness = [signal[part][labels[part] > 0].mean() for part in (slice(0, 16), slice(32, 48))]
    assert brightness[0] > 1.2 * brightness[1]
    steep = [np.diff(ndimage.gaussian_filter(signal, 1.0), axis=axis).std() for axis in range(3)]
    assert steep[0] < 0.9 * min(steep[1:])


def test_where_there_is_no_room_there_are_fewer() -> None:
    image, labels = nuclei((1, 20, 20), (2.0, 0.65, 0.65), 50, seed=0)
    assert image.shape == (1, 20, 20)
    assert 1 <= labels.max() < 50
