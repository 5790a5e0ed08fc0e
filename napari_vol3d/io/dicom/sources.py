"""The images that a segmentation refers to, with what it must repeat of their headers and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.valuerep import DSfloat

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.frames import SAME, Frames, frames_of, read_frames
from napari_vol3d.io.dicom.header import read_header
from napari_vol3d.io.dicom.parsing import parsing

WITHOUT = "Save them as .seg.nrrd or .nii.gz, which need no DICOM scan."
# What the standard demands of patient and study (types 1 and 2, and those that animals need), and empty where missing.
DEMANDED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
OF_ANIMALS = (
    "PatientSpeciesDescription", "PatientSpeciesCodeSequence", "PatientBreedDescription", "PatientBreedCodeSequence",
    "BreedRegistrationSequence", "ResponsiblePerson", "ResponsibleOrganization",
)  # fmt: skip
# What says which image it is, and where it lies.
NEEDED = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality",
    "PositionReferenceIndicator", "Rows", "Columns", "NumberOfFrames", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DimensionIndexSequence",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip
SHARED = ("PlaneOrientationSequence", "PixelMeasuresSequence")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sources:
    """Images of a series, one a slice, or one of several frames.

    Attributes
    ----------
    images : list of pydicom.Dataset
        Without pixels, and without anything of the patient: highdicom logs and warns of names that it finds odd.
    patient : pydicom.Dataset
        What a segmentation must repeat of patient and study.
    frames : Frames
        Where their planes lie, in the same order.
    """

    images: list[Any]
    patient: Any
    frames: Frames


def read_sources(header: Mapping[str, Any]) -> Sources:
    """Read the headers of a series again.

    Parameters
    ----------
    header : mapping
        The fields that `read_dicom` keeps in the stored grid: the UIDs and the files.

    Raises
    ------
    FileProblem
        If a file is gone or not the same image any more, or there are no files because slices were filled in.
    """
    paths = [Path(file) for file in dict.fromkeys(header["files"])]
    if not paths:
        raise FileProblem("its scan was repaired, and some of its slices lie in no file.", hint=WITHOUT)
    images = [_image(path, header) for path in paths]
    patient = _patient(paths[0])
    with parsing(paths[0]):
        several = "PerFrameFunctionalGroupsSequence" in images[0]
        frames = _of_one_file(images[0]) if several else _of_files(images)
    # Of several images at one position, as in a time series, the first.
    first = np.sort(np.unique(frames.corners.round(3), axis=0, return_index=True)[1])
    if several or len(first) == len(images):
        return Sources(images=images, patient=patient, frames=frames)
    images = [images[k] for k in first]
    return Sources(images=images, patient=patient, frames=replace(frames, corners=frames.corners[first]))


def _image(path: Path, header: Mapping[str, Any]) -> Any:
    """Read what is needed of an image's header."""
    image = _picked(path, NEEDED)
    for name in DEMANDED:
        setattr(image, name, "")
    if not image.get("SOPInstanceUID"):
        raise FileProblem(f"the scan's files are damaged: {path.name} says nothing of itself.", hint=WITHOUT)
    if str(image.get("SeriesInstanceUID", "")) != header["series"]:
        raise FileProblem(f"the scan has changed: {path.name} is of another series.", hint=WITHOUT)
    if not image.get("FrameOfReferenceUID"):
        raise FileProblem("the scan names no frame of reference, which a segmentation needs.", hint=WITHOUT)
    return image


def _patient(path: Path) -> Any:
    """Read what must be repeated of patient and study, empty where the standard allows it and the scan lacks it."""
    patient = _picked(path, (*DEMANDED, *OF_ANIMALS))
    for name in DEMANDED:
        if name not in patient:
            setattr(patient, name, "")
    return patient


def _picked(path: Path, names: Sequence[str]) -> Any:
    """Read some elements of a header."""
    try:
        fields = read_header(path).fields
    except FileProblem as problem:
        raise FileProblem(f"the scan's files are gone or damaged. {problem.message}", hint=WITHOUT) from problem
    picked = Dataset()
    with parsing(path):
        for name in names:
            if name in fields:
                picked.add(fields[name])
    return picked


def _of_one_file(image: Any) -> Frames:
    frames = read_frames(image)
    shared = image.SharedFunctionalGroupsSequence[0] if image.get("SharedFunctionalGroupsSequence") else Dataset()
    for name in SHARED:
        if name not in shared:  # some scanners repeat them for each frame
            shared[name] = image.PerFrameFunctionalGroupsSequence[0][name]
    image.SharedFunctionalGroupsSequence = [shared]
    _state_step(shared.PixelMeasuresSequence[0], frames)
    return frames


def _of_files(images: Sequence[Any]) -> Frames:
    first = images[0]
    for image in images:
        same = (image.Rows, image.Columns, image.PixelSpacing) == (first.Rows, first.Columns, first.PixelSpacing)
        if not same or not np.allclose(image.ImageOrientationPatient, first.ImageOrientationPatient, atol=1e-3):
            raise ValueError("its images differ in size, spacing or orientation")
        image.ImageOrientationPatient = first.ImageOrientationPatient
    frames = frames_of(first, [image.ImagePositionPatient for image in images], first.ImageOrientationPatient, first)
    for image in images:
        _state_step(image, frames)
    return frames


def _state_step(measures: Any, frames: Frames) -> None:
    """State the true distance of the slices, which the scan may lack or have wrong: a segmentation leaves some out."""
    gaps = np.diff(np.sort(frames.corners @ frames.normal))
    step = float(np.median(gaps[gaps > SAME])) if (gaps > SAME).any() else frames.step
    if step is None:
        return
    measures.SpacingBetweenSlices = DSfloat(step, auto_format=True)
    if not measures.get("SliceThickness"):
        measures.SliceThickness = DSfloat(step, auto_format=True)
