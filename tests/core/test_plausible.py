"""Figures of size, shape and place are those of other libraries; what is far from accepted scans is told, no more."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk
from skimage.morphology import ball

from napari_vol3d.core.plausible import FAR, FEWEST, WORDS, features, outliers

ONE = (1.0, 1.0, 1.0)
NAMES = {1: "anterior", 2: "posterior"}


def blobs(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    labels = np.zeros((20, 24, 22), np.uint8)
    for class_id in (1, 2):
        for _ in range(3):
            start = rng.integers(0, 12, 3)
            labels[tuple(slice(a, a + n) for a, n in zip(start, rng.integers(2, 9, 3), strict=True))] = class_id
    return labels


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spacing", [ONE, (2.5, 0.7, 1.1)])
def test_figures_are_those_of_simpleitk(seed: int, spacing) -> None:
    labels = blobs(seed)
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing(spacing[::-1])
    judge = sitk.LabelShapeStatisticsImageFilter()
    judge.Execute(image)
    found = features(labels, spacing)
    assert [int(key) for key in found] == list(judge.GetLabels())
    for key, figures in found.items():
        box = judge.GetBoundingBox(int(key))
        assert figures["volume_ml"] * 1000 == pytest.approx(judge.GetPhysicalSize(int(key)))
        assert [figures[f"extent_{axis}"] for axis in "xyz"] == pytest.approx(np.array(box[3:]) * spacing[::-1])
        middle = (np.array(labels.shape[::-1]) - 1) / 2 * spacing[::-1]
        wanted = np.array(judge.GetCentroid(int(key))) - middle
        assert [figures[f"offset_{axis}"] for axis in "xyz"] == pytest.approx(wanted)
        parts = sitk.ConnectedComponentImageFilter()
        parts.FullyConnectedOn()
        parts.Execute(image == int(key))
        assert figures["components"] == parts.GetObjectCount()


def test_a_ball_is_round_and_nothing_is_rounder() -> None:
    sphere = features(ball(15).astype(np.uint8), ONE)["1"]["sphericity"]
    assert sphere == pytest.approx(1.0, abs=0.06)
    sheet = np.ones((2, 30, 30), np.uint8)
    assert features(sheet, ONE)["1"]["sphericity"] < 0.6 * sphere
    finer = np.kron(ball(8).astype(np.uint8), np.ones((1, 2, 2), np.uint8))
    assert features(finer, (2.0, 1.0, 1.0))["1"]["sphericity"] == pytest.approx(
        features(ball(8).astype(np.uint8), (2.0, 2.0, 2.0))["1"]["sphericity"]
    )


def accepted(count: int, seed: int = 0) -> list[dict[str, dict[str, float]]]:
    """Figures of scans that vary as normal values do."""
    rng = np.random.default_rng(seed)
    return [
        {key: {"volume_ml": rng.normal(1.6, 0.2), "sphericity": rng.normal(0.7, 0.05), "components": 1.0,
               **{f"{kind}_{axis}": rng.normal(20, 2) for kind in ("extent", "offset") for axis in "zyx"}}
         for key in ("1", "2")}
        for _ in range(count)
    ]  # fmt: skip


def test_what_is_too_large_is_told_in_words() -> None:
    others = accepted(60)
    typical = {key: {name: float(np.median([each[key][name] for each in others])) for name in WORDS} for key in "12"}
    assert outliers(typical, others, names=NAMES) == ()
    typical["1"]["volume_ml"] = 2.4
    typical["2"]["components"] = 9.0
    found = outliers(typical, others, names=NAMES)
    assert [one.class_id for one in found] == [2, 1]
    assert found[0].words.startswith("posterior number of parts ")
    assert found[1].words == f"anterior volume {found[1].sigma:.1f} sd above accepted"
    assert FAR < found[1].sigma < 6
    typical["1"]["volume_ml"] = 0.1
    below = outliers(typical, others, names=NAMES)[0 if len(found) < 2 else 1]
    assert "volume" in below.words
    assert below.words.endswith("sd below accepted")
    assert below.sigma < -FAR


def test_a_class_that_is_missing_is_told() -> None:
    others = accepted(20)
    found = outliers({"1": others[0]["1"]}, others, names=NAMES)
    assert found[0].words == "posterior is missing, accepted scans have it"
    assert found[0].sigma <= -FAR
    rare = [{"1": each["1"]} for each in others[:14]] + others[14:]
    assert not any("missing" in one.words for one in outliers({"1": others[0]["1"]}, rare))


def test_with_few_accepted_scans_nothing_is_said() -> None:
    strange = {"1": {"volume_ml": 900.0}}
    assert outliers(strange, accepted(FEWEST - 1)) == ()
    assert outliers(strange, ()) == ()
    assert outliers(strange, accepted(FEWEST))


@pytest.mark.parametrize("count", [5, 8, 20, 80])
def test_scans_like_those_accepted_are_seldom_told(count: int) -> None:
    told = [outliers(accepted(1, seed=1000 + seed)[0], accepted(count, seed)) for seed in range(80)]
    figures = len(told) * 2 * len(WORDS)
    assert sum(len(each) for each in told) / figures < 0.05


def test_equal_scans_do_not_make_everything_an_outlier() -> None:
    same = features(blobs(1), ONE)
    others = [same] * 8
    assert outliers(same, others) == ()
    nearly = {key: figures | {"volume_ml": figures["volume_ml"] * 1.02} for key, figures in same.items()}
    assert outliers(nearly, others) == ()
    twice = {key: figures | {"volume_ml": figures["volume_ml"] * 2} for key, figures in same.items()}
    assert len(outliers(twice, others)) == len(same)


def test_they_outlive_json() -> None:
    found = features(blobs(3).astype(np.uint16), (2.0, 1.0, 1.0))
    assert json.loads(json.dumps(found)) == found
    assert features(np.zeros((4, 4, 4), np.uint8), ONE) == {}
