"""Labels anew from stored probabilities, with a threshold for each class.

The score of a class is ``p + 1 - 2 * t``, that of the background what the others leave, ``1 - sum(p)``; the highest
wins. Thresholds of one half give the largest probability, as the pipeline decides; with one class a voxel belongs to it
where ``p > t``. Of equal scores the background's wins, then that of the first class.

Stored probabilities are rounded to 1/255, so where two classes are nearly even their order may be lost: what is given
back are therefore only voxels on which two sets of thresholds disagree, and thresholds that stay change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, Unpack

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.labels import label_dtype
from napari_vol3d.correct.extent import clipped
from napari_vol3d.correct.limits import Held, one_of, propose

HALF = 0.5  # the threshold of a class that none is given for
MOST_VOXELS = 2**20  # of probabilities that are looked at together
STEPS = 1000  # stored bytes are counted in thousandths of 1/255, in which whole percents are exact

Thresholds: TypeAlias = Mapping[int, float]
Rest: TypeAlias = Callable[[NDArray[Any], Any], NDArray[Any]]
"""Gives the background's score of probabilities (C, z, y, x) and of what stands for a probability of 1 in them."""


def exclusive(values: NDArray[Any], whole: Any) -> NDArray[Any]:
    """Score the background of classes that share each voxel, as after a softmax: by what they leave."""
    return np.asarray(whole - values.sum(axis=0, dtype=values.dtype))


def independent(values: NDArray[Any], whole: Any) -> NDArray[Any]:
    """Score the background of classes that know nothing of each other, as after a sigmoid: against the likeliest."""
    return np.asarray(whole - values.max(axis=0))


def rethreshold(
    labels: Any,
    probabilities: Any,
    *,
    classes: Sequence[int],
    thresholds: Thresholds,
    since: Thresholds | None = None,
    rest: Rest = exclusive,
    box: Box | None = None,
    name: str = "Thresholds",
    **held: Unpack[Held],
) -> Edit | None:
    """Give voxels the class that wins with other thresholds, where another one won before.

    Only classes of the model and the background change among themselves: a voxel of any other id stays.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy; it is read by some planes at a time.
    probabilities : array, shape (C, Z, Y, X), or sequence of C arrays (Z, Y, X)
        Of the model's classes without the background; whole numbers are shares of 255. May be lazy too.
    classes : sequence of int
        Their ids, in the order of `probabilities`.
    thresholds : mapping of int to float
        By id, 0 to 1; one half where a class is not named.
    since : mapping of int to float, optional
        The thresholds that the labels were made with; by default one half for all.
    rest : callable
        How the background is scored: `exclusive` or `independent`.
    box : Box, optional
        Where voxels may change, by default everywhere; may reach past the volume.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`.

    Returns
    -------
    Edit or None
        None where nothing would change.

    Raises
    ------
    Vol3dError
        If grids or numbers of classes differ, or a threshold lies outside 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> p = np.array([0.2, 0.6, 0.9]).reshape(1, 1, 1, 3)
    >>> labels = np.array([0, 1, 1], np.uint8).reshape(1, 1, 3)
    >>> rethreshold(labels, p, classes=[1], thresholds={1: 0.7}).after.ravel()
    array([0], dtype=uint8)
    """
    new, old = _in_order(thresholds, classes), _in_order(since or {}, classes)
    _check(labels, probabilities, classes)
    if new == old:
        return None
    found = []
    for part in _parts(clipped(box, labels)):
        before = np.asarray(labels[part.slices])
        wanted = _moved(before, _read(probabilities, part), classes, new, old, rest)
        found.append(None if wanted is None else propose(name, before, wanted, box=part, **held))
    return _joined(name, labels, [edit for edit in found if edit is not None])


def winners(
    probabilities: NDArray[Any], *, classes: Sequence[int], thresholds: Thresholds | None = None, rest: Rest = exclusive
) -> NDArray[Any]:
    """Give the ids (z, y, x) that win of probabilities (C, z, y, x), see `rethreshold`; 0 is background."""
    ids = np.array([0, *classes], label_dtype(max(classes, default=0)))
    return np.asarray(ids[_winners(probabilities, _in_order(thresholds or {}, classes), rest)])


def _moved(
    before: NDArray[Any], values: NDArray[Any], classes: Sequence[int], new: Sequence[float], old: Sequence[float],
    rest: Rest,
) -> NDArray[Any] | None:  # fmt: skip
    """Give the labels of a part as other thresholds have them; None where these decide as the old ones do."""
    now, then = _winners(values, new, rest), _winners(values, old, rest)
    differs = now != then
    if not differs.any():
        return None
    differs &= one_of(before, [0, *classes])
    ids = np.array([0, *classes], label_dtype(max(classes)))
    return np.where(differs, ids[now], before)


def _winners(values: NDArray[Any], thresholds: Sequence[float], rest: Rest) -> NDArray[np.intp]:
    """Give the place of the highest score: 0 for the background, else one more than the class's."""
    values, whole = _scaled(values)
    best, found = rest(values, whole), np.zeros(values.shape[1:], np.intp)
    for place, (value, threshold) in enumerate(zip(values, thresholds, strict=True), start=1):
        lift = whole * (1 - 2 * threshold)
        score = value + (values.dtype.type(round(lift)) if values.dtype.kind == "i" else lift)
        found[score > best] = place
        np.maximum(best, score, out=best)
    return found


def _read(probabilities: Any, part: Box) -> NDArray[Any]:
    if isinstance(probabilities, Sequence):
        return np.stack([np.asarray(of_class[part.slices]) for of_class in probabilities])
    return np.asarray(probabilities[(slice(None), *part.slices)])


def _scaled(values: NDArray[Any]) -> tuple[NDArray[Any], Any]:
    """Give probabilities as numbers that can be summed, and what stands for 1 in them."""
    if values.dtype.kind in "ui":
        return values.astype(np.int32) * np.int32(STEPS), np.int32(255 * STEPS)
    return values.astype(np.float64), 1.0


def _parts(box: Box) -> Iterator[Box]:
    """Cut a box into some planes at a time."""
    (first, y0, x0), (last, y1, x1) = box.start, box.stop
    planes = max(1, MOST_VOXELS // max(1, (y1 - y0) * (x1 - x0)))
    for z in range(first, last, planes):
        yield Box(start=(z, y0, x0), stop=(min(z + planes, last), y1, x1))


def _joined(name: str, labels: Any, edits: Sequence[Edit]) -> Edit | None:
    """Make one edit of several that lie beside each other."""
    if not edits:
        return None
    box = edits[0].box
    for edit in edits[1:]:
        box = box.joined(edit.box)
    before = np.asarray(labels[box.slices])
    after = before.copy()
    for edit in edits:
        inside = edit.box.shifted((-box.start[0], -box.start[1], -box.start[2]))
        after[inside.slices] = edit.after
    return Edit(name=name, box=box, before=before.copy(), after=after)


def _in_order(thresholds: Thresholds, classes: Sequence[int]) -> tuple[float, ...]:
    found = tuple(float(thresholds.get(class_id, HALF)) for class_id in classes)
    if not all(0 <= threshold <= 1 for threshold in found):
        raise Vol3dError(f"Thresholds lie between 0 and 1; received {found}.", hint="Give shares, not percents.")
    return found


def _check(labels: Any, probabilities: Any, classes: Sequence[int]) -> None:
    if isinstance(probabilities, Sequence):
        count, grids = len(probabilities), {tuple(of_class.shape) for of_class in probabilities}
    else:
        count, grids = int(probabilities.shape[0]), {tuple(probabilities.shape[1:])}
    if count != len(classes) or not count:
        raise Vol3dError(
            f"Probabilities of {len(classes)} classes were expected; there are {count}.",
            hint="Run the model again and keep the probabilities.",
        )
    if grids != {tuple(labels.shape)}:
        raise Vol3dError(
            f"Probabilities and labels differ in their grid: {sorted(grids)} and {tuple(labels.shape)} voxels.",
            hint="Choose those of the same scan.",
        )
