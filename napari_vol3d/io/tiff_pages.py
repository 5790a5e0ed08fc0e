"""The page directories of a TIFF, walked before tifffile sees them: all that they declare is there, for each page.

tifffile stops without a word where the chain leaves the file (a truncated stack then has fewer slices), leaves out tags
whose values do (the spacing is gone then), reads a page as another one is stored, and fills strips that are not there
with zeros.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from operator import add
from pathlib import Path
from typing import IO

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate

AGAIN = "Copy or download it again."
TAG_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
FORMS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
WIDTH, LENGTH, BITS, PACKING, COLOUR, FILL_ORDER, SAMPLES, ROWS, PLANAR = 256, 257, 258, 259, 262, 266, 277, 278, 284
PREDICTOR, TILE_WIDTH, TILE_LENGTH, MORE_SAMPLES, SAMPLE_KIND, DEPTH, TILE_DEPTH = 317, 322, 323, 338, 339, 32997, 32998
OFFSETS, COUNTS = (273, 324), (279, 325)  # of strips, of tiles
# What a page has to have in common with the first, to be read as that one is; and what a missing tag means.
DEFAULTS: dict[int, tuple[int, ...]] = {
    WIDTH: (0,), LENGTH: (0,), BITS: (1,), PACKING: (1,), COLOUR: (), FILL_ORDER: (1,), SAMPLES: (1,),
    ROWS: (2**32 - 1,), PLANAR: (1,), PREDICTOR: (1,), TILE_WIDTH: (), TILE_LENGTH: (), MORE_SAMPLES: (),
    SAMPLE_KIND: (1,), DEPTH: (1,), TILE_DEPTH: (),
}  # fmt: skip
YCBCR = 6
# More bytes than this can't be packed into one: deflate (three numbers), LZW, PackBits; Zstandard and JPEG pack best.
MOST_PACKED = {8: gate.MOST_DEFLATED, 32946: gate.MOST_DEFLATED, 50013: gate.MOST_DEFLATED, 5: 4000, 32773: 64}
MOST_OTHERS = 50_000
Entry = tuple[int, int, int, bytes]  # tag, type, count, the values or where they lie


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What was found: how many pages, and the number (from 1) of one that is not like the first, 0 if all are."""

    count: int
    odd: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """An open file with its byte order and widths: struct's forms for a count, an entry, and a place."""

    file: IO[bytes]
    path: Path
    size: int
    order: str
    count: str
    entry: str
    link: str

    def unpack(self, at: int, form: str) -> tuple[int, ...]:
        length = struct.calcsize(form)
        if at + length > self.size:
            raise gate.truncated(self.path, at + length, self.size)
        self.file.seek(at)
        return struct.unpack(form, self.file.read(length))

    def values(self, entry: Entry) -> tuple[int, ...]:
        """Give the whole numbers of a tag that was proved to lie in the file; none where it holds others."""
        _, kind, length, raw = entry
        form = f"{self.order}{length}{FORMS.get(kind, '')}"
        if kind not in FORMS:
            return ()
        if struct.calcsize(form) <= len(raw):
            return struct.unpack_from(form, raw)
        return self.unpack(struct.unpack(self.link, raw)[0], form)


def walk_pages(path: Path, size: int) -> Chain:
    """Walk the chain of page directories.

    Parameters
    ----------
    path : Path
    size : int
        Bytes of the file.

    Raises
    ------
    FileProblem
        If something lies outside the file, the chain is a circle, or a page declares more than is stored of it.
    """
    seen: set[int] = set()
    first: dict[int, tuple[int, ...]] = {}
    last: list[Entry] = []
    need = _Need(packed=False, whole=0, least=0, parts=0)
    odd = 0
    with path.open("rb") as file:
        tiff, offset = _opened(file, path, size)
        while offset:
            if offset in seen:
                raise FileProblem(f"Damaged file: the pages of {path.name} run in a circle.", hint=AGAIN)
            seen.add(offset)
            entries, offset = _directory(tiff, offset)
            kinds = [entry for entry in entries if entry[0] in DEFAULTS]
            if kinds != last:  # most pages have the same ones, byte by byte
                found = DEFAULTS | {entry[0]: tiff.values(entry) for entry in kinds}
                first, last, need = first or found, kinds, _need(found)
                odd = odd or (len(seen) if found != first else 0)
            _check_amount(tiff, entries, need)
    return Chain(count=len(seen), odd=odd)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """What must be stored of a page: bytes of it whole, the least that they can be packed into, strips or tiles."""

    packed: bool
    whole: int
    least: int
    parts: int


def _opened(file: IO[bytes], path: Path, size: int) -> tuple[_File, int]:
    start = file.read(16)
    order = "<" if start[:2] == b"II" else ">"
    big = start[2:4] in (b"+\0", b"\0+")
    count, entry, link = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    tiff = _File(
        file=file, path=path, size=size, order=order, count=order + count, entry=order + entry, link=order + link
    )
    (offset,) = struct.unpack_from(tiff.link, start, 8 if big else 4)
    return tiff, offset


def _directory(tiff: _File, offset: int) -> tuple[list[Entry], int]:
    """Give the entries of a page, all of whose values lie in the file, and where the next one begins."""
    (count,) = tiff.unpack(offset, tiff.count)
    at = offset + struct.calcsize(tiff.count)
    end = at + count * struct.calcsize(tiff.entry)
    if end + struct.calcsize(tiff.link) > tiff.size:
        raise gate.truncated(tiff.path, end + struct.calcsize(tiff.link), tiff.size)
    tiff.file.seek(at)
    entries: list[Entry] = list(struct.iter_unpack(tiff.entry, tiff.file.read(end - at)))
    for _, kind, length, raw in entries:
        needed = TAG_SIZES.get(kind, 0) * length
        if needed > len(raw):
            (where,) = struct.unpack(tiff.link, raw)
            if where + needed > tiff.size:
                raise gate.truncated(tiff.path, where + needed, tiff.size)
    return entries, tiff.unpack(end, tiff.link)[0]


def _check_amount(tiff: _File, entries: list[Entry], need: _Need) -> None:
    """Refuse a page of which not all strips or tiles are there, or that are too small for what it declares."""
    offsets = next((tiff.values(entry) for entry in entries if entry[0] in OFFSETS), ())
    counts = next((tiff.values(entry) for entry in entries if entry[0] in COUNTS), ())
    if not counts and not need.packed and len(offsets) == 1:  # very old files
        counts = (need.whole,)
    if len(offsets) != len(counts) or not offsets or min(offsets) < 1 or min(counts) < 1:
        raise FileProblem(f"Damaged file: a page of {tiff.path.name} has no voxels.", hint=AGAIN)
    end = max(map(add, offsets, counts))
    if end > tiff.size:
        raise gate.truncated(tiff.path, end, tiff.size)
    stored = sum(counts)
    if stored < need.least:
        raise gate.truncated(tiff.path, need.whole, stored, packed=need.packed)
    if len(offsets) < need.parts and (need.packed or len(offsets) > 1):
        raise FileProblem(
            f"Damaged file: a page of {tiff.path.name} has {len(offsets)} of {need.parts} strips or tiles.", hint=AGAIN
        )


def _need(kinds: dict[int, tuple[int, ...]]) -> _Need:
    packing = kinds[PACKING][0]
    bits = math.prod(kinds[tag][0] for tag in (SAMPLES, WIDTH, LENGTH, DEPTH)) * (kinds[BITS] or (1,))[0]
    most = 1 if packing == 1 else MOST_PACKED.get(packing, MOST_OTHERS)
    thinned = (packing, kinds[COLOUR]) == (1, (YCBCR,))  # some of its samples are left out
    return _Need(
        packed=packing != 1, whole=bits // 8, least=0 if thinned else bits // 8 // most, parts=math.prod(_parts(kinds))
    )


def _parts(kinds: dict[int, tuple[int, ...]]) -> Iterator[int]:
    """Give along each axis how many strips or tiles there must be."""
    if kinds[PLANAR][0] == 2:
        yield kinds[SAMPLES][0]
    if kinds[TILE_WIDTH] and kinds[TILE_LENGTH]:
        yield -(-kinds[WIDTH][0] // kinds[TILE_WIDTH][0])
        yield -(-kinds[DEPTH][0] // (kinds[TILE_DEPTH] or (1,))[0])
        yield -(-kinds[LENGTH][0] // kinds[TILE_LENGTH][0])
    else:
        yield -(-kinds[LENGTH][0] // kinds[ROWS][0])
