"""NRRD and MetaImage files that are damaged or lie, and whole ones."""

from __future__ import annotations

import bz2
import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.io.bad_files import Case, Make, cuts, flip, more, put, refused, same, short, swap, written
from tests.io.itk_phantom import NOISE, mha_bytes, nrrd_bytes

BODY = NOISE.tobytes(order="F")
SPACE = {
    "space": "right-anterior-superior",
    "space_directions": "(0,1.5,0) (-2,0,0) (0,0,2.5)",
    "space_origin": "(1,2,3)",
}
RAS = np.array([[0, -2, 0, 1], [1.5, 0, 0, 2], [0, 0, 2.5, 3], [0, 0, 0, 1.0]])
PLACED = {"ElementSpacing": "1.5 2 2.5", "Offset": "1 2 3", "TransformMatrix": "0 1 0 -1 0 0 0 0 1"}
MHA_RAS = np.diag([-1, -1, 1, 1]) @ np.array([[0, -2, 0, 1], [1.5, 0, 0, 2], [0, 0, 2.5, 3], [0, 0, 0, 1.0]])
TRUNCATED, DAMAGED, SPACING = r"^Truncated file", r"^Damaged header", "spacing|plane"


def nrrd(**changes: Any) -> bytes:
    return nrrd_bytes(NOISE, **SPACE, **changes)


def nrrd_gz() -> bytes:
    return nrrd(encoding="gzip")


def mha(**changes: Any) -> bytes:
    return mha_bytes(NOISE, **{**PLACED, **changes})


def mha_zlib() -> bytes:
    return mha(CompressedData="True")


def detached(name: str, text: Callable[[str], bytes], data: str, files: dict[str, bytes] | None = None) -> Make:
    """A header that names a data file, in a folder of its own, with another file beside that folder."""

    def make(folder: Path) -> Path:
        (folder / "scan").mkdir()
        (folder / "other.raw").write_bytes(BODY)
        for file, content in ({"own.raw": BODY} if files is None else files).items():
            (folder / "scan" / file).write_bytes(content)
        (folder / "scan" / "link.raw").symlink_to(folder / "other.raw")
        os.mkfifo(folder / "scan" / "pipe.raw")
        (folder / "scan" / "folder.raw").mkdir()
        path = folder / "scan" / name
        path.write_bytes(text(data.replace("FOLDER", str(folder))))
        return path

    return make


def nhdr(data: str, **changes: Any) -> bytes:
    return nrrd_bytes(NOISE, body=b"", **{**SPACE, "data_file": data, **changes})


def mhd(data: str, **changes: Any) -> bytes:
    return mha_bytes(NOISE, body=b"", **{**PLACED, "ElementDataFile": data, **changes})


def cases() -> Iterator[Case]:
    yield from nrrds()
    yield from metaimages()
    for kind, name, text in (("nhdr", "a.nhdr", nhdr), ("mhd", "a.mhd", mhd)):
        yield from beside(kind, name, text)


def nrrds() -> Iterator[Case]:
    text = " ".join(str(value) for value in NOISE.ravel(order="F")).encode()
    files = {
        "raw": nrrd(), "gzip": nrrd_gz(), "bzip2": nrrd(encoding="bzip2", body=bz2.compress(BODY)),
        "text": nrrd(encoding="text", body=text), "zlib called gzip": nrrd(encoding="gzip", body=zlib.compress(BODY)),
        "big-endian": nrrd_bytes(NOISE.astype(">i2"), **SPACE),
        "skipped bytes": nrrd(byte_skip="16", body=bytes(16) + BODY),
        "from the end": nrrd(byte_skip="-1", body=b"junk" + BODY),
        "comments": swap(b"endian", b"# hello\nendian")(nrrd()),
    }  # fmt: skip
    for name, content in files.items():
        yield same(f"nrrd: {name}", written("a.nrrd", content), NOISE, RAS, anatomical=True, unit="mm")
    yield from cuts("nrrd", "a.nrrd", nrrd, 0.02, (DAMAGED, TRUNCATED, TRUNCATED))
    yield from cuts("nrrd.gz", "a.nrrd", nrrd_gz, 0.02, (DAMAGED, TRUNCATED, TRUNCATED))
    yield refused("nrrd: only the header", TRUNCATED, written("a.nrrd", nrrd(body=b"")))
    yield refused("nrrd: bytes behind", "more bytes", written("a.nrrd", nrrd, more(b"garbage!")))
    yield refused("nrrd.gz: bytes behind", "behind", written("a.nrrd", nrrd_gz, more(b"garbage!")))
    yield refused("nrrd.gz: wrong checksum", "checksum", written("a.nrrd", nrrd_gz, flip(-6)))
    yield refused("nrrd.gz: a flipped bit", "checksum", written("a.nrrd", nrrd_gz, flip(-900)))
    bombs = {"gzip": gzip.compress(bytes(300_000_000), 1), "bzip2": bz2.compress(bytes(40_000_000))}
    for encoding, bomb in bombs.items():
        yield refused(
            f"nrrd: a bomb of {encoding}", "more bytes", written("a.nrrd", nrrd(encoding=encoding, body=bomb))
        )
        lie = nrrd(encoding=encoding, body=bomb[:200], sizes="30000 30000 30000")
        yield refused(f"nrrd: huge, {encoding}", f"{TRUNCATED}|checksum|^Can't", written("a.nrrd", lie))
    twice = gzip.compress(BODY) + gzip.compress(BODY)
    yield refused("nrrd.gz: twice the voxels", "more bytes", written("a.nrrd", nrrd(encoding="gzip", body=twice)))
    lies: dict[str, tuple[str, dict[str, Any]]] = {
        "huge": (TRUNCATED, {"sizes": "30000 30000 30000"}), "axis of 0": (DAMAGED, {"sizes": "12 0 10"}),
        "axis below zero": (DAMAGED, {"sizes": "12 -11 10"}), "two below zero": (DAMAGED, {"sizes": "-12 -11 10"}),
        "axis of 2^64 + 10": (DAMAGED, {"sizes": f"12 11 {2**64 + 10}"}), "two sizes": (DAMAGED, {"sizes": "12 11"}),
        "one slice more": (TRUNCATED, {"sizes": "12 11 11"}), "one slice less": ("more bytes", {"sizes": "12 11 9"}),
        "of 99 axes": (DAMAGED, {"dimension": "99"}), "without sizes": (DAMAGED, {"sizes": None}),
        "type unknown": ("^Not plain numbers", {"type": "quaternion"}),
        "type block": ("^Not plain numbers", {"type": "block"}),
        "type wider": (TRUNCATED, {"type": "int"}), "type narrower": ("more bytes", {"type": "uchar"}),
        "without byte order": ("byte order", {"endian": None}),
        "byte order middle": ("byte order", {"endian": "middle"}),
        "encoding unknown": ("^Unknown encoding", {"encoding": "zstd"}),
        "encoding hex": ("^Unknown encoding", {"encoding": "hex"}),
        "raw called gzip": ("checksum|^Can't be read|^Truncated", {"encoding": "gzip", "body": BODY}),
        "gzip called raw": (f"{TRUNCATED}|more bytes", {"body": gzip.compress(BODY)}),
        "raw called text": ("^Can't be read|^Truncated|more than", {"encoding": "text", "body": BODY}),
        "skips more than there is": (TRUNCATED, {"byte_skip": "999999"}),
        "skips a byte": (TRUNCATED, {"byte_skip": "1"}),
        "skips -2 bytes": (TRUNCATED + "|more", {"byte_skip": "-9999"}),
        "skips 10^17 lines": (TRUNCATED + "|" + DAMAGED, {"line_skip": "1" + "0" * 17}),
        "colours": ("^Colours", {"kinds": "RGB-color domain domain", "space_directions": "none (1,0,0) (0,1,0)"}),
        "complex": ("complex", {"kinds": "complex domain domain", "space_directions": "none (1,0,0) (0,1,0)"}),
        "directions NaN": ("^Damaged geometry", {"space_directions": "(nan,0,0) (0,1,0) (0,0,1)"}),
        "directions inf": ("^Damaged geometry", {"space_directions": "(inf,0,0) (0,1,0) (0,0,1)"}),
        "directions zero": (SPACING, {"space_directions": "(0,0,0) (0,1,0) (0,0,1)"}),
        "directions alike": (SPACING, {"space_directions": "(0,1,0) (0,1,0) (0,0,1)"}),
        "two directions": (DAMAGED + "|geometry", {"space_directions": "(1,0,0) (0,1,0)"}),
        "origin of text": (DAMAGED + "|geometry", {"space_origin": "(a,b,c)"}),
        "space of Mars": ("^Unknown space|" + DAMAGED, {"space": "mars"}),
        "unknown field": ("unknown field", {"magic": "1"}),
    }  # fmt: skip
    for name, (words, changes) in lies.items():
        yield refused(f"nrrd: {name}", words, written("a.nrrd", nrrd_bytes(NOISE, **{**SPACE, **changes})))
    yield refused("nrrd: sizes twice", "twice", written("a.nrrd", swap(b"endian", b"sizes: 1 1 1\nendian")(nrrd())))
    yield refused("nrrd: version 9", "^Not an NRRD", written("a.nrrd", nrrd, put(7, b"9")))
    yield refused("nrrd: a web page", "^Not an NRRD.* web page", written("a.nrrd", b"<html><body>404</body></html>"))
    yield refused(
        "nrrd: a header of 40 MB", "does not end", written("a.nrrd", lambda: b"NRRD0005\n" + b"# x\n" * 10_000_000)
    )


def metaimages() -> Iterator[Case]:
    text = " ".join(str(value) for value in NOISE.ravel(order="F")).encode()
    files = {
        "raw": mha(), "zlib": mha_zlib(), "text": mha(BinaryData="False", body=text),
        "big-endian": mha_bytes(NOISE.astype(">i2"), **PLACED), "header size -1": mha(HeaderSize="-1"),
        "comment first": b"Comment = a scan\n" + mha(),
    }  # fmt: skip
    for name, content in files.items():
        yield same(f"mha: {name}", written("a.mha", content), NOISE, MHA_RAS, anatomical=True, unit="mm")
    yield from cuts("mha", "a.mha", mha, 0.02, (DAMAGED, TRUNCATED, TRUNCATED))
    yield from cuts("mha.zlib", "a.mha", mha_zlib, 0.02, (DAMAGED, TRUNCATED, TRUNCATED))
    yield refused("mha: bytes behind", "more bytes", written("a.mha", mha, more(b"garbage!")))
    yield refused("mha.zlib: bytes behind", "more bytes", written("a.mha", mha_zlib, more(b"garbage!")))
    yield refused("mha.zlib: wrong checksum", "checksum|incorrect data", written("a.mha", mha_zlib, flip(-2)))
    yield refused("mha.zlib: a flipped bit", "checksum|Error -3|incorrect", written("a.mha", mha_zlib, flip(-900)))
    yield refused(
        "mha.zlib: size unsaid, cut",
        TRUNCATED,
        written("a.mha", mha(CompressedData="True", CompressedDataSize=None), short(9)),
    )
    bomb = zlib.compress(bytes(300_000_000), 1)
    yield refused("mha: a bomb", "more bytes", written("a.mha", mha(CompressedData="True", body=bomb)))
    packed = {"CompressedData": "True"}
    lies: dict[str, tuple[str, dict[str, Any]]] = {
        "huge": (TRUNCATED, {"DimSize": "30000 30000 30000"}),
        "huge, packed": (TRUNCATED, {**packed, "DimSize": "30000 30000 30000"}),
        "axis of 0": (DAMAGED, {"DimSize": "12 0 10"}),
        "axis below zero": (DAMAGED + "|^Can't", {"DimSize": "12 -11 10"}),
        "two sizes": (DAMAGED + "|^Can't", {"DimSize": "12 11"}),
        "of 9 axes": (DAMAGED + "|^Too many|^Not", {"NDims": "9"}),
        "one slice more": (TRUNCATED, {"DimSize": "12 11 11"}),
        "one slice less": ("more bytes", {"DimSize": "12 11 9"}),
        "one slice more, packed": (TRUNCATED, {**packed, "DimSize": "12 11 11"}),
        "one slice less, packed": ("more bytes", {**packed, "DimSize": "12 11 9"}),
        "type unknown": ("^Not plain|" + DAMAGED, {"ElementType": "MET_OTHER"}),
        "type wider": (TRUNCATED, {"ElementType": "MET_INT"}),
        "two channels": (TRUNCATED, {"ElementNumberOfChannels": "2"}),
        "no channel": (DAMAGED, {"ElementNumberOfChannels": "0"}),
        "10^17 channels": (TRUNCATED + "|" + DAMAGED, {"ElementNumberOfChannels": "1" + "0" * 17}),
        "packed size too large": (TRUNCATED, {**packed, "CompressedDataSize": "999999"}),
        "raw called packed": ("checksum|^Can't|^Truncated", {**packed, "body": BODY}),
        "packed called raw": (TRUNCATED, {"body": zlib.compress(BODY)}),
        "spacing NaN": ("^Can't be read.*ElementSpacing", {"ElementSpacing": "nan 1 1"}),
        "spacing zero": (SPACING, {"ElementSpacing": "0 1 1"}),
        "matrix singular": ("plane", {"TransformMatrix": "1 0 0 1 0 0 0 0 1"}),
        "matrix of inf": ("^Can't be read.*TransformMatrix", {"TransformMatrix": "inf 0 0 0 1 0 0 0 1"}),
        "offset of text": ("^Can't be read", {"Offset": "a b c"}),
        "byte order maybe": ("^Can't be read", {"BinaryDataByteOrderMSB": "Maybe"}),
        "header size lies": (f"{TRUNCATED}|{DAMAGED}|more bytes", {"HeaderSize": "5"}),
    }  # fmt: skip
    for name, (words, changes) in lies.items():
        yield refused(f"mha: {name}", words, written("a.mha", mha(**changes)))
    yield refused("mha: a web page", "^Not a MetaImage.* web page", written("a.mha", b"<html><body>404</body></html>"))
    yield refused("mha: in truth text", DAMAGED, written("a.mha", b"see the other folder\n" * 30))


def beside(kind: str, name: str, text: Callable[..., bytes]) -> Iterator[Case]:
    """Headers whose voxels lie in files of their own."""
    affine = RAS if kind == "nhdr" else MHA_RAS
    yield same(f"{kind}: beside", detached(name, text, "own.raw"), NOISE, affine, anatomical=True)
    outside, missing = "^Data file elsewhere", "^No such file"
    wrong = {
        "../other.raw": outside, "FOLDER/other.raw": outside, "link.raw": outside, "/dev/zero": outside,
        "C:\\other.raw": outside, "..\\other.raw": outside, "none.raw": missing, "pipe.raw": "^Not a regular file",
        "folder.raw": "^This is a folder", name: "names itself",
    }  # fmt: skip
    for data, words in wrong.items():
        yield refused(f"{kind}: names {data}", words, detached(name, text, data))
    for what, words, content in (
        ("cut by a byte", TRUNCATED, BODY[:-1]), ("a byte more", "more bytes", BODY + b"x"),
        ("empty", "^Empty file", b""),
    ):  # fmt: skip
        yield refused(f"{kind}: data {what}", words, detached(name, text, "own.raw", {"own.raw": content}))
    pattern = "s%03d.raw 1 999999999 1"
    yield refused(f"{kind}: names a billion files", "data files where", detached(name, text, pattern))
    share = len(BODY) // 10
    slices = {f"s{k}.raw": BODY[k * share : (k + 1) * share] for k in range(10)}
    listed = "s%d.raw 0 9 1"
    yield same(f"{kind}: a file a slice", detached(name, text, listed, slices), NOISE, affine)
    yield refused(f"{kind}: a slice missing", missing, detached(name, text, listed, dict(list(slices.items())[:9])))
    bad = slices | {"s4.raw": slices["s4.raw"][:-2]}
    yield refused(f"{kind}: a slice cut", TRUNCATED, detached(name, text, listed, bad))
