"""Images in DICOM files as planes: one for each frame, with its place, its scaling and its pixels' whereabouts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.dicom.header import DAMAGE, UNDEFINED, Header, get, quiet

MOST_FRAMES = 1_000_000
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
# Groups behind the pixels: private ones next to theirs, signatures, padding.
BEHIND = (0x7FE1, 0x7FE3, 0x7FE5, 0xFFFA, 0xFFFC)
# What may tell volumes at the same positions apart, and where enhanced files keep it.
TIMES = {
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "EchoNumbers": None,
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "DiffusionBValue": ("MRDiffusionSequence", "DiffusionBValue"),
    "AcquisitionNumber": ("FrameContentSequence", "FrameAcquisitionNumber"),
    "FrameReferenceTime": ("FrameContentSequence", "FrameReferenceDateTime"),
    "TriggerTime": ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    "AcquisitionTime": ("FrameContentSequence", "FrameAcquisitionDateTime"),
}
Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How one file keeps its pixels.

    Attributes
    ----------
    header : Header
        Where they lie.
    frames, rows, columns, samples : int
    dtype : dtype
        Of one stored number, in the byte order of uncompressed little-endian files.
    allocated, bits : int
        Bits that a number takes, and those of them that count.
    signed : bool
    colour : str
        The photometric interpretation, such as "MONOCHROME2".
    reason : str
        Why its pixels can't be read as intensities; "" where they can.
    """

    header: Header
    frames: int
    rows: int
    columns: int
    samples: int
    dtype: np.dtype[Any]
    allocated: int
    bits: int
    signed: bool
    colour: str
    reason: str = ""

    @property
    def path(self) -> Path:
        """The file."""
        return self.header.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One slice: a frame of a file.

    Attributes
    ----------
    stored : Stored
    frame : int
        From 0.
    uid, series : str
        SOPInstanceUID and SeriesInstanceUID.
    position : tuple of float or None
        Of the centre of the first pixel, LPS mm.
    orientation : tuple of float or None
        Directions of growing column and row number, LPS.
    spacing : tuple of float or None
        Between rows and between columns, mm.
    thickness : float or None
        What the file says that one slice takes up; only for slices that stand alone.
    scaling : tuple of float
        Slope and intercept.
    kind : str
        The image type, such as "ORIGINAL PRIMARY M".
    stack : str
        Which of several stacks an enhanced file says that it belongs to.
    times : mapping
        What is there of `TIMES`, each a number or text that sorts.
    """

    stored: Stored
    frame: int
    uid: str
    series: str
    position: Numbers | None
    orientation: Numbers | None
    spacing: Numbers | None
    thickness: float | None
    scaling: tuple[float, float]
    kind: str
    stack: str = ""
    times: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For people: the file, and which frame of several."""
        name = self.stored.path.name
        return name if self.stored.frames == 1 else f"{name} (frame {self.frame + 1})"


def planes_of(header: Header) -> tuple[Plane, ...]:
    """Give the planes of a file that has pixels.

    Raises
    ------
    FileProblem
        If its header contradicts itself.
    """
    with gate.reading(header.path, *DAMAGE), quiet():
        stored = _stored(header)
        shared = (get(header.fields, "SharedFunctionalGroupsSequence") or [None])[0]
        each = get(header.fields, "PerFrameFunctionalGroupsSequence")
        if each is None:
            return tuple(_plane(stored, frame, None, None) for frame in range(stored.frames))
        if len(each) != stored.frames:
            raise FileProblem(
                f"Damaged header: {header.path.name} declares {stored.frames} frames and describes {len(each)}.",
                hint="Export the series again.",
            )
        return tuple(_plane(stored, frame, shared, own) for frame, own in enumerate(each))


def _stored(header: Header) -> Stored:
    fields = header.fields
    frames = int(get(fields, "NumberOfFrames") or 1)
    rows, columns = int(get(fields, "Rows") or 0), int(get(fields, "Columns") or 0)
    samples = int(get(fields, "SamplesPerPixel") or 1)
    allocated = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(header.keyword)
    if allocated is not None:
        dtype, bits, signed = np.dtype(f"<f{allocated // 8}"), allocated, True
    else:
        allocated, signed = int(get(fields, "BitsAllocated") or 0), bool(get(fields, "PixelRepresentation") or 0)
        bits = int(get(fields, "BitsStored") or allocated)
        usual = allocated in (8, 16, 32)
        dtype = np.dtype(f"<{'i' if signed else 'u'}{allocated // 8}") if usual else np.dtype("u1")
    if frames > MOST_FRAMES:
        raise FileProblem(f"Damaged header: {header.path.name} declares {frames:,} frames.", hint="Export it again.")
    gate.declared_bytes(header.path, (frames, rows, columns, samples), max(1, allocated // 8))
    stored = Stored(
        header=header, frames=frames, rows=rows, columns=columns, samples=samples, dtype=dtype, allocated=allocated,
        bits=bits, signed=signed, colour=header.text("PhotometricInterpretation"),
        reason=_reason(header, samples, allocated, bits),
    )  # fmt: skip
    if not stored.reason:
        _check_length(stored)
    return stored


def _reason(header: Header, samples: int, allocated: int, bits: int) -> str:
    """Say why pixels are no plain numbers."""
    name, colour = header.path.name, header.text("PhotometricInterpretation")
    if samples != 1 or not (colour.startswith("MONOCHROME") or not colour):
        return f"Colours, not intensities: {name} holds {colour or samples} pixels."
    if header.keyword == "PixelData" and allocated not in (8, 16, 32):
        return f"Not plain numbers: {name} takes {allocated} bits for a pixel."
    if not 1 <= bits <= allocated or get(header.fields, "HighBit") not in (None, bits - 1):
        return f"Not plain numbers: {name} keeps {bits} bits of {allocated} in an unusual place."
    if get(header.fields, "ModalityLUTSequence"):
        return f"Not plain numbers: {name} gives its values through a table."
    return ""


def _check_length(stored: Stored) -> None:
    """Refuse a file that holds fewer pixels than it declares, or many more."""
    header = stored.header
    if header.length == UNDEFINED:
        return
    declared = stored.frames * stored.rows * stored.columns * stored.dtype.itemsize
    inside = header.offset + header.length
    if stored.header.syntax != DEFLATED and inside > header.size:
        raise gate.truncated(header.path, inside, header.size)
    if declared > header.length:
        raise gate.truncated(header.path, declared, header.length)
    plain = stored.header.syntax != DEFLATED
    # One byte makes a number of them even.
    if header.length - declared > 1 and (not plain or _holds_more(header, header.offset + declared, inside)):
        raise FileProblem(
            f"Damaged header: {header.path.name} holds more bytes than the {declared:,} it declares.",
            hint="Export the series again.",
        )
    if plain and header.size > inside and _holds_more(header, inside, header.size, BEHIND):
        raise FileProblem(
            f"Damaged file: {header.path.name} holds more bytes behind its pixels.", hint="Copy or download it again."
        )


def _holds_more(header: Header, start: int, end: int, allowed: tuple[int, ...] = ()) -> bool:
    """Whether there is anything between two places in a file but a few zeros, or elements of the groups allowed."""
    with header.path.open("rb") as file:
        file.seek(start)
        rest = file.read(min(end - start, gate.PADDING + 1))
    order: Any = "big" if header.syntax == BIG_ENDIAN else "little"
    known = len(rest) >= 4 and int.from_bytes(rest[:2], order) in allowed
    return not known and (len(rest) > gate.PADDING or any(rest))


def _plane(stored: Stored, frame: int, shared: Any, own: Any) -> Plane:
    fields, path = stored.header.fields, stored.path
    enhanced = own is not None

    def group(sequence: str) -> Any:
        """Give a functional group of this frame, its own or one for all, or the file itself where it has none."""
        for groups in (own, shared):
            found = get(groups, sequence) if groups is not None else None
            if found:
                return found[0]
        return {} if enhanced else fields

    measures, values = group("PixelMeasuresSequence"), group("PixelValueTransformationSequence")
    # Several frames without groups of their own share one position: that of none of them is known.
    placed = enhanced or stored.frames == 1
    position, turned = group("PlanePositionSequence"), group("PlaneOrientationSequence")
    slope = _numbers(values, "RescaleSlope", 1, path)
    inter = _numbers(values, "RescaleIntercept", 1, path)
    if slope == (0.0,):
        raise FileProblem(f"Damaged header: {path.name} has a rescale slope of 0.", hint="Export the series again.")
    thickness = _numbers(measures, "SpacingBetweenSlices", 1, path) or _numbers(measures, "SliceThickness", 1, path)
    kind = _kind(group) if enhanced else get(fields, "ImageType") or ()
    return Plane(
        stored=stored, frame=frame, uid=stored.header.text("SOPInstanceUID"),
        series=stored.header.text("SeriesInstanceUID"),
        position=_numbers(position, "ImagePositionPatient", 3, path) if placed else None,
        orientation=_numbers(turned, "ImageOrientationPatient", 6, path) if placed else None,
        spacing=_numbers(measures, "PixelSpacing", 2, path),
        thickness=thickness[0] if thickness else None,
        scaling=(slope[0] if slope else 1.0, inter[0] if inter else 0.0),
        kind=kind if isinstance(kind, str) else " ".join(str(word) for word in kind),
        stack=str(get(group("FrameContentSequence"), "StackID") or "") if enhanced else "",
        times=_times(group, fields, enhanced=enhanced),
    )  # fmt: skip


def _kind(group: Any) -> Any:
    """Give the type of a frame of an enhanced file."""
    found = (get(group(f"{one}FrameTypeSequence"), "FrameType") for one in ("MRImage", "CTImage", "PET"))
    return next((kind for kind in found if kind), ())


def _times(group: Any, fields: Any, *, enhanced: bool) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for name, place in TIMES.items():
        value = get(fields, name) if not enhanced else get(group(place[0]), place[1]) if place else None
        if value is None or str(value) == "":
            continue
        try:
            found[name] = float(value)
        except (TypeError, ValueError):
            found[name] = str(value)
    if "AcquisitionTime" in found and not enhanced:
        found["AcquisitionTime"] = f"{get(fields, 'AcquisitionDate') or ''} {get(fields, 'AcquisitionTime')}"
    return found


def _numbers(fields: Any, name: str, count: int, path: Path) -> Numbers | None:
    """Give a field of so many numbers, or None where it is missing or empty."""
    value = get(fields, name)
    if value is None or value == "":
        return None
    numbers = tuple(float(one) for one in ([value] if count == 1 else value))
    if len(numbers) != count or not all(math.isfinite(one) for one in numbers):
        raise FileProblem(
            f"Damaged header: {name} of {path.name} is {value}, not {count} finite numbers.",
            hint="Export the series again.",
        )
    return numbers
