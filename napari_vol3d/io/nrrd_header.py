"""The text header of NRRD (NRRD0001 to NRRD0005): fields, key/value pairs, where the voxels lie.

Parsed here and strictly, so that what is declared is known before anything is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.data_files import AGAIN, data_file, numbered_names
from napari_vol3d.io.itk_streams import Encoding, header_lines
from napari_vol3d.io.itk_voxels import Stored

MOST_AXES = 16
FIELDS = frozenset((
    "axis maxs", "axis mins", "block size", "byte skip", "centerings", "content", "data file", "dimension", "encoding",
    "endian", "kinds", "labels", "line skip", "max", "measurement frame", "min", "number", "old max", "old min",
    "sample units", "sizes", "space", "space dimension", "space directions", "space origin", "space units", "spacings",
    "thicknesses", "type", "units",
))  # fmt: skip
OTHER_NAMES = {
    "axismaxs": "axis maxs", "axismins": "axis mins", "blocksize": "block size", "byteskip": "byte skip",
    "centers": "centerings", "datafile": "data file", "lineskip": "line skip", "oldmax": "old max",
    "oldmin": "old min", "sampleunits": "sample units",
}  # fmt: skip
TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
TYPE_CODES = {name: code for code, names in TYPES.items() for name in names}
ENCODINGS: dict[str, Encoding] = {
    "raw": "raw", "gzip": "deflate", "gz": "deflate", "bzip2": "bzip2", "bz2": "bzip2", "ascii": "text", "text": "text",
    "txt": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file says of itself.

    Attributes
    ----------
    fields : mapping
        Text by the field's name in lower case.
    keys : mapping
        The key/value pairs, which mean something to those who wrote them.
    names : tuple of str
        Data files that a list names.
    end : int
        Byte at which attached voxels begin.
    """

    fields: dict[str, str]
    keys: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    end: int = 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """Lengths of the axes, fastest first."""
        return tuple(int(word) for word in self.fields["sizes"].split())


def read_header(file: IO[bytes], path: Path) -> Header:
    """Read the header at the beginning of a file, up to its empty line.

    Raises
    ------
    FileProblem
        If a field is unknown, given twice or missing, or a line is none.
    """
    lines = header_lines(file, path)
    version = next(lines, "")
    if re.fullmatch(r"NRRD000[1-5]", version) is None:
        raise FileProblem(f"Not an NRRD file: {path.name} begins with {version[:12]!r}.", hint=AGAIN)
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    names: tuple[str, ...] = ()
    for line in lines:
        if not line:
            break
        if line.startswith("#"):
            continue
        name, value, is_key = _split(line, path)
        if is_key:
            keys[name] = value
            continue
        if name in fields:
            raise FileProblem(f"Damaged header: {path.name} gives {name!r} twice.", hint=AGAIN)
        fields[name] = value
        if name == "data file" and value.split()[:1] == ["LIST"]:
            # It is the last field, and the names end the file.
            names = tuple(each.strip() for each in lines if each.strip())
    _check_fields(fields, path)
    return Header(fields=fields, keys=keys, names=names, end=file.tell())


def stored_voxels(header: Header, path: Path) -> Stored:
    """Say where the voxels lie and how.

    Raises
    ------
    FileProblem
        If the header does not say, or names files outside its folder.
    """
    fields = header.fields
    type_name = " ".join(fields["type"].lower().split())
    if type_name not in TYPE_CODES:
        raise FileProblem(f"Not plain numbers: {path.name} holds voxels of type {type_name!r}.", hint="Convert it.")
    encoding = ENCODINGS.get(fields["encoding"].lower())
    if encoding is None:
        raise FileProblem(
            f"Unknown encoding: {path.name} is stored as {fields['encoding']!r}.", hint="Save it as raw or gzip."
        )
    lines, skip = _whole(fields.get("line skip", "0"), path), _whole(fields.get("byte skip", "0"), path)
    if lines < 0 or (skip < 0 and (encoding != "raw" or lines)):
        raise FileProblem(f"Damaged header: {path.name} skips {lines} lines and {skip} bytes.", hint=AGAIN)
    attached = "data file" not in fields
    start = header.end if attached else 0
    return Stored(
        files=(path,) if attached else _data_files(header, path), encoding=encoding,
        dtype=_dtype(TYPE_CODES[type_name], fields, encoding, path), shape=header.sizes,
        start=skip if skip < 0 else start, after=start, lines=lines, skip=max(skip, 0),
    )  # fmt: skip


def escaped(value: str) -> str:
    """Write a key's value as one line."""
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def _split(line: str, path: Path) -> tuple[str, str, bool]:
    """Give name and value of a line, and whether it is a key/value pair."""
    pair = re.match(r"(.*?)(:=|: )(.*)$", line)
    if pair is None:
        raise FileProblem(f"Damaged header: {path.name} has the line {line[:40]!r}.", hint=AGAIN)
    name, separator, value = pair.groups()
    if separator == ":=":
        return _unescaped(name), _unescaped(value), True
    known = OTHER_NAMES.get(name.lower(), name.lower())
    if known not in FIELDS:
        raise FileProblem(f"Damaged header: {path.name} has the unknown field {name[:40]!r}.", hint=AGAIN)
    return known, value.strip(), False


def _unescaped(text: str) -> str:
    return re.sub(r"\\([n\\])", lambda found: "\n" if found[1] == "n" else "\\", text)


def _check_fields(fields: dict[str, str], path: Path) -> None:
    missing = [name for name in ("type", "dimension", "sizes", "encoding") if name not in fields]
    if missing:
        raise FileProblem(f"Damaged header: {path.name} gives no {missing[0]}.", hint=AGAIN)
    count = _whole(fields["dimension"], path)
    sizes = [_whole(word, path) for word in fields["sizes"].split()]
    if not 1 <= count <= MOST_AXES or len(sizes) != count or min(sizes) < 1:
        raise FileProblem(
            f"Damaged header: {path.name} declares {count} axes of sizes {fields['sizes'][:60]}.", hint=AGAIN
        )


def _dtype(code: str, fields: dict[str, str], encoding: Encoding, path: Path) -> np.dtype[Any]:
    if encoding == "text" or code.endswith("1"):
        return np.dtype(code)
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower())
    if order is None:
        raise FileProblem(f"Damaged header: {path.name} does not say its byte order.", hint=AGAIN)
    return np.dtype(f"{order}{code}")


def _data_files(header: Header, path: Path) -> tuple[Path, ...]:
    words = header.fields["data file"].split()
    sizes = header.sizes
    if words[:1] == ["LIST"]:
        names = list(header.names)
        count = _file_count(sizes, words[1:2], len(names), path)
        if len(names) != count or len(words) > 2:
            raise FileProblem(
                f"Damaged header: {path.name} names {len(names)} data files where there are {count}.", hint=AGAIN
            )
    elif len(words) in (4, 5) and "%" in words[0]:
        first, last, step = (_whole(word, path) for word in words[1:4])
        if step == 0:
            raise FileProblem(f"Damaged header: {path.name} numbers its data files by steps of 0.", hint=AGAIN)
        numbers = range(first, last + (1 if step > 0 else -1), step)
        count = _file_count(sizes, words[4:], len(numbers), path)
        names = numbered_names(path, words[0], numbers, count)
    else:
        names = [header.fields["data file"]]
    return tuple(data_file(path, name) for name in names)


def _file_count(sizes: tuple[int, ...], given: list[str], found: int, path: Path) -> int:
    """Give how many files there must be, each with the voxels of so many axes (by default all but the slowest)."""
    axes = _whole(given[0], path) if given else len(sizes) - 1
    if not 1 <= axes <= len(sizes):
        raise FileProblem(f"Damaged header: {path.name} has files of {axes} of {len(sizes)} axes.", hint=AGAIN)
    if axes == len(sizes):  # slabs, equally many slices each
        return found if found and sizes[-1] % found == 0 else sizes[-1]
    count = 1
    for length in sizes[axes:]:
        count *= length
    return count


def _whole(text: str, path: Path) -> int:
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()) is None:
        raise FileProblem(f"Damaged header: {path.name} has {text[:40]!r} where a whole number belongs.", hint=AGAIN)
    return int(text)
