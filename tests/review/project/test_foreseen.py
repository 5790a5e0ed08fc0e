"""Predictions made ahead: the newest counts, its labels are those that were made."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.plausible import Outlier
from napari_vol3d.core.suspicion import Place
from napari_vol3d.core.volume import Geometry
from napari_vol3d.pipeline.foresee import Foresight
from napari_vol3d.review.project.foreseen import (
    keep_prediction,
    labels_of_prediction,
    newest_prediction,
    predicted_cases,
    remember,
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


def test_what_was_seen_ahead_is_kept_with_its_oddities_first(project: Project) -> None:
    labels = np.zeros((5, 6, 7), np.uint8)
    labels[1:4, 2:5, 3:6] = 2
    place = Place(words="tip", score=0.7, centre=(1, 2, 3), box=Box(start=(1, 2, 3), stop=(2, 3, 4)), class_id=2,
                  voxels=1)  # fmt: skip
    odd = [Outlier(words=f"{n} small", class_id=n, sigma=-4.0) for n in (2, 1)]
    seen = Foresight(
        labels=labels, uncertainty=labels, classes=(), geometry=Geometry.from_spacing((1, 1, 1), unit="mm"),
        places=(place,), score=0.25, outliers=tuple(odd), features={}, model="m 1", model_sha256="00",
        settings={"mirror": False}, seconds=1.5,
    )  # fmt: skip
    case = project.cases()[1].key
    kept = remember(project, case, seen)
    assert newest_prediction(project, case) == kept
    assert [one["words"] for one in kept.places] == ["2 small", "1 small", "tip"]
    assert [one["centre"] for one in kept.places] == [[2, 3, 4], [2, 3, 3], [1, 2, 3]]
    assert (kept.score, kept.model, kept.settings, kept.seconds) == (0.25, "m 1", {"mirror": False}, 1.5)
    assert np.array_equal(labels_of_prediction(project, kept.key), labels)
