"""Smooth surfaces of all classes of a label volume, as fine as a screen can draw; after an edit only what changed."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.coarse import blocks_of
from napari_vol3d.core.label_marks import PlaneMarks, boxes_of, changed_classes, marks_of
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.smooth_surface import Mesh, share_of, smooth_surface
from napari_vol3d.core.volume import Spacing

MOST_OF_A_CLASS = 200_000  # triangles
Counts: TypeAlias = tuple[tuple[float, int], ...]
FEWEST_BLOCKS = 4  # along the box around a class: with fewer it loses its shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A class that was looked at: where it is, how many faces its blocks show at which edge length, and its surface."""

    box: Box
    faces: Counts
    block: Triple
    mesh: Mesh


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassSurfaces:
    """The surfaces of a label volume, and what is needed to make them anew.

    Attributes
    ----------
    parts : mapping of int to Part
        By id; every class that has voxels.
    """

    parts: Mapping[int, Part]
    marks: tuple[PlaneMarks, ...]
    made_for: tuple[Any, ...]


def class_surfaces(
    labels: Any, spacing: Spacing, *, most: int, before: ClassSurfaces | None = None
) -> Generator[Progress, None, ClassSurfaces]:
    """Make the surface of each class of a label volume.

    Parameters
    ----------
    labels : array of int, shape (Z, Y, X)
        In memory or lazy. May be painted on meanwhile; a later run sees what this one did not.
    spacing : tuple of float
        Along (z, y, x).
    most : int
        About how many triangles there may be in all; large classes become coarser first.
    before : ClassSurfaces, optional
        Of the same labels, earlier. Only classes that changed are made anew.

    Returns
    -------
    ClassSurfaces
        `before` itself where nothing changed.
    """
    made_for = (tuple(labels.shape), tuple(spacing), most)
    if before is not None and before.made_for != made_for:
        before = None
    marks = yield from marks_of(labels, () if before is None else before.marks)
    kept: dict[int, Part] = {}
    if before is not None:
        changed = changed_classes(before.marks, marks)
        if not changed:
            return before
        kept = {class_id: part for class_id, part in before.parts.items() if class_id not in changed}
    parts = yield from _parts(labels, spacing, most, boxes_of(marks), kept)
    return ClassSurfaces(parts=parts, marks=marks, made_for=made_for)


def shared_out(wanted: Iterable[float], most: float) -> float:
    """Give the factor by which who wants `n` gets ``factor * sqrt(n)``, or `n` where that is less; `most` in all.

    So a class with a hundred times the surface of another gets ten times the triangles: small ones keep their shape,
    and large ones, behind which the others lie, don't fall apart into blocks.

    Examples
    --------
    >>> shared_out([100, 100, 40_000, 1_000_000], 12_200)
    10.0
    """
    ascending = sorted(wanted)
    left, roots = most, sum(math.sqrt(n) for n in ascending)
    for n in ascending:
        factor = left / roots if roots else math.inf
        if n > factor * math.sqrt(n):
            return factor
        left, roots = left - n, roots - math.sqrt(n)
    return math.inf


def _parts(
    labels: Any, spacing: Spacing, most: int, boxes: Mapping[int, Box], kept: Mapping[int, Part]
) -> Generator[Progress, None, dict[int, Part]]:
    """Make the surfaces of the classes that have changed, and of those whose share of the triangles has."""
    faces: dict[int, Counts] = {}
    for class_id, box in boxes.items():
        old = kept.get(class_id)
        faces[class_id] = _faces(_mask(labels, class_id, box), spacing) if old is None else old.faces
        yield Progress(phase="Looking at the labels", done=len(faces), total=len(boxes))
    factor = shared_out((2 * one[0][1] for one in faces.values()), most)
    parts: dict[int, Part] = {}
    for class_id, box in boxes.items():
        share = min(factor * math.sqrt(2 * faces[class_id][0][1]), MOST_OF_A_CLASS)
        block, old = _block(faces[class_id], box, spacing, share), kept.get(class_id)
        if old is None or old.block != block:
            mask = _mask(labels, class_id, box)
            mesh = yield from smooth_surface(mask, spacing, block=block, start=box.start)
            old = Part(box=box, faces=faces[class_id], block=block, mesh=mesh)
        parts[class_id] = old
        yield Progress(phase="Making surfaces", done=len(parts), total=len(boxes))
    return parts


def _mask(labels: Any, class_id: int, box: Box) -> NDArray[np.bool_]:
    return np.asarray(np.asarray(labels[box.slices]) == class_id)


def _faces(mask: NDArray[np.bool_], spacing: Spacing) -> Counts:
    """Count the faces between a mask and what is around it, at one voxel and at ever larger blocks of them."""
    edges, counts = np.asarray(spacing, np.float64), []
    while True:
        counts.append((float(np.prod(edges) ** (1 / 3)), _open_faces(mask)))
        if counts[-1][1] == 0 or max(mask.shape) <= FEWEST_BLOCKS:
            return tuple(counts)
        fine = edges < 1.5 * edges.min()  # thick slices are not made thicker before the others have come up to them
        z, y, x = (2 if here and n > 1 else 1 for here, n in zip(fine, mask.shape, strict=True))
        halved = (z, y, x)
        if halved == (1, 1, 1):
            return tuple(counts)
        mask, edges = share_of(mask, halved) >= 0.5, edges * halved


def _open_faces(mask: NDArray[np.bool_]) -> int:
    padded = np.pad(mask, 1)
    return sum(int(np.count_nonzero(np.diff(padded, axis=axis))) for axis in range(3))


def _block(counts: Counts, box: Box, spacing: Spacing, share: float) -> Triple:
    """Give the smallest blocks with which a class has no more than its share, two triangles for a face."""
    lengths, faces = zip(*counts, strict=True)
    block = [1, 1, 1]
    while 2 * np.interp(float(np.prod(np.multiply(block, spacing)) ** (1 / 3)), lengths, faces) > share:
        axes = [axis for axis, n in enumerate(blocks_of(box.shape, block)) if n > FEWEST_BLOCKS]
        if not axes:
            break
        block[min(axes, key=lambda axis: block[axis] * spacing[axis])] += 1
    return block[0], block[1], block[2]
