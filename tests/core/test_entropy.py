"""Entropy of kept probabilities: what SciPy says of the same numbers, in slabs or at once, lazy or not."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from napari_vol3d.core.entropy import SLAB, disagreement_map, disagreement_slabs, entropy_map, entropy_slabs
from napari_vol3d.core.errors import ScanMismatch


def softmax_bytes(seed: int, classes: int, shape: tuple[int, int, int] = (5, 6, 7)) -> np.ndarray:
    """Probabilities as a run keeps them: of the classes without the background, rounded to bytes."""
    scores = np.exp(np.random.default_rng(seed).normal(0, 3, (classes + 1, *shape)))
    return np.rint(scores[1:] / scores.sum(axis=0) * 255).astype(np.uint8)


def sigmoid_bytes(seed: int, classes: int, shape: tuple[int, int, int] = (5, 6, 7)) -> np.ndarray:
    """Each class has a probability of its own: together often more than 1."""
    return np.random.default_rng(seed).integers(0, 256, (classes, *shape)).astype(np.uint8)


def with_background(probabilities: np.ndarray) -> np.ndarray:
    """What entropy is of: the background has the rest; too much is scaled down."""
    p = probabilities.astype(float)
    rest = np.maximum(255 - p.sum(axis=0), 0)
    return np.concatenate([rest[None], p])


@given(seed=st.integers(0, 10_000), classes=st.integers(1, 9), make=st.sampled_from([softmax_bytes, sigmoid_bytes]))
@settings(deadline=None, max_examples=60)
def test_it_is_the_entropy_that_scipy_gives(seed: int, classes: int, make) -> None:
    probabilities = make(seed, classes)
    wanted = entropy(with_background(probabilities), axis=0) / np.log(classes + 1) * 255
    found = entropy_map(probabilities)
    assert found.dtype == np.uint8
    assert np.abs(found - wanted).max() <= 0.5 + 1e-3


@pytest.mark.parametrize(("classes", "each"), [(1, 127.5), (2, 85), (4, 51)])
def test_all_equally_likely_is_the_largest_and_certainty_is_nothing(classes: int, each: float) -> None:
    even = np.full((classes, 1, 1, 1), round(each), np.uint8)
    assert entropy_map(even).item() == 255
    sure = np.zeros((classes, 1, 1, 2), np.uint8)
    sure[0, ..., 1] = 255  # the first voxel is background, the second of class 1
    assert entropy_map(sure).tolist() == [[[0, 0]]]


@pytest.mark.parametrize("depth", [1, SLAB, SLAB + 1, 2 * SLAB + 3])
def test_slabs_of_lazy_voxels_are_the_whole(tmp_path, depth: int) -> None:
    first, second = (softmax_bytes(seed, 2, (depth, 4, 3)) for seed in (1, 2))
    lazy = [zarr.create_array(tmp_path / name, data=data, chunks=(1, 16, 4, 4))
            for name, data in (("a", first), ("b", second))]  # fmt: skip
    assert np.array_equal(entropy_map(lazy[0]), entropy_map(first))
    assert np.array_equal(np.concatenate(list(entropy_slabs(lazy[0]))), entropy_map(first))
    assert np.array_equal(np.concatenate(list(disagreement_slabs(*lazy))), disagreement_map(first, second))
    # Planes do not know of each other.
    assert np.array_equal(entropy_map(first[:, ::-1]), entropy_map(first)[::-1])


@given(seed=st.integers(0, 10_000), classes=st.integers(1, 5), make=st.sampled_from([softmax_bytes, sigmoid_bytes]))
@settings(deadline=None, max_examples=40)
def test_disagreement_is_the_largest_difference_of_any_class(seed: int, classes: int, make) -> None:
    first, second = make(seed, classes), make(seed + 1, classes)
    wanted = np.abs(with_background(first) - with_background(second)).max(axis=0)
    assert np.array_equal(disagreement_map(first, second), wanted)
    assert np.array_equal(disagreement_map(second, first), wanted)
    assert not disagreement_map(first, first).any()


def test_the_background_is_a_class_too() -> None:
    first, second = np.zeros((2, 2, 1, 1, 1), np.uint8)
    second[:] = 100
    assert disagreement_map(first, second).item() == 200  # each class by 100, the background by 200


def test_runs_of_other_shapes_are_refused() -> None:
    with pytest.raises(ScanMismatch, match="differ in shape"):
        disagreement_map(np.zeros((1, 2, 2, 2), np.uint8), np.zeros((1, 2, 2, 3), np.uint8))
