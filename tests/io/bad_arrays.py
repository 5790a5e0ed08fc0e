"""NumPy arrays and FreeSurfer volumes that are damaged or lie, and whole ones."""

from __future__ import annotations

import functools
import gzip
import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from nibabel.freesurfer.mghformat import MGHImage

from tests.io.bad_files import Case, cut, cuts, flip, more, put, refused, same, short, written
from tests.io.nifti_phantom import affine_for

NOISE = np.random.default_rng(1).integers(0, 4000, (10, 11, 12), dtype=np.int16)
PIXELS = np.eye(4)[[2, 1, 0, 3]]  # (z, y, x) to (x, y, z), 1 pixel
AFFINE = affine_for("LIA", 0)
TRUNCATED, DAMAGED = r"^Truncated file", r"^Damaged header"


def npy(data: np.ndarray = NOISE, *, pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, data, allow_pickle=pickled)
    return file.getvalue()


def described(text: str, body: bytes | None = None, version: int = 1) -> bytes:
    """An array file with this text as its header."""
    head = text.encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(head))
    return b"\x93NUMPY" + bytes([version, 0]) + length + head + (NOISE.tobytes() if body is None else body)


def header(**changes: str) -> str:
    words = {"descr": "'<i2'", "fortran_order": "False", "shape": "(10, 11, 12)", **changes}
    return "{" + ", ".join(f"'{name}': {value}" for name, value in words.items()) + "}"


@functools.cache
def mgh() -> bytes:
    image = MGHImage(NOISE, AFFINE)
    image.header["tr"] = 2300.0
    return image.to_bytes()


def mgz() -> bytes:
    return gzip.compress(mgh(), mtime=0)


def ints(at: int, *values: int) -> Any:
    return put(4 * at, struct.pack(f">{len(values)}i", *values))


def cases() -> Iterator[Case]:
    yield from arrays()
    yield from surfer()


def arrays() -> Iterator[Case]:
    for name, data in {"plain": NOISE, "columns first": np.asfortranarray(NOISE)}.items():
        yield same(f"npy: {name}", written("a.npy", npy(data)), NOISE, PIXELS, unit="pixel")
    yield same("npy: big-endian", written("a.npy", npy(NOISE.astype(">i2"))), NOISE, PIXELS)
    yield same("npy: version 2", written("a.npy", described(header(), version=2)), NOISE, PIXELS)
    yield from cuts("npy", "a.npy", npy, 0.02, (TRUNCATED, TRUNCATED, TRUNCATED))
    yield refused("npy: bytes behind the voxels", "more bytes", written("a.npy", npy, more(b"garbage!")))
    yield refused("npy: objects", "object", written("a.npy", npy(NOISE.astype(object), pickled=True)))
    yield refused("npy: a pickle", "^Not a NumPy array.* pickle", written("a.npy", b"\x80\4\x95" + bytes(99)))
    yield refused("npy: a ZIP archive", "^Not a NumPy array.* ZIP", written("a.npy", b"PK\3\4" + bytes(99)))
    yield refused("npy: complex", "complex", written("a.npy", npy(NOISE.astype(np.complex64))))
    yield refused("npy: records", "^Not plain numbers", written("a.npy", npy(NOISE.view("i1,i1"))))
    yield refused("npy: text", "^Not plain numbers", written("a.npy", npy(NOISE.astype("U4"))))
    yield refused("npy: one axis", "^Not a volume", written("a.npy", npy(NOISE.ravel())))
    yield refused("npy: version 9", "^Can't be read|version", written("a.npy", npy, put(6, b"\x09")))
    lies = {
        "huge": (TRUNCATED, {"shape": "(30000, 30000, 30000)"}), "axis of 0": (DAMAGED, {"shape": "(10, 0, 12)"}),
        "axis below zero": (DAMAGED, {"shape": "(10, -11, 12)"}),
        "axis of 2^80": (TRUNCATED, {"shape": f"(9, 9, {2**80})"}),
        "axes below zero": (DAMAGED, {"shape": "(-10, -11, 12)"}),
        "shape of text": ("^Can't", {"shape": "('a', 2, 3)"}),
        "shape of truths": ("^Can't|^Damaged|more bytes", {"shape": "(True, True, True)"}),
        "order a number": ("^Can't", {"fortran_order": "5"}), "order missing": ("^Can't", {"more": "1"}),
        "type unknown": ("^Can't", {"descr": "'<q9'"}), "type by code": ("^Can't", {"descr": "__import__('os')"}),
        "type wider": (TRUNCATED, {"descr": "'<i4'"}),
    }  # fmt: skip
    for name, (words, lie) in lies.items():
        yield refused(f"npy: {name}", words, written("a.npy", described(header(**lie))))
    deep = "(" * 5000 + ")" * 5000
    yield refused("npy: header of brackets", "^Can't be read", written("a.npy", described(header(shape=deep))))
    long = struct.pack("<I", 0xFFFFFFFF)
    yield refused(
        "npy: header of 4 GB", TRUNCATED, written("a.npy", described(header(), version=2), put(8, long))
    )


def surfer() -> Iterator[Case]:
    for name, file, content in (("mgh", "a.mgh", mgh()), ("mgz", "a.mgz", mgz()), ("mgz plain", "a.mgz", mgh())):
        yield same(f"{name}: whole", written(file, content), NOISE, AFFINE, anatomical=True)
    yield same("mgh: cut within the times behind the voxels", written("a.mgh", mgh, short(1)), NOISE, AFFINE)
    yield refused("mgh: cut within its header", TRUNCATED, written("a.mgh", mgh, cut(0.05)))
    yield refused("mgh: cut in half", TRUNCATED, written("a.mgh", mgh, cut(0.5)))
    yield from cuts("mgz", "a.mgz", mgz, 0.01, (f"{TRUNCATED}|checksum|^Not", TRUNCATED, TRUNCATED))
    yield refused("mgh: voxels cut by a byte", TRUNCATED, written("a.mgh", mgh()[: 284 + NOISE.nbytes - 1]))
    yield refused("mgz: wrong checksum", "checksum", written("a.mgz", mgz, flip(-6)))
    yield refused("mgz: a flipped bit", "checksum", written("a.mgz", mgz, flip(-900)))
    yield refused("mgz: without checksum", TRUNCATED, written("a.mgz", mgz, short(8)))
    yield refused("mgz: a bomb behind", "more bytes", written("a.mgz", gzip.compress(mgh() + bytes(300_000_000), 1)))
    lies = {
        "huge": (TRUNCATED, ints(1, 30000, 30000, 30000)), "axis of 0": (DAMAGED, ints(1, 10, 0, 12)),
        "axis below zero": (DAMAGED, ints(1, 10, -11, 12)), "two below zero": (DAMAGED, ints(1, -10, -11, 12)),
        "two frames": (TRUNCATED, ints(4, 2)), "no frame": (DAMAGED, ints(4, 0)),
        "2^31 frames": (TRUNCATED, ints(4, 2**31 - 1)),
        "type 9": ("^Not plain numbers", ints(5, 9)), "type wider": (TRUNCATED, ints(5, 3)),
        "type narrower": ("more bytes", ints(5, 0)), "one slice less": ("more bytes", ints(3, 11)),
        "spacing NaN": ("spacing", put(30, struct.pack(">f", np.nan))), "spacing 0": ("spacing", put(30, bytes(4))),
        "directions zero": ("spacing|plane", put(42, bytes(36))),
        "directions alike": ("plane", put(42, struct.pack(">9f", *[1, 0, 0] * 3))),
    }  # fmt: skip
    for name, (words, lie) in lies.items():
        yield refused(f"mgh: {name}", words, written("a.mgh", mgh, lie))
    yield refused("mgh: version 2", "^Not a FreeSurfer", written("a.mgh", mgh, ints(0, 2)))
    yield refused("mgh: gzip around text", "^Not a FreeSurfer", written("a.mgz", gzip.compress(b"words " * 99)))
