"""NIfTI-1 and NIfTI-2, plain or gzipped, with the class names that Connectome Workbench and TotalSegmentator keep.

Voxels are held as (Z, Y, X) turned to the nearest of superior, posterior, left; the header's own geometry fields are
kept untouched and written back bit for bit (`nifti_geometry`).

nibabel parses and makes the headers. The bytes are read and written here, because nibabel skips the checksum of
.nii.gz, and rescales or narrows labels to what a reused header says.
"""

from __future__ import annotations

import gzip
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import to_label_dtype
from napari_vol3d.core.volume import Volume
from napari_vol3d.io import gate, magic
from napari_vol3d.io.label_table import read_table, table_extension
from napari_vol3d.io.nifti_geometry import GEOMETRY_FIELDS, HEADERS, header_for, read_geometry
from napari_vol3d.io.nifti_time import OWN, is_timed, step_of, tell_time
from napari_vol3d.io.npy import LazyArray, fits, map_voxels, native
from napari_vol3d.io.plain_numbers import plain_numbers
from napari_vol3d.io.safe_write import same_voxels, write_safely
from napari_vol3d.io.times import with_time_step

INTENT_LABEL = 1002
MOST_EXTENSIONS = 1 << 26


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Contents:
    """What a file holds, as it holds it: voxels in its own axis order, scaled once.

    Voxels that are mapped keep the byte order of the file.
    """

    header: Any
    voxels: NDArray[Any]
    extensions: bytes  # all that lies between header and voxels
    scaling: tuple[float, float] | None = None  # left to do part by part: the scaled voxels would not fit into memory


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI file; the voxels of one that is not packed stay in it until they are asked for.

    The fourth axis is time or the channels, as `nifti_time` tells.

    Returns
    -------
    Volume
        (Z, Y, X), (Z, Y, X, C), (Z, Y, X, T) or (Z, Y, X, C, T). The stored integer type, or float32 where the header
        scales; NaN is kept. `is_labels` is True where the file has a table of classes or says that it is a label
        map, else None.

    Raises
    ------
    FileProblem
        If it is damaged, too large, or holds colours or complex numbers.
    """
    contents = _load(path)
    shape, timed = contents.voxels.shape, is_timed(contents.header, contents.voxels.ndim)
    with gate.reading(path, HeaderDataError):
        geometry = read_geometry(contents.header, (shape[0], shape[1], shape[2]), path)
    held = geometry.stored.to_held(contents.voxels)
    channels = 0 if len(shape) == 3 + timed else shape[-1]
    classes = read_table(contents.extensions, contents.header.endianness)
    labelled = bool(classes) or int(contents.header["intent_code"]) == INTENT_LABEL
    return Volume(
        data=_finished(path, held.swapaxes(3, 4) if held.ndim == 5 else held, contents.scaling),
        geometry=with_time_step(geometry, step_of(contents.header) if timed else None),
        name=path.name.split(".nii")[0],
        source=path,
        channels=tuple(f"volume {i + 1}" for i in range(channels)),
        is_labels=True if labelled and not channels and _could_be_labels(contents) else None,
        classes=classes,
        timed=timed,
    )


def write_nifti(target: Path, volume: Volume) -> Path:
    """Write a volume, in the axis order and with the geometry fields of the NIfTI file it came from if it did.

    Labels get a fresh header, the smallest unsigned type that holds every id, and a table of their classes. Volumes
    from elsewhere are stored in (x, y, z) order with sform and, where that can hold it, qform. Time points are the
    fourth axis, with the step of the source; 0 s where that is not known.

    Parameters
    ----------
    target : Path
        Gzipped if it ends in .gz.

    Raises
    ------
    SaveProblem
        If it can't be written, or does not read back the same; what was there before is untouched.
    """
    voxels = np.asarray(volume.data)
    held = to_label_dtype(voxels) if volume.is_labels else plain_numbers(target, voxels, "NIfTI")
    held = held.swapaxes(3, 4) if held.ndim == 5 else held
    grid, header = header_for(volume)
    tell_time(header, volume)
    header.set_data_shape(tuple(held.shape[axis] for axis in np.argsort(grid.axes)) + held.shape[3:])
    header.set_data_dtype(held.dtype)
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["descrip"] = OWN
    if volume.is_labels:
        header["intent_code"] = INTENT_LABEL
    table = table_extension(volume.classes) if volume.is_labels and volume.classes else b""
    header["vox_offset"] = int(header["sizeof_hdr"]) + 4 + len(table)
    stored = grid.to_stored(held)

    def write(path: Path) -> None:
        with _packing(path, level=6 if volume.is_labels else 1) as file:
            file.write(header.binaryblock + bytes((bool(table), 0, 0, 0)) + table)
            for k in range(stored.shape[-1]):  # by slab, so that a volume is never in memory twice
                file.write(stored[..., k].tobytes(order="F"))

    def check(path: Path) -> None:
        found = _load(path)
        # The reader drops axes of one volume; both sides are compared without them.
        meant = stored.reshape(_spatial(stored.shape, target))
        same = all(found.header[name].tobytes() == header[name].tobytes() for name in GEOMETRY_FIELDS)
        if not same or not same_voxels(found.voxels, meant):
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")

    return write_safely(target, write, check)


def _load(path: Path) -> _Contents:
    magic.require(path, "a NIfTI file")
    also = (HeaderDataError, ImageFileError, WrapStructError)
    with gate.reading(path, *also) as size, gate.unpacked(path) as file:
        packed = isinstance(file, gzip.GzipFile)
        header = _read_header(file, path, size)
        shape, dtype = _declared_shape(header, path), _declared_dtype(header, path)
        slope, inter = _scaling(header)
        scaled = (slope, inter) != (1.0, 0.0) or dtype.itemsize > 8
        voxel_bytes = gate.declared_bytes(path, shape, dtype.itemsize)
        scaled_bytes = 4 * math.prod(shape) if scaled else 0
        offset = _offset(header, path)
        declared = offset + voxel_bytes
        gate.check_stored(path, declared, size, packed=packed)
        start = int(header["sizeof_hdr"])
        between = bytearray(offset - start)
        gate.fill(file, between, path, declared, start)
        if packed:
            gate.check_memory(path, voxel_bytes + scaled_bytes)
            buffer = np.empty(voxel_bytes, np.uint8)
            gate.fill(file, buffer, path, declared, offset)
            voxels = buffer.view(dtype)
        else:
            voxels = map_voxels(path, dtype, (math.prod(shape),), offset=offset)
            file.seek(declared)
        gate.finish(file, path, declared)
        voxels = voxels.reshape(_spatial(shape, path), order="F")
        later = scaled and not packed and not fits(path, scaled_bytes)
        if scaled and not later:
            voxels = _scaled(voxels, slope, inter)
        elif packed:
            voxels = _native(voxels)
    return _Contents(header=header, voxels=voxels, extensions=bytes(between), scaling=(slope, inter) if later else None)


def _finished(path: Path, held: NDArray[Any], scaling: tuple[float, float] | None) -> Any:
    """Give what a caller may use: scaled, in native byte order, part by part where all at once would not fit."""
    if scaling is None:
        return native(path, held)
    return LazyArray(path, held.shape, np.float32, lambda index: _scaled(held[index], *scaling))


def _read_header(file: IO[bytes], path: Path, size: int) -> Any:
    start = bytearray(4)
    gate.fill(file, start, path, size)
    length = next(n for n in HEADERS if bytes(start) in (struct.pack("<i", n), struct.pack(">i", n)))
    order = "<" if bytes(start) == struct.pack("<i", length) else ">"
    rest = bytearray(length - 4)
    gate.fill(file, rest, path, length, 4)
    # Without nibabel's own checks, which repair silently what should be said.
    return HEADERS[length](bytes(start + rest), endianness=order, check=False)


def _declared_shape(header: Any, path: Path) -> tuple[int, ...]:
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise FileProblem(f"Damaged header: {path.name} declares {count} axes.", hint="Export the volume again.")
    return tuple(int(length) for length in header["dim"][1 : count + 1])


def _declared_dtype(header: Any, path: Path) -> np.dtype[Any]:
    dtype: np.dtype[Any] = header.get_data_dtype()
    if dtype.names:
        raise FileProblem(
            f"Colours, not intensities: {path.name} holds {''.join(dtype.names)} voxels.",
            hint="Convert it to one grey value or label a voxel.",
        )
    if dtype.kind not in "iuf":
        kind = "complex numbers" if dtype.kind == "c" else "a voxel type that is not known"
        raise FileProblem(f"Not plain numbers: {path.name} holds {kind}.", hint="Save its magnitude instead.")
    return dtype


def _offset(header: Any, path: Path) -> int:
    offset, least = float(header["vox_offset"]), int(header["sizeof_hdr"]) + 4
    if not least <= offset <= least + MOST_EXTENSIONS or offset != int(offset):
        raise FileProblem(
            f"Damaged header: {path.name} says that its voxels begin at byte {offset:g}.",
            hint="Export the volume again.",
        )
    return int(offset)


def _scaling(header: Any) -> tuple[float, float]:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    if not math.isfinite(inter):
        raise ValueError(f"scl_inter is {inter}")
    return slope, inter


def _spatial(shape: tuple[int, ...], path: Path) -> tuple[int, ...]:
    """Give three to five axes: trailing single ones dropped, and the empty time axis of vector files."""
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) == 5 and shape[3] == 1:
        shape = shape[:3] + shape[4:]
    if len(shape) > 5:
        raise FileProblem(
            f"Too many axes: {path.name} has the shape {shape}.", hint="Save one volume, or one series of volumes."
        )
    return shape + (1,) * (3 - len(shape))


def _native(voxels: NDArray[Any]) -> NDArray[Any]:
    if voxels.dtype.isnative:
        return voxels
    return voxels.byteswap(inplace=True).view(voxels.dtype.newbyteorder("="))


def _scaled(voxels: NDArray[Any], slope: float, inter: float) -> NDArray[np.float32]:
    """Apply the header's scaling, computed in float64, slab by slab so that no float64 volume is ever made."""
    result = np.empty(voxels.shape, np.float32, order="F")
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(voxels.shape[-1]):
            result[..., k] = voxels[..., k].astype(np.float64) * slope + inter
    return result



@contextmanager
def _packing(path: Path, *, level: int) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        if not path.name.lower().endswith(".gz"):
            yield raw
            return
        # Without name and time in the stream, so that the same labels give the same bytes.
        with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=level, mtime=0) as file:
            yield file  # type: ignore[misc]


def _could_be_labels(contents: _Contents) -> bool:
    voxels = contents.voxels
    if contents.scaling is not None:
        return False
    if voxels.dtype.kind in "iu":
        return True
    slabs = (voxels[..., k] for k in range(voxels.shape[-1]))  # the file may be larger than memory
    return all(bool((np.isfinite(slab) & (slab == np.round(slab))).all()) for slab in slabs)
