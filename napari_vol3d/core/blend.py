"""Overlapping windows, blended with Gaussian weights in a slab of the volume that moves along z.

Networks with instance or group statistics see another world in every window, so that neighbouring windows disagree
wherever they meet; averaging hides the seam. Two rules are in use: nnU-Net weighs with the bare Gaussian, MONAI never
with less than 1e-3 of it (`MONAI_FLOOR`). Either way the slab is as deep as one window, however long the volume.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.tiles import Tile, check_edges

MONAI_FLOOR = 1e-3  # least weight of a voxel; at sigma 1/8 it decides over the outer 59 % of every window
BATCH_BYTES = 2**25  # finished rows are given out in arrays of about this size

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapPlan:
    """Where overlapping windows lie: data that iterates into tiles, z slowest, as `Blender` wants them.

    The core of a tile is its patch clipped to the volume; unlike those of `TilePlan`, cores overlap.

    Attributes
    ----------
    shape : tuple of int
        The volume, (Z, Y, X) voxels.
    patch_size : tuple of int
        What the network sees at once.
    overlap : float
        Least share of a window's edge that the next window sees too, 0 to below 1.
    multiple : int
        Stride product of the network; patch edges and origins divide by it.
    """

    shape: Triple
    patch_size: Triple
    overlap: float
    multiple: int

    def __post_init__(self) -> None:
        check_edges(self.shape, self.patch_size, self.multiple)
        if not 0 <= self.overlap < 1:
            raise Vol3dError(f"overlap must be 0 to below 1; received {self.overlap}.")

    def __iter__(self) -> Iterator[Tile]:
        volume = Box.of(self.shape)
        for index, origin in enumerate(product(*self.axes)):
            patch = Box.of(self.patch_size).shifted(origin)
            yield Tile(index=index, patch=patch, core=patch.intersect(volume))

    def __len__(self) -> int:
        return math.prod(len(origins) for origins in self.axes)

    @property
    def redundancy(self) -> float:
        """Voxels computed over voxels of the volume; 1 is the least there can be."""
        return len(self) * math.prod(self.patch_size) / math.prod(self.shape)

    @property
    def axes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """The origins along z, y and x; their product is the plan."""
        axes = zip(self.shape, self.patch_size, strict=True)
        z, y, x = (_origins(length, edge, self.overlap, self.multiple) for length, edge in axes)
        return (z, y, x)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Span:
    """What one window covers along one axis of the scan.

    Attributes
    ----------
    start, stop : int
        First scan index, and one past the last.
    weights : ndarray of float32, shape (stop - start,)
        Above 0; the weight of a voxel is the product of its three.
    """

    start: int
    stop: int
    weights: Floats


Spans = tuple[Sequence[Span], Sequence[Span], Sequence[Span]]


def gaussian_weights(edge: int, sigma_share: float = 0.125) -> Floats:
    """Give the weights of a window of `edge` voxels along one axis; sigma is `sigma_share` of the edge.

    As MONAI takes them: 1 in the middle, which lies between two voxels where `edge` is even. Not below 1e-8, so that
    a product of three, summed in float32, never vanishes.
    """
    at = np.arange(edge) - (edge - 1) / 2
    weights: Floats = np.maximum(np.exp(-0.5 * (at / (sigma_share * edge)) ** 2), 1e-8).astype(np.float32)
    return weights


def gaussian_spans(plan: OverlapPlan, sigma_share: float = 0.125) -> Spans:
    """Give the spans of a plan's windows on the plan's own grid, cut at the volume's far faces."""
    z, y, x = (
        [Span(start=o, stop=min(o + edge, length), weights=weights[: length - o]) for o in origins]
        for origins, length, edge in zip(plan.axes, plan.shape, plan.patch_size, strict=True)
        for weights in [gaussian_weights(edge, sigma_share)]
    )
    return (z, y, x)


class Blender:
    """The weighted mean of overlapping windows, in memory that does not depend on the volume's length.

    Windows are the product of the spans along z, y and x; for a part of the volume give the spans of just those
    windows. They come layer by layer along z, in any order within a layer, each once; after each, or at the latest
    before the next layer, `finished` gives the rows that no later window touches. Voxels that no window covers are 0.

    Parameters
    ----------
    shape : tuple of int
        The scan, (Z, Y, X) voxels.
    spans : three sequences of Span
        What the windows cover along z, y and x; those along z ordered by `start`.
    classes : int
        Scores per voxel.
    floor : float
        Least weight of a voxel in a window. 0: the weights are the bare products and their total costs nothing.
        `MONAI_FLOOR`: as MONAI; the total is then added up plane by plane, which costs as much as one more class.

    Attributes
    ----------
    slab : ndarray of float32, shape (longest span along z, Y, X * classes)
        Weighted sums; row z lies at ``z % len(slab)``. All that is kept beside it is smaller than one row.

    Raises
    ------
    Vol3dError
        If a span does not fit the scan or its weights, a weight is not above 0, or z is not in order.

    Examples
    --------
    >>> plan = OverlapPlan(shape=(6, 4, 4), patch_size=(4, 4, 4), overlap=0.5, multiple=1)
    >>> blender = Blender(plan.shape, gaussian_spans(plan), classes=2)
    >>> for index in np.ndindex(2, 1, 1):
    ...     blender.add(index, np.full((4, 4, 4, 2), index[0], np.float32))
    ...     for box, scores in blender.finished():
    ...         print(box.start[0], box.stop[0], scores[:, 0, 0, 0].round(3))
    0 2 [0. 0.]
    2 6 [0.018 0.982 1.    1.   ]
    """

    def __init__(self, shape: Triple, spans: Spans, *, classes: int, floor: float = 0.0) -> None:
        _check(shape, spans)
        self._shape, self._spans, self._classes, self._floor = shape, spans, classes, floor
        depth = max((span.stop - span.start for span in spans[0]), default=0)
        self.slab: Floats = np.zeros((depth, shape[1], shape[2] * classes), np.float32)
        self._inverse = [_inverse_of(_sum_weights(axis, length)) for axis, length in zip(spans, shape, strict=True)]
        self._per_layer = len(spans[1]) * len(spans[2])
        self._layer = 0
        self._added: set[tuple[int, int]] = set()
        self._done = 0

    def add(self, index: Triple, scores: NDArray[np.floating]) -> None:
        """Add the scores of one window.

        Parameters
        ----------
        index : tuple of int
            Which span along z, y and x.
        scores : ndarray of any float dtype, shape (z, y, x, classes)
            The window's scores at the scan voxels of its three spans.

        Raises
        ------
        Vol3dError
            If the window comes out of order or twice, or its scores do not have the shape of its spans.
        """
        self._admit(index)
        z, y, x = (axis[i] for axis, i in zip(self._spans, index, strict=True))
        expected = (len(z.weights), len(y.weights), len(x.weights), self._classes)
        if scores.shape != expected:
            raise Vol3dError(f"Scores of window {index} must be {expected}; received {scores.shape}.")
        # Rows of x * classes numbers: broadcasting over a last axis of a few classes is several times slower.
        x_weights = np.repeat(x.weights, self._classes)
        columns = slice(x.start * self._classes, x.stop * self._classes)
        for row, weight in enumerate(z.weights):
            share = self._weigh(weight, y.weights, x_weights)
            share *= scores[row].reshape(share.shape)
            self.slab[(z.start + row) % len(self.slab), y.start : y.stop, columns] += share
        self._added.add(index[1:])

    def finished(self) -> Iterator[tuple[Box, Floats]]:
        """Give the rows that no later window touches, in order and each once.

        Boxes are some rows x the whole of Y and X; the means are new arrays, shape of the box + (classes,).
        """
        row_bytes = max(1, self._shape[1] * self._shape[2] * self._classes * 4)
        while self._done < self._safe:
            yield self._take(min(self._safe, self._done + max(1, BATCH_BYTES // row_bytes)))

    def close(self) -> Iterator[tuple[Box, Floats]]:
        """Give the rest, up to the last row of the scan, as `finished` does; refuse where windows are missing."""
        if self._safe < self._shape[0]:
            raise Vol3dError(f"Windows are missing: {self._progress()}.")
        return self.finished()

    @property
    def _safe(self) -> int:
        """One past the last row that no window touches from now on."""
        coming = self._layer + (len(self._added) == self._per_layer)
        return self._spans[0][coming].start if coming < len(self._spans[0]) else self._shape[0]

    def _progress(self) -> str:
        return f"layer {self._layer} of {len(self._spans[0])} has {len(self._added)} of {self._per_layer} windows"

    def _admit(self, index: Triple) -> None:
        """Begin the next layer where `index` asks for it; refuse what does not come in order."""
        if not all(0 <= i < len(axis) for i, axis in zip(index, self._spans, strict=True)):
            raise Vol3dError(f"There is no window {index} among {tuple(len(axis) for axis in self._spans)}.")
        if index[0] < self._layer or (index[0] == self._layer and index[1:] in self._added):
            raise Vol3dError(f"Window {index} comes too late or twice: {self._progress()}.")
        if index[0] == self._layer:
            return
        if index[0] > self._layer + 1 or len(self._added) < self._per_layer:
            raise Vol3dError(f"Window {index} comes too early: {self._progress()}.")
        if self._done < self._safe:
            # Their places in the slab are those of the rows that come now.
            raise Vol3dError(f"Window {index} comes too early: rows {self._done} to {self._safe} wait to be taken.")
        self._layer = index[0]
        self._added.clear()

    def _weigh(self, weight: np.float32, y_weights: Floats, x_weights: Floats) -> Floats:
        """Give the weights of a window in one plane: the same products where they are used and where summed up."""
        weights: Floats = np.multiply.outer(weight * y_weights, x_weights)
        return np.maximum(weights, np.float32(self._floor), out=weights) if self._floor else weights

    def _take(self, stop: int) -> tuple[Box, Floats]:
        _, y, x = self._shape
        start, self._done = self._done, stop
        rows = np.zeros((stop - start, y, x * self._classes), np.float32)
        for z in range(start, stop):
            if self._inverse[0][z]:  # else no window reaches it, and its place in the slab may be another row's
                held = self.slab[z % len(self.slab)]
                np.multiply(held, self._inverse_total(z), out=rows[z - start])
                held[...] = 0
        return Box(start=(start, 0, 0), stop=(stop, y, x)), rows.reshape(-1, y, x, self._classes)

    def _inverse_total(self, z: int) -> Floats:
        """One over the total weight in row z, shape (Y, X * classes); 0 where no window reaches."""
        if not self._floor:
            z_inverse, y_inverse, x_inverse = self._inverse
            return np.asarray(np.multiply.outer(z_inverse[z] * y_inverse, np.repeat(x_inverse, self._classes)))
        total = np.zeros(self._shape[1:], np.float32)
        weights_here = [span.weights[z - span.start] for span in self._spans[0] if span.start <= z < span.stop]
        for weight, y, x in product(weights_here, *self._spans[1:]):
            total[y.start : y.stop, x.start : x.stop] += self._weigh(weight, y.weights, x.weights)
        return np.repeat(_inverse_of(total), self._classes, axis=1)


def _origins(length: int, edge: int, overlap: float, multiple: int) -> tuple[int, ...]:
    """Regular steps; the last window is moved back to end at the padded far face."""
    padded = max(-(-length // multiple) * multiple, edge)
    # The small addition: 10 * (1 - 0.8) is 1.9999999999999996.
    step = max(1, math.floor(edge * (1 - overlap) / multiple + 1e-6)) * multiple
    return (*range(0, padded - edge, step), padded - edge)


def _check(shape: Triple, spans: Spans) -> None:
    starts = [span.start for span in spans[0]]
    if starts != sorted(starts):
        raise Vol3dError(f"Spans along z must be ordered by their start; received {starts}.")
    for length, span in ((length, span) for length, axis in zip(shape, spans, strict=True) for span in axis):
        if not (0 <= span.start <= span.stop <= length and span.weights.shape == (span.stop - span.start,)):
            received = f"{span.start} to {span.stop} with {span.weights.shape}"
            raise Vol3dError(f"A span must lie in 0 to {length} and have a weight per voxel; received {received}.")
        if not (span.weights > 0).all():
            raise Vol3dError(f"Weights must be above 0; received {span.weights.min()}.")


def _sum_weights(spans: Sequence[Span], length: int) -> Floats:
    total = np.zeros(length, np.float32)
    for span in spans:
        total[span.start : span.stop] += span.weights
    return total


def _inverse_of(total: Floats) -> Floats:
    """One over each number; 0 stays 0."""
    return np.divide(1, total, out=np.zeros_like(total), where=total > 0)
