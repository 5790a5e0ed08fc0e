"""TIFF files that are damaged or lie, and whole ones."""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile

from napari_vol3d.core.volume import Geometry
from tests.io.bad_files import Case, Change, cut, put, refused, same, short, written

NOISE = np.random.default_rng(2).integers(0, 4000, (10, 24, 20), dtype=np.uint16)
PIXELS = Geometry.from_spacing((1.0, 1.0, 1.0)).affine
SPACED = Geometry.from_spacing((2.5, 0.5, 0.5)).affine
TRUNCATED = r"^Truncated"
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"metadata": None}, "shaped": {}, "imagej": {"imagej": True}, "ome": {"ome": True},
}  # fmt: skip
PACKED = {"compression": "zlib", "metadata": None}


@functools.cache
def _tiff(options: tuple[tuple[str, Any], ...]) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, NOISE, photometric="minisblack", **dict(options))
    return file.getvalue()


def tiff(**options: Any) -> bytes:
    return _tiff(tuple(options.items()))


def where(content: bytes, tag: int, page: int = 0) -> int:
    """Byte at which the entry of a tag stands in a little-endian file."""
    with tifffile.TiffFile(io.BytesIO(content)) as tif:
        return tif.pages[page].tags[tag].offset


def entry(tag: int, value: int, page: int = 0, *, kind: int | None = None, count: int | None = None) -> Change:
    """Put another value (or count, or type) into a tag."""

    def change(whole: bytes) -> bytes:
        at = where(whole, tag, page)
        old_kind, old_count = struct.unpack_from("<HI", whole, at + 2)
        own = struct.pack("<HII", kind or old_kind, old_count if count is None else count, value % 2**32)
        return put(at + 2, own)(whole)

    return change


def next_page(page: int, value: int) -> Change:
    """Let a page's directory lead to another place."""

    def change(whole: bytes) -> bytes:
        with tifffile.TiffFile(io.BytesIO(whole)) as tif:
            start = tif.pages[page].offset
        (count,) = struct.unpack_from("<H", whole, start)
        return put(start + 2 + 12 * count, struct.pack("<I", value))(whole)

    return change


def strip(page: int, change: Change) -> Change:
    """Damage the voxels of a page, which lie in one strip."""

    def damaged(whole: bytes) -> bytes:
        with tifffile.TiffFile(io.BytesIO(whole)) as tif:
            offset, count = tif.pages[page].dataoffsets[0], tif.pages[page].databytecounts[0]
        return whole[:offset] + change(whole[offset : offset + count]) + whole[offset + count :]

    return damaged


def ome(*changes: tuple[bytes, bytes]) -> bytes:
    """An OME-TIFF whose description is changed."""
    file = io.BytesIO()
    tifffile.imwrite(file, NOISE, photometric="minisblack", ome=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(io.BytesIO(file.getvalue())) as tif:
        text = tif.pages[0].description.encode()
    new = text
    for old, replacement in changes:
        assert old in new, old
        new = new.replace(old, replacement)
    file = io.BytesIO()
    tifffile.imwrite(file, NOISE, photometric="minisblack", description=new, metadata=None)
    return file.getvalue()


def cases() -> Iterator[Case]:
    yield from whole()
    for kind, options in KINDS.items():
        for packing in (None, "zlib"):
            name = f"tiff: {kind}{', deflate' if packing else ''}"
            content = functools.partial(tiff, compression=packing, **options)
            yield refused(f"{name}, cut in half", TRUNCATED, written("a.tif", content, cut(0.5)))
    yield from damaged()
    yield from lying()
    yield from described()


def whole() -> Iterator[Case]:
    for kind, options in KINDS.items():
        for packing in (None, "zlib", "lzw", "zstd"):
            if kind != "imagej" or packing in (None, "zlib"):
                content = tiff(compression=packing, **options)
                yield same(f"tiff: {kind}, {packing}", written("a.tif", content), NOISE, PIXELS, unit="pixel")
    for name, options in {
        "big-endian": {"byteorder": ">"}, "BigTIFF": {"bigtiff": True}, "tiles": {"tile": (16, 16)},
        "tiles, deflate, predictor": {"tile": (16, 16), "compression": "zlib", "predictor": True},
        "strips": {"rowsperstrip": 5, "compression": "zlib"},
    }.items():  # fmt: skip
        yield same(f"tiff: {name}", written("a.tif", tiff(metadata=None, **options)), NOISE, PIXELS)
    yield same("tiff: ImageJ in um", written("a.tif", _spaced()), NOISE, SPACED, unit="um")
    sizes = (b"<Pixels ", b'<Pixels PhysicalSizeX="0.5" PhysicalSizeY="0.5" PhysicalSizeZ="2.5" ')
    yield same("tiff: OME in um", written("a.ome.tif", functools.partial(ome, sizes)), NOISE, SPACED, unit="um")


def _spaced() -> bytes:
    file = io.BytesIO()
    more_words = {"spacing": 2.5, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite(file, NOISE, imagej=True, resolution=(2.0, 2.0), metadata=more_words)
    return file.getvalue()


def damaged() -> Iterator[Case]:
    plain, packed = functools.partial(tiff, metadata=None), functools.partial(tiff, **PACKED)
    yield refused(
        "tiff: cut to five bytes", "^Not a TIFF|^Can't be read|^Truncated", written("a.tif", plain, cut(0.0005))
    )
    yield refused("tiff: cut within its last page", TRUNCATED, written("a.tif", plain, short(20)))
    yield same("tiff: cut by a byte of padding", written("a.tif", plain, short(1)), NOISE, PIXELS)
    yield refused("tiff: cut within its first page", TRUNCATED, written("a.tif", plain, cut(0.01)))
    yield refused("tiff: a page that leads to itself", "circle", written("a.tif", plain, next_page(3, 8)))
    yield refused("tiff: a page far outside", TRUNCATED, written("a.tif", plain, next_page(3, 10**9)))
    ends = functools.partial(tiff, imagej=True)
    yield refused("tiff: a chain that ends early", "^Truncated or damaged", written("a.tif", ends, next_page(3, 0)))
    flipped = written("a.tif", packed, strip(4, lambda part: put(len(part) // 2, b"\xa5\x5a\xa5")(part)))
    yield refused("tiff: deflate, bytes overwritten", "^Can't be read|checksum", flipped)
    trailer = written("a.tif", packed, strip(4, lambda part: put(-2, b"\xa5")(part)))
    yield refused("tiff: deflate, wrong checksum", "^Can't be read|checksum", trailer)
    for name in ("lzw", "zstd"):
        content = functools.partial(tiff, compression=name, metadata=None)
        zeros = written(
            "a.tif", content, strip(4, lambda part: part[: len(part) // 2] + bytes(len(part) - len(part) // 2))
        )
        yield refused(f"tiff: {name}, half a strip of zeros", "^Can't be read|^Damaged", zeros)
    for name, kind in (("a ZIP", b"PK\3\4" + bytes(99)), ("a web page", b"<html>404</html>"), ("text", b"hello " * 99)):
        yield refused(f"tiff: in truth {name}", "^Not a TIFF", written("a.tif", kind))
    yield refused("tiff: no page", "^Can't be read|^No image|^Truncated", written("a.tif", b"II*\0" + bytes(4)))


def lying() -> Iterator[Case]:
    wide, long, bits, packing, offsets, samples, rows, counts = 256, 257, 258, 259, 273, 277, 278, 279
    reason = (
        "^Can't be read|^Damaged|^Truncated|^No image|^Several images|^Pages that differ|^Not plain|^Compression not"
    )
    lies: dict[str, tuple[int, int, dict[str, int]]] = {
        "width 0": (wide, 0, {}), "length 0": (long, 0, {}), "width 2^31": (wide, 2**31, {"kind": 4}),
        "length 2^31": (long, 2**31, {"kind": 4}), "width one more": (wide, 21, {}), "length one more": (long, 25, {}),
        "bits 0": (bits, 0, {}), "bits 7": (bits, 7, {}), "bits 64": (bits, 64, {}), "samples 3": (samples, 3, {}),
        "rows per strip 5": (rows, 5, {}), "voxels at 0": (offsets, 0, {}), "voxels outside": (offsets, 10**9, {}),
        "no bytes": (counts, 0, {}), "4e9 bytes": (counts, 2**32 - 1, {}), "fewer bytes": (counts, 100, {}),
        "compression 9999": (packing, 9999, {}), "compression JPEG 2000": (packing, 34712, {}),
        "compression LZW": (packing, 5, {}), "offset of type 99": (offsets, 8, {"kind": 99}),
        "2^31 offsets": (offsets, 8, {"count": 2**31}), "no offsets": (offsets, 8, {"count": 0}),
    }  # fmt: skip
    for name, (tag, value, more_of_it) in lies.items():
        for page in (0, 4):
            for packed in (False, True):
                content = functools.partial(tiff, **(PACKED if packed else {"metadata": None}))
                title = f"tiff: {name} on page {page}{', deflate' if packed else ''}"
                yield refused(title, reason, written("a.tif", content, entry(tag, value, page, **more_of_it)))
    yield refused(
        "tiff: deflate called raw", reason, written("a.tif", functools.partial(tiff, **PACKED), entry(packing, 1))
    )
    for what, options in (("a strip", {"rowsperstrip": 65535}), ("tiles", {"tile": (65520, 65520)})):
        yield refused(
            f"tiff: 65535 x 65535 in 3 kB, {what}", TRUNCATED, written("a.tif", functools.partial(_bomb, **options))
        )


def _bomb(**options: Any) -> bytes:
    """A page of 8.6 GB in a file of some kilobytes, as its header says."""
    file = io.BytesIO()
    shape = (48, 64) if "tile" in options else (3, 20)
    small = {"tile": (48, 64)} if "tile" in options else {"rowsperstrip": 3}
    data = np.zeros(shape, np.uint16)
    tifffile.imwrite(file, data, photometric="minisblack", metadata=None, compression="zlib", **small)
    whole = file.getvalue() + bytes(3000)
    with tifffile.TiffFile(io.BytesIO(file.getvalue())) as tif:
        places = {tag.code: tag.offset for tag in tif.pages[0].tags}
    sizes = (256, 257, 322, 323) if "tile" in options else (256, 257, 278)
    for tag in sizes:
        whole = put(places[tag] + 8, struct.pack("<I", 65520))(whole)
    return whole


def described() -> Iterator[Case]:
    elsewhere = (
        b"<TiffData ",
        b'<TiffData FirstZ="0"><UUID FileName="../other.ome.tif">urn:uuid:1</UUID></TiffData><TiffData ',
    )
    yield refused(
        "tiff: OME names another file", "^Only a part", written("a.ome.tif", functools.partial(ome, elsewhere))
    )
    entities = b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]><OME '
    yield refused(
        "tiff: OME with entities", "entities", written("a.ome.tif", functools.partial(ome, (b"<OME ", entities)))
    )
    reason = "^Can't be read|^Damaged|^Truncated|^Pages|^Axes|^Several"
    for name, old, new in (
        ("more slices", b'SizeZ="10"', b'SizeZ="12"'), ("10^9 slices", b'SizeZ="10"', b'SizeZ="1000000000"'),
        ("slices below zero", b'SizeZ="10"', b'SizeZ="-10"'), ("fewer slices", b'SizeZ="10"', b'SizeZ="5"'),
        ("XML that does not end", b"</OME>", b""),
    ):  # fmt: skip
        yield refused(f"tiff: OME, {name}", reason, written("a.ome.tif", functools.partial(ome, (old, new))))
    for name, old, new in (
        ("another width", b'SizeX="20"', b'SizeX="21"'), ("another type", b'"uint16"', b'"double"'),
    ):  # fmt: skip
        # The pages themselves say what is right.
        yield same(f"tiff: OME, {name}", written("a.ome.tif", functools.partial(ome, (old, new))), NOISE, PIXELS)
