"""What is proved about a TIFF before it is read: all pages that are declared are there, and all of each."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import IO, Any

import tifffile

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate

AGAIN = "Copy or download it again."
# More bytes than this can't be packed into one: deflate (three numbers), LZW, PackBits; Zstandard and JPEG pack best.
MOST_PACKED = {8: gate.MOST_DEFLATED, 32946: gate.MOST_DEFLATED, 50013: gate.MOST_DEFLATED, 5: 4000, 32773: 64}
MOST_OTHERS = 50_000
TAG_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def count_pages(path: Path, size: int) -> int:
    """Walk the chain of page directories, and prove that it and all it points to lie in the file.

    tifffile stops without a word where the chain leaves the file (a truncated stack then has fewer slices), and
    leaves out tags whose values do (the spacing is gone then).

    Raises
    ------
    FileProblem
        If something lies outside, or the chain is a circle.
    """
    seen: set[int] = set()
    with path.open("rb") as file:
        start = file.read(16)
        order = "<" if start[:2] == b"II" else ">"
        big = start[2:4] in (b"+\0", b"\0+")
        count_format, entry, link = (f"{order}Q", f"{order}HHQQ", f"{order}Q")
        if not big:
            count_format, entry, link = (f"{order}H", f"{order}HHII", f"{order}I")
        (offset,) = struct.unpack_from(link, start, 8 if big else 4)
        while offset:
            if offset in seen:
                raise FileProblem(f"Damaged file: the pages of {path.name} run in a circle.", hint=AGAIN)
            seen.add(offset)
            (count,) = _unpack_at(file, path, size, offset, count_format)
            at = offset + struct.calcsize(count_format)
            _check_tags(file, path, size, at, count, entry)
            (offset,) = _unpack_at(file, path, size, at + count * struct.calcsize(entry), link)
    return len(seen)


def only_series(tif: tifffile.TiffFile, path: Path, pages: int, size: int) -> tifffile.TiffPageSeries:
    """Give the stack, after proving that all of it is in the file.

    Parameters
    ----------
    tif : TiffFile
    path : Path
        For messages.
    pages : int
        How many pages `count_pages` found.
    size : int
        Bytes of the file.

    Raises
    ------
    FileProblem
        If pages or voxels are missing, or there is not exactly one stack.
    """
    kinds = []
    for page in tif.pages:
        kinds.append(page.hash)
        _check_amount(page, path)
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if count <= 0 or offset <= 0:
                raise FileProblem(f"Damaged file: a page of {path.name} has no voxels.", hint=AGAIN)
            if offset + count > size:
                raise gate.truncated(path, offset + count, size)
    if not tif.series:
        raise FileProblem(f"No image in {path.name}.", hint=AGAIN)
    if len(tif.series) > 1:
        shapes = ", ".join(str(series.shape) for series in tif.series[:3])
        raise FileProblem(
            f"Several images in one file: {path.name} has {len(tif.series)}, of shapes {shapes}.",
            hint="Save the one you want as a file of its own, for instance with Fiji.",
        )
    odd = next((number for number, kind in enumerate(kinds) if kind != kinds[0]), 0)
    if odd:  # tifffile looks at some of the pages only
        raise FileProblem(
            f"Pages that differ: page {odd + 1} of {path.name} is of another size or kind than the first.",
            hint="Save it again as one stack.",
        )
    series = tif.series[0]
    declared = math.prod(series.shape) // math.prod(series.keyframe.shape)
    said = int((tif.imagej_metadata or {}).get("images", declared)) if tif.is_imagej else declared
    # ImageJ and tifffile may describe one page and put the voxels of all behind it.
    behind = pages == 1 and tif.pages[0].is_contiguous and not tif.is_ome
    if behind and declared > 1:
        gate.check_stored(path, series.keyframe.dataoffsets[0] + declared * series.keyframe.nbytes, size)
    elif declared != pages or (said > pages and pages > 1) or (said > declared == 1):
        raise FileProblem(
            f"Truncated or damaged: {path.name} holds {pages} pages, its metadata says {max(declared, said)}.",
            hint=AGAIN,
        )
    if any(page is None for page in series):
        raise FileProblem(f"Pages are missing in {path.name}.", hint=AGAIN)
    return series


def _check_amount(page: Any, path: Path) -> None:
    """Refuse a page whose stored bytes can't hold the voxels that it declares."""
    stored, bits = sum(page.databytecounts), page.size * page.bitspersample
    least = bits // 8 if page.compression == 1 else bits // 8 // MOST_PACKED.get(page.compression, MOST_OTHERS)
    if stored < least:
        raise gate.truncated(path, bits // 8, stored, packed=page.compression != 1)


def _check_tags(file: IO[bytes], path: Path, size: int, at: int, count: int, entry: str) -> None:
    end = at + count * struct.calcsize(entry)
    if end > size:
        raise gate.truncated(path, end, size)
    file.seek(at)
    inside = struct.calcsize(entry) - struct.calcsize(entry[:-1])  # so many bytes lie in the tag itself
    for _, kind, length, where in struct.iter_unpack(entry, file.read(end - at)):
        needed = TAG_SIZES.get(kind, 0) * length
        if needed > inside and where + needed > size:
            raise gate.truncated(path, where + needed, size)


def _unpack_at(file: IO[bytes], path: Path, size: int, at: int, form: str) -> tuple[int, ...]:
    if at + struct.calcsize(form) > size:
        raise gate.truncated(path, at + struct.calcsize(form), size)
    file.seek(at)
    return struct.unpack(form, file.read(struct.calcsize(form)))
