"""What a brush would gain wherever its middle is put: the ground that the simulated annotator looks over.

A voxel is worth +1 for each class that gets nearer to the reference when it is painted and still short of its aim, -1
for each that gets further away. A brush put down somewhere gains the sum over what it covers: a convolution, done once
and then kept up to date voxel by voxel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import bounds
from napari_vol3d.correct.limits import in_range

CLASSES = (1, 2)
LARGEST = 6  # voxels that a brush reaches at most
MARGIN = 2 * LARGEST  # voxels around both label volumes: a brush may have its middle in half of it
Deficits = dict[int, float]
Discs = dict[int, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Act:
    """What is painted: a class, 0 to erase; only over some classes, and only where the scan lies in a range."""

    class_id: int
    inside: frozenset[int] | None = None
    intensity: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Tip:
    """What it is painted with, in the slices across an axis.

    `size` is a radius in voxels of a disc or ball, or the number of slices that a lasso goes through.
    """

    kind: Literal["disc", "ball", "lasso"]
    size: float
    axis: int

    @property
    def reach(self) -> int:
        """Voxels that it covers in its slice, to each side of its middle."""
        return 0 if self.kind == "lasso" else int(self.size)

    @property
    def depth(self) -> int:
        """Slices that it covers to each side of its own."""
        return {"disc": 0, "ball": int(self.size), "lasso": int(self.size) // 2}[self.kind]

    @property
    def form(self) -> tuple[str, float, int]:
        """What tells it from others of another shape: a ball is the same in all planes."""
        return (self.kind, self.size, -1 if self.kind == "ball" else self.axis)


def deficits(labels: NDArray[Any], reference: NDArray[Any], aim: float) -> Deficits:
    """Give the wrong voxels of each class beyond those that its aim, a Dice, allows; 0 where it is reached."""
    found = {}
    for class_id in CLASSES:
        one, other = labels == class_id, reference == class_id
        wrong, total = np.count_nonzero(one != other), np.count_nonzero(one) + np.count_nonzero(other)
        found[class_id] = max(0.0, wrong - (1 - aim) * total)
    return found


def worth(act: Act, short: Sequence[int]) -> NDArray[np.int8]:
    """Give what painting a voxel gains, by (label, reference); `short` says of each class whether it lacks voxels."""
    found = np.zeros((3, 3), np.int8)
    for label, truth in np.ndindex(3, 3):
        if label == act.class_id or (act.inside is not None and label not in act.inside):
            continue
        for c in CLASSES:
            before, after = (label == c) != (truth == c), (act.class_id == c) != (truth == c)
            found[label, truth] += short[c] if before and not after else -int(after and not before)
    return found


def allowed(act: Act, tip: Tip) -> bool:
    """Whether it is tried: the lasso is that of the scissors, which erase; ranges are tried with balls alone."""
    if act.intensity is not None:
        return tip.kind == "ball"
    return tip.kind != "lasso" or act.class_id == 0


@cache
def discs(tip: Tip) -> Discs:
    """Give what a brush covers in each slice, by its distance; as `correct.brush` has it on cubic voxels."""
    if tip.kind == "lasso":
        return {step: np.ones((1, 1), bool) for step in range(-tip.depth, tip.depth + 1)}
    steps = np.arange(-tip.reach, tip.reach + 1)
    distance2 = steps[:, None] ** 2 + steps**2
    found = {}
    for step in range(-tip.depth, tip.depth + 1):
        found[step] = distance2 <= tip.size**2 - step * step + 1e-9
        found[step][tip.reach, tip.reach] = True
    return found


@cache
def solid(tip: Tip) -> NDArray[np.int16]:
    """Give what a brush covers, (z, y, x)."""
    stack = np.stack(list(discs(tip).values())).astype(np.int16)
    return np.moveaxis(stack, 0, tip.axis)


class Field:
    """The gains of all acts and brushes on labels that are being corrected.

    Attributes
    ----------
    start : tuple of int
        Where its first voxel lies in the volume; may be negative.
    gains : dict of Act to ndarray of int8, shape `shape`
        Of single voxels.
    sums, harms : dict of (Act, form) to ndarray of int16, shape `shape`
        Of a brush with its middle there; `harms` counts losses alone, and is there only where it is asked for.
    inside : ndarray of bool, shape `shape`
        Where the middle may be: inside the volume, and so that the brush does not leave the field.
    """

    def __init__(
        self, labels: NDArray[Any], reference: NDArray[Any], image: NDArray[Any], *, aim: float, acts: Sequence[Act],
        tips: Sequence[Tip], harms: bool,
    ) -> None:  # fmt: skip
        self.labels, self.reference, self.image, self.aim = labels, reference, image, aim
        self.acts, self.tips, self._harmful = acts, tips, harms
        self._forms = {tip.form: tip for tip in tips}
        box = bounds((labels > 0) | (reference > 0)) or Box.of((1, 1, 1))
        self.box = box.grown((MARGIN, MARGIN, MARGIN))
        self.start, self.shape = self.box.start, self.box.shape
        self._here = np.zeros(self.shape, np.uint8), np.zeros(self.shape, np.uint8)
        self._read(self._here[1], reference)
        whole = Box.of((labels.shape[0], labels.shape[1], labels.shape[2]))
        inner = self.box.grown((-LARGEST, -LARGEST, -LARGEST))
        values = np.full(self.shape, np.nan)
        self._read(values, image)
        self._open = {act: in_range(values, act.intensity) for act in acts if act.intensity is not None}
        self.inside = np.zeros(self.shape, bool)
        self.inside[self.local(whole.intersect(inner)).slices] = True
        self.renew()

    def local(self, box: Box) -> Box:
        """Give a box of the volume in voxels of the field."""
        return box.shifted((-self.start[0], -self.start[1], -self.start[2]))

    def short(self) -> list[int]:
        """Say of the background and each class whether it is short of its aim."""
        missing = deficits(self.labels, self.reference, self.aim)
        return [0, *(int(missing[c] > 0) for c in CLASSES)]

    def renew(self) -> None:
        """Compute all gains."""
        self._short = self.short()
        self._read(self._here[0], self.labels)
        self.gains = {act: worth(act, self._short)[self._here] * self._open.get(act, True) for act in self.acts}
        self.sums, self.harms = {}, {}
        for act, form, tip in ((a, f, t) for a in self.acts for f, t in self._forms.items() if allowed(a, t)):
            self.sums[act, form] = _summed(self.gains[act], tip)
            if self._harmful:
                self.harms[act, form] = _summed(-np.minimum(self.gains[act], 0), tip)
        self._add_up()

    def update(self, box: Box) -> Box | None:
        """Follow a change of the labels in a box of the volume; give it in voxels of the field, None for all."""
        if self.short() != self._short:
            self.renew()
            return None
        old = self._here[0].copy()
        self._read(self._here[0], self.labels)
        places = np.argwhere(old != self._here[0])
        for act in self.acts:
            self._change(act, places.tolist(), worth(act, self._short))
        self._add_up()
        return self.local(box)

    def mass(self, act: Act, box: Box) -> int:
        """Give all that could be gained in a box."""
        sums, (a, c, e), (b, d, f) = self._mass[act], box.start, box.stop
        upper = sums[b, d, f] - sums[b, c, f] - sums[b, d, e] + sums[b, c, e]
        return int(upper - sums[a, d, f] + sums[a, c, f] + sums[a, d, e] - sums[a, c, e])

    def around(self, tip: Tip, plane: int, spans: Sequence[slice]) -> Box:
        """Give the box that a brush covers whose middle goes through two spans of a plane."""
        pairs = [(s.start - tip.reach, s.stop + tip.reach) for s in spans]
        pairs.insert(tip.axis, (plane - tip.depth, plane + tip.depth + 1))
        (z0, z1), (y0, y1), (x0, x1) = pairs
        return Box(start=(z0, y0, x0), stop=(z1, y1, x1)).intersect(Box.of(self.shape))

    def slabs(self, tip: Tip) -> Iterator[tuple[int, Box]]:
        """Give each slice that its middle can be in without leaving the field, and the slices that it covers there."""
        spans = [slice(0, n) for k, n in enumerate(self.shape) if k != tip.axis]
        for plane in range(LARGEST, self.shape[tip.axis] - LARGEST):
            yield plane, self.around(tip, plane, spans)

    def _read(self, target: NDArray[Any], source: NDArray[Any]) -> None:
        part = self.box.intersect(Box.of((source.shape[0], source.shape[1], source.shape[2])))
        target[self.local(part).slices] = source[part.slices]

    def _change(self, act: Act, places: list[list[int]], table: NDArray[np.int8]) -> None:
        gains, may = self.gains[act], self._open.get(act)
        for place in places:
            at = (place[0], place[1], place[2])
            old, new = int(gains[at]), int(table[self._here[0][at], self._here[1][at]])
            new = new if may is None or may[at] else 0
            gains[at] = new
            for form, tip in self._forms.items():
                if old == new or not allowed(act, tip):
                    continue
                _put(self.sums[act, form], at, tip, new - old)
                if self._harmful:
                    _put(self.harms[act, form], at, tip, min(old, 0) - min(new, 0))

    def _add_up(self) -> None:
        self._mass = {}
        for act, gains in self.gains.items():
            sums = np.maximum(gains, 0).astype(np.int32)
            for axis in range(3):
                np.cumsum(sums, axis, out=sums)
            self._mass[act] = np.pad(sums, ((1, 0), (1, 0), (1, 0)))


def _summed(values: NDArray[Any], tip: Tip) -> NDArray[np.int16]:
    found = signal.fftconvolve(values.astype(np.float32), solid(tip).astype(np.float32), mode="same")
    return np.rint(found).astype(np.int16)


def _put(sums: NDArray[np.int16], at: Triple, tip: Tip, value: int) -> None:
    """Add to all brushes that cover a voxel."""
    kernel = solid(tip)
    first = [a - n // 2 for a, n in zip(at, kernel.shape, strict=True)]
    target = tuple(slice(max(0, a), a + n) for a, n in zip(first, kernel.shape, strict=True))
    part = sums[target]
    part += kernel[tuple(slice(max(0, -a), max(0, -a) + n) for a, n in zip(first, part.shape, strict=True))] * value
