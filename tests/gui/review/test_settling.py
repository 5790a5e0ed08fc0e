"""Of a series the time point is decided on that was shown, wherever the person looks meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from napari import Viewer

from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review.settling import Settling
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review.project.accepting import accept
from napari_vol3d.review.project.differences import Differences, differences
from napari_vol3d.review.project.records import Case, ImageRef, Reading, Version
from napari_vol3d.review.project.store import Project
from tests.gui.review.conftest import CLASSES, opened

SHAPE = (3, 6, 8, 10)  # t, z, y, x


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A series of three time points, 2.5 s apart, read by two who differ in the second."""
    image = nibabel.Nifti1Image(np.random.default_rng(1).integers(0, 99, SHAPE[::-1]).astype(np.uint8), np.eye(4))
    image.header.set_zooms((1.0, 1.0, 1.0, 2.5))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / "series.nii")
    case = Case(name="series", code="series", images=(ImageRef(path="series.nii"),))
    made = Project.create(tmp_path / "study.vol3d", name="study", cases=[case], classes=CLASSES)
    ann = np.zeros(SHAPE, np.uint16)
    bob = ann.copy()
    bob[1, 2:4, 1:3, 1:3] = 1
    bob[1, 5, 6, 7] = 2
    for who, labels in (("ann", ann), ("bob", bob)):
        made.assign([Reading(case=case.key, reader=who)], who="boss")
        accept(made, Version(reading=made.rows(who)[0].reading.key, number=0, who=who), labels)
    return made


def ran(steps: Any) -> Differences:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def test_the_time_point_that_was_compared_is_decided_on(
    qtbot: Any, viewer: Viewer, bench: Workbench, room: ReviewRoom, session: Session, project: Project
) -> None:
    assert bench.correcting is not None
    opened(qtbot, session, 0)
    shown = session.shown
    assert shown is not None
    record = shown.record
    assert record is not None
    viewer.dims.set_current_step(0, 1)
    found = ran(differences(project, shown.loaded.row.case.key, final=record.labels, spacing=None, frame=record.frame))
    settling = Settling(bench.correcting.desk, shown, record, found, frame=record.frame)
    settling.begin()
    assert settling.words == "8 voxels. ann: background; bob: anterior."
    viewer.dims.set_current_step(0, 2)
    settling.take("second")
    assert record.frame == 1  # the next region is shown where it is
    settling.take("second")
    wanted = np.zeros(SHAPE, np.uint16)
    wanted[1, 2:4, 1:3, 1:3], wanted[1, 5, 6, 7] = 1, 2
    np.testing.assert_array_equal(record.layer.data, wanted)
    record.undo()
    record.undo()
    assert not record.layer.data.any()
    assert settling.decisions.decided == set()
    settling.let_go()
