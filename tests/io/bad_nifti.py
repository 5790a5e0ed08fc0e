"""NIfTI files that are damaged or lie, and whole ones."""

from __future__ import annotations

import functools
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any

import nibabel as nib
import numpy as np
import tifffile

from tests.io.bad_files import Case, cut, cuts, flip, more, put, refused, same, short, written
from tests.io.nifti_phantom import affine_for

NOISE = np.random.default_rng(0).integers(0, 4000, (12, 11, 10), dtype=np.int16)  # (x, y, z)
AFFINE = affine_for("PIR", 17)
HUGE = (30000, 30000, 30000)
TRUNCATED, DAMAGED, CHECKSUM = r"^Truncated file", r"^Damaged header", r"checksum"


def nifti(data: np.ndarray = NOISE, *, version: int = 1, gap: bytes = b"", order: str = "<", **fields: Any) -> bytes:
    """A file with an oblique sform; fields are put into its header as they are, so that it may lie."""
    header = (nib.Nifti2Header if version == 2 else nib.Nifti1Header)(endianness=order)
    header.set_data_shape(data.shape)
    header.set_data_dtype(data.dtype)
    header.set_sform(AFFINE, 2)
    header["vox_offset"] = int(header["sizeof_hdr"]) + 4 + len(gap)
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + bytes(4) + gap + data.astype(data.dtype.newbyteorder(order)).tobytes(order="F")


def packed(*args: Any, **fields: Any) -> bytes:
    return gzip.compress(nifti(*args, **fields), mtime=0)


def sform(column: list[float]) -> dict[str, Any]:
    """The header's matrix with another first column."""
    rows = AFFINE[:3].copy()
    rows[:, 0] = column
    return {f"srow_{axis}": rows[row] for row, axis in enumerate("xyz")}


def dim(*lengths: int) -> list[int]:
    return [*lengths, *[1] * (8 - len(lengths))]


@functools.cache
def inner_tiff() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((3, 8, 9), np.uint8), photometric="minisblack")
    return file.getvalue()


def pair(magic: bytes) -> bytes:
    return put(344, magic)(nifti())


def cases() -> Iterator[Case]:
    yield from whole()
    yield from broken()
    yield from lying()
    yield from disguised()


def whole() -> Iterator[Case]:
    plain = nifti()
    qform = {"sform_code": 0, "qform_code": 1, "pixdim": [-1, 1.5, 2, 2.5, 0, 0, 0, 0], "quatern_b": 0.6}
    turned = nib.Nifti1Header(put(0, b"")(nifti(**qform)[:348])).get_qform()
    files = {
        "nifti: plain": ("a.nii", plain), "nifti: packed": ("a.nii.gz", packed()),
        "nifti: capitals": ("A.NII.GZ", packed()), "nifti: NIfTI-2": ("a.nii", nifti(version=2)),
        "nifti: big-endian": ("a.nii", nifti(order=">")), "nifti: packed, named plain": ("a.nii", packed()),
        "nifti: plain, named packed": ("a.nii.gz", plain), "nifti: a little padding": ("a.nii", plain + bytes(160)),
        "nifti: padding behind the packed": ("a.nii.gz", packed() + bytes(512)),
        "nifti: packed in two members": ("a.nii.gz", gzip.compress(plain[:999]) + gzip.compress(plain[999:])),
        "nifti: slope not a number": ("a.nii", nifti(scl_slope=np.nan, scl_inter=np.nan)),
        "nifti: slope zero": ("a.nii", nifti(scl_slope=0, scl_inter=7)),
        "nifti: gap before the voxels": ("a.nii", nifti(gap=bytes(64))),
        "nifti: wrong bitpix": ("a.nii", nifti(bitpix=64)),
    }  # fmt: skip
    for name, (file, content) in files.items():
        yield same(name, written(file, content), NOISE, AFFINE, anatomical=True, unit="mm")
    yield same("nifti: qform only", written("a.nii", nifti(**qform)), NOISE, turned, anatomical=True)
    spaced = nifti(sform_code=0, pixdim=[1, 1.5, 2, 2.5, 0, 0, 0, 0])
    yield same("nifti: spacing only", written("a.nii", spaced), NOISE, np.diag([1.5, 2, 2.5, 1]), anatomical=False)
    scaled = (NOISE.astype(np.float64) * np.float32(0.37) - 5).astype(np.float32)
    yield same("nifti: scaled", written("a.nii", nifti(scl_slope=0.37, scl_inter=-5)), scaled, AFFINE)


def broken() -> Iterator[Case]:
    yield from cuts("nifti", "a.nii", nifti, 0.05, ("^Not a NIfTI|^Truncated", TRUNCATED, TRUNCATED))
    yield from cuts("nifti.gz", "a.nii.gz", packed, 0.01, ("^Not a NIfTI|^Truncated", TRUNCATED, TRUNCATED))
    yield refused("nifti: only the header", TRUNCATED, written("a.nii", nifti()[:352]))
    yield refused("nifti.gz: without checksum and length", TRUNCATED, written("a.nii.gz", packed, short(8)))
    yield refused("nifti.gz: wrong checksum", CHECKSUM, written("a.nii.gz", packed, flip(-6)))
    yield refused("nifti.gz: wrong length", CHECKSUM, written("a.nii.gz", packed, flip(-2, 5)))
    yield refused("nifti.gz: a flipped bit", CHECKSUM, written("a.nii.gz", packed, flip(-900, 3)))
    yield refused("nifti.gz: a block of zeros", CHECKSUM, written("a.nii.gz", packed, put(-900, bytes(64))))
    yield refused("nifti.gz: bytes behind the packed", "behind", written("a.nii.gz", packed, more(b"garbage!")))
    second = gzip.compress(b"not zero")
    yield refused("nifti.gz: another member behind", "more bytes", written("a.nii.gz", packed, more(second)))
    bomb = gzip.compress(bytes(400_000_000), 1)
    yield refused("nifti.gz: a bomb behind the voxels", "more bytes", written("a.nii.gz", packed, more(bomb)))
    yield refused("nifti: bytes behind the voxels", "more bytes", written("a.nii", nifti, more(b"garbage!")))
    padding = more(bytes(100_000))
    yield refused("nifti: much padding behind the voxels", "more bytes", written("a.nii", nifti, padding))


def lying() -> Iterator[Case]:
    fields: dict[str, tuple[str, dict[str, Any]]] = {
        "huge": (TRUNCATED, {"dim": dim(3, *HUGE)}), "of no axis": (DAMAGED, {"dim": dim(0, 12, 11, 10)}),
        "of nine axes": (DAMAGED, {"dim": dim(9, 12, 11, 10)}), "of -1 axes": (DAMAGED, {"dim": dim(-1, 12, 11, 10)}),
        "with an axis of 0": (DAMAGED, {"dim": dim(3, 12, 0, 10)}),
        "with an axis of -11": (DAMAGED, {"dim": dim(3, 12, -11, 10)}),
        "with two axes below zero": (DAMAGED, {"dim": dim(3, -12, -11, 10)}),
        "one slice more": (TRUNCATED, {"dim": dim(3, 12, 11, 11)}),
        "one slice less": ("more bytes", {"dim": dim(3, 12, 11, 9)}),
        "of six axes": ("^Too many axes", {"dim": [6, 12, 11, 1, 1, 2, 5, 1]}),
        "voxels at byte 0": (DAMAGED, {"vox_offset": 0}), "voxels at byte 1e9": (DAMAGED, {"vox_offset": 1e9}),
        "voxels at byte -352": (DAMAGED, {"vox_offset": -352}), "voxels at NaN": (DAMAGED, {"vox_offset": np.nan}),
        "voxels at byte 352.5": (DAMAGED, {"vox_offset": 352.5}), "voxels later": (TRUNCATED, {"vox_offset": 416}),
        "type 0": ("^Can't be read.*data code 0|^Not plain numbers", {"datatype": 0}),
        "type 9999": ("^Can't be read.*9999|^Not plain numbers", {"datatype": 9999}),
        "type binary": ("^Can't be read.*|^Not plain numbers", {"datatype": 1}),
        "type twice as wide": (TRUNCATED, {"datatype": 8}), "type half as wide": ("more bytes", {"datatype": 2}),
        "intercept infinite": ("scl_inter", {"scl_slope": 2, "scl_inter": np.inf}),
        "matrix of NaN": ("spacing", sform([np.nan] * 3)), "matrix of inf": ("spacing", sform([np.inf, 0, 0])),
        "matrix of zeros": ("spacing", sform([0.0] * 3)), "axes in one plane": ("plane", sform(list(AFFINE[:3, 1]))),
        "qform no rotation": ("rotation", {"sform_code": 0, "qform_code": 1, "quatern_b": 2, "quatern_c": 2}),
        "qform of NaN": ("rotation|spacing", {"sform_code": 0, "qform_code": 1, "quatern_b": np.nan}),
        "spacing zero": ("spacing", {"sform_code": 0, "pixdim": [1, 0, 1, 1, 0, 0, 0, 0]}),
        "spacing NaN": ("spacing", {"sform_code": 0, "pixdim": [1, 1, np.nan, 1, 0, 0, 0, 0]}),
    }  # fmt: skip
    for name, (words, lie) in fields.items():
        yield refused(f"nifti: {name}", words, written("a.nii", nifti(**lie)))
    for name in ("huge", "with an axis of 0", "one slice more", "one slice less", "matrix of NaN", "type 9999"):
        words, lie = fields[name]
        yield refused(f"nifti.gz: {name}", words, written("a.nii.gz", packed(**lie)))
    most = [3, 2**40, 2**40, 2**40, 1, 1, 1, 1]
    yield refused("nifti: NIfTI-2, 2^120 voxels", TRUNCATED, written("a.nii", nifti(version=2, dim=most)))
    wide = {"rgb": (128, "RGB", "u1,u1,u1"), "rgba": (2304, "RGBA", "u1,u1,u1,u1"), "complex": (32, "complex", "c8")}
    for name, (code, word, form) in wide.items():
        content = nifti()[:352] + bytes(NOISE.size * np.dtype(form).itemsize)
        yield refused(f"nifti: {name}", word, written("a.nii", put(70, code.to_bytes(2, "little"))(content)))


def disguised() -> Iterator[Case]:
    others = {
        "a TIFF file": inner_tiff(), "a web page": b"<!DOCTYPE html><title>404</title>",
        "a ZIP archive": b"PK\3\4" * 99,
        "a PNG picture": b"\x89PNG\r\n\x1a\n" + bytes(99), "a DICOM file": bytes(128) + b"DICM" + bytes(99),
        "a text file": b"see the other folder\n" * 30, "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(99),
        "no format known here": b"\1\2\3\4" * 200, "the header of a NIfTI pair": pair(b"ni1\0"),
        "an Analyze header": pair(bytes(4)), "gzip around a TIFF": gzip.compress(inner_tiff()),
    }  # fmt: skip
    for kind, content in others.items():
        yield refused(f"nifti: in truth {kind}", f"^Not a NIfTI file.* is {kind}", written("a.nii.gz", content))
    half = zlib.compress(nifti())
    yield refused("nifti: zlib without gzip", "^Not a NIfTI file", written("a.nii.gz", half))
    yield refused("nifti: gzip of nothing", "^Not a NIfTI file", written("a.nii.gz", gzip.compress(b"")))
    yield refused("nifti: gzip twice", "^Not a NIfTI file", written("a.nii.gz", gzip.compress(packed())))
    yield refused("nifti: first bytes lost", "^Not a NIfTI file", written("a.nii", nifti()[100:]))
    yield refused("nifti: four bytes", "^Not a NIfTI file", written("a.nii", nifti, cut(0.0014)))
