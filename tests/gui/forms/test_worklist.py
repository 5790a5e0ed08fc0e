"""What is chosen stays chosen; keys, filter, search and order work together; a blind reader sees no score."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.forms.worklist import CHOICES, NO_SCANS, NONE_FIT, ORDERS, Worklist
from napari_vol3d.gui.forms.worklist_order import Column
from napari_vol3d.review.project.records import Row
from tests.gui.forms.test_worklist_order import many, row_of

LEFT = Qt.MouseButton.LeftButton
ROWS = [
    row_of("hippo_10", score=0.2, status="predicted"),
    row_of("hippo_9", score=0.9, status="predicted", note="tip"),
    row_of("hippo_3", status="todo"),
    row_of("hippo_4", score=0.5, status="accepted", annotator="ann", seconds=120),
    row_of("hippo_5", score=0.7, status="flagged", annotator="bert", seconds=60),
]
KEYS = [row.reading.key for row in ROWS]


@pytest.fixture
def form(qtbot: Any) -> Worklist:
    form = Worklist()
    qtbot.addWidget(form)
    form.setValue(ROWS)
    form.resize(320, 400)
    with qtbot.waitExposed(form):
        form.show()
    return form


def with_status(row: Row, status: Any) -> Row:
    return replace(row, reading=replace(row.reading, status=status))


def place(form: Worklist, row: int) -> QPoint:
    return form.view.visualRect(form.model.index(row, Column.NAME)).center()


def press(qtbot: Any, form: Worklist, row: int) -> None:
    qtbot.mouseClick(form.view.viewport(), LEFT, pos=place(form, row))


def pick(qtbot: Any, box: Any, text: str) -> None:
    """Choose in a box by its keys, as a person does."""
    at = next(k for k in range(box.count()) if box.itemText(k).startswith(text))
    qtbot.keyClick(box, Qt.Key.Key_Home)
    for _ in range(at):
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert box.currentIndex() == at


def marked(form: Worklist) -> list[str]:
    return [form.model.row(index.row()).reading.key for index in form.view.selectionModel().selectedRows()]


def test_a_click_chooses_and_a_double_click_or_enter_opens(qtbot: Any, form: Worklist) -> None:
    heard: list[tuple[str, str]] = []
    form.chosen.connect(lambda key: heard.append(("chosen", key)))
    form.opened.connect(lambda key: heard.append(("opened", key)))
    press(qtbot, form, 1)
    press(qtbot, form, 1)
    qtbot.mouseDClick(form.view.viewport(), LEFT, pos=place(form, 1))
    qtbot.keyClick(form.view, Qt.Key.Key_Down)
    qtbot.keyClick(form.view, Qt.Key.Key_Return)
    assert heard == [("chosen", KEYS[1]), ("opened", KEYS[1]), ("chosen", KEYS[2]), ("opened", KEYS[2])]
    assert form.current() == KEYS[2]


def test_the_filter_counts_and_limits(qtbot: Any, form: Worklist) -> None:
    texts = [form.choice.itemText(k) for k in range(form.choice.count())]
    assert texts == [
        "all (5)", "left to do (4)", "todo (1)", "predicted (2)", "in review (0)", "accepted (1)", "flagged (1)",
        "rejected (0)",
    ]  # fmt: skip
    with qtbot.waitSignal(form.wantedChanged):
        pick(qtbot, form.choice, "predicted")
    assert form.shown() == (KEYS[0], KEYS[1])
    pick(qtbot, form.choice, "left to do")
    assert form.shown() == (KEYS[0], KEYS[1], KEYS[2], KEYS[4])


def test_a_search_waits_for_the_last_letter_and_works_with_the_filter(qtbot: Any, form: Worklist) -> None:
    qtbot.keyClicks(form.search, "hippo_ TIP")
    assert len(form.shown()) == 5
    qtbot.waitUntil(lambda: form.shown() == (KEYS[1],))
    pick(qtbot, form.choice, "accepted")
    assert form.shown() == ()
    assert form.view.empty == NONE_FIT
    form.search.clear()
    qtbot.waitUntil(lambda: form.shown() == (KEYS[3],))


def test_orders(qtbot: Any, form: Worklist) -> None:
    pick(qtbot, form.order, "look first")
    assert form.shown() == (KEYS[1], KEYS[4], KEYS[3], KEYS[0], KEYS[2])  # without a score: last
    pick(qtbot, form.order, "name")
    assert form.shown() == (KEYS[2], KEYS[3], KEYS[4], KEYS[1], KEYS[0])
    pick(qtbot, form.order, "worklist order")
    assert form.shown() == tuple(KEYS)


def test_heads_sort_too(qtbot: Any, form: Worklist) -> None:
    head = form.view.horizontalHeader()
    at = QPoint(head.sectionViewportPosition(Column.SCORE) + 9, head.height() // 2)
    qtbot.mouseClick(head.viewport(), LEFT, pos=at)
    assert form.order.currentText() == "look first"
    qtbot.mouseClick(head.viewport(), LEFT, pos=at)
    assert form.order.currentText() == "look last"
    assert form.shown() == (KEYS[0], KEYS[3], KEYS[4], KEYS[1], KEYS[2])
    pick(qtbot, form.order, "name")
    assert [form.order.itemText(k) for k in range(form.order.count())] == [said for said, *_ in ORDERS.values()]


def test_what_is_chosen_survives(qtbot: Any, form: Worklist) -> None:
    press(qtbot, form, 1)
    heard: list[str] = []
    form.chosen.connect(heard.append)
    for choice, order in (("all", Column.NAME), ("left to do", Column.SCORE), ("all", None)):
        form.set_wanted(choice, order)
        assert (form.current(), marked(form)) == (KEYS[1], [KEYS[1]])
    form.set_wanted("accepted")  # not listed, but chosen
    assert (form.current(), marked(form)) == (KEYS[1], [])
    form.set_wanted("all")
    form.update_row(with_status(ROWS[1], "in review"))
    form.setValue([*ROWS[3:], *ROWS[:3]])
    assert (form.current(), marked(form), heard) == (KEYS[1], [KEYS[1]], [])
    form.setValue(ROWS[2:])
    assert (form.current(), marked(form)) == (None, [])


def test_a_program_chooses_and_nobody_is_told(qtbot: Any, form: Worklist) -> None:
    rows = many(500)
    form.setValue(rows)
    with qtbot.assertNotEmitted(form.chosen):
        form.select(rows[400].reading.key)
    assert marked(form) == [rows[400].reading.key] == [form.current()]
    assert form.view.viewport().rect().contains(place(form, 400))
    form.select("of another project")
    assert (form.current(), marked(form)) == (None, [])


def test_a_new_list_stays_where_it_is_scrolled_to(form: Worklist) -> None:
    rows = many(500)
    form.setValue(rows)
    form.select(rows[10].reading.key)
    form.view.verticalScrollBar().setValue(300)
    form.setValue(rows)
    QApplication.processEvents()
    assert form.view.verticalScrollBar().value() == 300


def test_an_updated_row_stays_until_the_list_is_made_anew(qtbot: Any, form: Worklist) -> None:
    form.set_wanted("left to do", Column.SCORE)
    form.select(KEYS[1])
    before = form.shown()
    form.update_row(with_status(ROWS[1], "accepted"))
    assert form.shown() == before  # next and previous still know where one is
    assert form.choice.currentText() == "left to do (3)"
    qtbot.waitUntil(form.anew.isVisible)
    qtbot.mouseClick(form.anew, LEFT)
    assert form.shown() == before[1:]
    assert not form.anew.isVisible()
    form.update_row(with_status(ROWS[1], "flagged"))
    qtbot.waitUntil(form.anew.isVisible)
    pick(qtbot, form.choice, "all")
    assert not form.anew.isVisible()
    form.update_row(row_of("of another project"))
    assert len(form.value()) == 5


def test_progress(form: Worklist) -> None:
    assert form.progress.text() == "1 of 5 accepted, 8 min left at this pace"
    form.update_row(with_status(ROWS[4], "accepted"))
    assert form.progress.text() == "2 of 5 accepted, 4 min left at this pace"  # 90 s each


def test_a_blind_reader_sees_no_score(form: Worklist) -> None:
    form.set_wanted("all", Column.SCORE)
    own = [replace(row, reading=replace(row.reading, reader="cleo", annotator="cleo")) for row in ROWS]
    form.setValue(own)
    form.set_blind(True)
    assert [column for column in Column if form.view.isColumnHidden(column)] == [Column.SCORE, Column.WHO]
    assert form.shown() == tuple(KEYS)
    assert form.wanted() == ("all", None, False)
    titles = [form.order.itemText(k) for k in range(form.order.count())]
    assert not {"look first", "who"} & set(titles)
    assert form.choice.itemText(list(CHOICES).index("predicted")) == "predicted (0)"
    form.set_wanted("all", Column.SCORE)
    assert form.wanted() == ("all", None, False)
    form.set_blind(False)
    form.set_wanted("all", Column.SCORE)
    assert form.shown()[0] == KEYS[1]
    assert not form.view.isColumnHidden(Column.SCORE)


def test_what_was_wanted_can_be_remembered(form: Worklist) -> None:
    for wanted in (("flagged", Column.NAME, True), ("all", None, False), ("left to do", Column.SCORE, True)):
        form.set_wanted(wanted[0], wanted[1], falling=wanted[2])
        assert form.wanted() == wanted
    form.set_wanted("of a later version", Column.NAME)
    assert form.wanted() == ("left to do", Column.NAME, False)


def test_people_are_listed_where_there_are_several(form: Worklist) -> None:
    form.resize(420, 400)
    assert not form.view.isColumnHidden(Column.WHO)
    form.setValue(ROWS[:4])
    assert form.view.isColumnHidden(Column.WHO)


def test_it_fits_the_dock(form: Worklist) -> None:
    assert form.minimumSizeHint().width() <= 320
    form.setValue(many(300))
    QApplication.processEvents()
    assert form.view.horizontalScrollBar().maximum() == 0
    assert sum(form.view.columnWidth(c) for c in Column) == form.view.viewport().width()


def test_an_empty_one_says_so(qtbot: Any) -> None:
    form = Worklist()
    qtbot.addWidget(form)
    assert (form.view.empty, form.progress.text(), form.current(), form.shown()) == (NO_SCANS, "", None, ())
