"""Accepted labels are measured on their scans' grid, the last ones first."""

from __future__ import annotations

import numpy as np

from napari_vol3d.core.plausible import features
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.project.accepted_features import accepted_features
from napari_vol3d.review.project.accepting import accept, undo_accept
from napari_vol3d.review.project.gather import gather
from napari_vol3d.review.project.records import Version
from napari_vol3d.review.project.store import Project
from tests.builders import phantom, save_nifti


def test_what_is_accepted_is_measured(tmp_path):
    spacing = (2.0, 1.0, 0.5)
    for number in range(4):
        save_nifti(tmp_path / f"s_{number}.nii.gz", phantom(seed=number)[0], spacing=spacing)
    project = Project.create(tmp_path / "p.vol3d", name="p", cases=gather([tmp_path], base=tmp_path).cases)
    assert accepted_features(project) == ()
    rows = project.rows()
    for number, row in enumerate(rows[:3]):
        accept(project, Version(reading=row.reading.key, number=1, who="a"), phantom(seed=number)[1])
    read = [read_volume(tmp_path / f"s_{number}.nii.gz").geometry.spacing for number in range(3)]
    assert np.allclose(read, spacing)
    meant = [features(phantom(seed=number)[1], read[number]) for number in range(3)]
    assert list(accepted_features(project)) == meant[::-1]
    assert list(accepted_features(project, most=1)) == meant[2:]
    undo_accept(project, rows[2].reading.key, who="a")
    (tmp_path / "s_0.nii.gz").unlink()
    assert list(accepted_features(project)) == meant[1:2]
