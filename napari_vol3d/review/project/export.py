"""Accepted labels as files, one a case, in the format and on the grid of its scan."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.registry import label_name, read_volume, stem, write_labels
from napari_vol3d.review.project.outgoing import (
    accepted_cases,
    labels_on,
    made_folder,
    own_files,
    refuse_own,
    refuse_own_folder,
)
from napari_vol3d.review.project.store import Project

PHASE = "Exporting"
NIFTI, DICOM = ".nii.gz", ".dcm"


def export_files(project: Project, folder: Path) -> Generator[Progress, None, tuple[Path, ...]]:
    """Write the accepted labels of everybody's worklist, with the names of their classes.

    Each file is called as the code of its case, and is in the format of the first image where that keeps labels, else
    NIfTI. So is that of a DICOM series: a DICOM segmentation has to say the patient's name.

    Parameters
    ----------
    folder : Path
        Made where there is none; files of the same name in it are replaced.

    Returns
    -------
    tuple of Path

    Raises
    ------
    FileProblem
        If nothing is accepted, or a scan can't be read.
    ScanMismatch
        If a scan is not the one that was reviewed.
    SaveProblem
        If the scans of the project lie in the folder, or a file can't be written; what was there before is untouched.
    """
    cases, start = accepted_cases(project), time.monotonic()
    refuse_own_folder(project, folder)
    made_folder(folder)
    written, own = [], own_files(project)
    for done, one in enumerate(cases):
        yield Progress(phase=PHASE, done=done, total=len(cases), seconds=time.monotonic() - start)
        place = project.place_of(one.case.images[0].path)
        scan = read_volume(place)
        target = folder / f"{one.name}{extension_for(place, scan)}"
        refuse_own(own, target)  # it may be a link
        written.append(write_labels(target, labels_on(scan, project, one)))
    yield Progress(phase=PHASE, done=len(cases), total=len(cases), seconds=time.monotonic() - start)
    return tuple(written)


def extension_for(place: Path, scan: Volume) -> str:
    """Give the extension of the format that labels of the scan at `place` are exported in."""
    own = label_name(place).removeprefix(f"{stem(place)}_labels")
    one_volume = own.endswith(".nrrd")  # it holds no series of labels
    return NIFTI if own == DICOM or (one_volume and scan.timed) else own
