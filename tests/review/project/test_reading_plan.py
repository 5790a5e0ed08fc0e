"""Plans of readings: what is random, what is not, and that nobody meets a case again too soon."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review.project.reading_plan import Protocol, keep_protocol, plan_readings, protocol_of
from napari_vol3d.review.project.records import Reading
from napari_vol3d.review.project.store import Project
from tests.review.project.conftest import case

SEEDS = st.integers(0, 2**40)
NAMES = st.text(min_size=1, max_size=8).filter(str.strip)


def cases(count: int) -> list[Any]:
    return [case(n) for n in range(1, count + 1)]


def order(plan: Sequence[Reading], repeat: int = 0) -> list[str]:
    """Keys of the cases of one round, in order."""
    return [one.case for one in plan if one.repeat == repeat]


@given(st.integers(1, 40), NAMES, SEEDS, st.floats(0.01, 1.0), st.integers(0, 3), st.booleans(), st.randoms())
def test_each_case_once_per_repeat(
    count: int, reader: str, seed: int, share: float, repeats: int, blind: bool, shuffle: Any
) -> None:
    there = cases(count)
    plan = plan_readings(there, reader, seed=seed, share=share, blind=blind, repeats=repeats)
    wanted = max(1, round(share * count))
    assert [one.position for one in plan] == list(range(wanted * (repeats + 1)))
    assert [one.repeat for one in plan] == sorted(one.repeat for one in plan)
    assert {(one.reader, one.blind, one.status) for one in plan} == {(reader.strip(), blind, "todo")}
    assert len({one.key for one in plan}) == len(plan)
    rounds = [order(plan, repeat) for repeat in range(repeats + 1)]
    assert all(len(set(found)) == wanted for found in rounds)
    assert all(set(found) == set(rounds[0]) <= {one.key for one in there} for found in rounds)
    shuffle.shuffle(there)
    again = plan_readings(there, reader, seed=seed, share=share, blind=blind, repeats=repeats)
    assert [(one.case, one.repeat) for one in again] == [(one.case, one.repeat) for one in plan]


@given(st.integers(1, 60), SEEDS, st.integers(1, 3))
def test_half_a_list_lies_between_two_readings_of_a_case(count: int, seed: int, repeats: int) -> None:
    plan = plan_readings(cases(count), "ann", seed=seed, blind=True, repeats=repeats)
    places: dict[str, list[int]] = {}
    for one in plan:
        places.setdefault(one.case, []).append(one.position)
    assert all(later - first >= count / 2 for met in places.values() for first, later in itertools.pairwise(met))


@given(st.integers(2, 30), SEEDS, st.floats(0.05, 0.9))
def test_readers_of_one_seed_read_the_same_cases_and_a_larger_share_has_them_too(
    count: int, seed: int, share: float
) -> None:
    there = cases(count)
    ann, bob = (set(order(plan_readings(there, who, seed=seed, share=share, blind=True))) for who in ("ann", "bob"))
    more = plan_readings(there, "ann", seed=seed, share=min(1.0, share + 0.1), blind=True)
    assert ann == bob <= set(order(more))


@given(SEEDS, st.integers(1, 3))
def test_repeats_that_are_asked_for_later_change_nothing_before(seed: int, repeats: int) -> None:
    there = cases(9)
    first = plan_readings(there, "ann", seed=seed, blind=True)
    both = plan_readings(there, "ann", seed=seed, blind=True, repeats=repeats)
    assert [one.case for one in both][: len(first)] == [one.case for one in first]


@given(SEEDS)
def test_orders_of_two_readers_and_of_two_seeds_differ(seed: int) -> None:
    there = cases(40)
    orders = [
        order(plan_readings(there, who, seed=number, blind=True))
        for who, number in (("ann", seed), ("bob", seed), ("ann", seed + 1))
    ]
    assert len({tuple(found) for found in orders}) == 3
    assert order(plan_readings(there, " ann ", seed=seed, blind=False)) == orders[0]


def test_orders_do_not_favour_a_case_and_repeats_no_allowed_order() -> None:
    """In 6,000 plans of four cases: 24 orders of the first round, 54 of the second after each, equally often."""
    there = cases(4)
    at = {one.key: k for k, one in enumerate(there)}
    plans = [plan_readings(there, "ann", seed=seed, blind=True, repeats=1) for seed in range(6000)]
    first = Counter(tuple(at[key] for key in order(plan)) for plan in plans)
    assert len(first) == 24
    assert stats.chisquare(list(first.values())).pvalue > 1e-4
    moves = Counter(tuple(order(plan).index(key) for key in order(plan, 1)) for plan in plans)
    ways = itertools.permutations(range(4))
    allowed = [way for way in ways if all(4 + new - old >= 2 for new, old in enumerate(way))]
    assert set(moves) == set(allowed)
    assert stats.chisquare([moves[way] for way in allowed]).pvalue > 1e-4


@pytest.mark.parametrize(("change", "point"), [
    ({"cases": []}, "There is no case"), ({"reader": "  "}, "Nobody is asked"), ({"share": 0.0}, "The share must be"),
    ({"share": 1.5}, "The share must be"), ({"share": float("nan")}, "The share must be"), ({"seed": -1}, "Seed and"),
    ({"repeats": -1}, "Seed and repeats"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(change: dict[str, Any], point: str) -> None:
    asked: dict[str, Any] = {"cases": cases(2), "reader": "ann", "seed": 1, "blind": True} | change
    with pytest.raises(Vol3dError, match=point) as caught:
        plan_readings(asked.pop("cases"), asked.pop("reader"), **asked)
    assert caught.value.hint


def test_a_plan_becomes_the_readers_list(project: Project) -> None:
    plan = plan_readings(project.cases(), "ann", seed=3, blind=True, repeats=1)
    project.assign(plan, who="boss")
    assert [row.reading.key for row in project.rows("ann")] == [one.key for one in plan]
    project.assign(plan_readings(project.cases(), "ann", seed=3, blind=True, repeats=2), who="boss")
    assert len(project.rows("ann")) == 12
    assert [row.reading.key for row in project.rows("ann")][:8] == [one.key for one in plan]


def test_blind_is_blind_unless_the_protocol_says_otherwise(project: Project) -> None:
    seeing, blind = Reading(case="a", reader="ann"), Reading(case="a", reader="ann", blind=True)
    closed = protocol_of(project)
    assert closed == Protocol()
    for known in (closed.prediction_for, closed.score_for, closed.others_for):
        assert (known(seeing), known(blind)) == (True, False)
    keep_protocol(project, replace(closed, show_prediction=True))
    opened = protocol_of(Project.open(project.path))
    assert opened.prediction_for(blind)
    assert not opened.score_for(blind)
    assert not Protocol(show_prediction=True, show_score=True).others_for(blind)


def test_a_protocol_that_is_not_understood_shows_nothing(project: Project) -> None:
    project.say("protocol", {"show_prediction": "no", "show_score": 1, "show_everything": True})
    assert protocol_of(project) == Protocol()
