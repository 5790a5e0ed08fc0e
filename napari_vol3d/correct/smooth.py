"""Smooth the borders of classes, all at once, so that neighbours stay neighbours.

Each voxel goes by the shares that the classes have around it. Whether it is background is asked first, of all classes
together; only then which class it is. A plain vote would let the background win where two classes that hold 30 % each
meet it with 40 %, and open a notch along every border (the joint smoothing of 3D Slicer's Segment Editor is after the
same thing). For a single class this is the usual median, or the blurred mask cut at one half.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit, bounds
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.extent import clipped, extent
from napari_vol3d.correct.limits import FREE, Held, limited, one_of, propose
from napari_vol3d.correct.volumes import keeping_volumes

ROUNDING = 1e-6  # relative, of lengths
TRUNCATE = 3.0  # sigmas that a Gaussian reaches
STAYS = 1e-6  # of two classes with equal shares the one that is there stays; less than one voxel of any ball
DIGITS = 5  # of scores: what only rounding tells apart must not speckle a flat face

Weigh = Callable[[NDArray[np.bool_]], NDArray[np.float32]]
Settle = Callable[[NDArray[np.float32], NDArray[np.intp]], NDArray[np.float32]]


def median(
    labels: Any,
    *,
    classes: Sequence[int],
    radius: float,
    spacing: Spacing,
    box: Box | None = None,
    name: str = "Smooth (median)",
    **held: Unpack[Held],
) -> Edit | None:
    """Give each voxel to what fills most of a ball around it: removes specks, spikes and small holes.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        In memory or lazy; read are the surroundings of the classes. Beyond its faces the last voxels are repeated.
    classes : sequence of int
        Only these change, among each other and with the background. The others neither lose nor gain voxels, but
        count as neighbours.
    radius : float
        Of the ball, in mm.
    spacing : tuple of float
        Along (z, y, x) in mm.
    box : Box, optional
        Where voxels may change, by default everywhere.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`.

    Returns
    -------
    Edit or None

    Raises
    ------
    Vol3dError
        If the ball holds a single voxel, or no class is given.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.zeros((7, 7, 7), np.uint8)
    >>> labels[3, 3, 3] = 1
    >>> median(labels, classes=[1], radius=1.0, spacing=(1.0, 1.0, 1.0)).after.any()
    np.False_
    """
    reach = _reach(radius, spacing, "radius")
    weigh = partial(_ball_shares, radius=radius, spacing=spacing, reach=reach)
    return _smooth(labels, classes, _How(reach=reach, weigh=weigh, settle=_as_they_are), box=box, name=name, held=held)


def gaussian(
    labels: Any,
    *,
    classes: Sequence[int],
    sigma: float,
    spacing: Spacing,
    box: Box | None = None,
    name: str = "Smooth (Gaussian)",
    **held: Unpack[Held],
) -> Edit | None:
    """Blur the classes and cut them anew where each keeps its volume; see `median` for what is not said here.

    Volumes are kept within 1 %, unless a whole flat face would have to move for it, or limits forbid it.

    Parameters
    ----------
    sigma : float
        Of the Gaussian, in mm. It reaches 3 sigma.

    Raises
    ------
    Vol3dError
        If it reaches no further voxel, or no class is given.
    """
    reach = _reach(TRUNCATE * sigma, spacing, "sigma")
    weigh = partial(_gaussian_shares, sigmas=tuple(sigma / edge for edge in spacing), reach=reach)
    how = _How(reach=reach, weigh=weigh, settle=keeping_volumes)
    return _smooth(labels, classes, how, box=box, name=name, held=held)


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """A way to smooth: how far it looks, in voxels; the shares (z, y, x) of a mask; what the scores get added."""

    reach: Triple
    weigh: Weigh
    settle: Settle


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """What is looked at, and what may change of it.

    Attributes
    ----------
    labels : ndarray, shape (Z, Y, X)
        Of the box and its surroundings.
    box, inner : Box, tuple of slice
        Where voxels may change: in the volume, and in `labels`.
    open : ndarray of bool, shape `box.shape`
        Voxels that may change, for all that is known before shares are computed.
    candidates : list of int
        The classes that they may become; the first is background.
    """

    labels: NDArray[Any]
    box: Box
    inner: tuple[slice, ...]
    open: NDArray[np.bool_]
    candidates: list[int]

    def at(self, values: NDArray[Any]) -> NDArray[Any]:
        """Take the open voxels out of an array as large as `labels`."""
        return np.asarray(values[self.inner][self.open])


def _smooth(labels: Any, classes: Sequence[int], how: _How, *, box: Box | None, name: str, held: Held) -> Edit | None:
    view = _view(labels, classes, how.reach, clipped(box, labels))
    if view is None:
        return None
    now, scores = view.at(view.labels), _scores(view, how.weigh)
    at = np.searchsorted(view.candidates, now)
    scores[at, np.arange(len(now))] += STAYS
    scores[~_allowed(view, now, held)] = -np.inf
    scores += how.settle(scores, at)[:, None]
    before = view.labels[view.inner]
    wanted = before.copy()
    wanted[view.open] = np.asarray(view.candidates, before.dtype)[scores.argmax(axis=0)]
    return propose(name, before, wanted, box=view.box, **held)


def _view(labels: Any, classes: Sequence[int], reach: Triple, within: Box) -> _View | None:
    if not len(classes) or min(classes) < 1:
        raise Vol3dError("Smoothing needs classes, and 0 is the background.", hint="Choose at least one class.")
    near = extent(labels, classes, box=within.grown(reach))
    if near is None:
        return None
    box = clipped(near.grown(reach).intersect(within), labels)
    outer = clipped(box.grown(reach), labels)
    part = np.asarray(labels[outer.slices])
    inner = tuple(slice(a - o, b - o) for a, b, o in zip(box.start, box.stop, outer.start, strict=True))
    candidates = [0, *np.intersect1d(part, classes).tolist()]
    open_ = _mixed(part, reach)[inner] & one_of(part[inner], candidates)
    return _View(labels=part, box=box, inner=inner, open=open_, candidates=candidates)


def _allowed(view: _View, now: NDArray[Any], held: Held) -> NDArray[np.bool_]:
    """Tell what each open voxel may become, (candidates, n): volumes are kept with what the limits leave."""
    limits = held.get("limits", FREE)
    image = None if limits.intensity is None else held.get("image")
    guarded = held.get("guarded")
    at_voxels = {
        "image": None if image is None else np.asarray(image[view.box.slices])[view.open],
        "guarded": None if guarded is None else np.asarray(guarded[view.box.slices], bool)[view.open],
    }
    return np.stack([limited(now, np.full_like(now, c), limits, **at_voxels) == c for c in view.candidates])


def _scores(view: _View, weigh: Weigh) -> NDArray[np.float32]:
    """Give what speaks for each candidate at each open voxel, (candidates, n); all lies between -1 and 1.

    The class with the largest share speaks for all classes, each other for as much less as its share is smaller: so
    the classes beat the background together, and the largest beats them.
    """
    scores = np.zeros((len(view.candidates), np.count_nonzero(view.open)), np.float32)
    largest = np.zeros(scores.shape[1], np.float32)
    for class_id in (int(c) for c in np.unique(view.labels) if c != 0):
        share = view.at(weigh(view.labels == class_id))
        np.maximum(largest, share, out=largest)
        if class_id in view.candidates:
            scores[view.candidates.index(class_id)] = share
    scores[0] = view.at(weigh(view.labels == 0))
    scores[1:] += 1 - scores[0] - largest
    return np.asarray(np.round(scores, DIGITS))


def _as_they_are(scores: NDArray[np.float32], now: NDArray[np.intp]) -> NDArray[np.float32]:
    return np.zeros(len(scores), np.float32)


def _mixed(part: NDArray[Any], reach: Triple) -> NDArray[np.bool_]:
    """Tell which voxels may have another class within reach: no others can change."""
    border = np.zeros(part.shape, np.uint8)
    for axis in range(3):
        ahead = tuple(slice(1, None) if k == axis else slice(None) for k in range(3))
        behind = tuple(slice(None, -1) if k == axis else slice(None) for k in range(3))
        differs = part[ahead] != part[behind]
        border[ahead] |= differs
        border[behind] |= differs
    return np.asarray(ndimage.maximum_filter(border, size=[2 * n + 1 for n in reach], mode="constant"), bool)


def _reach(length: float, spacing: Spacing, what: str) -> Triple:
    """Give how many voxels a length in mm spans along each axis."""
    if not (math.isfinite(length) and length * (1 + ROUNDING) >= min(spacing)):
        raise Vol3dError(
            f"The {what} is too small to smooth anything: voxels are {min(spacing):g} mm apart.",
            hint=f"Choose a larger {what}.",
        )
    z, y, x = (math.floor(length / edge * (1 + ROUNDING)) for edge in spacing)
    return (z, y, x)


def _gaussian_shares(mask: NDArray[np.bool_], *, sigmas: tuple[float, ...], reach: Triple) -> NDArray[np.float32]:
    near = _surroundings(mask, reach)
    shares = np.zeros(mask.shape, np.float32)
    shares[near] = ndimage.gaussian_filter(mask[near].astype(np.float32), sigmas, mode="nearest", radius=reach)
    return shares


def _ball_shares(
    mask: NDArray[np.bool_], *, radius: float, spacing: Spacing, reach: Triple
) -> NDArray[np.float32]:
    """Count the mask in a ball around each voxel, by lines along x: a line's count is a difference of running sums."""
    near = _surroundings(mask, reach)
    part = np.pad(mask[near], [(n, n) for n in reach], mode="edge")
    sums = np.cumsum(np.pad(part, ((0, 0), (0, 0), (1, 0))), axis=2, dtype=np.int32)
    height, depth, width = mask[near].shape
    counts, voxels = np.zeros((height, depth, width), np.int32), 0
    for half, lines in _lines(radius, spacing, reach).items():
        middle = reach[2]
        line = sums[:, :, middle + half + 1 :][:, :, :width] - sums[:, :, middle - half :][:, :, :width]
        for z, y in lines:
            counts += line[z : z + height, y : y + depth]
        voxels += len(lines) * (2 * half + 1)
    shares = np.zeros(mask.shape, np.float32)
    shares[near] = counts / np.float32(voxels)
    return shares


def _lines(radius: float, spacing: Spacing, reach: Triple) -> dict[int, list[tuple[int, int]]]:
    """Cut a ball into lines along x: by half their length in voxels, where they lie, (z, y) from a corner."""
    found: dict[int, list[tuple[int, int]]] = {}
    for z, y in product(range(-reach[0], reach[0] + 1), range(-reach[1], reach[1] + 1)):
        left2 = (radius * (1 + ROUNDING)) ** 2 - (z * spacing[0]) ** 2 - (y * spacing[1]) ** 2
        if left2 >= 0:
            found.setdefault(math.floor(math.sqrt(left2) / spacing[2]), []).append((z + reach[0], y + reach[1]))
    return found


def _surroundings(mask: NDArray[np.bool_], reach: Triple) -> tuple[slice, slice, slice]:
    """Index the box around a mask and what is within reach of it, as far as there are voxels."""
    inside = bounds(mask)
    return (inside or Box(start=(0, 0, 0), stop=(1, 1, 1))).grown(reach).intersect(Box.of(mask.shape)).slices
