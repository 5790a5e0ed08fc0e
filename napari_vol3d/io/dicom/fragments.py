"""Compressed pixels before they are decoded: all fragments there, and images of the size that the header declares.

Decoders allocate what a compressed stream says of itself, so that is compared with the header first.
"""

from __future__ import annotations

import struct

from pydicom.encaps import generate_frames

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.dicom.planes import Stored

ITEM, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
MOST_PACKED = 20_000  # an empty slice, in the syntaxes that pack best
MOST_RLE = 64  # two bytes give at most 128
RLE = "1.2.840.10008.1.2.5"
# JPEG's markers that say how large the image is: all SOF, but not the tables DHT, JPG and DAC; and JPEG-LS's.
SIZES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


def check_frames(stored: Stored, data: bytes) -> None:
    """Refuse fragments that are cut short, or hold images of another size than declared."""
    _check_whole(stored, data)
    declared = stored.rows * stored.columns * stored.dtype.itemsize
    most = MOST_RLE if stored.header.syntax == RLE else MOST_PACKED
    if declared * stored.frames > most * len(data):
        raise gate.truncated(stored.path, declared * stored.frames, len(data), packed=True)
    for frame in generate_frames(data, number_of_frames=stored.frames):
        size = image_size(frame)
        if size is not None and size != (stored.rows, stored.columns):
            raise FileProblem(
                f"Damaged header: {stored.path.name} declares {stored.rows} x {stored.columns} pixels and holds "
                f"{size[0]} x {size[1]}.",
                hint="Export the series again.",
            )


def image_size(frame: bytes) -> tuple[int, int] | None:
    """Give rows and columns that a JPEG, JPEG-LS or JPEG 2000 stream says it has; None for others."""
    if frame[:4] == b"\xff\x4f\xff\x51" and len(frame) >= 24:  # JPEG 2000: the size segment comes first
        columns, rows, left, top = struct.unpack(">4I", frame[8:24])
        return rows - top, columns - left
    if frame[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker in SIZES:
            rows, columns = struct.unpack(">HH", frame[at + 5 : at + 9])
            return rows, columns
        at += 1 if marker == 0xFF else 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None


def _check_whole(stored: Stored, data: bytes) -> None:
    """Walk along the fragments to the element that ends them."""
    at = 0
    while data[at : at + 4] == ITEM:
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
    if data[at : at + 4] != END:
        raise gate.truncated(stored.path, at + 8, len(data), packed=True)
