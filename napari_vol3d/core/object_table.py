"""All objects of all classes at once, measured: what a table of objects shows, and what deletes and moves them.

An object is what `core.objects` calls one: voxels of one class that touch, by a face, an edge or a corner. Volumes are
read by planes and taken apart into runs, the stretches of one class along x; runs that touch are one object. So what
is kept, and what it costs, goes with the runs and not with the volume: 200,000 objects in 512 x 512 x 512 voxels take
3 s and leave 40 MB, where an array of their numbers alone has 512 MB.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.object_runs import Runs, RunsFinder
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Spacing

AT_A_TIME = 4  # planes between two reports
MOST_RUNS = 1 << 24  # some 2 GB while they are sorted; a scan of noise has more
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectTable:
    """Objects, a row each: by class, and of one class the largest first.

    Attributes
    ----------
    class_id : ndarray of int64, shape (n,)
    number : ndarray of int64, shape (n,)
        Within the class: 1 is the largest; of those of one size the one that begins first comes first. In a table of
        classes, the number of objects.
    voxels : ndarray of int64, shape (n,)
    centre : ndarray of float64, shape (n, 3)
        Mean index (z, y, x).
    inner : ndarray of int64, shape (n, 3)
        Index (z, y, x) of the voxel of the object that is nearest to its centre: it lies in the object, however bent
        that is.
    start, stop : ndarray of int64, shape (n, 3)
        The smallest box around it, half open.
    counted : ndarray of int64, shape (n,)
        Voxels whose intensity is a finite number; 0 where there was no image.
    intensity : ndarray of float64, shape (n,)
        Sum over the counted voxels.
    first : ndarray of int64, shape (n + 1,)
        Row k has the stretches ``first[k]`` to ``first[k + 1]``.
    begin, length : ndarray of int64, shape (m,)
        Stretches of voxels along x: where each begins, counted through the volume in C order, and how many.
    voxel_volume : float
        In the cube of the spacing's unit.
    shape : tuple of int
        Of the labels.
    """

    class_id: Ints
    number: Ints
    voxels: Ints
    centre: Floats
    inner: Ints
    start: Ints
    stop: Ints
    counted: Ints
    intensity: Floats
    first: Ints
    begin: Ints
    length: Ints
    voxel_volume: float
    shape: tuple[int, int, int]

    def __len__(self) -> int:
        return len(self.class_id)

    @property
    def volume(self) -> Floats:
        """Of each object, in the cube of the spacing's unit."""
        return np.asarray(self.voxels * self.voxel_volume, np.float64)

    @property
    def mean(self) -> Floats:
        """Mean intensity of each object; NaN where no voxel of it has one."""
        unknown = np.full(len(self), np.nan)
        return np.asarray(np.divide(self.intensity, self.counted, out=unknown, where=self.counted > 0))

    def stretches(self, rows: Ints) -> tuple[Ints, Ints]:
        """Give where the stretches of some rows begin, and their lengths."""
        lengths = (self.first[1:] - self.first[:-1])[rows]
        place = spread(self.first[rows], lengths)
        return self.begin[place], self.length[place]

    def taken(self, rows: Ints) -> ObjectTable:
        """Give a table of some rows, under the numbers that they have."""
        begin, length = self.stretches(rows)
        lengths = (self.first[1:] - self.first[:-1])[rows]
        return replace(
            self, class_id=self.class_id[rows], number=self.number[rows], voxels=self.voxels[rows],
            centre=self.centre[rows], inner=self.inner[rows], start=self.start[rows], stop=self.stop[rows],
            counted=self.counted[rows], intensity=self.intensity[rows],
            first=np.concatenate([[0], np.cumsum(lengths)]), begin=begin, length=length,
        )  # fmt: skip

    def without(self, rows: Ints) -> ObjectTable:
        """Give the table that is left when objects were deleted; the others of their classes are counted anew."""
        kept = np.ones(len(self), bool)
        kept[rows] = False
        left = self.taken(np.flatnonzero(kept))
        left.number[:] = _counted_up(left.class_id)
        return left

    def by_class(self) -> ObjectTable:
        """Give the table of classes, a row each; its inner voxels are those of the largest objects."""
        heads = _heads(self.class_id)
        counts = np.diff(np.append(heads, len(self)))
        voxels = _sums(self.voxels, heads)
        centre = _sums(self.centre * self.voxels[:, None], heads) / voxels[:, None]
        return replace(
            self, class_id=self.class_id[heads], number=counts, voxels=voxels, centre=centre, inner=self.inner[heads],
            start=_folded(np.minimum, self.start, heads), stop=_folded(np.maximum, self.stop, heads),
            counted=_sums(self.counted, heads), intensity=_sums(self.intensity, heads),
            first=np.append(self.first[heads], self.first[-1]),
        )  # fmt: skip


def measure_objects(
    labels: Any, spacing: Spacing, *, image: Any = None, voxel_volume: float | None = None
) -> Generator[Progress, None, ObjectTable]:
    """Find and measure the objects of all classes.

    Parameters
    ----------
    labels : array of integers, shape (Z, Y, X)
        May be lazy, and may be painted on meanwhile: it is read by planes, once. 0 is background.
    spacing : tuple of float
        Along (z, y, x).
    image : array, shape (Z, Y, X), optional
        Its intensities are averaged over each object; voxels that are no finite number are left out.
    voxel_volume : float, optional
        By default the product of the spacing; it is less where axes are not at right angles, as in a tilted CT.

    Returns
    -------
    ObjectTable

    Raises
    ------
    Vol3dError
        If the image lies on another grid, or the labels are so finely grained that no table of them would be of use.
    """
    z, y, x = (int(n) for n in labels.shape)
    if image is not None and tuple(image.shape) != (z, y, x):
        raise Vol3dError(
            f"The image has another grid than the labels: {tuple(image.shape)} and {(z, y, x)} voxels.",
            hint="Measure without it.",
        )
    finder, began = RunsFinder((z, y, x), grey=image is not None), time.monotonic()
    for index in range(z):
        plane = np.asarray(labels[index : index + 1])[0]
        finder.add(plane, None if image is None else np.asarray(image[index : index + 1])[0])
        if finder.count > MOST_RUNS:
            raise Vol3dError(
                "These labels are too finely grained to list.", hint="Smooth them, or remove islands first."
            )
        if index % AT_A_TIME == 0:
            yield Progress(phase="Finding objects", done=index, total=z, seconds=time.monotonic() - began)
    runs, belongs = finder.finish()
    yield Progress(phase="Measuring objects", done=z, total=z, seconds=time.monotonic() - began)
    volume = float(np.prod(spacing)) if voxel_volume is None else voxel_volume
    return _measured(runs, belongs, spacing=spacing, voxel_volume=volume, shape=(z, y, x))


def _measured(
    runs: Runs, belongs: Ints, *, spacing: Spacing, voxel_volume: float, shape: tuple[int, int, int]
) -> ObjectTable:
    """Sort the runs by object and sum them up; `belongs` says to which object each belongs, counted from 0."""
    belongs, class_id = _ranked(runs, belongs)
    n, order = len(class_id), np.argsort(belongs, kind="stable")
    begin, length, heads = runs.start[order], runs.length[order], _heads(belongs[order])
    start, voxels = np.stack(np.unravel_index(begin, shape), axis=1), _sums(length, heads)
    stop, middles = start + 1, start.astype(np.float64)
    stop[:, 2] += length - 1
    middles[:, 2] += (length - 1) / 2
    centre = _sums(middles * length[:, None], heads) / voxels[:, None]
    return ObjectTable(
        class_id=class_id, number=_counted_up(class_id), voxels=voxels, centre=centre,
        inner=_inner(start, length, heads, centre, spacing),
        start=_folded(np.minimum, start, heads), stop=_folded(np.maximum, stop, heads),
        counted=np.bincount(belongs, weights=runs.counted, minlength=n).astype(np.int64),
        intensity=np.bincount(belongs, weights=runs.intensity, minlength=n).astype(np.float64),
        first=np.append(heads, len(begin)), begin=begin, length=length, voxel_volume=voxel_volume, shape=shape,
    )  # fmt: skip


def _ranked(runs: Runs, belongs: Ints) -> tuple[Ints, Ints]:
    """Number the objects by class and size instead of by where they begin; give the classes of all."""
    count = int(belongs.max(initial=-1)) + 1
    sizes = np.bincount(belongs, weights=runs.length, minlength=count)
    class_id = np.zeros(count, np.int64)
    class_id[belongs] = runs.class_id
    order = np.lexsort((-sizes, class_id))  # stable: of those of one size the one that begins first comes first
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    return rank[belongs], class_id[order]


def _inner(start: Ints, length: Ints, heads: Ints, centre: Floats, spacing: Spacing) -> Ints:
    """Give of each object the voxel nearest to its centre: of each run its nearest, and of these the nearest."""
    counts = np.diff(np.append(heads, len(start)))
    wanted = np.repeat(centre, counts, axis=0)
    nearest = start.copy()
    nearest[:, 2] = np.clip(np.rint(wanted[:, 2]).astype(np.int64), start[:, 2], start[:, 2] + length - 1)
    distance = (((nearest - wanted) * spacing) ** 2).sum(axis=1)
    least = _folded(np.minimum, distance, heads)
    found = np.flatnonzero(distance == np.repeat(least, counts))
    owner = np.repeat(np.arange(len(heads)), counts)[found]
    return nearest[found[_heads(owner)]]


def _heads(values: Ints) -> Ints:
    """Give where each stretch of equal values begins."""
    return np.flatnonzero(np.diff(values, prepend=values[:1] - 1)) if len(values) else np.zeros(0, np.int64)


def _sums(values: Any, heads: Ints) -> Any:
    return _folded(np.add, values, heads)


def _folded(operation: np.ufunc, values: Any, heads: Ints) -> Any:
    """Fold each stretch of values into one; of no stretches there are none, which NumPy refuses."""
    return operation.reduceat(values, heads) if len(heads) else values[:0]


def _counted_up(class_id: Ints) -> Ints:
    """Number the rows of each class from 1; they stand together."""
    heads = _heads(class_id)
    return np.arange(len(class_id)) - np.repeat(heads, np.diff(np.append(heads, len(class_id)))) + 1


def spread(first: Ints, lengths: Ints) -> Ints:
    """Give the indices of several stretches, one after the other."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(int(lengths.sum())) + np.repeat(first - before, lengths))
