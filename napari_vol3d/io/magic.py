"""What a file is, by its first bytes: names lie, and the libraries' own complaints help nobody."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.gate import reading

HEAD = 1024
MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"II*\0", "a TIFF file"),
    (0, b"MM\0*", "a TIFF file"),
    (0, b"II+\0", "a TIFF file"),
    (0, b"MM\0+", "a TIFF file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"NRRD0", "an NRRD file"),
    (128, b"DICM", "a DICOM file"),
    (0, b"ObjectType", "a MetaImage file"),
    (0, b"NDims", "a MetaImage file"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"CDF", "a NetCDF or MINC file"),
    (0, b"\0\0\0\1", "a FreeSurfer MGH file"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"%PDF", "a PDF document"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (0, b"\x80\x04", "a Python pickle"),
    (0, b"\x80\x05", "a Python pickle"),
)
EXTENSION_OF = {
    "a NIfTI file": ".nii or .nii.gz", "a TIFF file": ".tif", "a NumPy array": ".npy", "an NRRD file": ".nrrd",
    "a MetaImage file": ".mha", "a DICOM file": ".dcm", "an HDF5 file": ".h5", "a FreeSurfer MGH file": ".mgz",
}  # fmt: skip


def kind_of(path: Path) -> str:
    """Say in words what a file is, by its first bytes: "a TIFF file", "gzip around a DICOM file"."""
    with reading(path):
        start, packed = _head(path)
    kind = _kind(start)
    return kind if not packed or kind == "a NIfTI file" else f"gzip around {kind}"


def require(path: Path, wanted: str) -> None:
    """Refuse a file that is not `wanted` (in the words of `kind_of`), and say what it is instead."""
    kind = kind_of(path)
    if kind == wanted:
        return
    proper = EXTENSION_OF.get(kind)
    hint = f"Rename it to end in {proper}." if proper else "Copy or download it again, or convert it."
    raise FileProblem(f"Not {wanted}: {path.name} is {kind}.", hint=hint)


def _head(path: Path) -> tuple[bytes, bool]:
    """Give the first bytes of a file, unpacked if it is gzip by its magic, and whether it is."""
    with path.open("rb") as file:
        raw = file.read(HEAD * 4)
    if raw[:2] != b"\x1f\x8b":
        return raw[:HEAD], False
    try:
        return zlib.decompressobj(31).decompress(raw, HEAD), True
    except zlib.error:
        return b"", True


def _kind(start: bytes) -> str:
    if len(start) >= 348 and start[:4] in (struct.pack("<i", 348), struct.pack(">i", 348)):
        return {b"n+1\0": "a NIfTI file", b"ni1\0": "the header of a NIfTI pair"}.get(
            start[344:348], "an Analyze header"
        )
    if len(start) >= 540 and start[:4] in (struct.pack("<i", 540), struct.pack(">i", 540)):
        return "a NIfTI file" if start[4:7] == b"n+2" else "the header of a NIfTI pair"
    for offset, magic, name in MAGIC:
        if start[offset : offset + len(magic)] == magic:
            return name
    if start.lstrip()[:1] == b"<":
        return "a web page or XML"
    text = bytes(range(32, 127)) + b"\t\r\n\f"
    return "a text file" if start and not start.translate(None, text) else "no format known here"
