"""Grow from seeds along the edges of the image, and from one voxel through a range of intensities.

The first is Grow from seeds of 3D Slicer's Segment Editor with two algorithms to choose from, the second the connected
threshold of ITK.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.extent import clipped
from napari_vol3d.correct.islands import RANKS, Connectivity
from napari_vol3d.correct.limits import FREE, Held, check_range, in_range, limited, one_of, propose, with_class
from napari_vol3d.correct.seeded import flooded, walked

# Measured on hippocampi of the Decathlon: seeds eroded from the reference want less, strokes in every sixth slice more.
EDGES = 60.0
SIGMA = 1.0  # of the shortest voxel edge
MOST_VOXELS = 1 << 23  # some 200^3: 10 s or so and 1.6 GB, by either algorithm
FIRST_LOOK = 32  # voxels to each side of a clicked one; doubled until the region ends inside

Spread = Callable[[NDArray[np.float64], NDArray[np.int32]], NDArray[np.int32]]


def grow_random_walker(
    labels: Any,
    seeds: Any,
    *,
    box: Box,
    spacing: Spacing,
    background: int | None = None,
    edges: float = EDGES,
    name: str = "Grow from seeds",
    **held: Unpack[Held],
) -> Edit | None:
    """Give each voxel of a box to the seeds that a random walk from it most likely meets first.

    Good at weak and noisy edges (Grady 2006, see `seeded.walked`). A voxel that goes to the background loses its label
    only if that is one of the classes that have seeds; others stay there.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy; only the box is read.
    seeds : array of an integer type, shape (Z, Y, X)
        Ids of classes where the person painted them, 0 elsewhere. These voxels get that class.
    box : Box
        Where voxels may change; may reach past the volume.
    spacing : tuple of float
        Voxel edges (z, y, x).
    background : int, optional
        Which id in `seeds` stands for the background.
    edges : float
        How strongly a difference of intensities holds the growth back (Grady's beta); more is stronger.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`; here the image is always needed.

    Returns
    -------
    Edit or None
        None where nothing would change.

    Raises
    ------
    Vol3dError
        If there is no image, it is the same everywhere, the box has more than 8,388,608 voxels, or the seeds in it are
        of fewer than two kinds.
    """
    if not edges > 0:
        raise Vol3dError(f"Edges count more than nothing; received {edges:g}.", hint="Choose more than 0.")

    def spread(data: NDArray[np.float64], kinds: NDArray[np.int32]) -> NDArray[np.int32]:
        return walked(data, kinds, spacing, edges=edges)

    return _grow(labels, seeds, spread, box=clipped(box, labels), background=background, name=name, held=held)


def grow_watershed(
    labels: Any,
    seeds: Any,
    *,
    box: Box,
    spacing: Spacing,
    background: int | None = None,
    sigma: float | None = None,
    compactness: float = 0.0,
    name: str = "Grow from seeds",
    **held: Unpack[Held],
) -> Edit | None:
    """Give each voxel of a box to the seeds that reach it over the lowest gradients; see `grow_random_walker`.

    Good at clear edges, where it is more exact than the random walker (see `seeded.flooded`).

    Parameters
    ----------
    sigma : float, optional
        Of the Gaussian before the gradient, in the unit of the spacing; by default the shortest voxel edge.
    compactness : float
        What the way from a seed costs. At weak edges 0.05 finds hippocampi again where 0, the plain watershed, leaks;
        at clear ones it moves borders towards the middle between seeds.
    """
    if compactness < 0 or (sigma is not None and not sigma > 0):
        raise Vol3dError("Smoothing is above 0 mm, compactness not below 0.", hint="Choose larger values.")
    width = SIGMA * min(spacing) if sigma is None else sigma

    def spread(data: NDArray[np.float64], kinds: NDArray[np.int32]) -> NDArray[np.int32]:
        return flooded(data, kinds, spacing, sigma=width, compactness=compactness)

    return _grow(labels, seeds, spread, box=clipped(box, labels), background=background, name=name, held=held)


def region_grow(
    labels: Any,
    voxel: Triple,
    *,
    class_id: int,
    intensity: tuple[float, float],
    connectivity: Connectivity = 6,
    box: Box | None = None,
    name: str = "Grow region",
    **held: Unpack[Held],
) -> Edit | None:
    """Give a class the voxels that hang together with a clicked one and whose intensity lies in a range.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy; only the surroundings of the region are read.
    voxel : tuple of int
        (z, y, x)
    intensity : tuple of float
        From the first to the second, both included, in the image's own unit.
    connectivity : 6, 18 or 26
        How voxels hang together: by faces; also by edges; also by corners.
    box : Box, optional
        Where voxels may change, by default everywhere; may reach past the volume.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`; here the image is always needed. What stays is not grown through either.

    Returns
    -------
    Edit or None
        None where nothing would change.

    Raises
    ------
    Vol3dError
        If there is no image, or the voxel lies outside the box or the range, or may not change.
    """
    check_range(intensity)
    image, within = _image(labels, held), clipped(box, labels)
    z, y, x = (int(v) for v in voxel)
    seed = Box(start=(z, y, x), stop=(z + 1, y + 1, x + 1))
    if not seed.intersect(within).size:
        raise Vol3dError(f"There is no voxel {(z, y, x)} to grow from.", hint="Click inside the scan and the box.")
    value = float(np.asarray(image[seed.slices])[0, 0, 0])
    if not intensity[0] <= value <= intensity[1]:
        raise Vol3dError(
            f"The clicked intensity, {value:g}, is not from {intensity[0]:g} to {intensity[1]:g}.",
            hint="Widen the range, or click elsewhere.",
        )
    read, region = _region(labels, seed, within, class_id, intensity, RANKS[connectivity], held)
    before = np.asarray(labels[read.slices])
    return propose(name, before, with_class(before, region, class_id), box=read, **held)


def _grow(
    labels: Any, seeds: Any, spread: Spread, *, box: Box, background: int | None, name: str, held: Held
) -> Edit | None:
    image = _image(labels, held)
    _check_grid("seeds", seeds, labels)
    if box.size > MOST_VOXELS:
        raise Vol3dError(
            f"The box is too large to grow in: {box.size:,} voxels, up to {MOST_VOXELS:,} can be.",
            hint="Draw a smaller box around the seeds.",
        )
    painted = np.asarray(seeds[box.slices])
    ids, kinds = _kinds(painted)
    before = np.asarray(labels[box.slices])
    data = _finite(np.asarray(image[box.slices]))
    found = ids[spread(data, kinds) - 1]
    return propose(name, before, _wanted(before, found, ids, background), box=box, **held)


def _kinds(painted: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Number the ids of the seeds from 1, in order."""
    ids = np.unique(painted)
    ids = ids[ids != 0].astype(np.int64)
    if len(ids) < 2:
        raise Vol3dError(
            f"Growing takes seeds of two kinds or more; there is {len(ids)} in the box.",
            hint="Paint a few voxels of the background, or of another class, too.",
        )
    return ids, np.where(painted == 0, 0, np.searchsorted(ids, painted) + 1).astype(np.int32)


def _wanted(
    before: NDArray[Any], found: NDArray[np.int64], ids: NDArray[np.int64], background: int | None
) -> NDArray[np.int64]:
    """Put the grown classes over the labels; the background only over those of the same classes."""
    cleared = np.where(one_of(before, ids.tolist()), 0, before.astype(np.int64))
    return found if background is None else np.where(found == background, cleared, found)


def _region(
    labels: Any, seed: Box, within: Box, class_id: int, intensity: tuple[float, float], rank: int, held: Held
) -> tuple[Box, NDArray[np.bool_]]:
    """Find the region around a voxel, looking twice as far each time until it ends inside what was read."""
    reach, structure = FIRST_LOOK, ndimage.generate_binary_structure(3, rank)
    while True:
        read = seed.grown((reach, reach, reach)).intersect(within)
        numbers, _ = ndimage.label(_passable(labels, read, class_id, intensity, held), structure, output=np.int32)
        z, y, x = (a - b for a, b in zip(seed.start, read.start, strict=True))
        if not numbers[z, y, x]:
            raise Vol3dError("The clicked voxel may not change.", hint="Unlock its class, or click elsewhere.")
        region = numbers == numbers[z, y, x]
        if _ends_inside(region, read, within):
            return read, region
        reach *= 2


def _passable(
    labels: Any, read: Box, class_id: int, intensity: tuple[float, float], held: Held
) -> NDArray[np.bool_]:
    """Tell which voxels are in the range and of the class, or may become it."""
    before, image = np.asarray(labels[read.slices]), np.asarray(_image(labels, held)[read.slices])
    guarded = held.get("guarded")
    after = limited(
        before,
        with_class(before, np.ones(before.shape, bool), class_id),
        held.get("limits", FREE),
        image=image,
        guarded=None if guarded is None else np.asarray(guarded[read.slices], bool),
    )
    return np.asarray((after == class_id) & in_range(image, intensity))


def _ends_inside(region: NDArray[np.bool_], read: Box, within: Box) -> bool:
    """Whether a region meets no face of what was read, but for those of the box that it may fill."""
    for axis in range(3):
        low = region.take(0, axis=axis).any() and read.start[axis] > within.start[axis]
        high = region.take(-1, axis=axis).any() and read.stop[axis] < within.stop[axis]
        if low or high:
            return False
    return True


def _image(labels: Any, held: Held) -> Any:
    image = held.get("image")
    if image is None:
        raise Vol3dError("Growing needs an image to grow in.", hint="Choose the scan of these labels.")
    _check_grid("image", image, labels)
    return image


def _check_grid(what: str, array: Any, labels: Any) -> None:
    if tuple(array.shape) != tuple(labels.shape):
        raise Vol3dError(
            f"The {what} and the labels differ in their grid: {tuple(array.shape)} and {tuple(labels.shape)} voxels.",
            hint="Choose those of the same scan.",
        )


def _finite(image: NDArray[Any]) -> NDArray[np.float64]:
    """Give intensities as numbers; what is none counts as the lowest.

    Raises
    ------
    Vol3dError
        If they are all the same.
    """
    data = image.astype(np.float64)
    known = np.isfinite(data)
    lowest, highest = (data[known].min(), data[known].max()) if known.any() else (0.0, 0.0)
    if lowest == highest:
        raise Vol3dError("The image is the same everywhere in the box.", hint="Choose another image, or a larger box.")
    return np.where(known, (data - lowest) / (highest - lowest), 0.0)
