"""Fill between slices: what was drawn in some slices is continued through those between, along any axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.extent import extent
from napari_vol3d.correct.fillable import fillable
from napari_vol3d.correct.limits import FREE, Held, one_of, propose
from napari_vol3d.correct.morph import Pair, Passage, passages

Span = tuple[int, int]  # two slices, those between are filled
Ways = list[tuple[int, list[Passage]]]  # by class; of all classes together under 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interpolated:
    """What was filled.

    Attributes
    ----------
    edit : Edit or None
        None where nothing would change.
    slices : tuple of int
        The slices that it changes, along the axis: a person has yet to check them.
    """

    edit: Edit | None
    slices: tuple[int, ...]


def interpolate(
    labels: Any,
    *,
    axis: int,
    classes: Sequence[int],
    spacing: Spacing,
    slices: Sequence[int] | None = None,
    name: str = "Fill between slices",
    **held: Unpack[Held],
) -> Interpolated:
    """Fill classes between the slices where they were drawn.

    Shapes are blended by their signed distances in mm, part by part, see `morph`; of several classes the one that
    reaches deepest gets a voxel, and where classes that touch move together no gap opens between them. What was drawn
    stays as it is. Other classes are written over only where `limits.inside` names them.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        In memory or lazy; read are the surroundings of the classes.
    axis : int
        Across the slices: 0, 1 or 2.
    classes : sequence of int
        What to fill.
    spacing : tuple of float
        Along (z, y, x) in mm.
    slices : sequence of int, optional
        The slices to go by. Between them the classes are redrawn, and one that a slice does not have ends on the way
        to it. By default all slices that have one of the classes: then voxels are only added, and a class is not
        taken to be absent from a slice when slices on both sides have it.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`.

    Returns
    -------
    Interpolated

    Raises
    ------
    Vol3dError
        If there is no class, no such axis, a slice lies outside, or fewer than two are given.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.zeros((5, 4, 4), np.uint8)
    >>> labels[0, 1:3, 1:3] = labels[4, 1:3, 1:3] = 7
    >>> filled = interpolate(labels, axis=0, classes=[7], spacing=(1.0, 1.0, 1.0))
    >>> filled.slices, filled.edit.count
    ((1, 2, 3), 12)
    """
    _check(labels, axis, classes, slices)
    box = _read(labels, axis, classes, slices)
    if box is None:
        return Interpolated(edit=None, slices=())
    before = np.asarray(labels[box.slices])
    drawn = None if slices is None else sorted({int(index) - box.start[axis] for index in slices})
    work = _Work(
        stack=np.moveaxis(before, axis, 0), classes=tuple(dict.fromkeys(int(c) for c in classes)), drawn=drawn,
        spacing=_without(spacing, axis), held=held,
    )  # fmt: skip
    edit = propose(name, before, np.moveaxis(work.wanted(), 0, axis), box=box, **held)
    return Interpolated(edit=edit, slices=() if edit is None else _touched(edit, axis))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """A stack of slices (n, u, v) on the way to being filled; `drawn` counts in the stack."""

    stack: NDArray[Any]
    classes: tuple[int, ...]
    drawn: list[int] | None
    spacing: Pair
    held: Held

    def wanted(self) -> NDArray[Any]:
        wanted = self.stack.copy()
        spans = self.spans()
        ready: dict[Span, Ways] = {}
        for index in range(len(self.stack)):
            here = [span for span in spans if span[0] < index < span[1]]
            # Shapes are made ready once a span, and let go of behind it.
            ready = {span: ready[span] if span in ready else self.ways(span, spans[span]) for span in here}
            if here:
                self.fill(wanted[index], index, ready)
        return wanted

    def spans(self) -> dict[Span, list[int]]:
        """Pair neighbouring slices with others between them, each with the classes that are filled there."""
        has = {c: np.flatnonzero((self.stack == c).any(axis=(1, 2))).tolist() for c in self.classes}
        every = sorted(set().union(*has.values())) if self.drawn is None else self.drawn
        found: dict[Span, list[int]] = {}
        for class_id, own in has.items():
            for span in _gaps(every if self.drawn is not None else _own_slices(own, every)):
                if not set(span).isdisjoint(own):
                    found.setdefault(span, []).append(class_id)
        return found

    def ways(self, span: Span, classes: list[int]) -> Ways:
        """Give the passages of each class; those of all together, under 0, where several may move side by side."""
        first, second = (self.stack[index] for index in span)
        found = [(c, list(passages(first == c, second == c, self.spacing))) for c in classes]
        if len(classes) > 1:
            together = passages(one_of(first, classes), one_of(second, classes), self.spacing)
            found.append((0, [passage for passage in together if passage.overlaps]))
        return found

    def fill(self, plane: NDArray[Any], index: int, ready: dict[Span, Ways]) -> None:
        """Write the classes into one slice (u, v)."""
        redrawn = () if self.drawn is None else {c for ways in ready.values() for c, _ in ways if c}
        free = fillable(plane, self.held.get("limits", FREE), own=redrawn)
        winner = _winner(plane, index, ready)
        plane[one_of(plane, redrawn)] = 0
        free &= winner != 0
        plane[free] = winner[free]


def _winner(plane: NDArray[Any], index: int, ready: dict[Span, Ways]) -> NDArray[Any]:
    """Give the class at each voxel of a slice (u, v): the one that reaches deepest, or 0."""
    best, joint = (np.full(plane.shape, -np.inf, np.float32) for _ in range(2))
    winner = np.zeros_like(plane)
    for (start, stop), ways in ready.items():
        for class_id, moving in ways:
            heights = np.full_like(best, -np.inf) if class_id else joint
            for passage in moving:
                passage.write((index - start) / (stop - start), heights)
            if class_id:
                winner[heights > best] = class_id
                np.maximum(best, heights, out=best)
    # A border half-way between voxels belongs to the class: counting it out would make every shape thinner.
    winner[(best < 0) & (joint < 0)] = 0
    return winner


def _own_slices(own: list[int], every: list[int]) -> list[int]:
    """Give the slices of a class with those of others just before and after, towards which it ends."""
    if not own:
        return []
    before, after = [i for i in every if i < own[0]][-1:], [i for i in every if i > own[-1]][:1]
    return before + own + after


def _gaps(drawn: list[int]) -> Iterator[Span]:
    for first, second in pairwise(drawn):
        if second - first > 1:
            yield first, second


def _read(labels: Any, axis: int, classes: Sequence[int], slices: Sequence[int] | None) -> Box | None:
    """Give the box around the classes; between slices that were named, along the axis from first to last."""
    if slices is None:
        return extent(labels, classes)
    slab = _along(Box.of(labels.shape), axis, min(slices), max(slices) + 1)
    inside = extent(labels, classes, box=slab)
    return None if inside is None else _along(inside, axis, min(slices), max(slices) + 1)


def _along(box: Box, axis: int, start: int, stop: int) -> Box:
    return replace(box, start=_put(box.start, axis, start), stop=_put(box.stop, axis, stop))


def _put(triple: Triple, axis: int, value: int) -> Triple:
    z, y, x = (int(value) if k == axis else old for k, old in enumerate(triple))
    return (z, y, x)


def _without(spacing: Spacing, axis: int) -> Pair:
    u, v = (float(edge) for k, edge in enumerate(spacing) if k != axis)
    return (u, v)


def _touched(edit: Edit, axis: int) -> tuple[int, ...]:
    others = tuple(k for k in range(3) if k != axis)
    return tuple(int(index) + edit.box.start[axis] for index in np.flatnonzero(edit.changed.any(axis=others)))


def _check(labels: Any, axis: int, classes: Sequence[int], slices: Sequence[int] | None) -> None:
    if axis not in (0, 1, 2):
        raise Vol3dError(f"Slices are counted along axis 0, 1 or 2; received {axis}.", hint="Choose one of them.")
    if not len(classes) or min(classes) < 1:
        raise Vol3dError("Filling needs classes, and 0 is the background.", hint="Choose at least one class.")
    if slices is None:
        return
    length = labels.shape[axis]
    if len(set(slices)) < 2:
        raise Vol3dError("Filling needs two slices to fill between.", hint="Draw the class in another slice.")
    if min(slices) < 0 or max(slices) >= length:
        raise Vol3dError(
            f"Slices 0 to {length - 1} can be filled between; received {min(slices)} to {max(slices)}.",
            hint="Choose slices of this volume.",
        )
