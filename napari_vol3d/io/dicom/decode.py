"""Compressed DICOM frames, decoded by what a damaged stream can't take the program down with.

GDCM is never asked: in fuzzing it ended the process for one in a hundred damaged JPEG Lossless and JPEG-LS streams, and
it knows no JPEG of 12 bits. libjpeg-turbo, CharLS and OpenJPEG raised for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
)

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.dicom.fragments import check_frames
from napari_vol3d.io.dicom.header import UNDEFINED
from napari_vol3d.io.dicom.planes import Stored

JPEG = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1)
REFUSED_PLUGINS = ("gdcm",)
Frame = Callable[[int, NDArray[Any]], None]  # puts the stored numbers of a frame into an array of their type


def decoded(stored: Stored) -> Frame:
    """Give what decodes the frames of a file, for all but plain little-endian numbers.

    Raises
    ------
    FileProblem
        If nothing here can decode its transfer syntax, or it is damaged.
    """
    syntax = UID(stored.header.syntax)
    decode = _jpeg if syntax in JPEG else _by_pydicom(stored, syntax)
    frames = _frames(stored)

    def frame(index: int, numbers: NDArray[Any]) -> None:
        try:
            found = decode(frames[index])
        except (*gate.DAMAGE, OSError) as error:
            reasons = "; ".join(line.strip() for line in str(error).splitlines()[1:]) or str(error)
            raise FileProblem(
                f"Can't be decoded: {stored.path.name}, {syntax.name} ({reasons}).",
                hint="It may be damaged: copy it again. Or export the series uncompressed.",
            ) from error
        found = found.reshape(numbers.shape)
        # Signed numbers may come as the unsigned ones of the same bits.
        same_bits = found.dtype.itemsize == numbers.dtype.itemsize and numbers.dtype.kind in "iu"
        numbers[...] = found.view(numbers.dtype) if same_bits else found

    return frame


def _frames(stored: Stored) -> list[bytes]:
    """Give the bytes of each frame."""
    header = stored.header
    with stored.path.open("rb") as file:
        file.seek(header.offset)
        data = file.read() if header.length == UNDEFINED else file.read(header.length)
    if header.syntax == ExplicitVRBigEndian:
        length = stored.rows * stored.columns * stored.dtype.itemsize
        return [data[at * length : (at + 1) * length] for at in range(stored.frames)]
    check_frames(stored, data)
    return list(generate_frames(data, number_of_frames=stored.frames))


def _jpeg(data: bytes) -> NDArray[Any]:
    return np.ascontiguousarray(imagecodecs.jpeg8_decode(data))


def _by_pydicom(stored: Stored, syntax: UID) -> Callable[[bytes], NDArray[Any]]:
    """Give a decoder of pydicom, and let it use any of its plug-ins that may be used here."""
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise _needs(stored, syntax, "a decoder that does not exist here") from error
    plugins = [name for name in decoder.available_plugins if name not in REFUSED_PLUGINS]
    packed = syntax != ExplicitVRBigEndian
    if packed and not plugins:
        raise _needs(stored, syntax, " or ".join(decoder.missing_dependencies))
    options: dict[str, Any] = {
        "rows": stored.rows, "columns": stored.columns, "number_of_frames": 1, "samples_per_pixel": 1,
        "bits_allocated": stored.allocated, "bits_stored": stored.bits, "pixel_representation": int(stored.signed),
        "photometric_interpretation": stored.colour or "MONOCHROME2", "pixel_keyword": stored.header.keyword,
        "planar_configuration": 0, "pixel_vr": "OW" if stored.allocated > 8 else "OB",
        "decoding_plugin": plugins[0] if packed else "",
    }  # fmt: skip

    def decode(data: bytes) -> NDArray[Any]:
        found, _ = decoder.as_array(encapsulate([data]) if packed else data, index=0, raw=True, **options)
        return np.ascontiguousarray(found, found.dtype.newbyteorder("="))

    return decode


def _needs(stored: Stored, syntax: UID, what: str) -> FileProblem:
    return FileProblem(
        f"Can't be decoded: transfer syntax {syntax.name} ({syntax}) of {stored.path.name} needs {what}.",
        hint="Export the series uncompressed, or install what is missing.",
    )
