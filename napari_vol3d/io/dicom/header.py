"""One DICOM file up to its pixels: its fields, and where in it the pixels lie."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader, BytesIO, FileIO
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset, read_file_meta_info, read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate

UNDEFINED = 0xFFFFFFFF
PIXELS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}
DAMAGE = (BytesLengthException, InvalidDicomError, NotImplementedError)  # what pydicom raises beyond `gate.DAMAGE`
SMALL = 1 << 20  # bytes
HEAD = 4096  # the transfer syntax stands in here
FIRST_ELEMENTS = (0x0000, 0x0001, 0x0005, 0x0008, 0x0012, 0x0016)  # of group 8, in files without the preamble


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a DICOM file says before its pixels.

    Attributes
    ----------
    path : Path
    size, changed : int
        Bytes and time of the last change (ns) when it was read.
    fields : pydicom.Dataset
        All elements before the pixels.
    syntax : str
        The transfer syntax's UID.
    keyword : str
        Of the element of the pixels; "" where there is none.
    offset : int
        Of the pixels' first byte, in the file or, where that is deflated, in what it unpacks to.
    length : int
        Bytes of the pixels; `UNDEFINED` where they come in fragments.
    """

    path: Path
    size: int
    changed: int
    fields: Any
    syntax: str
    keyword: str = ""
    offset: int = 0
    length: int = 0

    def text(self, name: str) -> str:
        """Give a field as text, "" where it is missing or empty."""
        value = self._get(name)
        return "" if value is None else str(value).strip()

    def count(self, name: str) -> int:
        """Give how many items a sequence has, 0 where it is missing."""
        return len(self._get(name) or ())

    def stored_class(self) -> str:
        """Give the SOP class that the meta header names, which is there in a DICOMDIR too."""
        value = self._get("MediaStorageSOPClassUID", self.fields.file_meta)
        return "" if value is None else str(value)

    def _get(self, name: str, fields: Any = None) -> Any:
        try:
            return get(self.fields if fields is None else fields, name)
        except (*gate.DAMAGE, *DAMAGE) as error:  # values are parsed when they are asked for
            raise FileProblem(
                f"Damaged header: {name} of {self.path.name} can't be read ({error}).", hint="Export it again."
            ) from error


def get(fields: Any, name: str) -> Any:
    """Give a field of a dataset, or None: one value, or a sequence of several.

    Numbers as text, and UIDs, are parsed here: of a folder of small slices pydicom's way, that checks and dresses each
    value, takes longer than reading the files.
    """
    tag = _tag(name)
    if tag not in fields:
        return None
    raw = fields.get_item(tag)
    if isinstance(raw, RawDataElement) and raw.value and raw.VR in ("DS", "IS", "UI"):
        words = raw.value.rstrip(b"\0 ").split(b"\\")
        values: list[Any] = [word.decode("ascii") if raw.VR == "UI" else float(word) for word in words if word.strip()]
        return (values[0] if len(values) == 1 else values) if values else None
    return fields[tag].value


@lru_cache
def _tag(name: str) -> BaseTag:
    return Tag(name)


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does, with the preamble or, as very old programs wrote it, without."""
    with path.open("rb") as file:
        start = file.read(132)
    return start[128:] == b"DICM" or _bare(start)


def read_header(path: Path) -> Header:
    """Read all elements before the pixels.

    Raises
    ------
    FileProblem
        If the file can't be parsed.
    """
    with gate.reading(path, *DAMAGE) as size, quiet(), _opened(path, size) as file:
        start = file.read(HEAD)
        file.seek(0)
        stop = _Stop(size)
        if str(DeflatedExplicitVRLittleEndian).encode() in start:
            stream: BinaryIO = inflated(path)
            fields = read_dataset(stream, False, True, stop_when=stop)
            fields.file_meta = read_file_meta_info(path)
        else:
            stream = file
            fields = read_partial(file, stop_when=stop, force=_bare(start))
        syntax = str(fields.file_meta.get("TransferSyntaxUID", ""))
        if not syntax:
            implicit = fields.original_encoding[0]
            syntax = str(ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)
        place = stop.place(stream)
        changed = path.stat().st_mtime_ns
    keyword, offset, length = place
    return Header(
        path=path, size=size, changed=changed, fields=fields, syntax=syntax,
        keyword=keyword, offset=offset, length=length,
    )  # fmt: skip


def inflated(path: Path) -> BytesIO:
    """Unpack the elements of a file in the deflated transfer syntax, never more than fits into memory."""
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        raise FileProblem(f"Damaged header: {path.name} names two transfer syntaxes.", hint="Export the series again.")
    unpacker, result = zlib.decompressobj(-zlib.MAX_WBITS), BytesIO()
    with path.open("rb") as file:
        # Preamble, magic, and the element (12 bytes) that says how long the rest of the meta header is.
        file.seek(128 + 4 + 12 + int(meta.FileMetaInformationGroupLength))
        packed = file.read(gate.CHUNK)
        while packed and not unpacker.eof:
            result.write(unpacker.decompress(packed, gate.CHUNK))
            gate.check_memory(path, result.tell())
            packed = unpacker.unconsumed_tail or file.read(gate.CHUNK)
    if not unpacker.eof:
        raise gate.truncated(path, result.tell() + 1, path.stat().st_size, packed=True)
    result.seek(0)
    return result


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom's remarks on untidy values from people; what matters is checked and said here.

    What it raises of bytes that do not fit their type comes out without these bytes, which may name the patient.
    """
    logger = logging.getLogger("pydicom")
    before, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pydicom")
            yield
    except BytesLengthException as error:
        raise ValueError("an element of a length that its type can't have") from error
    finally:
        logger.disabled = before


def _opened(path: Path, size: int) -> BinaryIO:
    """Open a file of which no more can be asked than there is; of small ones all is read at once, which is quicker."""
    return BytesIO(path.read_bytes()) if size <= SMALL else _Bounded(path, size)


class _Bounded(BufferedReader):
    """A file of which no more is asked than there is: pydicom would make room for any length that an element has."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(FileIO(path))
        self._most = size

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if size is None or size < self._most else self._most)


class _Stop:
    """Tells pydicom to stop at the pixels, remembers them, and refuses elements that can't be in the file."""

    def __init__(self, size: int) -> None:
        self._size = size * gate.MOST_DEFLATED
        self._found: tuple[str, str | None, int] | None = None

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        if int(tag) in PIXELS:
            self._found = (PIXELS[int(tag)], vr, length)
            return True
        if length != UNDEFINED and length > self._size:
            raise ValueError(f"an element of {length:,} bytes is longer than the file")
        return False

    def place(self, stream: BinaryIO) -> tuple[str, int, int]:
        """Give keyword, offset and length of the pixels; pydicom has gone back to their element's first byte."""
        if self._found is None:
            return "", 0, 0
        keyword, vr, length = self._found
        return keyword, stream.tell() + (12 if vr in EXPLICIT_VR_LENGTH_32 else 8), length


def _bare(start: bytes) -> bool:
    if len(start) < 132 or start[128:132] == b"DICM":
        return False
    group, element = struct.unpack("<HH", start[:4])
    return group == 8 and element in FIRST_ELEMENTS
