"""The voxels behind a header of NRRD or MetaImage: in the same file or in others beside it, plain, packed or as text.

ITK loads half files as zeros without a word, so it reads nothing here: what is declared is compared with what is
stored before anything is allocated, packed streams are read to their checksum.
"""

from __future__ import annotations

import bz2
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.data_files import AGAIN
from napari_vol3d.io.itk_streams import MOST_HEADER, Encoding, fill_numbers, unpacked
from napari_vol3d.io.npy import map_voxels


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a header says of its voxels.

    Attributes
    ----------
    files : tuple of Path
        Each holds an equal share, the slowest axis last.
    encoding : str
        "deflate" is zlib or gzip, whichever the bytes say.
    dtype : dtype
        With the byte order of the file.
    shape : tuple of int
        Fastest axis first.
    start : int
        Byte at which the voxels begin (or the lines to skip); below zero, they end -1 - start bytes before the end.
    after : int
        Byte that they can't begin before, because the header is there.
    lines : int
        Lines to skip.
    skip : int
        Bytes to skip after that, counted as they are once unpacked.
    packed : int
        Bytes of the packed stream, 0 where the header does not say.
    """

    files: tuple[Path, ...]
    encoding: Encoding
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int = 0
    after: int = 0
    lines: int = 0
    skip: int = 0
    packed: int = 0


def read_stored(path: Path, stored: Stored) -> NDArray[Any]:
    """Give the voxels, axes in the order of the file (fastest first).

    Plain voxels in one file stay in it until they are asked for, and keep its byte order.

    Raises
    ------
    FileProblem
        If they are not exactly as many as the header declares, damaged, or too many for the memory.
    """
    declared = gate.declared_bytes(path, stored.shape, stored.dtype.itemsize)
    count = len(stored.files)
    if not count or declared % (count * stored.dtype.itemsize):
        raise FileProblem(f"Damaged header: {path.name} spreads its voxels over {count} files.", hint=AGAIN)
    share = declared // count
    sizes = [gate.regular_file(file).st_size for file in stored.files]
    for file, size in zip(stored.files, sizes, strict=True):
        _check_share(file, stored, share, size)
    if stored.encoding == "raw" and count == 1:
        return _mapped(stored, declared)
    gate.check_memory(path, declared)
    buffer = np.empty(declared, np.uint8)
    for at, file in enumerate(stored.files):
        part = buffer[at * share : (at + 1) * share]
        with gate.reading(file) as size, file.open("rb") as raw:
            _check_packed(file, stored, size)
            _seek(raw, file, stored, share)
            if stored.encoding == "text":
                fill_numbers(raw, file, part.view(stored.dtype.newbyteorder("=")))
                continue
            with unpacked(raw, stored.encoding) as stream:
                _fill(stream, part, file, stored)
    if stored.encoding == "text" or stored.dtype.isnative:
        voxels = buffer.view(stored.dtype.newbyteorder("="))
    else:
        voxels = buffer.view(stored.dtype).byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
    return voxels.reshape(stored.shape, order="F")


def _mapped(stored: Stored, declared: int) -> NDArray[Any]:
    (file,) = stored.files
    with gate.reading(file), file.open("rb") as raw:
        offset = _seek(raw, file, stored, declared)
        if stored.start >= 0:
            raw.seek(offset + declared)
            gate.finish(raw, file, declared)
        return map_voxels(file, stored.dtype, stored.shape, offset=offset, columns_first=True)


def _check_share(file: Path, stored: Stored, share: int, size: int) -> None:
    """Refuse what the file can't hold, whatever is in it."""
    left = size - max(stored.start, 0)
    if stored.encoding == "text":
        numbers = share // stored.dtype.itemsize
        if 2 * numbers - 1 > left:  # a digit and a space each
            raise gate.truncated(file, 2 * numbers - 1, max(left, 0))
    elif stored.encoding == "deflate":
        gate.check_stored(file, share, max(left, 0), packed=True)
    elif stored.encoding == "raw":
        gate.check_stored(file, share + stored.skip, left)
    elif left <= 0:
        raise gate.truncated(file, share, 0)
    else:
        _count_bzip2(file, stored, share)


def _count_bzip2(file: Path, stored: Stored, share: int) -> None:
    """Unpack for nothing first: forty bytes of bzip2 can stand for forty million, so that its size proves nothing."""
    with gate.reading(file), file.open("rb") as raw:
        _seek(raw, file, stored, share)
        scratch, left = bytearray(gate.CHUNK), share + stored.skip
        with bz2.BZ2File(raw) as stream:
            while left:
                part = memoryview(scratch)[: min(left, len(scratch))]
                gate.fill(stream, part, file, share, share + stored.skip - left)
                left -= len(part)


def _check_packed(file: Path, stored: Stored, size: int) -> None:
    left = size - max(stored.start, 0)
    if stored.packed > left:
        raise gate.truncated(file, stored.packed, left)
    if 0 < stored.packed < left - gate.PADDING:
        raise FileProblem(
            f"Damaged header: {file.name} holds more bytes than the {stored.packed:,} it declares.", hint=AGAIN
        )


def _seek(raw: IO[bytes], file: Path, stored: Stored, share: int) -> int:
    """Go to the first byte of the voxels or of their packed stream, and give it."""
    size = raw.seek(0, io.SEEK_END)
    if stored.start < 0:
        start = size - share + 1 + stored.start
        if start < stored.after:
            raise gate.truncated(file, share - 1 - stored.start, size - stored.after)
        return raw.seek(start)
    raw.seek(stored.start)
    for _ in range(stored.lines):
        if not raw.readline(MOST_HEADER).endswith(b"\n"):
            raise gate.truncated(file, share, 0)
    start = raw.tell() + (stored.skip if stored.encoding == "raw" else 0)
    if stored.encoding == "raw" and start + share > size:
        raise gate.truncated(file, share, max(size - start, 0))
    return raw.seek(start)


def _fill(stream: IO[bytes], part: NDArray[np.uint8], file: Path, stored: Stored) -> None:
    declared = stored.skip + part.nbytes if stored.encoding != "raw" else part.nbytes
    if stored.encoding != "raw" and stored.skip:
        gate.check_memory(file, stored.skip)
        gate.fill(stream, bytearray(stored.skip), file, declared)
    gate.fill(stream, part, file, declared, declared - part.nbytes)
    if stored.start >= 0:
        gate.finish(stream, file, declared)
