"""PNG pictures that are slices: one grey value a pixel, as it stands in the file; 16 bits stay 16 bits."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate, magic

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = 33  # signature and first chunk
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, COLOUR: 3, PALETTE: 3, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
DEPTHS = (1, 2, 4, 8, 16)
AGAIN = "Copy or download it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class PngHeader:
    """What a picture declares.

    Attributes
    ----------
    shape : tuple of int
        (Y, X).
    depth : int
        Bits of a sample.
    kind : int
        Colour type, as the format numbers them.
    """

    shape: tuple[int, int]
    depth: int
    kind: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the grey values."""
        return np.dtype(np.uint16 if self.depth == 16 else np.uint8)


def read_png_header(path: Path) -> PngHeader:
    """Read the size and the type of a picture.

    Raises
    ------
    FileProblem
        If it is none, or damaged.
    """
    magic.require(path, "a PNG picture")
    with gate.reading(path), path.open("rb") as file:
        start = file.read(HEADER)
        length, name, columns, rows, depth, kind = struct.unpack_from(">I4sIIBB", start, len(SIGNATURE))
        if start[:8] != SIGNATURE or (length, name) != (13, b"IHDR") or kind not in SAMPLES or depth not in DEPTHS:
            raise FileProblem(f"Damaged header: {path.name} is no PNG picture that can be read.", hint=AGAIN)
        gate.declared_bytes(path, (rows, columns), 1)
        return PngHeader(shape=(rows, columns), depth=depth, kind=kind)


def read_png(path: Path) -> NDArray[Any]:
    """Read a picture (Y, X), after proving each of its parts by its checksum.

    Colours are taken where all of them are grey, and transparency where there is none. Samples of fewer than 8 bits
    keep their values, which decoders stretch to 255.

    Raises
    ------
    FileProblem
        If it is damaged, too large, or coloured.
    """
    header = read_png_header(path)
    with gate.reading(path) as size:
        # libpng holds rows, and the whole picture as it is decoded.
        needed = gate.declared_bytes(path, (*header.shape, SAMPLES[header.kind] + 1), header.dtype.itemsize)
        gate.check_stored(path, -(-header.shape[0] * header.shape[1] * header.depth // 8), size, packed=True)
        gate.check_memory(path, needed)
        content = path.read_bytes()
        _check_chunks(content, path)
        decoded: NDArray[Any] = imagecodecs.png_decode(content)
        if decoded.shape[:2] != header.shape or decoded.dtype != header.dtype:
            raise ValueError(f"it decodes to {decoded.shape} {decoded.dtype}")
        grey = _grey(decoded, path)
        if header.kind == GREY and header.depth < 8:
            grey = grey // np.uint8(255 // ((1 << header.depth) - 1))
    return grey


def _grey(decoded: NDArray[Any], path: Path) -> NDArray[Any]:
    if decoded.ndim == 2:
        return decoded
    samples = decoded.shape[2]
    colours = decoded[..., : samples - 1] if samples in (2, 4) else decoded
    if samples in (2, 4) and (decoded[..., -1] != np.iinfo(decoded.dtype).max).any():
        raise FileProblem(f"Transparent pixels: {path.name} is no slice of grey values.", hint="Save it as grey.")
    if (colours != colours[..., :1]).any():
        raise FileProblem(
            f"Colours, not intensities: {path.name} is a coloured picture.",
            hint="Convert it to one grey value or label a pixel.",
        )
    return np.ascontiguousarray(colours[..., 0])


def _check_chunks(content: bytes, path: Path) -> None:
    at, name = len(SIGNATURE), b""
    while name != b"IEND":
        if at + 12 > len(content):
            raise gate.truncated(path, at + 12, len(content))
        length, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise gate.truncated(path, end, len(content))
        if zlib.crc32(content[at + 4 : end - 4]) != struct.unpack_from(">I", content, end - 4)[0]:
            raise FileProblem(f"Damaged file: {path.name} does not match its checksum.", hint=AGAIN)
        at = end
