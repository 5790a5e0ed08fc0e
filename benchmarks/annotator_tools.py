"""What the simulated annotator can do besides painting: tools that are set, looked at in the preview, and applied.

Each is tried as it stands in its panel, with the settings below, in the whole volume and in a slice with up to
`NEIGHBOURS` on both sides, over all classes or only one. Apply counts as one stroke, and so does each slider that is
moved and each slice that is marked. The reference tells only which of these previews is best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from annotator_field import CLASSES, Act, Field, Tip, worth
from annotator_made import UNIT, made
from annotator_strokes import Stroke
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.correct import edges, holes, islands, smooth, thresholds
from napari_vol3d.correct.interpolate import interpolate
from napari_vol3d.correct.limits import FREE, Limits, one_of

NEIGHBOURS = 4
RADII, SIGMAS = (1.0, 1.5, 2.0), (0.7, 1.0)  # mm
SHARES = (0.2, 0.3, 0.4, 0.6, 0.7, 0.8)
GAPS = (2, 3, 4)  # from a drawn slice to the next
PENCIL = 0.5  # voxels, the radius of a brush one voxel wide
ONLY = (None, frozenset({0}), frozenset({1}), frozenset({2}))  # limits: over what it may write
TRIED = 3  # of all settings, the best as previewed
Tool = Callable[..., Edit | None]
Wrong = dict[tuple[int, int], list[Stroke]]  # by axis and slice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Use:
    """Something that is done at once, after strokes that it needs.

    Attributes
    ----------
    strokes : int
        All in all.
    edits : tuple of Edit
    drawn : tuple of Stroke
        Of these, what was drawn with a brush.
    since : dict or None
        The thresholds from now on.
    """

    name: str
    strokes: int
    edits: tuple[Edit, ...]
    drawn: tuple[Stroke, ...] = ()
    since: dict[int, float] | None = None


# ---- panels with Apply ----------------------------------------------------------------------------------------------


def uses(field: Field, least: float) -> list[Use]:
    """Give what gains most of all panels and their settings, where it may gain more than `least`."""
    table = np.stack([worth(Act(c), field.short()) for c in (0, *CLASSES)])  # (new label, label, reference)
    found = list[tuple[int, str, Tool, Box | None, Limits]]()
    for name, tool in _panels(field.labels):
        whole = tool(box=None, limits=FREE)
        if whole is None:
            continue
        gains = table[whole.after, whole.before, field.reference[whole.box.slices]]
        for inside in ONLY:
            counted = gains if inside is None else np.where(one_of(whole.before, inside), gains, 0)
            found += [(n, name, tool, box, Limits(inside=inside)) for n, box in _places(counted, whole.box, field)]
    found = sorted((entry for entry in found if entry[0] > least), key=lambda entry: -entry[0])[:TRIED]
    edits = [(name, tool(box=box, limits=limits)) for _, name, tool, box, limits in found]
    return [Use(name=name, strokes=1, edits=(edit,)) for name, edit in edits if edit is not None]


def moved_thresholds(
    field: Field, probabilities: NDArray[np.uint8], since: dict[int, float], corrected: NDArray[np.bool_]
) -> Iterator[Use]:
    """Move the slider of a class: a drag and a click on Apply."""
    for class_id, share in ((c, s) for c in CLASSES for s in SHARES):
        now = since | {class_id: share}
        edit = thresholds.rethreshold(
            field.labels, probabilities, classes=CLASSES, thresholds=now, since=since, guarded=corrected
        )
        if edit is not None:
            yield Use(name="probability", strokes=2, edits=(edit,), since=now)


def _panels(labels: NDArray[Any]) -> Iterator[tuple[str, Tool]]:
    """Give the tools that have a button Apply, as they are set; what is left open is where, and the limits."""
    for radius, which in ((r, c) for r in RADII for c in (CLASSES, CLASSES[:1], CLASSES[1:])):
        yield "smooth", partial(smooth.median, labels, classes=which, radius=radius, spacing=UNIT)
    for sigma in SIGMAS:
        yield "smooth", partial(smooth.gaussian, labels, classes=CLASSES, sigma=sigma, spacing=UNIT)
    for class_id, axis in ((c, a) for c in CLASSES for a in (None, 0, 1, 2)):
        for tool in (edges.grow, edges.shrink):
            yield "grow or shrink", partial(tool, labels, class_id, by=1.0, spacing=UNIT, axis=axis)
    yield "islands", partial(islands.keep_largest, labels, CLASSES, spacing=UNIT)
    for class_id in CLASSES:
        yield "islands", partial(holes.fill_holes, labels, class_id)
        for radius in RADII:
            yield "islands", partial(holes.close_gaps, labels, class_id, radius=radius, spacing=UNIT)


def _places(gains: NDArray[Any], box: Box, field: Field) -> Iterator[tuple[int, Box | None]]:
    """Give what is gained everywhere, and in the slice with its neighbours where most is, along each axis."""
    yield int(gains.sum(dtype=np.int64)), None
    for axis in range(3):
        others = tuple(k for k in range(3) if k != axis)
        along = np.concatenate([[0], np.cumsum(gains.sum(axis=others, dtype=np.int64))])
        spans = [(i, i + 2 * n + 1) for n in range(NEIGHBOURS + 1) for i in range(len(along) - 2 * n - 1)]
        if spans:
            first, last = max(spans, key=lambda span: along[span[1]] - along[span[0]])
            slab = _slab(axis, first + box.start[axis], last + box.start[axis], field.labels.shape)
            yield int(along[last] - along[first]), slab


def _slab(axis: int, first: int, last: int, shape: tuple[int, ...]) -> Box:
    start, stop = [0, 0, 0], list(shape)
    start[axis], stop[axis] = first, last
    return Box(start=(start[0], start[1], start[2]), stop=(stop[0], stop[1], stop[2]))


# ---- fill between slices --------------------------------------------------------------------------------------------


def filled(field: Field, least: float) -> list[Use]:
    """Draw some slices exactly, mark them, and fill between, where that may gain more than `least` a stroke.

    Drawing takes a stroke for each connected region of wrong voxels, of one class, in a slice; marking a click each.
    """
    wrong, found = wrong_regions(field), list[tuple[float, int, list[int]]]()
    for axis, slices in ((k, slices) for k in range(3) for slices in _choices(field, k)):
        between = range(slices[0], slices[-1] + 1)
        most = sum(stroke.gain for index in between for stroke in wrong.get((axis, index), []))
        strokes = sum(len(wrong.get((axis, index), [])) for index in slices) + len(slices) + 1
        found.append((most / strokes, axis, slices))
    best = sorted((entry for entry in found if entry[0] > least), reverse=True)[:TRIED]
    fills = [_filled(field, axis, slices, wrong) for _, axis, slices in best]
    return [use for use in fills if use is not None]


def _choices(field: Field, axis: int) -> Iterator[list[int]]:
    others = tuple(k for k in range(3) if k != axis)
    present = np.flatnonzero((field.reference > 0).any(axis=others)).tolist()
    first, last = present[0], present[-1]
    for gap in GAPS:
        yield from ([index, index + gap] for index in range(first, last - gap + 1))
        yield sorted({*range(first, last + 1, gap), last})


def _filled(field: Field, axis: int, slices: list[int], wrong: Wrong) -> Use | None:
    labels, edits = field.labels.copy(), list[Edit]()
    drawn = [stroke for index in slices for stroke in wrong.get((axis, index), [])]
    for stroke in drawn:
        edit = made(labels, field, stroke)
        if edit is not None:
            edit.apply(labels)
            edits.append(edit)
    limits = Limits(inside=frozenset({0, *CLASSES}))
    between = interpolate(labels, axis=axis, classes=CLASSES, spacing=UNIT, slices=slices, limits=limits).edit
    if between is None:
        return None
    strokes = len(drawn) + len(slices) + 1
    return Use(name="fill between", strokes=strokes, edits=(*edits, between), drawn=tuple(drawn))


def wrong_regions(field: Field) -> Wrong:
    """Give the strokes of a brush one voxel wide that set each slice of each axis right."""
    found: Wrong = {}
    box = field.box.intersect(Box.of((field.labels.shape[0], field.labels.shape[1], field.labels.shape[2])))
    labels, reference = field.labels[box.slices], field.reference[box.slices]
    for class_id, axis in ((c, a) for c in (0, *CLASSES) for a in range(3)):
        wrong = (reference == class_id) & (labels != class_id)
        flat = np.ones((3, 3, 3), bool)
        np.moveaxis(flat, axis, 0)[[0, 2]] = False
        numbers, _ = ndimage.label(wrong, flat)
        for number, part in enumerate(ndimage.find_objects(numbers), 1):
            stroke = _pencil(field, class_id, axis, np.argwhere(numbers[part] == number), part, box)
            found.setdefault((axis, part[axis].start + box.start[axis]), []).append(stroke)
    return found


def _pencil(field: Field, class_id: int, axis: int, places: NDArray[np.intp], part: Any, box: Box) -> Stroke:
    offset = [p.start + b - f for p, b, f in zip(part, box.start, field.start, strict=True)]
    plane = offset.pop(axis)
    cells = [(int(u) + offset[0], int(v) + offset[1]) for u, v in np.delete(places, axis, axis=1)]
    return Stroke(
        act=Act(class_id), tip=Tip("disc", PENCIL, axis), plane=plane, cells=_in_touch(cells), gain=2 * len(cells),
        reads=Box(start=(0, 0, 0), stop=(0, 0, 0)),
    )  # fmt: skip


def _in_touch(cells: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Order connected cells so that each touches one before it."""
    left, found = set(cells[1:]), [cells[0]]
    for u, v in found:
        near = [(i, j) for i in (u - 1, u, u + 1) for j in (v - 1, v, v + 1) if (i, j) in left]
        found.extend(near)  # the loop goes on with these
        left.difference_update(near)
    return tuple(found)
