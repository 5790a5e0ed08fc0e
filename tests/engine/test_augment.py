"""Augmented patches stay what they are: same classes, allowed flips only, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.labels import IGNORE
from napari_vol3d.engine import augment
from napari_vol3d.engine.augment import Augmentation, change_intensity, random_matrix, warp

SIZE = (8, 10, 6)
STILL = Augmentation(spatial=0.0, intensity=0.0)


def source(shape=(16, 18, 14), channels=2, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(*shape, channels)).astype(np.float32)
    return image, rng.integers(0, 3, shape).astype(np.uint8)


def cut(image, labels, start):
    box = tuple(slice(a, a + n) for a, n in zip(start, SIZE, strict=True))
    return image[box], labels[box]


def middle(start):
    return np.asarray(start) + (np.asarray(SIZE) - 1) / 2


@pytest.mark.parametrize("start", [(0, 0, 0), (3, 5, 2), (8, 8, 8)])
def test_the_identity_leaves_the_patch_as_it_is(start):
    image, labels = source()
    patch, target = warp(image, labels, middle(start), np.eye(3), SIZE, 2)
    meant_image, meant_labels = cut(image, labels, start)
    np.testing.assert_allclose(patch, meant_image, atol=1e-6)
    np.testing.assert_array_equal(target, meant_labels)
    assert (patch.dtype, target.dtype) == (np.float32, np.uint8)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flip_flips_its_axis(axis):
    image, labels = source()
    matrix = np.eye(3)
    matrix[axis, axis] = -1
    patch, target = warp(image, labels, middle((4, 4, 4)), matrix, SIZE, 2)
    meant_image, meant_labels = cut(image, labels, (4, 4, 4))
    np.testing.assert_allclose(patch, np.flip(meant_image, axis), atol=1e-6)
    np.testing.assert_array_equal(target, np.flip(meant_labels, axis))


@pytest.mark.parametrize("allowed", [(), (2,), (0, 1)])
def test_only_allowed_axes_are_flipped(allowed):
    rng = np.random.default_rng(0)
    drawn = {tuple(np.diag(random_matrix(rng, Augmentation(flip_axes=allowed, spatial=0.0)))) for _ in range(100)}
    assert {axis for signs in drawn for axis in range(3) if signs[axis] < 0} == set(allowed)
    assert len(drawn) == 2 ** len(allowed)


def test_matrices_stay_within_what_was_asked():
    rng = np.random.default_rng(0)
    how = Augmentation(spatial=1.0, rotation_deg=15, scaling=(0.85, 1.18))
    matrices = np.stack([random_matrix(rng, how) for _ in range(300)])
    assert (np.linalg.det(matrices) > 0).all()  # no hidden mirror
    lengths = np.linalg.svd(matrices, compute_uv=False)
    # Zoom up to 1.18 and 6 % an axis, and the shear of 5 %.
    assert lengths.max() < 1 / 0.85 * 1.07 * 1.1
    assert lengths.min() > 1 / 1.18 / 1.07 / 1.1
    assert matrices.std(axis=0).min() > 0.005  # every entry is really drawn


def test_without_spatial_and_flips_the_matrix_is_the_identity():
    np.testing.assert_array_equal(random_matrix(np.random.default_rng(0), STILL), np.eye(3))


def test_labels_stay_in_the_set_of_ids():
    image, labels = source()
    labels[:, :4] = IGNORE
    rng = np.random.default_rng(0)
    for _ in range(10):
        matrix = random_matrix(rng, Augmentation(spatial=1.0, flip_axes=(0, 1, 2)))
        _, target = warp(image, labels, np.array([8.0, 9.0, 7.0]), matrix, SIZE, 2)
        assert set(np.unique(target)) <= {0, 1, 2, IGNORE}


def test_beyond_the_source_nobody_knows_the_class():
    image, labels = source((4, 4, 4))
    patch, target = warp(image, labels, np.array([1.5, 1.5, 1.5]), np.eye(3), (8, 8, 8), 2)
    inside = np.zeros((8, 8, 8), bool)
    inside[2:6, 2:6, 2:6] = True
    np.testing.assert_array_equal(target[inside].reshape(4, 4, 4), labels)
    assert (target[~inside] == IGNORE).all()
    np.testing.assert_allclose(patch[0, 0, 0], image[0, 0, 0])


def test_what_was_ignored_stays_ignored():
    image, labels = source()
    labels[:] = 1
    labels[8:] = IGNORE
    _, target = warp(image, labels, middle((4, 4, 4)), np.eye(3), SIZE, 2)
    assert (target[:4] == 1).all()
    assert (target[4:] == IGNORE).all()


@pytest.mark.parametrize("name", ["_noise", "_blur", "_brightness", "_contrast", "_coarse", "_gamma"])
def test_every_intensity_change_changes_within_reason(name):
    image = source()[0]
    changed = getattr(augment, name)(image, np.random.default_rng(3))
    assert (changed.dtype, changed.shape) == (np.float32, image.shape)
    assert np.isfinite(changed).all()
    assert 0.01 < np.abs(changed - image).mean() < 1.0


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_patch_stays_finite(value):
    flat = np.full((6, 6, 6, 1), value, np.float32)
    for seed in range(20):
        assert np.isfinite(change_intensity(flat, np.random.default_rng(seed), Augmentation(intensity=1.0))).all()


def test_the_same_seed_gives_the_same_patch():
    image, how = source()[0], Augmentation(intensity=0.5)
    first, second = (change_intensity(image, np.random.default_rng(7), how) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, change_intensity(image, np.random.default_rng(8), how))


def test_without_intensity_nothing_changes():
    image = source()[0]
    np.testing.assert_array_equal(change_intensity(image, np.random.default_rng(0), STILL), image)
