"""Labels as runs, the stretches of one class along x, and which of them touch: what objects are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

Ints = NDArray[np.int64]
IN_A_SLAB = 1 << 16  # runs that are joined at a time: a hundredth of a second, in which the window stands still


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Stretches of voxels of one class along x.

    Attributes
    ----------
    start : ndarray of int64, shape (m,)
        Where each begins, counted through the volume in C order.
    length : ndarray of int64, shape (m,)
        In voxels.
    class_id : ndarray of int64, shape (m,)
    counted : ndarray of int64, shape (m,)
        Voxels whose intensity is a finite number.
    intensity : ndarray of float64, shape (m,)
        Sum over these.
    """

    start: Ints
    length: Ints
    class_id: Ints
    counted: Ints
    intensity: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start)


class RunsFinder:
    """Takes a volume apart, plane by plane.

    Runs are joined by slabs: the runs of some planes into pieces, at last the pieces into objects. So the pairs that
    touch are only kept for a slab, and no step takes long.

    Parameters
    ----------
    shape : tuple of int
        Of the volume, (z, y, x).
    grey : bool
        Whether intensities are summed up.
    """

    def __init__(self, shape: tuple[int, int, int], *, grey: bool) -> None:
        self._shape, self._grey = shape, grey
        self.count = 0  # runs so far
        self._z = 0
        self._runs: list[Runs] = []
        self._pieces: list[Ints] = []  # of the runs, slab by slab
        self._piece_count = 0
        self._joints: list[Ints] = []  # pairs of pieces of two slabs that touch
        self._slab: list[Runs] = []  # the planes of the slab, as runs within the plane
        self._pairs: list[Ints] = []  # of runs that touch, counted from the slab's first
        self._in_slab = 0
        self._above: tuple[Runs, Ints] | None = None  # last plane of the slab before, and its pieces

    def add(self, plane: NDArray[Any], grey: NDArray[Any] | None = None) -> None:
        """Take the next plane of labels (y, x), and its intensities."""
        found = _runs_in(plane, grey)
        self._pair(found)
        self._slab.append(found)
        self._runs.append(replace(found, start=found.start + self._z * plane.size))
        self._z += 1
        self.count += len(found)
        self._in_slab += len(found)
        if self._in_slab > IN_A_SLAB:
            self._join()

    def finish(self) -> tuple[Runs, Ints]:
        """Give all runs in C order, and of each the number of its object: they are counted as they begin, from 0."""
        self._join()
        pieces = _joined(self._piece_count, self._joints)
        belongs = pieces[np.concatenate([np.zeros(0, np.int64), *self._pieces])]
        return _together(self._runs), belongs

    def _pair(self, found: Runs) -> None:
        """Note which runs of a plane touch each other, and those of the plane before."""
        width = self._shape[2]
        self._pairs.append(_touching(found, found, (1,), width) + self._in_slab)
        if self._slab:
            before = self._in_slab - len(self._slab[-1])
            pairs = _touching(found, self._slab[-1], (-1, 0, 1), width)
            self._pairs.append(pairs + np.array([[self._in_slab], [before]]))
        elif self._above is not None:
            ours, theirs = _touching(found, self._above[0], (-1, 0, 1), width)
            # The slab begins with this plane: its runs get their pieces when the slab is joined.
            self._joints.append(np.stack([ours, self._above[1][theirs]]))

    def _join(self) -> None:
        """Make pieces of the slab's runs, and begin another slab."""
        if not self._slab:
            return
        pieces = _joined(self._in_slab, self._pairs) + self._piece_count
        if self._above is not None:
            self._joints[-1][0] = pieces[self._joints[-1][0]]
        self._piece_count = int(pieces.max(initial=self._piece_count - 1)) + 1
        self._pieces.append(pieces)
        last = self._slab[-1]
        self._above = last, pieces[len(pieces) - len(last) :]
        self._slab, self._pairs, self._in_slab = [], [], 0


def _runs_in(plane: NDArray[Any], grey: NDArray[Any] | None) -> Runs:
    """Take a plane (y, x) apart; starts are counted through the plane."""
    plane = np.ascontiguousarray(plane)
    begins = np.ones(plane.shape, bool)
    np.not_equal(plane[:, 1:], plane[:, :-1], out=begins[:, 1:])
    start = np.flatnonzero(begins)
    length = np.diff(start, append=plane.size)
    class_id = plane.ravel()[start].astype(np.int64)
    is_object = class_id != 0
    start, length, class_id = start[is_object], length[is_object], class_id[is_object]
    counted, intensity = _summed(grey, start, start + length)
    return Runs(start=start, length=length, class_id=class_id, counted=counted, intensity=intensity)


def _summed(grey: NDArray[Any] | None, start: Ints, stop: Ints) -> tuple[Ints, NDArray[np.float64]]:
    """Give of each run the voxels with a finite intensity, and the sum of these."""
    if grey is None or not len(start):
        return np.zeros(len(start), np.int64), np.zeros(len(start))
    values = np.append(np.asarray(grey, np.float64).ravel(), 0.0)  # a run may end where the plane does
    edges = np.stack([start, stop], axis=1).ravel()
    finite = np.isfinite(values)
    if finite.all():
        return stop - start, np.add.reduceat(values, edges)[::2]
    values[~finite] = 0
    return np.add.reduceat(finite.astype(np.int64), edges)[::2], np.add.reduceat(values, edges)[::2]


def _touching(these: Runs, those: Runs, rows: tuple[int, ...], width: int) -> Ints:
    """Find pairs of one class that touch, shape (2, pairs).

    Parameters
    ----------
    these, those : Runs
        Of two planes, or of the same.
    rows : tuple of int
        How many rows on those are looked for.
    """
    start, stop = _ends(these, width)
    first, last = _ends(those, width)
    pairs = [_overlapping(start + row * (width + 1), stop + row * (width + 1), first, last) for row in rows]
    ours, theirs = np.concatenate(pairs, axis=1)
    same = these.class_id[ours] == those.class_id[theirs]
    return np.stack([ours[same], theirs[same]])


def _ends(runs: Runs, width: int) -> tuple[Ints, Ints]:
    """Give where runs begin and stop in a plane with a column more: the end of a row touches not the next one's."""
    row = runs.start // width
    return runs.start + row, runs.start + runs.length + row


def _overlapping(start: Ints, stop: Ints, first: Ints, last: Ints) -> Ints:
    """Pair stretches that overlap or meet at an end: from the first that ends late to the last that begins early."""
    low, high = np.searchsorted(last, start, "left"), np.searchsorted(first, stop, "right")
    counts = high - low
    ours = np.repeat(np.arange(len(start)), counts)
    before = np.cumsum(counts) - counts
    return np.stack([ours, np.arange(len(ours)) + np.repeat(low - before, counts)])


def _joined(count: int, pairs: list[Ints]) -> Ints:
    """Give the number of the group of each of `count` things that are tied in pairs, as the groups begin."""
    if not count:
        return np.zeros(0, np.int64)
    ours, theirs = np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1)
    ties = sparse.coo_array((np.ones(len(ours), bool), (ours, theirs)), shape=(count, count))
    return np.asarray(csgraph.connected_components(ties, directed=False)[1], np.int64)


def _together(parts: list[Runs]) -> Runs:
    names = ("start", "length", "class_id", "counted", "intensity")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names} if parts else {}
    none = {name: np.zeros(0, np.float64 if name == "intensity" else np.int64) for name in names}
    return Runs(**(joined or none))
