"""A project of small scans, and the dock that reviews it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review.project.foreseen import keep_prediction
from napari_vol3d.review.project.records import Case, Foreseen, ImageRef
from napari_vol3d.review.project.store import Project
from tests.builders import phantom, save_nifti

CLASSES = (LabelClass(id=1, name="anterior", color="#e69f00"), LabelClass(id=2, name="posterior", color="#56b4e9"))
SPACING = (1.0, 2.0, 3.0)
WAIT_MS = 15_000


def predicted(project: Project, number: int, *, score: float = 0.5) -> np.ndarray:
    """Give a case a prediction: a block of class 1, another in each case."""
    case = project.cases()[number]
    labels = np.zeros(phantom()[0].shape, np.uint8)
    labels[4 : 8 + number, 5:10, 5:10] = 1
    place = {"words": "block, z 6", "score": 0.9, "centre": [6, 7, 7], "start": [4, 5, 5], "stop": [8, 10, 10],
             "class_id": 1, "voxels": 100}  # fmt: skip
    made = Foreseen(case=case.key, model="m 1.0", model_sha256="ab" * 32, score=score, places=(place,))
    keep_prediction(project, made, labels)
    return labels


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Four cases; the first three have a prediction."""
    folder = tmp_path / "study"
    (folder / "images").mkdir(parents=True)
    cases = []
    for number in range(4):
        save_nifti(folder / "images" / f"scan_{number}.nii.gz", phantom()[0] + number, spacing=SPACING)
        name = f"scan_{number}"
        cases.append(Case(name=name, code=name, images=(ImageRef(path=f"images/{name}.nii.gz"),)))
    made = Project.create(folder / "study.vol3d", name="study", cases=cases, classes=CLASSES)
    for number in range(3):
        predicted(made, number, score=0.2 * number)
    return made


@pytest.fixture
def room(bench: Workbench, viewer: Viewer) -> ReviewRoom:
    return bench.review()


@pytest.fixture
def session(qtbot: Any, bench: Workbench, room: ReviewRoom, project: Project) -> Session:
    """The project, open in the dock."""
    bench.open_project(project.path)
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=WAIT_MS)
    assert room.session is not None
    return room.session


def key(session: Session, number: int) -> str:
    """Give the key of a reading by its place in the worklist."""
    return list(session.rows)[number]


def opened(qtbot: Any, session: Session, number: int) -> None:
    """Open a case and wait until it is there."""
    session.open(key(session, number))
    there(qtbot, session, number)


def there(qtbot: Any, session: Session, number: int) -> None:
    """Wait until a case is on the canvas, and has been seen."""
    wanted = key(session, number)
    qtbot.waitUntil(
        lambda: session.shown is not None and session.shown.loaded.row.reading.key == wanted, timeout=WAIT_MS
    )
    qtbot.waitUntil(lambda: session.watch.seen, timeout=WAIT_MS)


def written(qtbot: Any, session: Session) -> None:
    """Wait until the project has all that was asked for."""
    qtbot.waitUntil(lambda: not session.clerk.waiting and not session.ledger.writer.waiting, timeout=WAIT_MS)
