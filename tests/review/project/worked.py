"""A project in which much was done, and ways to damage it and to go through all that is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.review.project.accepting import accept, labels_of_version, versions_of
from napari_vol3d.review.project.foreseen import keep_prediction, newest_prediction
from napari_vol3d.review.project.reading_plan import Protocol, keep_protocol
from napari_vol3d.review.project.records import Case, Foreseen, ImageRef, Reading, Version
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.records import Layer

CLASSES = (LabelClass(id=1, name="anterior", color="#e69f00"), LabelClass(id=2, name="posterior", color="#56b4e9"))
MODEL = {"name": "hippocampus-t1", "version": "1.0", "sha256": "ab" * 32}
SHAPE = (4, 5, 6)
PLACES = [{"centre": [1, 2, 3], "score": 0.5}]
CASES, DONE = 8, 5


def make(path: Path) -> Path:
    """Make a project of 8 cases, 5 of them accepted, each of which another reader is asked for."""
    project = Project.create(
        path, name="study", cases=[_case(n) for n in range(1, CASES + 1)], classes=CLASSES, model=MODEL,
    )  # fmt: skip
    keep_protocol(project, Protocol(show_score=True))
    for number, row in enumerate(project.rows()[:DONE]):
        seen = Foreseen(case=row.case.key, model="m", model_sha256="ab", score=0.5, places=tuple(PLACES))
        prediction = keep_prediction(project, seen, labels(number))
        layer = Layer(scan="", name="labels", shape=SHAPE, dtype="uint8", key=row.reading.key)
        project.journal.add_layer(layer, base=labels(number))
        edit = Edit.between("Paint", labels(number), labels(number + 1), start=(0, 0, 0))
        assert edit is not None
        token = project.journal.append(layer, edit)
        draft = Version(reading=row.reading.key, number=0, who="ann", cursor=token, prediction=prediction.key)
        accept(project, draft, labels(number + 1))
        project.set_note(row.reading.key, "motion", who="ann")
    project.assign([Reading(case=one.key, reader="ben", blind=True) for one in project.cases()], who="ann")
    return path


def _case(number: int) -> Case:
    name = f"scan_{number:03d}"
    return Case(name=name, code=name, subject=f"s{number}", images=(ImageRef(path=f"images/{name}.nii.gz"),))


def labels(number: int) -> NDArray[Any]:
    """Labels that are the same each time."""
    return np.random.default_rng(number).integers(0, 3, SHAPE, dtype=np.uint8)


@contextmanager
def last_word() -> Iterator[None]:
    """Let labels be damaged, if that is said as what it is."""
    try:
        yield
    except FileProblem as problem:
        if "backup" not in problem.hint:
            raise


def use(path: Path) -> Project:
    """Open a project and go through all that is in it, as window, report and exports do."""
    project = Project.open(path)
    assert project.name
    assert len(project.classes) in (0, 2)
    assert project.model is not None
    project.acts()
    assert [project.row(row.reading.key) for row in project.rows()[:1]] == [*project.rows()[:1]]
    for reader in ("", *project.readers()):
        for row in project.rows(reader):
            newest_prediction(project, row.case.key)
            for version in versions_of(project, row.reading.key):
                with last_word():
                    labels_of_version(project, version.key)
    return project


def sql(path: Path, statement: str, *values: object) -> None:
    """Change the file behind everybody's back."""
    with closing(sqlite3.connect(path)) as connection:
        for trigger in ("versions_update", "versions_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        connection.execute(statement, values)
        connection.commit()
