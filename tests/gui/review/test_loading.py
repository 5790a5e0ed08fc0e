"""A case is read as it was left; what does not fit its scan is said."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import FileProblem, ScanMismatch
from napari_vol3d.gui.review.loading import Loaded, events_of, is_old, load
from napari_vol3d.review.project.records import Case, ImageRef, Reading
from napari_vol3d.review.project.store import Project
from tests.builders import phantom, save_nifti
from tests.gui.review.conftest import CLASSES, SPACING, predicted


def run(project: Project, reading: str) -> Loaded:
    verb = load(project, reading)
    while True:
        try:
            next(verb)
        except StopIteration as end:
            found: Loaded = end.value
            return found


def first(project: Project) -> str:
    return project.rows()[0].reading.key


def test_a_case_begins_with_its_prediction(project: Project) -> None:
    found = run(project, first(project))
    assert np.array_equal(found.labels, predicted(project, 0))
    assert found.labels.dtype == np.uint16
    assert found.start is not None
    assert (found.classes, found.line, found.events) == (CLASSES, None, 0)
    assert found.layer.key == first(project)
    assert len(found.layer.scan) == 64
    assert found.images[0][2] == "image"


def test_a_case_goes_on_where_its_journal_stands(project: Project) -> None:
    begun = run(project, first(project))
    project.journal.prove()
    project.journal.add_layer(begun.layer, base=begun.labels)
    labels = begun.labels.copy()
    for at in (1, 2):
        edit = Edit.between("Paint", labels[at : at + 1], labels[at : at + 1] + 1, start=(at, 0, 0))
        assert edit is not None
        project.journal.append(begun.layer, edit)
        edit.apply(labels)
    project.journal.undo(begun.layer)
    edit.inverse().apply(labels)
    found = run(project, first(project))
    assert np.array_equal(found.labels, labels)
    assert found.line is not None
    assert (found.line.at, len(found.line.ahead)) == (1, 1)
    assert found.touched is not None
    assert found.events == events_of(project, first(project)) == 4
    predicted(project, 0, score=0.9)  # a newer one
    assert begun.start is not None
    again = run(project, first(project)).start
    assert again is not None
    assert again.key == begun.start.key  # what it is from is still known


def test_what_was_read_before_the_prediction_or_a_correction_is_old(project: Project) -> None:
    row = project.rows()[3]
    early = run(project, row.reading.key)
    assert not is_old(project, early)
    predicted(project, 3)
    assert is_old(project, early)
    late = run(project, row.reading.key)
    assert not is_old(project, late)
    project.journal.prove()
    project.journal.add_layer(late.layer, base=late.labels)
    assert is_old(project, late)
    begun = run(project, row.reading.key)
    predicted(project, 3)  # whoever has begun goes on with what they have
    assert not is_old(project, begun)


def test_a_blind_reader_begins_with_nothing(project: Project) -> None:
    case = project.cases()[0]
    project.assign([Reading(case=case.key, reader="ben", blind=True)], who="ann")
    (row,) = project.rows("ben")
    found = run(project, row.reading.key)
    assert found.start is None
    assert not found.labels.any()
    assert found.classes == CLASSES


def test_labels_that_were_there_are_begun_with_and_several_images_come_with_their_roles(project: Project) -> None:
    image, labels = phantom()
    folder = project.path.parent
    for name in ("t1", "flair"):
        save_nifti(folder / f"{name}.nii.gz", image, spacing=SPACING)
    save_nifti(folder / "mask.nii.gz", labels, spacing=SPACING)
    refs = ImageRef(path="t1.nii.gz", role="T1"), ImageRef(path="flair.nii.gz", role="FLAIR")
    project.add_cases([Case(name="sub-1", code="sub-1", images=refs, prior="mask.nii.gz")])
    predicted(project, 4)  # what was there is to be corrected, whatever the model says
    found = run(project, project.rows()[-1].reading.key)
    assert found.start is None
    assert np.count_nonzero(found.labels) == np.count_nonzero(labels)
    assert [keywords["name"] for _, keywords, _ in found.images] == ["sub-1 T1", "sub-1 FLAIR"]


def test_what_does_not_fit_is_said(project: Project) -> None:
    folder = project.path.parent
    (folder / "images" / "scan_0.nii.gz").unlink()
    with pytest.raises(FileProblem, match="scan_0"):
        run(project, first(project))
    save_nifti(folder / "images" / "scan_0.nii.gz", phantom()[0][:5], spacing=SPACING)
    with pytest.raises(ScanMismatch, match="another grid"):
        run(project, first(project))


def test_without_any_labels_there_is_a_class_to_begin_with(project: Project) -> None:
    project.say("classes", [])
    found = run(project, project.rows()[3].reading.key)
    assert not found.labels.any()
    assert len(found.classes) == 1


