"""Ahead of the person: the next cases are predicted by the real engine, the next voxels are there; both give way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.review.ahead import Ahead, Wish
from napari_vol3d.models.store import find_model, find_recipe
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.review.project.foreseen import labels_of_prediction, newest_prediction, predicted_cases
from napari_vol3d.review.project.records import Case, ImageRef, Reading
from napari_vol3d.review.project.store import Project

RUN_MS = 120_000
MODEL = "hippocampus-t1"


class Person:
    """What the window would say: which model, and whether something is computed for the person."""

    def __init__(self) -> None:
        self.busy = False
        self.wish: Wish | None = Wish(model=find_model(MODEL), settings=SegmentSettings(device="cpu"))


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def project(tmp_path: Path, shared_data: Path) -> Project:
    """Three scans of people whom the model has never seen."""
    names = json.loads(find_recipe(MODEL).read_text())["test"][:3]
    (tmp_path / "images").mkdir()
    for name in names:
        shutil.copy(shared_data / "hippocampus" / "images" / f"{name}.nii.gz", tmp_path / "images")
    cases = [Case(name=name, code=name, images=(ImageRef(path=f"images/{name}.nii.gz"),)) for name in names]
    card = find_model(MODEL).card
    return Project.create(tmp_path / "study.vol3d", name="study", cases=cases, classes=card.output.classes)


@pytest.fixture
def ahead(qtbot: Any, person: Person) -> Iterator[Ahead]:
    keeper = EngineKeeper()
    made = Ahead(keeper, lambda: person.wish, lambda: person.busy)
    yield made
    made.let_go()
    qtbot.waitUntil(lambda: all(job is None or not job.running for job in (made._loading, made._predicting)))
    keeper.close()


def test_cases_are_predicted_in_order_and_what_was_loaded_before_is_read_anew(
    qtbot: Any, ahead: Ahead, project: Project, shared_data: Path
) -> None:
    rows = project.rows()
    with qtbot.waitSignals([ahead.predicted] * 3, timeout=RUN_MS) as told:
        ahead.follow(project, rows[1:], rows[:1])
    assert [call.args[0] for call in told.all_signals_and_args] == [row.reading.key for row in rows]
    assert predicted_cases(project) == {row.case.key for row in rows}
    assert {row.reading.status for row in project.rows()} == {"predicted"}
    found = newest_prediction(project, rows[0].case.key)
    assert found is not None
    assert found.score is not None
    assert 0 <= found.score <= 1
    assert found.places
    labels = labels_of_prediction(project, found.key)
    assert set(np.unique(labels)) == {0, 1, 2}
    key = rows[1].reading.key
    qtbot.waitUntil(lambda: ahead._ready is not None and ahead._ready.start is not None, timeout=RUN_MS)
    ready = ahead.take(key)
    assert ready is not None
    assert ready.row.reading.key == key
    assert ready.labels.any()
    assert ahead.take(key) is None  # it is handed over once


def test_it_gives_way_and_goes_on(qtbot: Any, ahead: Ahead, project: Project, person: Person) -> None:
    rows = project.rows()
    ahead.follow(project, rows)
    qtbot.waitUntil(lambda: ahead._predicting is not None, timeout=RUN_MS)
    job = ahead._predicting
    assert job is not None
    person.busy = True
    ahead.give_way()
    qtbot.waitUntil(lambda: not job.running, timeout=RUN_MS)
    before = len(predicted_cases(project))
    qtbot.wait(2500)  # longer than it waits before it looks again
    assert len(predicted_cases(project)) == before
    assert ahead._predicting is job
    person.busy = False
    with qtbot.waitSignal(ahead.predicted, timeout=RUN_MS):
        pass


def test_without_a_model_it_loads_only_and_a_blind_readers_case_is_not_predicted(
    qtbot: Any, ahead: Ahead, project: Project, person: Person
) -> None:
    person.wish = None
    rows = project.rows()
    ahead.follow(project, rows)
    qtbot.waitUntil(lambda: ahead._ready is not None, timeout=RUN_MS)
    assert ahead._predicting is None
    assert ahead.take(rows[1].reading.key) is None  # another was wanted
    person.wish = Person().wish
    project.assign([Reading(case=rows[0].case.key, reader="ben", blind=True)], who="ann")
    ahead.follow(project, project.rows("ben"))
    qtbot.waitUntil(lambda: ahead._ready is not None, timeout=RUN_MS)
    assert ahead._predicting is None


def test_a_case_that_can_not_be_predicted_is_said_once_and_passed_over(
    qtbot: Any, ahead: Ahead, project: Project
) -> None:
    rows = project.rows()
    project.place_of(rows[0].case.images[0].path).unlink()
    said: list[str] = []
    ahead.progressed.connect(said.append)
    with qtbot.waitSignals([ahead.predicted] * 2, timeout=RUN_MS):
        ahead.follow(project, rows)
    assert len([words for words in said if "was not predicted" in words]) == 1
    assert predicted_cases(project) == {row.case.key for row in rows[1:]}
