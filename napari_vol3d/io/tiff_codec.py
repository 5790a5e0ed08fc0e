"""How the pages of a TIFF are compressed: only what can't unpack to more than the file declares is let through.

tifffile hands the declared size of a strip or tile to imagecodecs' codecs of bytes, and these stop there: 148 KB of
LZW that hold 200 MB cost nothing. Codecs of pictures go by the size that stands inside the segment. Of these JPEG is
read, after a look at that size; the others are rare in stacks and refused.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import IO

import tifffile

from napari_vol3d.core.errors import FileProblem

JPEG = 7
# None, LZW, Deflate (three numbers), PackBits, LZMA, Zstandard (two numbers).
OF_BYTES = (1, 5, 8, 32946, 50013, 32773, 34925, 34926, 50000)
# Frames of JPEG that libjpeg decodes; others would go to decoders that find the size in ways of their own.
FRAMES = (0xC0, 0xC1, 0xC2)
JPEG_BLOCK = 16
HINT = "Save it with LZW, ZIP or no compression."


def check_codec(series: tifffile.TiffPageSeries, path: Path) -> None:
    """Prove that the pages can be unpacked, and to no more than they declare.

    Raises
    ------
    FileProblem
        If the compression is none of those, or a JPEG segment is larger inside than its strip or tile.
    """
    page = series.keyframe
    try:
        if page.compression not in (*OF_BYTES, JPEG):
            raise KeyError(page.compression)
        if page.compression != 1:
            tifffile.TIFF.DECOMPRESSORS[page.compression]
        if page.predictor != 1:
            tifffile.TIFF.UNPREDICTORS[page.predictor]
    except KeyError as error:
        raise FileProblem(
            f"Compression not supported: {path.name} uses {_name_of(page.compression)}.", hint=HINT
        ) from error
    if page.compression == JPEG:
        _check_jpegs(series, path)


def tile_bytes(page: tifffile.TiffPage) -> int:
    """Give the memory that unpacking takes beside the voxels: tiles may be larger than the page they lie on."""
    if page.tile is None or page.dtype is None:
        return 0
    return math.prod(page.tile) * page.samplesperpixel * page.dtype.itemsize * tifffile.TIFF.MAXWORKERS


def _name_of(compression: int) -> str:
    known = compression in list(tifffile.COMPRESSION)
    return tifffile.COMPRESSION(compression).name if known else f"number {compression}"


def _check_jpegs(series: tifffile.TiffPageSeries, path: Path) -> None:
    page = series.keyframe
    if page.is_tiled:
        declared = (page.tilelength, page.tilewidth)
    else:
        declared = (min(page.rowsperstrip, page.imagelength), page.imagewidth)
    most = tuple(-(-length // JPEG_BLOCK) * JPEG_BLOCK for length in declared)
    with path.open("rb") as file:
        for offset in (offset for each in series if each is not None for offset in each.dataoffsets):
            rows, columns = _jpeg_size(file, offset)
            if rows > most[0] or columns > most[1]:
                raise FileProblem(
                    f"Damaged file: a part of {path.name} holds {rows} x {columns} voxels instead of "
                    f"{declared[0]} x {declared[1]}.",
                    hint=HINT,
                )


def _jpeg_size(file: IO[bytes], offset: int) -> tuple[int, int]:
    """Walk the markers of a JPEG stream to its frame, strictly, and give the rows and columns that stand there."""
    file.seek(offset)
    if file.read(2) != b"\xff\xd8":
        raise ValueError("a JPEG segment does not begin as one")
    while True:
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark == 0xFF and kind in FRAMES:
            _, rows, columns = struct.unpack(">BHH", file.read(5))
            return rows, columns
        # Tables, application data and comments; whatever else may come before a frame is not ours to guess.
        if mark != 0xFF or length < 2 or not (kind in (0xC4, 0xDB, 0xDD, 0xFE) or 0xE0 <= kind <= 0xEF):
            raise ValueError("a JPEG segment has no frame of a kind that can be read")
        file.seek(length - 2, 1)
