"""Predictions made ahead: the newest counts, its labels are those that were made."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review.project.foreseen import (
    keep_prediction,
    labels_of_prediction,
    newest_prediction,
    predicted_cases,
)
from napari_vol3d.review.project.records import Foreseen, Reading
from napari_vol3d.review.project.store import Project


def made(case: str, score: float, *, time: str) -> Foreseen:
    return Foreseen(case=case, model="m 1.0", model_sha256="00", score=score, places=({"words": "tip"},), time=time)


def test_the_newest_prediction_of_a_case_counts(project: Project) -> None:
    first, second = project.cases()[:2]
    labels = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    assert newest_prediction(project, first.key) is None
    newer = keep_prediction(project, made(first.key, 0.25, time="2026-01-02T00:00:00+00:00"), labels)
    keep_prediction(project, made(first.key, 0.75, time="2026-01-01T00:00:00+00:00"), labels + 1)
    assert newest_prediction(project, first.key) == newer
    assert (newer.shape, newer.dtype) == ((3, 4, 5), "uint16")
    assert np.array_equal(labels_of_prediction(project, newer.key), labels)
    assert [row.score for row in project.rows()] == [0.25, None, None, None]
    assert project.row(project.rows()[0].reading.key).score == 0.25
    assert predicted_cases(project) == {first.key}
    assert newest_prediction(project, second.key) is None


def test_only_what_was_to_do_becomes_predicted_and_a_blind_reader_sees_nothing(project: Project) -> None:
    case = project.cases()[0]
    project.assign([Reading(case=case.key, reader="ben", blind=True)], who="ann")
    keep_prediction(project, made(case.key, 0.5, time="2026-01-01T00:00:00+00:00"), np.ones((2, 2, 2), np.uint8))
    key = project.rows()[0].reading.key
    assert project.reading(key).status == "predicted"
    (blind,) = project.rows("ben")
    assert (blind.reading.status, blind.score, project.row(blind.reading.key).score) == ("todo", None, None)
    project.set_status(key, "in review", who="ann")
    keep_prediction(project, made(case.key, 0.5, time="2026-01-01T00:00:00+00:00"), np.ones((2, 2, 2), np.uint8))
    assert project.reading(key).status == "in review"


def test_a_prediction_that_is_not_there_is_said(project: Project) -> None:
    with pytest.raises(FileProblem, match="not in the project"):
        labels_of_prediction(project, "none")
