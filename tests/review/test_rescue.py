"""A project's file is damaged: the worklist, predictions and versions that can be read go on in the new one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review import schema
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.project.accepting import accept, labels_of_version, verify, version_of
from napari_vol3d.review.project.foreseen import keep_prediction
from napari_vol3d.review.project.records import Case, Foreseen, ImageRef, Version
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.records import Layer
from napari_vol3d.review.rescue import carry_over, make_pattern

PAGE = 4096


def case(number: int) -> Case:
    return Case(name=f"scan {number}", code=f"scan_{number}", images=(ImageRef(path=f"{number}.nii"),))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """With a prediction, corrections, and an accepted version."""
    made = Project.create(tmp_path / "study.vol3d", name="study", cases=[case(n) for n in range(40)])
    rng = np.random.default_rng(1)
    for row in made.rows()[:8]:
        labels = rng.integers(0, 3, (20, 30, 40)).astype(np.uint8)
        kept = keep_prediction(made, Foreseen(case=row.case.key, model="m", model_sha256=""), labels)
        layer = Layer(scan="", name="labels", shape=labels.shape, dtype="uint8", key=row.reading.key)
        made.journal.add_layer(layer, base=labels)
        accept(made, Version(reading=row.reading.key, number=0, who="ann", prediction=kept.key), labels)
    return made


@pytest.mark.parametrize("page", [0, 1, 5, 17, 40, 70])
def test_one_damaged_page_takes_no_more_than_what_lay_on_it(project: Project, page: int) -> None:
    rows = project.rows()
    wanted = {row.reading.version: labels_of_version(project, row.reading.version) for row in rows[:8]
              if row.reading.version}  # fmt: skip
    data = bytearray(project.path.read_bytes())
    assert len(data) > (page + 1) * PAGE
    data[page * PAGE : (page + 1) * PAGE] = b"\xa5" * PAGE
    project.path.write_bytes(data)
    journal = Journal.open(project.path)
    assert journal.recovery is not None
    assert journal.recovery.kept.exists()
    found = Project.open(project.path)
    assert len(found.cases()) >= len(rows) - 30  # a page holds some twenty rows
    whole = 0
    for key, labels in wanted.items():
        try:
            assert np.array_equal(labels_of_version(found, key), labels)
            whole += 1
        except FileProblem:  # never other labels
            pass
    assert whole >= len(wanted) - 2
    if found.rows():
        found.set_status(found.rows()[-1].reading.key, "flagged", who="ann")


def test_a_damaged_journal_that_is_no_project_stays_none(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "a.journal")
    fresh = tmp_path / "fresh"
    schema.prepare(fresh, "2026-01-01")
    with closing(schema.connect(journal.path)) as connection:
        assert carry_over(connection, fresh, lambda *_: iter(())) == 0
    with pytest.raises(FileProblem, match="not a project"):
        Project.open(fresh)


def test_a_pattern_has_the_tables_of_its_kind(tmp_path: Path) -> None:
    make_pattern(tmp_path / "one", tmp_path / "a.vol3d")
    make_pattern(tmp_path / "other", tmp_path / "a.journal")
    assert Project.open(tmp_path / "one").cases() == ()
    with pytest.raises(FileProblem, match="not a project"):
        Project.open(tmp_path / "other")


def test_versions_are_verified_after_a_rescue(project: Project) -> None:
    data = bytearray(project.path.read_bytes())
    data[-PAGE:] = b"\x5a" * PAGE
    project.path.write_bytes(data)
    Journal.open(project.path)
    found = Project.open(project.path)
    kept = [row.reading for row in found.rows() if row.reading.version]
    assert kept
    checked = 0
    for reading in kept:
        try:
            version = version_of(found, reading.version or "")
            verify(found, version)
            checked += 1
        except FileProblem:
            pass
    assert checked >= len(kept) - 1
