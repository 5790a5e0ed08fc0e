"""DICOM series of known content and geometry, for the tests of this room; pydicom writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

SHAPE = (6, 9, 7)  # slices, rows, columns
SPACING = (2.5, 0.8, 0.6)  # between slices, rows, columns
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
ORIGIN = (-31.25, 12.5, 7.75)
PATIENT = "Doe^Jane"


def phantom(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Stored numbers (slices, rows, columns), each different, so that no flip and no swap maps them onto themselves."""
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def normal(orientation: tuple[float, ...]) -> np.ndarray:
    return np.cross(orientation[:3], orientation[3:])


def image(pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, **fields: Any) -> FileDataset:
    """One CT slice; `fields` replace or, where None, remove."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = fields.get("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = fields.get("SOPInstanceUID") or generate_uid()
    meta.TransferSyntaxUID = syntax
    ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    ds.set_original_encoding(meta.TransferSyntaxUID.is_implicit_VR, meta.TransferSyntaxUID.is_little_endian)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = PATIENT, "4711", "19700101"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
    ds.Modality, ds.SeriesDescription = "CT", "Thorax"
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = pixels.dtype.itemsize * 8
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelSpacing, ds.SliceThickness = list(SPACING[1:]), 99.0
    ds.ImageOrientationPatient, ds.ImagePositionPatient = list(AXIAL), list(ORIGIN)
    if pixels.dtype.kind == "f":
        ds.FloatPixelData = pixels.tobytes()
        del ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    else:
        ds.PixelData = pixels.tobytes() + bytes(pixels.nbytes % 2)
        ds["PixelData"].VR = "OW"
    for name, value in fields.items():
        if value is None:
            del ds[name]
        else:
            setattr(ds, name, list(value) if isinstance(value, tuple) else value)
    return ds


def save(path: Path, ds: Dataset) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def series(
    folder: Path,
    data: np.ndarray | None = None,
    *,
    orientation: tuple[float, ...] = AXIAL,
    steps: np.ndarray | None = None,
    shear: np.ndarray | None = None,
    name: str = "{}.dcm",
    **fields: Any,
) -> Path:
    """Save one file a slice.

    steps : position of each slice along the normal, mm.
    shear : what is added to the positions for each mm along the normal.
    fields : as for `image`; where a list, one a slice. Values of several numbers are tuples.
    """
    data = phantom() if data is None else data
    steps = np.arange(len(data)) * SPACING[0] if steps is None else steps
    line = normal(orientation) + (0 if shear is None else shear)
    for index, pixels in enumerate(data):
        own = {key: value[index] if isinstance(value, list) else value for key, value in fields.items()}
        place = np.asarray(ORIGIN) + steps[index] * line
        ds = image(pixels, **{
            "ImagePositionPatient": [float(f"{one:.8g}") for one in place], "InstanceNumber": index + 1,
            "ImageOrientationPatient": [float(f"{one:.10g}") for one in orientation], **own,
        })  # fmt: skip
        save(folder / name.format(index), ds)
    return folder


def enhanced(path: Path, data: np.ndarray, positions: np.ndarray, **per_frame: list[Any]) -> Path:
    """Save one enhanced MR file with a frame for each slice of `data`; `per_frame` are fields of its content."""
    ds = image(data[0], SOPClassUID=EnhancedMRImageStorage, Modality="MR")
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        del ds[name]
    ds.NumberOfFrames, ds.PixelData = len(data), data.tobytes()
    turned, measures, shared = Dataset(), Dataset(), Dataset()
    turned.ImageOrientationPatient = list(AXIAL)
    measures.PixelSpacing, measures.SliceThickness = list(SPACING[1:]), 99.0
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([turned]), Sequence([measures])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for index, position in enumerate(positions):
        place, content, frame = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [float(one) for one in position]
        for name, values in per_frame.items():
            setattr(content, name, values[index])
        frame.PlanePositionSequence, frame.FrameContentSequence = Sequence([place]), Sequence([content])
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return save(path, ds)
