"""Writing labels as DICOM-SEG, the segmentation of a DICOM series, with highdicom.

BINARY, one segment a class, as every viewer reads it. Of the scan's header only what the standard demands is copied:
nothing else of it is even read. Reading is in `seg_read`, which segment is which class in `segments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRLittleEndian

import napari_vol3d
from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass, classes_for, label_dtype, to_label_dtype
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.dicom.frames import TO_RAS, places_on
from napari_vol3d.io.dicom.header import quiet
from napari_vol3d.io.dicom.parsing import parse, parsing
from napari_vol3d.io.dicom.seg_read import read_seg
from napari_vol3d.io.dicom.segments import MOST_SEGMENTS, OUR_NAME, describe, storable
from napari_vol3d.io.dicom.sources import Sources, read_sources
from napari_vol3d.io.held import held_from_stored
from napari_vol3d.io.safe_write import same_voxels, write_safely

WAY_ON = "Save them as .seg.nrrd or .nii.gz, which need no DICOM scan."
SERIES_NUMBER = 100
# What highdicom raises on scans that it can't refer to, seen with real and damaged headers.
REFUSALS = (AttributeError, LookupError, TypeError, ValueError)


def write_dicom_seg(target: Path, volume: Volume) -> Path:
    """Write a label volume as a segmentation of the DICOM series that it lies on.

    Each class is a segment, also one without voxels; ids, names and colours come back from `read_dicom_labels`.

    Parameters
    ----------
    target : Path
        Ends in .dcm.
    volume : Volume
        On the grid of a scan that `read_dicom` gave, or a part of it.

    Raises
    ------
    SaveProblem
        If the volume is of no DICOM series, the series is gone or changed, no voxel is labelled, or it can't be
        written or does not read back the same; what was there before is untouched.
    """
    labels = _labels(target, volume)
    classes = _classes(target, volume, labels)
    try:
        sources = read_sources(volume.geometry.stored.header)
    except FileProblem as problem:
        raise SaveProblem(f"{target.name} was not saved: {problem.message}", hint=problem.hint) from problem
    dataset = _segmentation(target, volume, sources, _numbered(labels, classes), classes)

    def write(path: Path) -> None:
        with quiet():
            dataset.save_as(path, enforce_file_format=True)

    def check(path: Path) -> None:
        with parsing(path):
            found = read_seg(path, parse(path), iter((volume,)))
        same = found.geometry is volume.geometry and same_voxels(to_label_dtype(np.asarray(found.data)), labels)
        if not same or found.classes != classes:
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint=WAY_ON)

    return write_safely(target, write, check)


def _labels(target: Path, volume: Volume) -> NDArray[Any]:
    if volume.geometry.stored.header.get("format") != "dicom":
        raise SaveProblem(f"{target.name} was not saved: the labels lie on no DICOM scan.", hint=WAY_ON)
    if len(volume.data.shape) != 3:
        raise SaveProblem(
            f"{target.name} was not saved: a segmentation holds one time point.", hint="Save each time point by itself."
        )
    labels = to_label_dtype(np.asarray(volume.data))
    if not labels.any():
        raise SaveProblem(f"{target.name} was not saved: no voxel is labelled.", hint="Paint or segment first.")
    return labels


def _classes(target: Path, volume: Volume, labels: NDArray[Any]) -> tuple[LabelClass, ...]:
    """Give all classes in the order of their ids: those that are known, and those that are there."""
    found = {one.id: one for one in classes_for(labels)} | {one.id: one for one in volume.classes if one.id}
    if len(found) > MOST_SEGMENTS:
        raise SaveProblem(
            f"{target.name} was not saved: {len(found):,} labels are more than a segmentation's {MOST_SEGMENTS:,}.",
            hint=WAY_ON,
        )
    return tuple(storable(found[number]) for number in sorted(found))


def _numbered(labels: NDArray[Any], classes: Sequence[LabelClass]) -> NDArray[Any]:
    """Give segment numbers, 1 to n, for ids."""
    ids = np.array([0, *(one.id for one in classes)], np.int64)
    numbers = np.empty(labels.shape, label_dtype(len(classes)))
    for plane, into in zip(labels, numbers, strict=True):
        into[...] = np.searchsorted(ids, plane)
    return numbers


def _segmentation(
    target: Path, volume: Volume, sources: Sources, numbers: NDArray[Any], classes: Sequence[LabelClass]
) -> Any:
    try:
        with quiet():
            dataset = hd.seg.Segmentation(
                source_images=sources.images,
                pixel_array=_frame_by_frame(volume, sources, numbers),
                segmentation_type="BINARY",
                segment_descriptions=describe(classes),
                series_instance_uid=hd.UID(),
                series_number=SERIES_NUMBER,
                sop_instance_uid=hd.UID(),
                instance_number=1,
                manufacturer=OUR_NAME,
                manufacturer_model_name=OUR_NAME,
                software_versions=napari_vol3d.__version__,
                device_serial_number="none",
                content_label="LABELS",
                series_description=f"Segmentation ({OUR_NAME})",
                transfer_syntax_uid=ExplicitVRLittleEndian,
                specific_character_set="ISO_IR 192",
            )
            dataset.update(sources.patient)
    except REFUSALS as error:
        raise SaveProblem(f"{target.name} was not saved: {error}", hint=WAY_ON) from error
    return dataset


def _frame_by_frame(volume: Volume, sources: Sources, numbers: NDArray[Any]) -> Any:
    """Give the slices (rows, columns) in the order of the scan's own images, or a grid where they differ from those."""
    frames = sources.frames
    places = places_on(frames, volume.geometry, volume.shape)
    stored = volume.geometry.stored.to_stored(numbers)
    whole = sorted(stored.shape[:2]) == sorted(frames.shape) and len(frames.corners) == stored.shape[2]
    if places is not None and whole and len(np.unique(places.starts, axis=0)) == len(frames.corners):
        return np.stack([places.view(numbers, index, frames.shape) for index in range(len(frames.corners))])
    affine = volume.geometry.affine @ held_from_stored(volume.geometry.stored, volume.shape)
    affine = affine[:, [2, 1, 0, 3]]
    affine[:3] = TO_RAS @ affine[:3]
    return hd.Volume(
        np.ascontiguousarray(stored.transpose(2, 1, 0)), affine, coordinate_system="PATIENT",
        frame_of_reference_uid=sources.images[0].FrameOfReferenceUID,
    )  # fmt: skip
