"""The simulated annotator: plans that come true, sums kept up to date, and two real scans corrected on both sides."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_vol3d.core.metrics import dice
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import find_recipe

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
AIM = 0.98


@pytest.fixture
def room(monkeypatch):
    """The modules of the benchmark, which lie beside each other and not in a package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import annotator
    import annotator_cases
    import annotator_field
    import annotator_made
    import annotator_strokes
    import annotator_tools
    import annotator_turns

    return SimpleNamespace(
        main=annotator, cases=annotator_cases, field=annotator_field, made=annotator_made, strokes=annotator_strokes,
        tools=annotator_tools, turns=annotator_turns,
    )  # fmt: skip


@pytest.fixture
def labels_and_reference():
    """Two classes that touch, and labels of them that are wrong along all their borders."""
    z, y, x = np.indices((22, 24, 20))
    reference = np.where((z - 10) ** 2 + (y - 12) ** 2 + (x - 10) ** 2 < 36, 1 + (y > 12), 0).astype(np.uint8)
    rng = np.random.default_rng(3)
    labels = np.roll(reference, 1, axis=2)
    labels[rng.random(labels.shape) < 0.02] = 0
    return labels, reference


def field_of(room, labels, reference, tips, acts=None, harms=False):
    acts = acts or (*room.turns.TOOLS.acts, *(room.field.Act(c, None, (0.0, 60.0)) for c in (0, 1, 2)))
    image = np.random.default_rng(5).integers(0, 100, labels.shape)
    return room.field.Field(labels, reference, image, aim=1.0, acts=acts, tips=tips, harms=harms)


def errors(labels, reference):
    """Wrong voxels, those that stand between two classes counted for both."""
    return sum(int(((labels == c) != (reference == c)).sum()) for c in (1, 2))


@pytest.mark.parametrize("kind", ["disc", "ball", "lasso"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_stroke_gains_what_was_planned(room, labels_and_reference, kind, axis):
    labels, reference = labels_and_reference
    sizes = {"disc": (0.5, 1.5, 3.0), "ball": (1.0, 2.0, 4.0), "lasso": (3, 5)}[kind]
    field = field_of(room, labels, reference, [room.field.Tip(kind, size, axis) for size in sizes])
    strokes = room.strokes.Planner(field).best()
    assert len(strokes) == room.strokes.TRIED
    for stroke in strokes:
        after, edit = labels.copy(), room.made.made(labels, field, stroke)
        edit.apply(after)
        assert errors(labels, reference) - errors(after, reference) == stroke.gain > 0
        touched = np.flatnonzero((after != labels).any(axis=tuple(k for k in range(3) if k != axis)))
        assert np.abs(touched - stroke.plane - field.start[axis]).max() <= stroke.tip.depth


def test_no_single_dab_gains_more_than_the_best_stroke(room, labels_and_reference):
    field = field_of(room, *labels_and_reference, [room.field.Tip("ball", 2.0, 0), room.field.Tip("disc", 1.0, 1)])
    most = max(int(sums[field.inside].max()) for sums in field.sums.values())
    assert room.strokes.Planner(field).best()[0].gain >= most > 0


def test_sums_and_plans_follow_the_labels(room, labels_and_reference):
    labels, reference = labels_and_reference
    for volume in (labels, reference):  # the field lies around both: it shall stay as large as it is
        volume[1, 1, 1] = volume[-2, -2, -2] = 1
    tips = [room.field.Tip("disc", 2.0, 0), room.field.Tip("ball", 3.0, 1), room.field.Tip("lasso", 3, 2)]
    field = field_of(room, labels, reference, tips, harms=True)
    planner = room.strokes.Planner(field)
    for _ in range(4):
        edit = room.made.made(labels, field, planner.best()[0])
        edit.apply(labels)
        planner.changed(field.update(edit.box))
    fresh = field_of(room, labels, reference, tips, harms=True)
    for old, new in ((field.sums, fresh.sums), (field.harms, fresh.harms), (field.gains, fresh.gains)):
        assert old.keys() == new.keys()
        assert all(np.array_equal(old[key], new[key]) for key in new)
    assert planner.best()[0].gain == room.strokes.Planner(fresh).best()[0].gain


def test_a_drag_that_may_cross_goes_further(room):
    reference = np.zeros((5, 12, 24), np.uint8)
    reference[2, 4:8, 2:22] = 1
    labels = reference.copy()
    labels[2, 4, [4, 5, 9, 10, 14, 15]] = 0  # three gaps of two voxels
    tip = room.field.Tip("disc", 0.5, 0)
    gains = []
    for over in (0, 3, 30):
        field = field_of(room, labels, reference, [tip], [room.field.Act(1)], harms=over > 0)
        stroke = room.strokes.Planner(field, over=over).best()[0]
        steps = np.abs(np.diff(np.array(room.made.walk(stroke.cells)), axis=0)).max(axis=1)
        assert (steps == 1).all()
        gains.append(stroke.gain)
    assert gains == [2, 6, 6]


def test_slices_drawn_with_a_pencil_are_right(room, labels_and_reference):
    labels, reference = labels_and_reference
    field = field_of(room, labels, reference, [room.field.Tip("disc", 0.5, 0)])
    wrong = room.tools.wrong_regions(field)
    for axis, index in ((0, 10), (1, 12), (2, 9)):
        after = labels.copy()
        for stroke in wrong[axis, index]:
            room.made.made(after, field, stroke).apply(after)
        np.testing.assert_array_equal(np.take(after, index, axis), np.take(reference, index, axis))
        others = [k for k in range(labels.shape[axis]) if k != index]
        np.testing.assert_array_equal(np.take(after, others, axis), np.take(labels, others, axis))


def test_scans_are_those_that_the_recipe_keeps_back(room):
    recipe = json.loads(find_recipe("hippocampus-t1").read_text())
    names = room.cases.names()
    assert len(set(names)) == room.cases.COUNT == 20
    assert set(names) <= set(recipe["test"])
    assert not set(names) & set(recipe["validation"])


def real_case(room, shared_data, name):
    """A real reference; the prediction is another in some slices."""
    image, reference = (
        np.asarray(read_volume(shared_data / "hippocampus" / kind / f"{name}.nii.gz").data)
        for kind in ("images", "labels")
    )
    prediction, middle = reference.astype(np.uint8), slice(len(reference) // 2 - 4, len(reference) // 2 + 4)
    prediction[middle] = np.roll(prediction[middle], 1, axis=2)
    probabilities = np.stack([prediction == c for c in (1, 2)]) * np.uint8(255)
    return room.turns.Case(
        name=name, image=image, prediction=prediction, reference=reference.astype(np.uint8),
        probabilities=probabilities,
    )  # fmt: skip


def test_two_real_scans_reach_the_aim_with_fewer_strokes_where_there_are_tools(room, shared_data, monkeypatch):
    monkeypatch.setattr(room.main, "load", lambda name: real_case(room, shared_data, name))
    monkeypatch.setattr(room.main, "tell", lambda text: None)
    fewer = replace(room.turns.TOOLS, tips=room.turns.TOOLS.tips[::2])  # so that it takes seconds
    monkeypatch.setitem(room.main.ARMS, "tools", fewer)
    rows = [room.main.corrected(n, arms=["brush", "tools"], aim=AIM, over=0) for n in room.cases.names(2)]
    for row in rows:
        assert min(row["dice_1_before"], row["dice_2_before"]) < AIM
        assert min(row[f"dice_{c}_{arm}"] for c in (1, 2) for arm in ("brush", "tools")) >= AIM
        assert 0 < row["strokes_tools"] < row["strokes_brush"]
        assert sum(row["by_tools"].values()) == row["strokes_tools"]
        assert set(row["by_brush"]) == {"disc"}
    totals = room.main.totals(rows, ["brush", "tools"])
    assert totals["ratio"] == totals["strokes_tools"] / totals["strokes_brush"]
    assert len(room.main.markdown(rows, ["brush", "tools"]).splitlines()) == 2 + len(rows) + 2


def test_an_annotator_with_a_brush_draws_in_axial_slices_only_and_leaves_the_prediction_alone(room, shared_data):
    case = real_case(room, shared_data, room.cases.names(1)[0])
    before = case.prediction.copy()
    annotator = room.turns.Annotator(case, room.turns.PLAIN, aim=AIM, over=0)
    tally = annotator.work()
    np.testing.assert_array_equal(case.prediction, before)
    changed = np.flatnonzero((annotator.labels != before).any(axis=(1, 2)))
    assert {index for _, index in tally.slices} >= set(changed.tolist())
    assert {axis for axis, _ in tally.slices} == {0}
    assert tally.voxels >= np.count_nonzero(annotator.labels != before)
    assert all(dice(annotator.labels == c, case.reference == c) >= AIM for c in (1, 2))
