"""Where two readings of one scan differ: as a layer to look at, and region by region to decide on.

A region is a connected part of all voxels where the readings differ, whatever they say there: parts touch by a face,
an edge or a corner, as those of objects. So one decision settles one place. Readings are taken apart into runs by
`core.object_table`, so that what it costs goes with what differs and not with the volume.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.agreement import check_readings
from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.labels import LabelClass, default_color, label_dtype, to_label_dtype
from napari_vol3d.core.metrics import UNIT_SPACING
from napari_vol3d.core.object_table import ObjectTable, measure_objects, spread
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.sliced import Sliced
from napari_vol3d.core.volume import Spacing

ONLY_FIRST, ONLY_SECOND, ANOTHER_CLASS = 1, 2, 3
RUNS_AT_A_TIME = 1 << 14  # written between two reports: 8 million voxels where runs have 512
REGIONS_AT_A_TIME = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A connected part of the voxels where two readings differ.

    Attributes
    ----------
    id : int
        Its number in the region volume: 1 is the largest.
    box : Box
        The smallest that holds it.
    voxels : int
    mm3 : float or None
        None where the scan has no unit of length.
    centre : tuple of float
        Mean index (z, y, x), which may lie outside of a bent region.
    inner : tuple of int
        The voxel (z, y, x) of the region that is nearest to its centre: a place to jump to.
    ids_first, ids_second : tuple of int
        What each reading says there, in order of the ids; 0 is background.
    """

    id: int
    box: Box
    voxels: int
    mm3: float | None
    centre: Spacing
    inner: Triple
    ids_first: tuple[int, ...]
    ids_second: tuple[int, ...]


def disagreement_classes(first: str = "first", second: str = "second") -> tuple[LabelClass, ...]:
    """Name what `disagreement_labels` holds, for readers with these names."""
    named = {ONLY_FIRST: f"only {first}", ONLY_SECOND: f"only {second}", ANOTHER_CLASS: "another class"}
    return tuple(LabelClass(id=i, name=name, color=default_color(i)) for i, name in named.items())


def disagreement_labels(first: Any, second: Any) -> NDArray[np.uint8]:
    """Show where two readings differ.

    Parameters
    ----------
    first, second : array of integers, shape (Z, Y, X)
        On one grid, in memory or lazy: they are read by planes.

    Returns
    -------
    ndarray of uint8, shape (Z, Y, X)
        0 where they agree, 1 where only the first has a class, 2 where only the second has one, 3 where each has
        another.

    Raises
    ------
    ScanMismatch
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> disagreement_labels(np.array([[[0, 1, 0, 1, 1]]]), np.array([[[0, 0, 2, 2, 1]]])).tolist()
    [[[0, 1, 2, 3, 0]]]
    """
    check_readings(first, second)
    kinds = np.empty(tuple(first.shape), np.uint8)
    for z in range(len(kinds)):
        one, other = np.asarray(first[z : z + 1])[0], np.asarray(second[z : z + 1])[0]
        kinds[z] = (ONLY_FIRST * (one != 0) + ONLY_SECOND * (other != 0)) * (one != other)
    return kinds


def find_regions(
    first: Any, second: Any, *, spacing: Spacing | None = None, most: int | None = None
) -> Generator[Progress, None, tuple[NDArray[Any], tuple[Region, ...]]]:
    """Find the places where two readings differ, the largest first.

    Parameters
    ----------
    first, second : array of integers, shape (Z, Y, X)
        On one grid, in memory or lazy: they are read by planes.
    spacing : tuple of float, optional
        Along (z, y, x), in mm.
    most : int, optional
        Smaller regions than so many are left out, by default none.

    Returns
    -------
    ndarray of the smallest unsigned type that holds the numbers, shape (Z, Y, X)
        Of each voxel the number of its region; 0 where the readings agree, and where regions are left out.
    tuple of Region

    Raises
    ------
    ScanMismatch
        If the shapes differ.
    Vol3dError
        If they differ in so fine a grain, as noise does, that no list of it would be of use.
    """
    check_readings(first, second)
    table = yield from measure_objects(_Differing(first, second), spacing or UNIT_SPACING)
    if most is not None and most < len(table):
        table = table.taken(np.arange(max(most, 0)))
    numbers = np.zeros(table.shape, label_dtype(len(table)))
    yield from _write(numbers, table)
    regions = yield from _described(table, numbers, first, second, spacing)
    return numbers, regions


def adjudicate(final: Any, source: Any, *, region: Region, numbers: NDArray[Any], name: str = "") -> Edit | None:
    """Take what one reading says in a region.

    Parameters
    ----------
    final : array of an unsigned integer type, shape (Z, Y, X)
        The labels that are decided on; they are only read.
    source : array of integers, shape (Z, Y, X)
        The reading. Only the region's box is read of both.
    region, numbers : Region, ndarray
        As `find_regions` gives them.
    name : str
        For the list of edits: "Take reader 1, region 3".

    Returns
    -------
    Edit or None
        None where the labels say the same already.

    Raises
    ------
    ScanMismatch
        If the shapes differ.
    Vol3dError
        If an id does not fit into the type of the labels.
    """
    check_readings(final, source, numbers)
    where = _mask(region, numbers)
    return _put(final, np.asarray(source[region.box.slices])[where], where, region=region, name=name)


def adjudicate_by_majority(
    final: Any, readings: Sequence[Any], *, region: Region, numbers: NDArray[Any], name: str = ""
) -> Edit | None:
    """Take in a region what more than half of the readings say; where no class has so many, the labels stay.

    Parameters
    ----------
    readings : sequence of arrays of integers, shape (Z, Y, X)
        Three or more: those of two readers and the model's labels.

    See Also
    --------
    adjudicate : for the others, and for what it gives and raises.
    """
    check_readings(final, *readings, numbers)
    where, box = _mask(region, numbers), region.box.slices
    votes = [np.asarray(reading[box])[where] for reading in readings]
    wanted = np.asarray(final[box])[where]
    for vote in votes:
        won = 2 * np.sum([other == vote for other in votes], axis=0) > len(votes)
        wanted = np.where(won, vote, wanted)
    return _put(final, wanted, where, region=region, name=name)


class _Differing(Sliced):
    """1 where two readings differ, made when it is asked for."""

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__(first.shape, np.uint8)
        self._first, self._second = first, second

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        differs: NDArray[np.bool_] = np.asarray(self._first[spans]) != np.asarray(self._second[spans])
        return differs.view(np.uint8)


def _write(numbers: NDArray[Any], table: ObjectTable) -> Iterator[Progress]:
    """Write the numbers of the regions into a volume of zeros."""
    flat, began, count = numbers.reshape(-1), time.monotonic(), len(table.begin)
    of_run = np.repeat(np.arange(1, len(table) + 1, dtype=numbers.dtype), np.diff(table.first))
    for k in range(0, count, RUNS_AT_A_TIME):
        part = slice(k, k + RUNS_AT_A_TIME)
        flat[spread(table.begin[part], table.length[part])] = np.repeat(of_run[part], table.length[part])
        yield Progress(phase="Numbering regions", done=k, total=count, seconds=time.monotonic() - began)


def _described(
    table: ObjectTable, numbers: NDArray[Any], first: Any, second: Any, spacing: Spacing | None
) -> Generator[Progress, None, tuple[Region, ...]]:
    regions, began = [], time.monotonic()
    for row in range(len(table)):
        (z0, y0, x0), (z1, y1, x1) = table.start[row].tolist(), table.stop[row].tolist()
        box = Box(start=(z0, y0, x0), stop=(z1, y1, x1))
        where = numbers[box.slices] == row + 1
        said = [np.unique(np.asarray(reading[box.slices])[where]).tolist() for reading in (first, second)]
        regions.append(
            Region(
                id=row + 1, box=box, voxels=int(table.voxels[row]),
                mm3=None if spacing is None else float(table.volume[row]),
                centre=tuple(table.centre[row].tolist()), inner=tuple(table.inner[row].tolist()),
                ids_first=tuple(said[0]), ids_second=tuple(said[1]),
            )
        )  # fmt: skip
        if row % REGIONS_AT_A_TIME == 0:
            yield Progress(phase="Looking at regions", done=row, total=len(table), seconds=time.monotonic() - began)
    return tuple(regions)


def _mask(region: Region, numbers: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(numbers[region.box.slices] == region.id)


def _put(
    final: Any, wanted: NDArray[Any], where: NDArray[np.bool_], *, region: Region, name: str
) -> Edit | None:
    """Make an edit of the labels that some voxels of a region's box are to have."""
    before = np.asarray(final[region.box.slices])
    after = before.copy()
    after[where] = to_label_dtype(wanted, before.dtype)  # raises where NumPy would cut an id to fit
    return Edit.between(name or f"Decide region {region.id}", before, after, start=region.box.start)
