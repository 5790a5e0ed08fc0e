"""MetaImage, as ITK reads it: one file (.mha) or a header beside its data (.mhd).

World coordinates are left-posterior-superior in mm by ITK's convention; a single slice (two axes) is no patient's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, magic
from napari_vol3d.io.data_files import AGAIN, data_file, numbered_names
from napari_vol3d.io.held import hold
from napari_vol3d.io.itk_streams import header_lines
from napari_vol3d.io.itk_voxels import Stored, read_stored
from napari_vol3d.io.lengths import length_unit
from napari_vol3d.io.npy import native

# By what a file may begin with: a comment may come first.
POSSIBLE = ("a MetaImage file", "a text file", "no format known here")
TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4",  # of four bytes, whatever a "long" is on this machine
    "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
SAME = {
    "Position": "Offset", "Origin": "Offset", "Rotation": "TransformMatrix", "Orientation": "TransformMatrix",
    "ElementByteOrderMSB": "BinaryDataByteOrderMSB",
}  # fmt: skip
FIELDS = (
    "ObjectType", "NDims", "DimSize", "ElementType", "ElementSpacing", "ElementSize", "Offset", "TransformMatrix",
    "DistanceUnits", "CompressedData", "CompressedDataSize", "BinaryData", "BinaryDataByteOrderMSB",
    "ElementNumberOfChannels", "HeaderSize", "ElementToIntensityFunctionSlope", "ElementToIntensityFunctionOffset",
    "ElementDataFile",
)  # fmt: skip
PROPER = {name.lower(): name for name in (*FIELDS, *SAME)}
TRUTHS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
RAS = np.diag((-1.0, -1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """The fields that count, by their usual names, the data files that a list names, and where local voxels begin."""

    fields: dict[str, str]
    names: tuple[str, ...]
    end: int

    def numbers(self, name: str, count: int, default: Iterable[float]) -> NDArray[np.float64]:
        """Give a field's numbers; raises ValueError unless it has `count` of them, all finite."""
        words = self.fields[name].split() if name in self.fields else [*default]
        if len(words) != count:
            raise ValueError(f"{name} has {len(words)} numbers instead of {count}")
        numbers = np.array([float(word) for word in words])
        if not np.isfinite(numbers).all():
            raise ValueError(f"{name} is {self.fields[name][:40]!r}")
        return numbers

    def whole(self, name: str, default: str) -> list[int]:
        """Give a field's whole numbers."""
        words = self.fields.get(name, default).split()
        if any(re.fullmatch(r"[+-]?[0-9]{1,18}", word) is None for word in words):
            raise ValueError(f"{name} is {self.fields[name][:40]!r}")
        return [int(word) for word in words]

    def truth(self, name: str, *, default: bool) -> bool:
        """Give a field that is true or false."""
        text = self.fields.get(name, str(default)).lower()
        if text not in TRUTHS:
            raise ValueError(f"{name} is {text[:40]!r}")
        return TRUTHS[text]


def read_metaimage(path: Path) -> Volume:
    """Read a MetaImage file; plain voxels of a single file stay in it until they are asked for.

    Returns
    -------
    Volume
        (Z, Y, X), then channels, then time, where there are any. The stored type; `is_labels` is None.

    Raises
    ------
    FileProblem
        If it is damaged, too large, or has data files outside its folder.
    """
    if magic.kind_of(path) not in POSSIBLE:
        magic.require(path, "a MetaImage file")
    with gate.reading(path):
        with path.open("rb") as file:
            header = _read_header(file, path)
        sizes, channels = _sizes(header, path)
        voxels = read_stored(path, _stored_voxels(header, sizes, channels, path))
        timed = len(sizes) == 4 and sizes[3] > 1
        voxels = _arrange(voxels, len(sizes), timed=timed, channelled=channels > 1)
        x, y, z = voxels.shape[:3]
        geometry = _geometry(header, len(sizes), (x, y, z), path)
    return Volume(
        data=native(path, geometry.stored.to_held(voxels)), geometry=geometry, name=path.stem, source=path,
        channels=tuple(f"channel {i + 1}" for i in range(channels)) if channels > 1 else (), timed=timed,
        is_labels=None,
    )  # fmt: skip


def _read_header(file: IO[bytes], path: Path) -> _Header:
    """Read up to the field that names the data file, which is the last one."""
    fields: dict[str, str] = {}
    lines = header_lines(file, path)
    for line in lines:
        pair = re.fullmatch(r"\s*([^\s=:][^=:]*?)\s*[=:]\s*(.*?)\s*", line)
        if pair is None:
            if not line.strip():
                continue
            raise _damaged(path, f"has the line {line[:40]!r}")
        given, value = pair.groups()
        if given not in PROPER.values():
            if given.lower() in PROPER:  # ITK would not see it
                raise _damaged(path, f"spells {PROPER[given.lower()]} as {given}")
            continue  # people add fields of their own
        name = SAME.get(given, given)
        if name in fields:
            raise _damaged(path, f"gives {name} twice")
        fields[name] = value
        if name == "ElementDataFile":
            break
    _check_fields(fields, path)
    end = file.tell()
    listed = fields["ElementDataFile"].split()[:1] == ["LIST"]
    return _Header(fields=fields, names=tuple(each for each in lines if each) if listed else (), end=end)


def _check_fields(fields: dict[str, str], path: Path) -> None:
    kind = fields.get("ObjectType", "Image")
    if kind != "Image":
        raise FileProblem(f"Not an image: {path.name} holds a MetaIO {kind[:40]}.", hint="Open the scan itself.")
    missing = [name for name in ("NDims", "DimSize", "ElementType", "ElementDataFile") if name not in fields]
    if missing:
        raise _damaged(path, f"gives no {missing[0]}")
    # Programs differ in whether they apply this, so it is no matter to be silent about.
    slope = fields.get("ElementToIntensityFunctionSlope", "1"), fields.get("ElementToIntensityFunctionOffset", "0")
    if (float(slope[0]), float(slope[1])) != (1.0, 0.0):
        raise FileProblem(
            f"Scaled voxels: {path.name} asks for the factor {slope[0]} and the offset {slope[1]}, which ITK ignores.",
            hint="Save the volume with the scaling applied.",
        )


def _sizes(header: _Header, path: Path) -> tuple[tuple[int, ...], int]:
    """Give the lengths of the axes, fastest first, and the number of channels."""
    (count,), sizes = header.whole("NDims", ""), header.whole("DimSize", "")
    (channels,) = header.whole("ElementNumberOfChannels", "1")
    if count not in (2, 3, 4):
        raise FileProblem(
            f"Not a volume: {path.name} declares {count} axes.", hint="Save one volume, or one series of volumes."
        )
    if len(sizes) != count or min(*sizes, channels) < 1:
        raise _damaged(path, f"declares {count} axes of sizes {sizes[:8]} and {channels} channels")
    return tuple(sizes), channels


def _stored_voxels(header: _Header, sizes: tuple[int, ...], channels: int, path: Path) -> Stored:
    fields = header.fields
    if fields["ElementType"] not in TYPES:
        raise FileProblem(
            f"Not plain numbers: {path.name} holds voxels of type {fields['ElementType'][:40]}.", hint="Convert it."
        )
    local = fields["ElementDataFile"].lower() == "local"
    (skip,) = header.whole("HeaderSize", "0")
    (packed,) = header.whole("CompressedDataSize", "0")
    deflated = header.truth("CompressedData", default=False)
    text = not header.truth("BinaryData", default=True)
    if (deflated and (text or skip < 0)) or (text and skip) or skip < -1 or (local and 0 < skip < header.end):
        raise _damaged(path, f"packs or places its voxels in a way that makes no sense (HeaderSize {skip})")
    order = ">" if header.truth("BinaryDataByteOrderMSB", default=False) else "<"
    files = (path,) if local else _data_files(header, sizes, path)
    return Stored(
        files=files, encoding="deflate" if deflated else "text" if text else "raw",
        dtype=np.dtype(f"{'=' if text else order}{TYPES[fields['ElementType']]}"),
        shape=((channels,) if channels > 1 else ()) + sizes,
        start=skip if skip else header.end if local else 0, after=header.end if local else 0,
        packed=max(packed, 0) if deflated and len(files) == 1 else 0,
    )  # fmt: skip


def _data_files(header: _Header, sizes: tuple[int, ...], path: Path) -> tuple[Path, ...]:
    text = header.fields["ElementDataFile"]
    pattern = re.fullmatch(r"(\S*%\S*)\s+([0-9]{1,9})\s+([0-9]{1,9})(?:\s+([0-9]{1,9}))?", text)
    listed = re.fullmatch(r"LIST(?:\s+([0-9])D?)?", text)
    if listed:
        axes = int(listed[1] or len(sizes) - 1)
        count = int(np.prod([float(length) for length in sizes[axes:]]))
        if not 1 <= axes <= len(sizes) or len(header.names) != count:
            raise _damaged(path, f"names {len(header.names)} data files where there are {count}")
        names = [name.strip() for name in header.names]
    elif pattern:
        first, last, step = int(pattern[2]), int(pattern[3]), int(pattern[4] or 1)
        if not step:
            raise _damaged(path, "numbers its data files by steps of 0")
        names = numbered_names(path, pattern[1], range(first, last + 1, step), sizes[-1])
    else:
        names = [text]
    return tuple(data_file(path, name) for name in names)


def _arrange(voxels: NDArray[Any], count: int, *, timed: bool, channelled: bool) -> NDArray[Any]:
    """View stored voxels (channels first) as (x, y, z), with channels and time behind."""
    spatial = voxels if channelled else voxels[None]
    if count == 2:
        spatial = spatial[:, :, :, None]
    if count != 4:
        spatial = spatial[..., None]
    ordered = spatial.transpose(1, 2, 3, 0, 4)
    return ordered[(..., *(slice(None) if wanted else 0 for wanted in (channelled, timed)))]


def _geometry(header: _Header, count: int, shape: Triple, path: Path) -> Geometry:
    unit, factor = length_unit(header.fields["DistanceUnits"]) if "DistanceUnits" in header.fields else ("mm", 1.0)
    if unit == "pixel":
        unit = "mm"
    spacing = header.numbers("ElementSpacing", count, header.numbers("ElementSize", count, [1.0] * count))
    offset = header.numbers("Offset", count, [0.0] * count)
    # Its rows are the directions of the axes.
    directions = header.numbers("TransformMatrix", count**2, np.eye(count).ravel()).reshape(count, count).T
    length = min(count, 3)
    if count == 4 and (directions[3, :3].any() or directions[:3, 3].any()):
        raise FileProblem(f"Damaged geometry: {path.name} moves through time along its space axes.", hint=AGAIN)
    affine = np.eye(4)
    affine[:length, :length] = (directions * spacing)[:length, :length]
    affine[:length, 3] = offset[:length]
    with np.errstate(over="ignore", invalid="ignore"):  # the gate judges what comes out
        affine = np.diag([factor, factor, factor, 1.0]) @ (RAS @ affine if count > 2 else affine)
    gate.check_affine(path, affine)
    return hold(affine, shape, anatomical=count > 2, unit=unit, header={"format": "metaimage"})


def _damaged(path: Path, what: str) -> FileProblem:
    return FileProblem(f"Damaged header: {path.name} {what}.", hint=AGAIN)
