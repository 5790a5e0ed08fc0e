"""Filter and sort do what plain Python says they should, and a blind reader learns nothing from either."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from itertools import pairwise

import pytest

from napari_vol3d.gui.forms.worklist_order import (
    ALL,
    LEFT_TO_DO,
    Column,
    Wanted,
    find_rows,
    say_progress,
    sort_rows,
    sought_in,
    status_for,
)
from napari_vol3d.review.project.records import DONE, STATUSES, Case, Reading, Row


def row_of(name: str, *, score: float | None = None, case: str = "", **reading: object) -> Row:
    """Make a row of the worklist."""
    made = Case(name=name, code=case or f"c-{name}", images=(), subject="sub-7", session="ses-2")
    return Row(case=made, reading=Reading(case=made.key, **reading), score=score)  # type: ignore[arg-type]


def many(count: int, seed: int = 0) -> list[Row]:
    """Make rows of any kind."""
    dice = random.Random(seed)
    return [
        row_of(
            f"hippo_{dice.randrange(count)}",
            score=dice.choice([None, round(dice.random(), 1)]),
            status=dice.choice(STATUSES),
            annotator=dice.choice(["", "ann", "Bert"]),
            seconds=dice.choice([0.0, float(dice.randrange(900))]),
            note=dice.choice(["", "tip is unclear"]),
        )
        for _ in range(count)
    ]


def arranged(rows: list[Row], wanted: Wanted, *, blind: bool = False) -> list[int]:
    statuses = [status_for(row, blind=blind) for row in rows]
    found = find_rows([sought_in(row) for row in rows], statuses, wanted)
    return sort_rows(rows, statuses, wanted, found=found)


def test_what_is_left_to_do() -> None:
    assert frozenset(STATUSES) - DONE == LEFT_TO_DO
    assert frozenset(STATUSES) == ALL


@pytest.mark.parametrize("statuses", [ALL, LEFT_TO_DO, frozenset({"todo"}), frozenset()])
def test_only_what_is_wanted_is_found_in_the_order_of_the_worklist(statuses: frozenset[str]) -> None:
    rows = many(300)
    found = arranged(rows, Wanted(statuses=statuses, text="TIP hippo_1"))
    assert found == sorted(found)
    fits = [r.reading.status in statuses and "hippo_1" in r.case.name and r.reading.note != "" for r in rows]
    assert found == [at for at, fit in enumerate(fits) if fit]


@pytest.mark.parametrize("text", ["hippo_9", "CASE-12", "sub-7", "ses-2", "unclear tip", "  "])
def test_a_search_looks_everywhere(text: str) -> None:
    rows = [row_of("hippo_9", case="case-12", note="The tip is\nunclear")]
    assert arranged(rows, Wanted(text=text)) == [0]
    assert arranged(rows, Wanted(text=f"{text} nowhere")) == []


@pytest.mark.parametrize("order", Column)
@pytest.mark.parametrize("falling", [False, True])
def test_every_column_sorts_and_what_is_not_known_is_last(order: Column, falling: bool) -> None:
    rows = many(200, seed=int(order))
    listed = arranged(rows, Wanted(order=order, falling=falling))
    assert sorted(listed) == list(range(200))
    values = {
        Column.NAME: lambda r: int(r.case.name.split("_")[1]),
        Column.STATUS: lambda r: STATUSES.index(r.reading.status),
        Column.SCORE: lambda r: r.score,
        Column.WHO: lambda r: r.reading.annotator.lower() or None,
        Column.MINUTES: lambda r: r.reading.seconds or None,
        Column.NOTE: lambda r: r.reading.note or None,
    }
    seen = [values[order](rows[at]) for at in listed]
    known = [value for value in seen if value is not None]
    assert seen[: len(known)] == known == sorted(known, reverse=falling)
    for one, other in pairwise(listed):  # equal ones stay as they were
        if values[order](rows[one]) == values[order](rows[other]):
            assert one < other


def test_numbers_in_names_count_as_numbers() -> None:
    rows = [row_of(name) for name in ("scan 10", "scan 9", "Scan 9b", "7", "scan", "x²", "")]
    names = [rows[at].case.name for at in arranged(rows, Wanted(order=Column.NAME))]
    assert names == ["7", "scan", "scan 9", "Scan 9b", "scan 10", "x²", ""]


def test_a_blind_reader_sees_their_own_work_only() -> None:
    own = [row_of("a", reader="ann", status=status) for status in STATUSES]
    assert [status_for(row, blind=True) for row in own] == ["todo", "todo", *STATUSES[2:]]
    assert [status_for(row, blind=False) for row in own] == list(STATUSES)
    assert {status_for(row_of("a", status=status), blind=True) for status in STATUSES} == {"todo"}
    assert arranged(own, Wanted(statuses=frozenset({"predicted"})), blind=True) == []
    assert arranged(own[:2][::-1], Wanted(order=Column.STATUS), blind=True) == [0, 1]


def test_progress_goes_by_the_median_of_accepted_scans() -> None:
    times = [60.0, 70.0, 5000.0, 0.0]
    rows = [row_of("a", status="accepted", seconds=seconds) for seconds in times]
    rows += [row_of("b", status=status, seconds=9999.0) for status in STATUSES if status != "accepted"]
    left = 4 * statistics.median(times[:3])  # all but the rejected one
    assert left == 280
    assert say_progress(rows) == "4 of 9 accepted, 5 min left at this pace"
    assert say_progress(rows[:4]) == "4 of 4 accepted, nothing left to do"
    assert say_progress(rows[4:]) == "0 of 5 accepted"
    assert say_progress([]) == ""


def test_progress_of_a_blind_reader_is_their_own() -> None:
    shared = row_of("a", status="accepted", seconds=60.0)
    own = replace(shared, reading=replace(shared.reading, reader="ann"))
    assert say_progress([shared, shared], blind=True) == "0 of 2 accepted"
    assert say_progress([own, shared], blind=True) == "1 of 2 accepted, 60 s left at this pace"
