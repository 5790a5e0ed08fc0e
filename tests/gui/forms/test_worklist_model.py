"""The model lists what is wanted, changes one row alone, and keeps from a blind reader what they must not see."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.worklist_model import SCORE, STATUS, WorklistModel
from napari_vol3d.gui.forms.worklist_order import LEFT_TO_DO, Column, Wanted
from napari_vol3d.review.project.records import Row
from tests.gui.forms.test_worklist_order import many, row_of

SHOW, TIP = Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole


@pytest.fixture
def model(qtbot: Any, qtmodeltester: Any) -> Any:
    model = WorklistModel()
    yield model
    qtmodeltester.check(model)


def texts(model: WorklistModel, row: int) -> list[str]:
    return [model.index(row, column).data(SHOW) for column in Column]


def with_status(row: Row, status: Any) -> Row:
    return replace(row, reading=replace(row.reading, status=status))


def test_a_row_says_what_it_is(model: WorklistModel) -> None:
    row = row_of("hippo_1", score=0.816, status="flagged", annotator="ann", seconds=84, note="a <b>", case="c-1")
    model.set_rows([row])
    assert texts(model, 0) == ["hippo_1", "flagged", "0.82", "ann", "1.4", "a <b>"]
    assert model.index(0, 0).data(STATUS) == "flagged"
    assert model.index(0, 0).data(SCORE) == 0.816
    hint = model.index(0, 3).data(TIP)
    assert "hippo_1 (c-1)<br>subject sub-7<br>session ses-2<br>flagged, ann<br>score 0.82" in hint
    assert "1.4 min<br>a &lt;b&gt;<br>" in hint


def test_what_is_not_known_is_left_empty(model: WorklistModel) -> None:
    model.set_rows([row_of("a")])
    assert texts(model, 0) == ["a", "todo", "", "", "", ""]
    assert "score" not in model.index(0, 0).data(TIP)


def test_an_update_changes_one_row_and_moves_none(qtbot: Any, model: WorklistModel) -> None:
    rows = many(50)
    model.set_rows(rows)
    model.set_wanted(Wanted(statuses=LEFT_TO_DO, order=Column.SCORE, falling=True))
    keys = model.keys()
    old = model.row(3)
    changed: list[tuple[int, int]] = []
    model.dataChanged.connect(lambda first, last, *_: changed.append((first.row(), last.row())))
    with qtbot.assertNotEmitted(model.modelReset):
        assert model.update_row(with_status(old, "accepted"))
    assert changed == [(3, 3)]
    assert (model.keys(), model.stale()) == (keys, True)
    assert model.index(3, Column.STATUS).data(SHOW) == "accepted"
    assert model.update_row(old)  # undone
    assert not model.stale()
    model.update_row(with_status(old, "accepted"))
    model.refresh()
    assert model.keys() == keys[:3] + keys[4:]
    assert not model.stale()


def test_an_update_of_what_is_not_listed_or_not_known(qtbot: Any, model: WorklistModel) -> None:
    rows = [row_of("a"), row_of("b", status="accepted")]
    model.set_rows(rows)
    model.set_wanted(Wanted(statuses=LEFT_TO_DO))
    with qtbot.assertNotEmitted(model.dataChanged):
        assert not model.update_row(row_of("c"))
        assert model.update_row(with_status(rows[1], "todo"))
    assert model.stale()
    assert model.counts() == Counter(todo=2)


def test_rows_are_found_by_their_key(model: WorklistModel) -> None:
    rows = [row_of("b"), row_of("a", status="accepted"), row_of("c")]
    model.set_rows(rows)
    model.set_wanted(Wanted(statuses=LEFT_TO_DO, order=Column.NAME, falling=True))
    keys = [row.reading.key for row in rows]
    assert model.keys() == (keys[2], keys[0])
    assert [model.row_of(key) for key in (*keys, "x", None)] == [1, -1, 0, -1, -1]
    assert [model.knows(key) for key in (keys[1], "x", None)] == [True, False, False]
    assert model.row(1) is rows[0]
    assert model.rows == tuple(rows)


def test_a_search_finds_what_an_update_says(model: WorklistModel) -> None:
    rows = [row_of("a"), row_of("b")]
    model.set_rows(rows)
    model.update_row(replace(rows[1], reading=replace(rows[1].reading, note="moved")))
    model.set_wanted(Wanted(text="moved"))
    assert model.keys() == (rows[1].reading.key,)


def test_a_blind_reader_sees_nothing_of_others(model: WorklistModel) -> None:
    rows = [
        row_of("a", reader="ann", status="predicted", score=0.1, annotator="model run"),
        row_of("b", reader="ann", status="accepted", score=0.9, annotator="ann", seconds=60),
        row_of("c", status="flagged", score=0.5, annotator="bert"),
    ]
    model.set_wanted(Wanted(order=Column.SCORE, falling=True))
    model.set_rows(rows)
    model.set_blind(True)
    assert model.keys() == tuple(row.reading.key for row in rows)  # not by score
    assert [texts(model, k)[1:4] for k in range(3)] == [["todo", "", ""], ["accepted", "", ""], ["todo", "", ""]]
    for k in range(3):
        assert model.index(k, 0).data(SCORE) is None
        assert not any(word in model.index(k, 0).data(TIP) for word in ("predicted", "score", "0.", "model", "bert"))
    assert model.counts() == Counter(todo=2, accepted=1)
    model.update_row(with_status(rows[2], "rejected"))
    assert texts(model, 2)[1] == "todo"
    model.set_blind(False)
    assert texts(model, 0)[1:3] == ["accepted", "0.90"]


def test_heads_have_hints_and_the_sorted_one_is_bold(model: WorklistModel) -> None:
    model.set_wanted(Wanted(order=Column.SCORE))
    across = Qt.Orientation.Horizontal
    assert [model.headerData(c, across) for c in Column] == ["scan", "status", "score", "who", "min", "✎"]
    assert all(model.headerData(c, across, TIP) for c in Column)
    fonts = [model.headerData(c, across, Qt.ItemDataRole.FontRole) for c in Column]
    assert [font is not None for font in fonts] == [column == Column.SCORE for column in Column]
    assert model.headerData(0, Qt.Orientation.Vertical) is None
