"""Contours of known shapes as RTSTRUCT, for the tests of this room; pydicom writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from napari_vol3d.core.volume import Volume
from tests.io.dicom_phantom import save

COLORS = ([255, 0, 0], [0, 255, 10], [1, 2, 3])


def rectangle(low: Sequence[float], high: Sequence[float]) -> np.ndarray:
    """Corners (column, row)."""
    return np.array([low, (high[0], low[1]), high, (low[0], high[1])], float)


def circle(centre: Sequence[float], radius: float, spacing: Sequence[float], corners: int = 200) -> np.ndarray:
    """Corners (column, row) of a circle, its radius in mm; spacing along columns and rows."""
    angle = np.arange(corners) * 2 * np.pi / corners
    return np.array(centre) + radius * np.column_stack([np.cos(angle), np.sin(angle)]) / spacing


def on_slice(scan: Volume, points: np.ndarray, index: float) -> np.ndarray:
    """Patient coordinates (LPS mm) of points (column, row) on a stored slice of a scan."""
    grid = scan.geometry.stored
    stored = np.column_stack([points, np.full(len(points), index)])
    lengths = [scan.shape[grid.axes.index(axis)] for axis in range(3)]
    held = np.ones((len(points), 4))
    for axis in range(3):
        at = stored[:, grid.axes[axis]]
        held[:, axis] = lengths[grid.axes[axis]] - 1 - at if grid.flips[axis] else at
    return (held @ scan.geometry.affine.T)[:, :3] * (-1, -1, 1)


def structures(
    path: Path,
    contours: Mapping[str, Sequence[np.ndarray]],
    *,
    series: str | None = "1.2.3.4",
    frame: str = "1.2.3.5",
    kind: str = "CLOSED_PLANAR",
    numbers: Sequence[int] = (),
    **fields: Any,
) -> Path:
    """Save structures, each a list of contours (N, 3) in LPS mm."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTStructureSetStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.Modality = "1.2.3", "1.2.3.6", "RTSTRUCT"
    ds.SpecificCharacterSet, ds.StructureSetLabel = "ISO_IR 192", "plan"
    reference, study, named = Dataset(), Dataset(), Dataset()
    reference.FrameOfReferenceUID = frame
    if series:
        named.SeriesInstanceUID = series
        study.RTReferencedSeriesSequence = [named]
        reference.RTReferencedStudySequence = [study]
    ds.ReferencedFrameOfReferenceSequence = [reference]
    rois, drawn = [], []
    for index, (name, lines) in enumerate(contours.items()):
        roi, one = Dataset(), Dataset()
        roi.ROINumber = numbers[index] if numbers else index + 1
        roi.ROIName, roi.ReferencedFrameOfReferenceUID = name, frame
        one.ReferencedROINumber, one.ROIDisplayColor = roi.ROINumber, COLORS[index % 3]
        one.ContourSequence = [_contour(points, kind) for points in lines]
        rois.append(roi)
        drawn.append(one)
    ds.StructureSetROISequence, ds.ROIContourSequence = rois, drawn
    for key, value in fields.items():
        setattr(ds, key, value)
    return save(path, ds)


def _contour(points: np.ndarray, kind: str) -> Dataset:
    contour = Dataset()
    contour.ContourGeometricType, contour.NumberOfContourPoints = kind, len(points)
    contour.ContourData = [f"{value:.4f}" for value in np.ravel(points)]
    return contour
