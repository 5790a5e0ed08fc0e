"""Rows say what was done, and those that stay are not built anew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.history_model import NAME, START, STATE, TIME, HistoryModel, State
from napari_vol3d.review.history import Step

TOKENS = st.lists(st.integers(0, 30), unique=True, max_size=12)


def steps(*tokens: int) -> tuple[Step, ...]:
    return tuple(Step(token=f"{i}", name=f"Paint {i}", time=f"2026-01-01T12:{i:02}:00.000+00:00") for i in tokens)


@pytest.fixture(scope="module")
def model(qapp: Any) -> HistoryModel:
    return HistoryModel()


@given(TOKENS, TOKENS, st.data())
def test_it_lists_what_it_was_told_last(
    model: HistoryModel, before: list[int], after: list[int], data: st.DataObject
) -> None:
    for tokens in (before, after):
        at = data.draw(st.integers(0, len(tokens)))
        model.set_steps(steps(*tokens), at)
        rows = range(model.rowCount())
        assert [model.token(row) for row in rows] == [None, *map(str, tokens)]
        assert [model.index(row, NAME).data() for row in rows] == [START, *(f"Paint {i}" for i in tokens)]
        states = [model.index(row, NAME).data(STATE) for row in rows]
        assert states == [State.DONE] * at + [State.PRESENT] + [State.AHEAD] * (len(tokens) - at)
        assert model.present().row() == at


def test_views_hear_of_the_rows_that_change_and_no_others(qtbot: Any) -> None:
    model = HistoryModel()
    model.set_steps(steps(1, 2, 3), 3)
    heard: list[tuple[str, int, int]] = []
    model.rowsInserted.connect(lambda _, first, last: heard.append(("in", first, last)))
    model.rowsRemoved.connect(lambda _, first, last: heard.append(("out", first, last)))
    model.dataChanged.connect(lambda first, last, *_: heard.append(("state", first.row(), last.row())))
    model.modelReset.connect(lambda: heard.append(("all", 0, 0)))
    model.set_steps(steps(1, 2, 3, 4), 4)
    assert heard == [("in", 4, 4), ("state", 3, 4)]
    heard.clear()
    model.set_steps(steps(1, 2, 3, 4), 1)  # a jump
    assert heard == [("state", 1, 4)]
    heard.clear()
    model.set_steps(steps(1, 5), 2)  # a branch
    assert heard == [("out", 2, 4), ("in", 2, 2), ("state", 1, 2)]


def test_times_are_of_this_computers_clock(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    if not hasattr(time, "tzset"):
        pytest.skip("the zone of a process can't be set here")
    model = HistoryModel()
    model.set_steps(steps(5), 1)
    try:
        for zone, said in (("UTC0", "12:05"), ("XYZ-3", "15:05")):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert model.index(1, TIME).data() == said
    finally:
        monkeypatch.undo()
        time.tzset()
    assert model.index(0, TIME).data() == ""


def test_tooltips_say_what_a_click_does(qtbot: Any) -> None:
    model = HistoryModel()
    model.set_steps(steps(1, 2), 1)
    tips = [model.index(row, NAME).data(Qt.ItemDataRole.ToolTipRole) for row in range(3)]
    assert tips == [
        "Click: as they were found", "Paint 1: this is how the labels are now",
        "Click: the labels as they were after 'Paint 2'",
    ]  # fmt: skip
