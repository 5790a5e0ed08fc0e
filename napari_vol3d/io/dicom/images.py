"""DICOM image series: what lies in a folder, and the slices of one series as a volume.

The way of a series: `scan` finds the files, `header` and `planes` read them up to the pixels, `groups` says what can be
opened, `stack` and `geometry` put the slices in order and prove that they are a grid, `pixels` reads the values.
Nothing that names a patient is kept, logged or shown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, magic
from napari_vol3d.io.dicom.geometry import affine_of
from napari_vol3d.io.dicom.groups import Group, groups_of, name_of
from napari_vol3d.io.dicom.header import is_dicom, quiet, read_header
from napari_vol3d.io.dicom.pixels import check_intensities, read_values, same_values
from napari_vol3d.io.dicom.scan import Found, is_labels, scan
from napari_vol3d.io.dicom.stack import Stack, stack
from napari_vol3d.io.held import hold

REPAIR = "+repair"  # behind the key of a part: read it repaired
log = logging.getLogger(__name__)


@quiet()
def groups_in(path: Path) -> tuple[tuple[Group, ...], Path]:
    """Give what can be opened in a folder, or beside one file of a series; and the folder where it lies.

    Raises
    ------
    FileProblem
        If there is nothing, or a file is damaged.
    """
    if path.is_dir():
        return _some(groups_of(scan(path), path), path), path
    gate.regular_file(path)
    if not is_dicom(path):
        magic.require(path, "a DICOM file")
    header, folder = read_header(path), path.parent
    if is_labels(header):
        found = Found(planes=(), labels=(header,), series={}, problems={}, ignored={})
    else:
        found = scan(folder, nested=False, series=header.text("SeriesInstanceUID"))
    return _some(groups_of(found, folder), path), folder


def _some(groups: tuple[Group, ...], path: Path) -> tuple[Group, ...]:
    if not groups:
        raise FileProblem(f"No DICOM images in {path.name}.", hint="Open the folder that holds a series' files.")
    return groups


@quiet()
def read_image(group: Group, path: Path, folder: Path, *, repair: bool = False) -> Volume:
    """Read the slices of a group as one volume.

    Parameters
    ----------
    path : Path
        For messages, and as the volume's source.
    folder : Path
        In which it lies.
    repair : bool
        Fill in uneven distances between slices linearly, and keep a tilted gantry as sheared voxels.

    Raises
    ------
    Irregular
        If distances or angles are such that it can only be opened repaired.
    FileProblem
        If it is no volume, is damaged, or too large.
    """
    check_intensities(group.planes)
    stacked = stack(group.planes, f"{group.part.key}{REPAIR}", same_values, repair=repair)
    affine = affine_of(stacked.planes, stacked.slices, path)
    first = stacked.planes[0].stored
    shape = (first.columns, first.rows, stacked.slices)
    gaps = stacked.gaps() if repair else None
    fields = _fields(group, stacked, filled=gaps is not None)
    geometry = hold(affine, shape, anatomical=True, unit="mm", header=fields)
    values = read_values(stacked.times, geometry.stored, path)
    if gaps is not None:
        values = _filled(values, gaps, geometry, path)
    if first.colour == "MONOCHROME1":
        log.info("Low values are meant to be shown bright in %s; they are kept as they are", path.name)
    return Volume(
        data=values, geometry=geometry, name=name_of(group.header, folder), source=path,
        timed=len(stacked.times) > 1,
    )  # fmt: skip


def _fields(group: Group, stacked: Stack, *, filled: bool) -> dict[str, Any]:
    planes = [] if filled else [plane for time in stacked.times for plane in time]
    header = group.header
    return {
        "format": "dicom",
        "series": header.text("SeriesInstanceUID"),
        "study": header.text("StudyInstanceUID"),
        "frame_of_reference": header.text("FrameOfReferenceUID"),
        "modality": header.text("Modality"),
        "files": tuple(str(plane.stored.path) for plane in planes),
        "frames": tuple(plane.frame for plane in planes),
    }


def _filled(values: Any, gaps: NDArray[np.float64], geometry: Geometry, path: Path) -> NDArray[Any]:
    """Give values at evenly spaced slices, in between the planes that there are."""
    axis = geometry.stored.axes.index(2)
    flip = geometry.stored.flips[axis]
    shape = (*values.shape[:axis], len(gaps), *values.shape[axis + 1 :])
    gate.check_memory(path, 2 * gate.declared_bytes(path, shape, values.dtype.itemsize))
    result = np.empty(shape, values.dtype)
    source, target = np.moveaxis(np.asarray(values), axis, 0), np.moveaxis(result, axis, 0)
    if flip:
        source, target = source[::-1], target[::-1]
    for at, plane in zip(target, _between(source, gaps), strict=True):
        at[...] = plane
    log.warning("Filled in slices of %s: %d from %d", path.name, len(gaps), len(source))
    return result


def _between(planes: NDArray[Any], where: NDArray[np.float64]) -> Iterator[NDArray[Any]]:
    """Give values at fractions of a plane's number, rounded where planes hold integers."""
    for place in where:
        low = min(int(place), len(planes) - 2)
        share = place - low
        mixed = planes[low] * (1 - share) + planes[low + 1] * share
        yield np.round(mixed) if planes.dtype.kind in "iu" else mixed
