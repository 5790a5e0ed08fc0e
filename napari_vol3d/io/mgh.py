"""FreeSurfer's .mgh and .mgz: one volume or a series, big-endian, with its place behind the sizes.

nibabel parses the header. The bytes are read here, because nibabel skips the checksum of .mgz, and what lies behind
the voxels is looked at, because nothing else tells a header that declares too few of them.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from nibabel.freesurfer.mghformat import MGHError, MGHHeader
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Volume
from napari_vol3d.io import gate, magic
from napari_vol3d.io.held import hold
from napari_vol3d.io.lengths import positive
from napari_vol3d.io.npy import map_voxels, native
from napari_vol3d.io.times import with_time_step

KIND = "a FreeSurfer MGH file"
HEADER, DATA_OFFSET, GOOD_RAS_AT = 90, 284, 28
DTYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
FOOTER_VALUES = 20  # repetition time (ms), flip angle, echo and inversion time, field of view
MOST_FOOTER = 1 << 24
# Tags behind these values: a number, then a length of 8 bytes. Three old ones say no length, one says it in 4 bytes.
LAST_TAG, WITHOUT_LENGTH, SHORT_LENGTH = 127, (1, 2, 20), 30


def read_mgh(path: Path) -> Volume:
    """Read an MGH file; the voxels of one that is not packed stay in it until they are asked for.

    Returns
    -------
    Volume
        (Z, Y, X), or (Z, Y, X, T) for several frames, turned to the nearest of superior, posterior, left. Where the
        file says that its directions are not good, FreeSurfer takes the scan for coronal with voxels of 1 mm; so
        here, but nothing is turned and the volume is not a patient's. `is_labels` is None.

    Raises
    ------
    FileProblem
        If it is damaged or too large.
    """
    if magic.kind_of(path) not in (KIND, f"gzip around {KIND}"):
        magic.require(path, KIND)
    with gate.reading(path, MGHError) as size, gate.unpacked(path) as file:
        packed = isinstance(file, gzip.GzipFile)
        block = bytearray(DATA_OFFSET)
        gate.fill(file, block, path, DATA_OFFSET)
        shape, dtype = _declared(block, path)
        voxel_bytes = gate.declared_bytes(path, shape, dtype.itemsize)
        declared = DATA_OFFSET + voxel_bytes
        gate.check_stored(path, declared, size, packed=packed)
        voxels = _voxels(file, path, dtype, voxel_bytes, packed=packed)
        footer = _footer(file, path, declared)
        anatomical = struct.unpack_from(">h", block, GOOD_RAS_AT)[0] > 0
        if not anatomical:
            block[GOOD_RAS_AT : GOOD_RAS_AT + 2] = bytes(2)
        header: Any = MGHHeader(bytes(block[:HEADER]) + footer[:FOOTER_VALUES], check=False)
        affine = np.asarray(header.get_affine(), np.float64)
        gate.check_affine(path, affine)
    stored = voxels.reshape(shape if shape[3] > 1 else shape[:3], order="F")
    lengths = (shape[0], shape[1], shape[2])
    geometry = hold(affine, lengths, anatomical=anatomical, unit="mm", header={"format": "mgh"})
    timed = shape[3] > 1
    step = positive(float(header["tr"]) / 1000) if timed else None
    return Volume(
        data=native(path, geometry.stored.to_held(stored)), geometry=with_time_step(geometry, step),
        name=path.name.split(".mg")[0], source=path, is_labels=None, timed=timed,
    )  # fmt: skip


def _declared(block: bytearray, path: Path) -> tuple[tuple[int, int, int, int], np.dtype[Any]]:
    _, x, y, z, frames, code = struct.unpack_from(">6i", block)
    if code not in DTYPES:
        raise FileProblem(
            f"Not plain numbers: {path.name} holds voxels of a type that is not known ({code}).",
            hint="Convert it with mri_convert.",
        )
    return (x, y, z, frames), np.dtype(DTYPES[code])


def _voxels(file: IO[bytes], path: Path, dtype: np.dtype[Any], count: int, *, packed: bool) -> NDArray[Any]:
    """Read or map all voxels, one after another; those that are read come in native byte order."""
    if not packed:
        file.seek(DATA_OFFSET + count)
        return map_voxels(path, dtype, (count // dtype.itemsize,), offset=DATA_OFFSET)
    gate.check_memory(path, count)
    buffer = np.empty(count, np.uint8)
    gate.fill(file, buffer, path, DATA_OFFSET + count, DATA_OFFSET)
    voxels = buffer.view(dtype)
    return voxels if dtype.isnative else voxels.byteswap(inplace=True).view(dtype.newbyteorder("="))


def _footer(file: IO[bytes], path: Path, declared: int) -> bytes:
    """Read to the end, where gzip keeps its checksum, and prove that no voxels lie there."""
    try:
        footer = file.read(MOST_FOOTER)
    except EOFError as error:
        raise gate.truncated(path, declared, declared, packed=True) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise gate.damaged_stream(path, error) from error
    gate.finish(file, path, declared + len(footer))
    if not _is_footer(footer):
        raise FileProblem(
            f"Damaged header: {path.name} holds more bytes than the {declared:,} it declares.",
            hint="The shape in its header is wrong; export the volume again.",
        )
    return footer


def _is_footer(footer: bytes) -> bool:
    """Whether these bytes are the values and tags that FreeSurfer writes, or zeros."""
    at = FOOTER_VALUES
    while at + 4 <= len(footer) and any(footer[at:]):
        (tag,) = struct.unpack_from(">i", footer, at)
        if tag in WITHOUT_LENGTH:
            return True
        form = ">i" if tag == SHORT_LENGTH else ">q"
        at += 4
        if not 0 < tag <= LAST_TAG or at + struct.calcsize(form) > len(footer):
            return False
        (length,) = struct.unpack_from(form, footer, at)
        at += struct.calcsize(form) + length
        if length < 0 or at > len(footer):
            return False
    return math.isfinite(sum(struct.unpack_from(f">{min(len(footer), FOOTER_VALUES) // 4}f", footer)))
