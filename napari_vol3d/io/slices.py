"""Folders of numbered pictures, TIFF or PNG, each of them one slice of a volume."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, magic, npy
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.parts import Part, choose
from napari_vol3d.io.png import read_png, read_png_header
from napari_vol3d.io.slice_names import Series, check_complete, find_series
from napari_vol3d.io.tiff import read_tiff
from napari_vol3d.io.tiff_pages import walk_pages

MOST_LOOKED_AT = 200
OTHERS = ("zarr.json", ".zarray", ".zgroup", "DICOMDIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    """What a file declares, and what it was like when that was read."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stamp: tuple[int, int]


def is_slice_folder(folder: Path) -> bool:
    """Whether a folder looks like one of slices, by the first 200 names in it and the first file.

    A folder of numbered stacks is none.
    """
    if not folder.is_dir() or any((folder / name).exists() for name in OTHERS):
        return False
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in itertools.islice(entries, MOST_LOOKED_AT) if entry.is_file()]
        found = find_series(names)
        return bool(found) and _look_at(folder / found[0].names[0]).shape != ()
    except (FileProblem, OSError):
        return False


def read_slices(folder: Path, part: str | None = None) -> Volume:
    """Read a folder of pictures as one volume, in the order of the number in their names.

    Parameters
    ----------
    folder : Path
    part : str, optional
        Which of several series in it: what their names have in common before the number.

    Returns
    -------
    Volume
        (Z, Y, X), of the files' own type, spacing 1 pixel. From 512 MB on, slices are read when they are asked for.
        `is_labels` is None.

    Raises
    ------
    SeveralParts
        If there are several series and none is named.
    FileProblem
        If a number is missing, or the slices are not all of one shape and type, coloured, damaged or too large.
    """
    try:
        with os.scandir(folder) as entries:
            found = find_series([entry.name for entry in entries if entry.is_file()])
    except OSError as error:
        raise FileProblem(f"Can't be opened: {folder.name} ({error.strerror}).", hint="Check the name.") from error
    if not found:
        raise FileProblem(
            f"No slices in {folder.name}: no numbered TIFF or PNG files.", hint="Name them image_1.tif, image_2.tif."
        )
    parts = [Part(key=series.key, title=_title(series)) for series in found]
    series = found[parts.index(choose(folder, parts, part))]
    check_complete(series)
    slices = [_look_at(folder / name) for name in series.names]
    _check_alike(slices)
    shape = (len(slices), *slices[0].shape)
    needed = gate.declared_bytes(folder, shape, slices[0].dtype.itemsize)
    gate.check_memory(folder, needed // len(slices))  # one is read whole, also where a part of it is asked for
    data = LazyArray(folder, shape, slices[0].dtype, lambda index: _read(slices, index))
    return Volume(
        data=data[...] if needed < npy.MAPPED_FROM and npy.fits(folder, needed) else data,
        geometry=Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel"), source=folder, is_labels=None,
        name=folder.name if len(found) == 1 else series.key,
    )  # fmt: skip


def _title(series: Series) -> str:
    return f"{len(series.names)} slices, {series.names[0]} to {series.names[-1]}"


def _look_at(path: Path) -> _Slice:
    """Read what a file declares, but no pixels."""
    status = gate.regular_file(path)
    stamp = (status.st_size, status.st_mtime_ns)
    if path.suffix.lower() == ".png":
        header = read_png_header(path)
        return _Slice(path=path, shape=header.shape, dtype=header.dtype, stamp=stamp)
    magic.require(path, "a TIFF file")
    with gate.reading(path) as size:
        pages = walk_pages(path, size).count
        with tifffile.TiffFile(path) as tif:
            page = tif.pages.first
            if pages != 1 or len(tif.series) != 1 or len(tif.series[0].shape) != len(page.shape):
                raise FileProblem(f"Not one slice: {path.name} has {pages} pages.", hint="Open it as a stack.")
            if page.dtype is None or page.dtype.kind not in "buif":
                raise FileProblem(f"Not plain numbers: {path.name} holds {page.dtype}.", hint="Convert it first.")
            return _Slice(
                path=path, shape=(page.imagelength, page.imagewidth), dtype=page.dtype.newbyteorder("="), stamp=stamp
            )


def _check_alike(slices: list[_Slice]) -> None:
    """Refuse a slice that is not like most others."""
    kinds = Counter((one.shape, one.dtype) for one in slices)
    (shape, dtype), count = kinds.most_common(1)[0]
    odd = next((one for one in slices if (one.shape, one.dtype) != (shape, dtype)), None)
    if odd is not None:
        raise FileProblem(
            f"Not like the others: {odd.path.name} is {odd.shape[0]} x {odd.shape[1]} {odd.dtype}, {count} slices are "
            f"{shape[0]} x {shape[1]} {dtype}.",
            hint="Take it out of the folder, or convert it.",
        )


def _read(slices: list[_Slice], index: tuple[slice, ...]) -> NDArray[Any]:
    wanted = slices[index[0]]
    lengths = [len(range(span.start, span.stop, span.step)) for span in index[1:]]
    voxels = np.empty((len(wanted), *lengths), slices[0].dtype)
    for k, one in enumerate(wanted):
        voxels[k] = _pixels(one)[index[1:]]
    return voxels


def _pixels(one: _Slice) -> NDArray[Any]:
    status = gate.regular_file(one.path)
    if (status.st_size, status.st_mtime_ns) != one.stamp:
        raise FileProblem(f"The file was changed: {one.path.name} is another one now.", hint="Open the folder again.")
    pixels = read_png(one.path) if one.path.suffix.lower() == ".png" else _tiff_pixels(one.path)
    if (pixels.shape, pixels.dtype) != (one.shape, one.dtype):
        raise FileProblem(f"Damaged file: {one.path.name} gives {pixels.shape}.", hint="Copy or download it again.")
    return pixels


def _tiff_pixels(path: Path) -> NDArray[Any]:
    page: NDArray[Any] = np.asarray(read_tiff(path).data)[0]
    if page.ndim == 2:
        return page
    if (page != page[..., :1]).any():
        raise FileProblem(
            f"Colours, not intensities: {path.name} is a coloured picture.",
            hint="Convert it to one grey value or label a pixel.",
        )
    return np.ascontiguousarray(page[..., 0])
