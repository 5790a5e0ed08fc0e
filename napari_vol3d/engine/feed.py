"""The patch feed of training: lazy, seeded, balanced, through `tf.data`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.labels import IGNORE
from napari_vol3d.engine.augment import MARGIN, Augmentation, change_intensity, random_bending, random_matrix, warp
from napari_vol3d.engine.messages import TrainingCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A training scan as memory maps: only the voxels of a patch are read."""

    name: str
    image: NDArray[np.float32]  # (Z, Y, X, C)
    labels: NDArray[np.uint8]  # (Z, Y, X)
    places: NDArray[np.int32]  # (N, 4): class index, z, y, x of some foreground voxels


def open_case(case: TrainingCase) -> Case:
    """Open the files of a case without reading them."""
    image, labels, places = (np.load(Path(p), mmap_mode="r") for p in (case.image, case.labels, case.places))
    return Case(name=case.name, image=image, labels=labels, places=places)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchFeed:
    """Patches drawn from cases; patch number n is the same in every run with the same seed.

    Attributes
    ----------
    foreground : float
        Share of the patches that are centred on a voxel of a class drawn evenly; the others lie anywhere.
    """

    cases: tuple[Case, ...]
    patch_size: Triple
    classes: int
    foreground: float
    augmentation: Augmentation
    seed: int

    def patch(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Draw patch `number`: image (z, y, x, C) float32 and labels (z, y, x) uint8."""
        rng = np.random.default_rng((self.seed, number))
        case = self.cases[self._turn(number)]
        centre = self._centre(case, rng)
        matrix = random_matrix(rng, self.augmentation)
        half = np.ceil(np.asarray(self.patch_size) * MARGIN / 2).astype(int)
        middle = np.round(centre).astype(int)
        box = _around(middle, half).intersect(Box.of(case.labels.shape))
        image = np.asarray(case.image[box.slices], dtype=np.float32)
        labels = _marked_outside(np.asarray(case.labels[box.slices]))
        image = np.pad(image, [(1, 1)] * 3 + [(0, 0)], mode="edge")
        at = centre - np.asarray(box.start) + 1
        bending = random_bending(rng, self.augmentation, self.patch_size)
        patch, target = warp(image, labels, at, matrix, self.patch_size, self.classes, bending)
        return change_intensity(patch, rng, self.augmentation), target

    def dataset(self, first: int, count: int, batch: int) -> tf.data.Dataset:
        """Give batches of patches `first` to `first + count`, made ahead in the background."""
        channels = self.cases[0].image.shape[-1]

        def draw(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            image, labels = tf.numpy_function(self.patch, [number], (tf.float32, tf.uint8))
            image.set_shape((*self.patch_size, channels))
            labels.set_shape(self.patch_size)
            return image, tf.cast(labels, tf.int32)

        numbers = tf.data.Dataset.range(first, first + count)
        return numbers.map(draw, num_parallel_calls=2).batch(batch, drop_remainder=True).prefetch(4)

    def _turn(self, number: int) -> int:
        """Every case once before any comes again, in another order each time."""
        round_, place = divmod(int(number), len(self.cases))
        return int(np.random.default_rng((self.seed, 1, round_)).permutation(len(self.cases))[place])

    def _centre(self, case: Case, rng: np.random.Generator) -> NDArray[np.float64]:
        """Place the patch: on a foreground voxel, or anywhere; always inside where the scan is longer than it."""
        shape, size = np.asarray(case.labels.shape), np.asarray(self.patch_size)
        centre = rng.uniform(0, shape - 1)
        if len(case.places) and rng.random() < self.foreground:
            of_class = case.places[case.places[:, 0] == rng.choice(np.unique(case.places[:, 0]))]
            jitter = rng.uniform(-0.25, 0.25, 3) * size
            centre = of_class[rng.integers(len(of_class)), 1:] + jitter
        low = np.minimum((size - 1) / 2, (shape - 1) / 2)
        high = np.maximum(shape - 1 - (size - 1) / 2, (shape - 1) / 2)
        slack = np.maximum(size - shape, 0) / 2  # a patch longer than the scan: move it about within the room it has
        return np.asarray(np.clip(centre, low, high) + rng.uniform(-1, 1, 3) * slack)


def _around(middle: NDArray[np.int_], half: NDArray[np.int_]) -> Box:
    z, y, x = (int(value) for value in middle - half)
    depth, height, width = (2 * int(value) + 1 for value in half)
    return Box(start=(z, y, x), stop=(z + depth, y + height, x + width))


def _marked_outside(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put one voxel of `IGNORE` around: beyond the scan nobody knows the class."""
    return np.pad(labels, 1, constant_values=IGNORE)
