"""NRRD: attached (.nrrd), detached (.nhdr), and with the segments of 3D Slicer (.seg.nrrd).

Voxels are held turned to the nearest of superior, posterior, left where the file names a patient's space; labels are
saved in the axes and with the words of the file they came from.
"""

from __future__ import annotations

import gzip
import logging
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.core.labels import LabelClass, classes_for, to_label_dtype
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, magic
from napari_vol3d.io.held import held_from_stored
from napari_vol3d.io.itk_voxels import read_stored
from napari_vol3d.io.npy import native
from napari_vol3d.io.nrrd_geometry import Place, arrange, place_for, read_axes, read_geometry, read_time_step
from napari_vol3d.io.nrrd_header import TYPES, Header, escaped, read_header, stored_voxels
from napari_vol3d.io.plain_numbers import plain_numbers
from napari_vol3d.io.safe_write import same_voxels, write_safely
from napari_vol3d.io.seg_nrrd import (
    Segment,
    combine,
    own_keys,
    read_own_keys,
    read_segments,
    segment_keys,
    single,
)
from napari_vol3d.io.times import time_step, with_time_step

log = logging.getLogger(__name__)

OFFSET_KEY = "Segmentation_ReferenceImageExtentOffset"
BEGIN = (
    "NRRD0004",
    "# Complete NRRD file format specification at:",
    "# http://teem.sourceforge.net/nrrd/format.html",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Contents:
    """What a file holds: voxels as (x, y, z[, channels][, time]) in its own axis order, and what it says of them."""

    voxels: NDArray[Any]
    geometry: Geometry
    classes: tuple[LabelClass, ...] = ()
    labelled: bool = False
    timed: bool = False


def read_nrrd(path: Path) -> Volume:
    """Read an NRRD file; plain voxels of a single file stay in it until they are asked for.

    Returns
    -------
    Volume
        (Z, Y, X), then channels, then time, where there are any. The stored type. `is_labels` is True where the file
        has segments of 3D Slicer or classes of ours, else None; segments in several layers become one label map.

    Raises
    ------
    FileProblem
        If it is damaged, too large, or holds colours or complex numbers.
    """
    contents = _load(path)
    held = native(path, contents.geometry.stored.to_held(contents.voxels))
    channelled = held.ndim - contents.timed == 4
    return Volume(
        data=held, geometry=contents.geometry, name=path.name.rsplit(".", 1)[0].removesuffix(".seg"), source=path,
        channels=tuple(f"channel {i + 1}" for i in range(held.shape[3])) if channelled else (), timed=contents.timed,
        is_labels=True if contents.labelled else None, classes=contents.classes,
    )  # fmt: skip


def write_nrrd(target: Path, volume: Volume) -> Path:
    """Write a volume, gzipped, in the axis order and with the geometry of the NRRD file it came from if it did.

    Labels get the smallest unsigned type that holds every id; as .seg.nrrd they are what 3D Slicer writes, as .nrrd
    they have a pair of ours with their classes.

    Raises
    ------
    SaveProblem
        If it can't be written, or does not read back the same; what was there before is untouched.
    """
    voxels = np.asarray(volume.data)
    held = to_label_dtype(voxels) if volume.is_labels else plain_numbers(target, voxels, "NRRD")
    place = place_for(volume)
    stored = place.grid.to_stored(held)
    if volume.is_labels and stored.ndim != 3:
        raise SaveProblem(f"{target.name} was not saved: labels with {stored.ndim} axes.", hint="Save one volume.")
    classes = _all_classes(volume.classes, held) if volume.is_labels else ()
    header = _header_text(target, volume, stored, place, classes)

    def write(path: Path) -> None:
        with path.open("wb") as raw:
            raw.write(header.encode("utf-8"))
            # Without name and time in the stream, so that the same labels give the same bytes.
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as file:
                for k in range(stored.shape[-1]):  # by slab, so that a volume is never in memory twice
                    file.write(stored[..., k].tobytes(order="F"))

    def check(path: Path) -> None:
        found = _load(path)
        # Compared from the file's own index: what is held may be turned otherwise than the reader would.
        meant, read = (_file_affine(g, shape) for g, shape in (
            (replace(volume.geometry, stored=place.grid), volume.shape),
            (found.geometry, found.geometry.stored.to_held(found.voxels).shape[:3]),
        ))  # fmt: skip
        where = np.allclose(read, meant, rtol=1e-9, atol=1e-6 * min(volume.geometry.spacing))
        ids = [item.id for item in found.classes] == [item.id for item in classes]
        if not where or not ids or not same_voxels(found.voxels, _without_single(stored)):
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")

    return write_safely(target, write, check)


def _load(path: Path) -> _Contents:
    magic.require(path, "an NRRD file")
    with gate.reading(path):
        with path.open("rb") as file:
            header = read_header(file, path)
        axes = read_axes(header, path)
        voxels = arrange(read_stored(path, stored_voxels(header, path)), axes)
        x, y, z = voxels.shape[:3]
        geometry = with_time_step(read_geometry(header, axes, (x, y, z), path), read_time_step(header, axes))
        layered = axes.channel is not None
        segments = read_segments(header.keys, voxels.shape[3] if layered else 1) if axes.time is None else ()
        if segments and not _could_be_labels(voxels):
            log.warning("%s has segments, but its voxels are no label ids", path.name)
            segments = ()
        if segments and layered:
            gate.check_memory(path, 2 * voxels.nbytes)
            voxels, by_id = combine(to_label_dtype(np.asarray(voxels)), segments)
        else:
            by_id = single(segments)
    classes = tuple(segment.as_class(number) for number, segment in by_id.items())
    own = None if classes or voxels.ndim > 3 else read_own_keys(header.keys)
    if own is not None and not _could_be_labels(voxels):
        own = None
    return _Contents(
        voxels=voxels, geometry=_keeping(geometry, header, classes, by_id) if classes else geometry,
        classes=classes or own or (), labelled=bool(classes) or own is not None, timed=axes.time is not None,
    )  # fmt: skip


def _keeping(
    geometry: Geometry, header: Header, classes: tuple[LabelClass, ...], segments: dict[int, Segment]
) -> Geometry:
    """Keep what 3D Slicer says of its segments beside names and colours, for saving."""
    kept = {item.id: (item.name, segments[item.id].kept) for item in classes}
    more = {"segments": kept, "offset": header.keys.get(OFFSET_KEY, "0 0 0")}
    return replace(geometry, stored=replace(geometry.stored, header={**geometry.stored.header, **more}))


def _header_text(
    target: Path, volume: Volume, stored: NDArray[Any], place: Place, classes: tuple[LabelClass, ...]
) -> str:
    code = f"{stored.dtype.kind}{stored.dtype.itemsize}"
    more = stored.ndim - 3
    lines = [
        *BEGIN,
        f"type: {TYPES[code][1] if code == 'u1' else TYPES[code][0]}",
        f"dimension: {stored.ndim}",
        f"sizes: {' '.join(str(length) for length in stored.shape)}",
        f"kinds: {' '.join(['domain'] * 3 + ['list'] * more)}",
        *([] if stored.dtype.itemsize == 1 else [f"endian: {sys.byteorder}"]),
        "encoding: gzip",
        *place.lines,
    ]  # fmt: skip
    if volume.timed:  # not by its kind: ITK takes one of time for an axis in space
        lines.append("labels: " + '"" ' * (stored.ndim - 1) + '"time"')
    step = time_step(volume)
    if step is not None:
        unknown = stored.ndim - 1
        lines += [f"spacings: {'nan ' * unknown}{step!r}", "units: " + '"" ' * unknown + '"s"']
    fields = volume.geometry.stored.header
    if volume.is_labels and target.name.lower().endswith(".seg.nrrd"):
        x, y, z = stored.shape
        keys = segment_keys(classes, (x, y, z), fields.get("segments", {}))
        if place.own:
            keys[OFFSET_KEY] = fields.get("offset", "0 0 0")
    else:
        keys = own_keys(classes) if volume.is_labels else {}
    pairs = [f"{key}:={escaped(value)}" for key, value in keys.items()]
    return "\n".join([*lines, *pairs, "", ""])


def _all_classes(classes: tuple[LabelClass, ...], held: NDArray[Any]) -> tuple[LabelClass, ...]:
    """Add what no class names: 3D Slicer drops voxels without a segment."""
    known = {item.id: item for item in classes if item.id > 0}
    found = classes_for(held)
    return (*known.values(), *(item for item in found if item.id not in known))


def _could_be_labels(voxels: NDArray[Any]) -> bool:
    """Whether there are whole numbers only, none below zero; by slab, because the file may be larger than memory."""
    if voxels.dtype.kind == "u":
        return True
    slabs = (voxels[:, :, k] for k in range(voxels.shape[2]))
    return all(bool((np.isfinite(slab) & (slab >= 0) & (slab == np.round(slab))).all()) for slab in slabs)


def _file_affine(geometry: Geometry, shape: tuple[int, ...]) -> NDArray[np.float64]:
    z, y, x = shape
    return np.asarray(geometry.affine @ held_from_stored(geometry.stored, (z, y, x)))


def _without_single(stored: NDArray[Any]) -> NDArray[Any]:
    """Drop channels and time of one, as the reader does."""
    return stored.reshape((*stored.shape[:3], *(length for length in stored.shape[3:] if length > 1)))
