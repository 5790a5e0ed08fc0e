"""The measure of "look here first": its parts by hand, and the whole on scans that nothing is reported of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from napari_vol3d.core.box import Box
from napari_vol3d.models.store import find_recipe

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def room(monkeypatch):
    """The module of the benchmark, which lies beside others and not in a package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import suspicious

    return suspicious


def test_shares_count_a_voxel_once(room) -> None:
    wrong = np.zeros((6, 6, 6), bool)
    wrong[0, 0, :4] = True
    boxes = [Box(start=(0, 0, 0), stop=(1, 1, 2)), Box(start=(0, 0, 1), stop=(2, 2, 3))]
    assert room.share(wrong, boxes) == 0.75
    assert room.share(wrong, []) == 0.0


def test_random_boxes_have_their_shapes_lie_inside_and_apart(room) -> None:
    labels = np.zeros((20, 22, 24), np.uint8)
    labels[4:14, 0:12, 6:24] = 1
    edge = room.boundary(labels)
    assert edge.sum() > 0
    rng = np.random.default_rng(0)
    shapes = [(4, 5, 3), (1, 6, 8), (2, 2, 2)]
    for turn in (room.as_it_is, room.along(edge)):
        for _ in range(30):
            boxes = room.random_boxes(edge, shapes, rng, turn)
            assert [sorted(box.shape) for box in boxes] == [sorted(shape) for shape in shapes]
            assert all(box.intersect(Box.of(labels.shape)) == box for box in boxes)
            assert not any(a.intersect(b).size for k, a in enumerate(boxes) for b in boxes[k + 1 :])
            assert all(edge[box.slices].any() for box in boxes)


def test_turned_boxes_hold_more_boundary(room) -> None:
    labels = np.zeros((30, 30, 30), np.uint8)
    labels[15:] = 1
    edge = room.boundary(labels)
    flat = room.random_boxes(edge, [(8, 5, 2)], np.random.default_rng(0), room.along(edge))[0]
    assert flat.shape[0] == 2
    assert edge[flat.slices].all()


def test_auc_is_the_share_of_pairs_that_mann_and_whitney_count(room) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        dices, scores = rng.random(15), rng.integers(0, 6, 15) / 6
        low = dices < np.median(dices)
        pairs = mannwhitneyu(scores[low], scores[~low]).statistic
        assert room.auc(scores, dices) == pytest.approx(pairs / (low.sum() * (~low).sum()))


def test_scans_of_the_validation_gain_from_their_places(room, shared_data, monkeypatch) -> None:
    recipe = json.loads(find_recipe(room.MODEL).read_text(encoding="utf-8"))
    monkeypatch.setattr(room, "SCANS", shared_data / "hippocampus")
    rows = room.foresee_all(recipe["validation"], 20)
    figures = room.summary(rows)
    assert not set(recipe["validation"]) & set(recipe["test"])
    assert figures["cases"] == len(rows) == 4
    assert figures["gain_first5"] > 2
    assert figures["gain_first5_low"] <= figures["gain_first5"] <= figures["gain_first5_high"]
    assert figures["share_random5"] < figures["share_turned5"] < figures["share_first5"]
    assert json.loads(json.dumps(figures))
