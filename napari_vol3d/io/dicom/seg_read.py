"""Reading DICOM segmentations: BINARY, FRACTIONAL and LABELMAP, as one label map.

Each frame is put on the plane that it names: on the grid of the scan where the frames lie on its voxels, else on a
grid of their own. FRACTIONAL counts from half of its maximum on. Where segments overlap, the higher segment number is
kept and the log says for how many voxels: a label map can hold one.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRBigEndian

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass, label_dtype
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate
from napari_vol3d.io.dicom.decode import decoded
from napari_vol3d.io.dicom.frames import Frames, Places, own_grid, places_on, read_frames
from napari_vol3d.io.dicom.header import read_header
from napari_vol3d.io.dicom.planes import Stored
from napari_vol3d.io.dicom.segments import read_segments

log = logging.getLogger(__name__)

BITS = {"BINARY": (1,), "FRACTIONAL": (8,), "LABELMAP": (8, 16)}
ALL = 0  # a frame of a LABELMAP is of all segments


def read_seg(path: Path, dataset: Any, scans: Iterator[Volume]) -> Volume:
    """Give the label map of a segmentation object that was read from `path`.

    Parameters
    ----------
    scans : iterator of Volume
        The scans that it may lie on, the best first; none is asked for where the object itself is damaged.

    Raises
    ------
    FileProblem
        If it is damaged, or its frames span no regular grid and lie on no scan.
    """
    planes = read_frames(dataset)
    _check_size(path, dataset, len(planes.corners))
    classes = read_segments(dataset)
    numbers = _frame_segments(dataset, classes)
    geometry, shape, places = _grid(path, dataset, planes, scans)
    top = max(max(classes, default=0), _highest(dataset))
    gate.check_memory(path, math.prod(shape) * label_dtype(top).itemsize * 2)
    held = np.zeros(shape, label_dtype(top))
    overlap = 0
    for index, (frame, number) in enumerate(zip(_frames(path, dataset), numbers, strict=True)):
        overlap += _put(places.view(held, index, planes.shape), frame, number)
    if overlap:
        log.warning("%s: segments overlap in %d voxels; the higher segment number is kept.", path.name, overlap)
    return Volume(
        data=_with_ids(path, held, classes), geometry=geometry, name=path.stem, source=path, is_labels=True,
        classes=tuple(sorted(classes.values(), key=lambda one: one.id)),
    )  # fmt: skip


def _grid(path: Path, dataset: Any, planes: Frames, scans: Iterator[Volume]) -> tuple[Geometry, Triple, Places]:
    for scan in scans:
        places = places_on(planes, scan.geometry, scan.shape)
        if places is not None:
            return scan.geometry, scan.shape, places
        log.info("%s does not lie on the voxels of %s.", path.name, scan.name)
    header = {"format": "dicom-seg", "frame_of_reference": str(dataset.get("FrameOfReferenceUID", ""))}
    geometry, shape = own_grid(path, planes, header)
    gate.check_memory(path, math.prod(shape))
    places = places_on(planes, geometry, shape)
    if places is None:
        raise FileProblem(f"Irregular planes: those of {path.name} lie on no grid.", hint="Export it again.")
    return geometry, shape, places


def _check_size(path: Path, dataset: Any, frames: int) -> None:
    """Compare what is declared with what is stored, before anything is allocated."""
    kind, bits = str(dataset.SegmentationType), int(dataset.BitsAllocated)
    if bits not in BITS.get(kind, ()) or int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise ValueError(f"a {kind} segmentation of {bits} bits is not known")
    if int(dataset.NumberOfFrames) != frames:
        raise ValueError(f"{dataset.NumberOfFrames} frames are declared and {frames} described")
    one = gate.declared_bytes(path, (int(dataset.Rows), int(dataset.Columns)), 1)
    declared = -(-one * frames * bits // 8)
    stored = len(dataset.get("PixelData") or b"")
    if _native(dataset):
        gate.check_stored(path, declared, stored)
        if stored > declared + declared % 2:
            raise ValueError(f"{stored:,} bytes of voxels are stored and {declared:,} declared")
    elif not stored:
        raise gate.truncated(path, declared, stored)
    gate.check_memory(path, one * 8)  # a frame, and what is made of it on the way


def _native(dataset: Any) -> bool:
    return not dataset.file_meta.TransferSyntaxUID.is_encapsulated


def _frame_segments(dataset: Any, classes: dict[int, LabelClass]) -> list[int]:
    """Give the segment number of each frame."""
    frames = dataset.PerFrameFunctionalGroupsSequence
    if dataset.SegmentationType == "LABELMAP":
        return [ALL] * len(frames)
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    numbers = []
    for frame in frames:
        named = frame.get("SegmentIdentificationSequence") or shared.get("SegmentIdentificationSequence")
        number = int(named[0].ReferencedSegmentNumber)
        if number not in classes:
            raise ValueError(f"a frame is of segment {number}, which is not described")
        numbers.append(number)
    return numbers


def _highest(dataset: Any) -> int:
    """Give the highest value that a frame may hold."""
    return 2 ** int(dataset.BitsAllocated) - 1 if dataset.SegmentationType == "LABELMAP" else 1


def _frames(path: Path, dataset: Any) -> Iterator[NDArray[Any]]:
    """Give the frames one after the other (rows, columns): masks, or segment numbers of a LABELMAP."""
    kind = dataset.SegmentationType
    half = int(dataset.MaximumFractionalValue) / 2 if kind == "FRACTIONAL" else 1.0
    if half <= 0:
        raise ValueError("its largest fraction is 0")
    empty = int(dataset.get("PixelPaddingValue", 0)) if kind == "LABELMAP" else 0
    if empty and any(int(item.SegmentNumber) == 0 for item in dataset.SegmentSequence):
        raise ValueError("segment 0 is no background in it")
    plain = _native(dataset) and dataset.file_meta.TransferSyntaxUID != ExplicitVRBigEndian
    for frame in (_bits if kind == "BINARY" else _numbers)(dataset) if plain else _decoded(path, dataset):
        if kind == "LABELMAP":
            yield np.where(frame == empty, 0, frame) if empty else frame
        else:
            yield frame >= half if kind == "FRACTIONAL" else frame != 0


def _numbers(dataset: Any) -> Iterator[NDArray[Any]]:
    """Give frames of whole bytes that lie there as they are."""
    whole = np.frombuffer(dataset.PixelData, f"<u{dataset.BitsAllocated // 8}")
    shape = (int(dataset.Rows), int(dataset.Columns))
    for first in range(0, math.prod(shape) * int(dataset.NumberOfFrames), math.prod(shape)):
        yield whole[first : first + math.prod(shape)].reshape(shape)


def _decoded(path: Path, dataset: Any) -> Iterator[NDArray[Any]]:
    """Decode compressed frames."""
    bits = int(dataset.BitsAllocated)
    if bits == 1 and _native(dataset):
        raise ValueError("single bits in big-endian words are not read")
    stored = Stored(
        header=read_header(path), frames=int(dataset.NumberOfFrames), rows=int(dataset.Rows),
        columns=int(dataset.Columns), samples=1, dtype=np.dtype(f"<u{max(bits // 8, 1)}"), allocated=bits, bits=bits,
        signed=False, colour=str(dataset.PhotometricInterpretation),
    )  # fmt: skip
    frame = decoded(stored)
    for index in range(stored.frames):
        numbers = np.empty((stored.rows, stored.columns), stored.dtype)
        frame(index, numbers)
        yield numbers


def _bits(dataset: Any) -> Iterator[NDArray[np.uint8]]:
    """Unpack frames of single bits; a frame may begin in the middle of a byte."""
    packed = np.frombuffer(dataset.PixelData, np.uint8)
    shape = (int(dataset.Rows), int(dataset.Columns))
    length = math.prod(shape)
    for first in range(0, length * int(dataset.NumberOfFrames), length):
        part = packed[first // 8 : -(-(first + length) // 8)]
        yield np.unpackbits(part, bitorder="little")[first % 8 : first % 8 + length].reshape(shape)


def _put(plane: NDArray[Any], frame: NDArray[Any], number: int) -> int:
    """Put a frame on its plane, higher segment numbers over lower ones, and count the voxels that had another."""
    new = frame if number == ALL else np.where(frame, plane.dtype.type(number), plane.dtype.type(0))
    contested = int(((plane != 0) & (new != 0) & (plane != new)).sum())
    np.maximum(plane, new, out=plane, casting="same_kind")
    return contested


def _with_ids(path: Path, held: NDArray[Any], classes: dict[int, LabelClass]) -> NDArray[Any]:
    """Give ids for segment numbers, in the smallest type that holds them."""
    highest = int(held.max()) if held.size else 0
    table = np.arange(highest + 1, dtype=np.int64)
    for number, one in classes.items():
        if number <= highest:
            table[number] = one.id
    target = label_dtype(max(int(table.max()), max((one.id for one in classes.values()), default=0)))
    if target == held.dtype and (table == np.arange(highest + 1)).all():
        return held
    gate.check_memory(path, held.size * target.itemsize)
    ids: NDArray[Any] = table.astype(target)[held]
    return ids
