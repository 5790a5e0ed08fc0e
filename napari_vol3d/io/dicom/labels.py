"""Labels in DICOM: segmentations (DICOM-SEG) and contours (RTSTRUCT), on the scan that they were drawn on.

See `seg` for writing them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Volume
from napari_vol3d.io import magic
from napari_vol3d.io.dicom.parsing import parse, parsing
from napari_vol3d.io.dicom.reference import Series, find_series
from napari_vol3d.io.dicom.rtstruct import read_rtstruct, referenced
from napari_vol3d.io.dicom.scan import SEGMENTATIONS, STRUCTURES
from napari_vol3d.io.dicom.seg_read import read_seg

log = logging.getLogger(__name__)

MOST_TRIED = 4  # scans that only share the frame of reference


def read_dicom_labels(path: Path, folder: Path) -> Volume:
    """Read a segmentation or a set of contours as a label map.

    Parameters
    ----------
    path : Path
        The object.
    folder : Path
        Where to look for its scan: there, up to three folders below, and beside that folder.

    Returns
    -------
    Volume
        (Z, Y, X) on the grid of the scan; a segmentation without one, or beside its voxels, on a grid of its own.

    Raises
    ------
    FileProblem
        If it is damaged, is no label object, or holds contours and their scan is not there.
    """
    magic.require(path, "a DICOM file")
    with parsing(path):
        dataset = parse(path)
        kind = str(dataset.get("SOPClassUID", ""))
        if kind in SEGMENTATIONS:
            named = [str(one.SeriesInstanceUID) for one in dataset.get("ReferencedSeriesSequence") or []]
            series = find_series(folder, named, str(dataset.get("FrameOfReferenceUID", "")))
            return read_seg(path, dataset, _readable(series))
        if kind == STRUCTURES:
            return read_rtstruct(path, dataset, find_series(folder, *referenced(dataset)))
    raise FileProblem(f"No labels: {path.name} is no segmentation and no set of contours.", hint="Open it as a scan.")


def _readable(series: tuple[Series, ...]) -> Iterator[Volume]:
    for one in series[:MOST_TRIED]:
        try:
            yield from one.volumes()
        except FileProblem as problem:
            log.warning("The labels are shown without their scan: %s", problem)
