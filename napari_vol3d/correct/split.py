"""Split touching objects where they are narrow: the watershed of the distance to their border, in mm.

Necks are told from a rough surface by their depth, as h-maxima do (Soille 2003, Morphological Image Analysis, 6.3.4): a
neck counts when the distance to the border there is less by `neck` than in the middle of both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import watershed

from napari_vol3d.core.box import Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.objects import TOUCHING, Objects
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.islands import objects_of
from napari_vol3d.correct.limits import Held, propose
from napari_vol3d.correct.parts import renamed
from napari_vol3d.correct.relabel import object_at

# Default depth of a neck: finds 57 of 60 phantom nuclei (`core.phantom`, half of them touching) and cuts none in two.
NECK_SHARE = 0.05  # of the greatest distance to the border
NECK_EDGE = 0.5  # of the smallest voxel edge, at least
FINEST_NECK = 0.05  # of the smallest voxel edge: below, differences are those of the grid
SMOOTHING = 1.0  # sigma in voxels of the mean edge


def split_at_seeds(
    labels: Any,
    seeds: Sequence[Triple],
    *,
    ids: Iterator[int],
    spacing: Spacing,
    name: str = "Split at seeds",
    **held: Unpack[Held],
) -> Edit | None:
    """Split an object into as many parts as there are clicked voxels, each around one of them.

    A click need not meet the middle of its part: it stands for the wide place that it lies at. Of clicks that no neck
    lies between, each gets the ball around it.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy; only the surroundings of the object are read.
    seeds : sequence of (z, y, x)
        Two voxels of one object or more.
    ids : iterator of int
        Free ids. The largest part keeps the id of the object, the next largest gets the first of these.
    spacing : tuple of float
        Voxel edges (z, y, x).
    name : str
        For the list of edits.
    **held
        What stays, see `Held`.

    Returns
    -------
    Edit or None
        None where the limits forbid all of it. No voxel becomes background.

    Raises
    ------
    Vol3dError
        If the voxels are fewer than two, background, or not of one object; if ids run out or do not fit into the type
        of the labels.
    """
    places = list(dict.fromkeys((int(z), int(y), int(x)) for z, y, x in seeds))
    if len(places) < 2:
        raise Vol3dError("Splitting takes two clicks or more.", hint="Click once into each part.")
    found = object_at(labels, places[0])
    if not all(found.at(place) for place in places):
        raise Vol3dError("The clicks are not in one object.", hint="Click only into the object to split.")
    mask = found.numbers > 0
    parts = _around_seeds(mask, [_minus(place, found.box.start) for place in places], spacing)
    return _rename(labels, parts, found, ids, name, held)


def split_object(
    labels: Any,
    voxel: Triple,
    *,
    ids: Iterator[int],
    spacing: Spacing,
    neck: float | None = None,
    name: str = "Split object",
    **held: Unpack[Held],
) -> Edit | None:
    """Split the object at a voxel (z, y, x) at all its necks; see `split_at_seeds`.

    Parameters
    ----------
    neck : float, optional
        How much less the distance to the border is in a neck than in the middle of both sides, in the unit of the
        spacing; less splits more. By default a twentieth of the greatest distance, and at least half a voxel.

    Returns
    -------
    Edit or None
        None where there is no such neck.
    """
    return _split(labels, object_at(labels, voxel), ids=ids, spacing=spacing, neck=neck, name=name, held=held)


def split_class(
    labels: Any,
    class_id: int,
    *,
    ids: Iterator[int],
    spacing: Spacing,
    neck: float | None = None,
    name: str = "Split touching objects",
    **held: Unpack[Held],
) -> Edit | None:
    """Split every object of a class at its necks; see `split_object`.

    The largest part of each object keeps the class, so objects without a neck stay as they are; `split_islands` then
    tells those apart that do not touch.
    """
    return _split(labels, objects_of(labels, class_id), ids=ids, spacing=spacing, neck=neck, name=name, held=held)


def _split(
    labels: Any, found: Objects, *, ids: Iterator[int], spacing: Spacing, neck: float | None, name: str, held: Held
) -> Edit | None:
    if neck is not None and not neck > 0:
        raise Vol3dError(f"A neck has a depth; received {neck:g} mm.", hint="Choose more than 0.")
    mask = found.numbers > 0
    if not mask.any():
        return None
    distance = distances(mask, spacing)
    depth = smoothed(distance, mask, spacing)
    peaks = peaks_of(depth, mask, _default_neck(depth, spacing) if neck is None else neck)
    parts = _flood(distance, mask, peaks)
    return _rename(labels, parts, found, ids, name, held)


def distances(mask: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.float32]:
    """Give the distance from each voxel of a mask (z, y, x) to the nearest outside, in the unit of the spacing.

    Beyond the array counts as outside.
    """
    padded = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing)
    return np.asarray(padded[1:-1, 1:-1, 1:-1], np.float32)


def smoothed(distance: NDArray[np.float32], mask: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.float32]:
    """Average distances over the voxels of the mask only, so that thin places keep theirs; 0 outside."""
    sigma = SMOOTHING * float(np.prod(spacing)) ** (1 / 3) / np.asarray(spacing)
    weight = ndimage.gaussian_filter(mask.astype(np.float32), sigma, mode="constant")
    smooth = ndimage.gaussian_filter(distance, sigma, mode="constant")
    return np.asarray(np.divide(smooth, weight, out=np.zeros_like(smooth), where=mask))


def _default_neck(depth: NDArray[np.float32], spacing: Spacing) -> float:
    return max(NECK_SHARE * float(depth.max()), NECK_EDGE * min(spacing))


def peaks_of(depth: NDArray[np.float32], mask: NDArray[np.bool_], neck: float) -> NDArray[np.int32]:
    """Number the wide places that necks of this depth lie between; an object flatter than the neck has none."""
    lowered = reconstruction(np.maximum(depth - np.float32(neck), 0), depth, footprint=TOUCHING)
    wide = local_maxima(lowered, footprint=TOUCHING) & mask & (lowered > 0)
    numbers, _ = ndimage.label(wide, TOUCHING, output=np.int32)
    return np.asarray(numbers)


def _flood(depth: NDArray[np.float32], mask: NDArray[np.bool_], peaks: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give each voxel of the mask to a peak, cut at the necks; 0 in objects without one.

    Smoothed distances tell which necks there are, but move them a voxel towards the smaller side: cut by the real ones.
    """
    return np.asarray(watershed(-depth, peaks, mask=mask, connectivity=TOUCHING), np.int32)


def _around_seeds(mask: NDArray[np.bool_], seeds: Sequence[Triple], spacing: Spacing) -> NDArray[np.int32]:
    """Give each voxel of an object the number of a seed, from 1."""
    distance = distances(mask, spacing)
    depth = smoothed(distance, mask, spacing)
    # Not from the seeds alone: one near the border would be flooded by its neighbour before it began.
    peaks, homes = _homes(depth, mask, seeds, spacing)
    markers = np.where(np.isin(peaks, homes), peaks, np.int32(0))
    markers[tuple(np.transpose(seeds))] = homes
    basins = _flood(distance, mask, markers)
    parts = np.zeros(mask.shape, np.int32)
    for home in np.unique(homes):
        region, own = basins == home, np.flatnonzero(homes == home)
        share = _shared(region, distance, [seeds[i] for i in own.tolist()], spacing) if len(own) > 1 else 0
        parts[region] = own[share] + 1
    return parts


def _homes(
    depth: NDArray[np.float32], mask: NDArray[np.bool_], seeds: Sequence[Triple], spacing: Spacing
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Find the wide places that seeds lie at, by the deepest necks that tell all seeds apart, or by the shallowest."""
    neck = _default_neck(depth, spacing)
    while True:
        peaks = peaks_of(depth, mask, min(neck, float(depth.max()) / 2))  # at least one peak
        basins = _flood(depth, mask, peaks)
        homes = np.array([basins[seed] for seed in seeds], np.int32)
        neck /= 2
        if len(np.unique(homes)) == len(seeds) or neck < FINEST_NECK * min(spacing):
            return peaks, homes


def _shared(
    region: NDArray[np.bool_], distance: NDArray[np.float32], seeds: Sequence[Triple], spacing: Spacing
) -> NDArray[np.intp]:
    """Give for each voxel of a region, in order, which seed has it, where no neck lies between them.

    Each seed stands for a ball, and balls are cut where they meet: a voxel goes to the least squared distance less
    squared radius (power diagram, Aurenhammer 1987). The ball is the largest inside the object that holds the seed (the
    local thickness of Hildebrand and Ruegsegger 1997); where seeds would not get their own places by that, the largest
    around the seed; and else that of no radius: the nearest seed has the voxel.
    """
    edges = np.asarray(spacing)
    places, clicks, deep = np.argwhere(region) * edges, np.asarray(seeds) * edges, distance[region]
    balls = [_ball(click, places, deep) for click in clicks]
    around = np.array([distance[seed] for seed in seeds])
    for centres, radii in ((places[balls], deep[balls]), (clicks, around)):
        if np.array_equal(_least(clicks, centres, radii), np.arange(len(seeds))):
            return _least(places, centres, radii)
    return _least(places, clicks, np.zeros_like(around))


def _ball(click: NDArray[np.float64], places: NDArray[np.float64], deep: NDArray[np.float32]) -> int:
    """Give the index of the middle of the largest ball that holds a click."""
    holds = ((places - click) ** 2).sum(axis=1) <= deep.astype(np.float64) ** 2
    return int(np.argmax(np.where(holds, deep, 0)))


def _least(
    places: NDArray[np.float64], centres: NDArray[np.float64], radii: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Give for each place the ball with the least squared distance less squared radius."""
    best, least = np.zeros(len(places), np.intp), np.full(len(places), np.inf)
    for index, (centre, radius) in enumerate(zip(centres, radii.astype(np.float64), strict=True)):
        power = ((places - centre) ** 2).sum(axis=1) - radius**2
        best[power < least] = index
        np.minimum(least, power, out=least)
    return best


def _rename(
    labels: Any, parts: NDArray[np.int32], found: Objects, ids: Iterator[int], name: str, held: Held
) -> Edit | None:
    before = np.asarray(labels[found.box.slices])
    return propose(name, before, renamed(before, parts, found.numbers, ids), box=found.box, **held)


def _minus(voxel: Triple, start: Triple) -> Triple:
    z, y, x = (v - a for v, a in zip(voxel, start, strict=True))
    return (z, y, x)
