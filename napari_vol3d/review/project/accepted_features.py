"""What accepted labels measure: a new prediction is held against it."""

from __future__ import annotations

from itertools import islice

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.plausible import Features, features
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.project.accepting import accepted_versions, labels_of_version
from napari_vol3d.review.project.records import Row
from napari_vol3d.review.project.store import Project

MOST = 40  # scans: more do not move a median by much, and each is read


def accepted_features(project: Project, *, most: int = MOST) -> tuple[Features, ...]:
    """Measure the labels that were accepted last, of everybody's worklist.

    Returns
    -------
    tuple of mapping
        As `core.plausible.features` gives them; series, and scans that are no longer there, are left out.
    """
    versions = accepted_versions(project)
    rows = [row for row in project.rows() if row.reading.key in versions]
    rows.sort(key=lambda row: versions[row.reading.key].time, reverse=True)
    found = (_measured(project, row, versions[row.reading.key].key) for row in rows)
    return tuple(islice((one for one in found if one is not None), most))


def _measured(project: Project, row: Row, version: str) -> Features | None:
    try:
        spacing = read_volume(project.place_of(row.case.images[0].path)).geometry.spacing
        labels = labels_of_version(project, version)
    except Vol3dError:
        return None
    return features(labels, spacing) if labels.ndim == 3 else None
