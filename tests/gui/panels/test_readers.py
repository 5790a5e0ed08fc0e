"""In a real window: readers are asked, read as, compared; who reads blind is shown nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QFileDialog

from napari_vol3d.gui.forms.reading_form import ReadingWish
from napari_vol3d.gui.panels.agreement_box import BLIND, ELSEWHERE, NO_PROJECT, NONE_YET
from napari_vol3d.gui.panels.readers import ReadersPanel
from napari_vol3d.gui.panels.readers_ui import NO_NAME
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review.project.accepting import accept
from napari_vol3d.review.project.reading_plan import protocol_of
from napari_vol3d.review.project.records import Reading, Version
from napari_vol3d.review.project.store import Project
from tests.gui.review.conftest import WAIT_MS, key, predicted, written
from tests.gui.review.conftest import project as project
from tests.gui.review.conftest import room as room
from tests.gui.review.conftest import session as session

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot: Any, bench: Workbench, room: ReviewRoom) -> Iterator[ReadersPanel]:
    assert bench.correcting is not None
    panel = ReadersPanel(bench.correcting.desk)
    qtbot.addWidget(panel)
    panel.resize(320, 700)
    with qtbot.waitExposed(panel):
        panel.show()
    yield panel
    panel.let_go()


def read(project: Project, number: int, reader: str, made: np.ndarray) -> None:
    case = project.cases()[number].key
    project.assign([Reading(case=case, reader=reader)], who="boss")
    found = next(one for one in project.readings_of(case) if one.reader == reader)
    accept(project, Version(reading=found.key, number=0, who=reader), made)


def two_readers(project: Project) -> None:
    """Two cases, of which the second agrees less."""
    for number in (0, 1):
        made = predicted(project, number)
        read(project, number, "ann smith", made)
        read(project, number, "bob", np.roll(made, 1 + 2 * number, axis=1))


def compared(qtbot: Any, panel: ReadersPanel) -> None:
    qtbot.mouseClick(panel.agreement.ui.compare, LEFT)
    qtbot.waitUntil(lambda: panel.agreement.found is not None, timeout=WAIT_MS)


def test_readings_are_asked_for_and_read_as(
    qtbot: Any, panel: ReadersPanel, session: Session, project: Project
) -> None:
    panel.follow(session)
    panel.ui.asking.expand(animate=False)
    ui = panel.ui
    assert (ui.ask.isEnabled(), ui.ask.toolTip()) == (False, NO_NAME)
    ui.form.setValue(ReadingWish(reader="ann", share=0.5, repeats=1, seed=5))
    qtbot.waitUntil(lambda: "2 of 4 scans" in ui._count.text(), timeout=WAIT_MS)
    qtbot.mouseClick(ui.ask, LEFT)
    qtbot.waitUntil(lambda: ui.reader.count() == 2, timeout=WAIT_MS)
    assert ui.said.text().startswith("4 readings wait for ann")
    rows = project.rows("ann")
    assert [row.reading.repeat for row in rows] == [0, 0, 1, 1]
    assert all(row.reading.blind for row in rows)
    qtbot.mouseClick(ui.ask, LEFT)
    qtbot.waitUntil(lambda: ui.said.text() == "ann has all of these readings already.", timeout=WAIT_MS)
    assert len(project.rows("ann")) == 4
    assert [act.who for _, act in project.acts() if act.act == "assign"] == [session.who]
    with qtbot.waitSignal(panel.readAs) as asked:
        ui.reader.setFocus()
        qtbot.keyClick(ui.reader, Qt.Key.Key_Down)
    assert asked.args == ["ann"]


def test_the_worst_case_comes_first_and_is_opened_by_a_double_click(
    qtbot: Any, panel: ReadersPanel, session: Session, project: Project
) -> None:
    two_readers(project)
    panel.follow(session)
    compared(qtbot, panel)
    ui = panel.agreement.ui
    assert ui.pair.itemText(0) == "ann smith and bob"
    assert "everybody" not in " ".join(ui.pair.itemText(at) for at in range(ui.pair.count()))
    assert [row.name for row in ui.classes.rows] == ["anterior"]
    names = [row.name for row in ui.cases.rows]
    assert names == ["scan_1", "scan_0"]
    assert ui.cases.rows[0].dice < ui.cases.rows[1].dice < 1  # type: ignore[operator]
    place = ui.case_view.visualRect(ui.cases.index(0, 0)).center()
    qtbot.mouseClick(ui.case_view.viewport(), LEFT, pos=place)
    with qtbot.waitSignal(panel.openAsked) as asked:
        qtbot.mouseDClick(ui.case_view.viewport(), LEFT, pos=place)
    assert asked.args == [key(session, 1)]
    ui.pair.setCurrentIndex(1)
    ui.pair.activated.emit(1)
    assert [row.dice for row in ui.cases.rows] == [1.0, 1.0]  # ann has taken the model's


def test_the_table_is_saved_without_a_name(
    qtbot: Any, panel: ReadersPanel, session: Session, project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    two_readers(project)
    panel.follow(session)
    ui = panel.agreement.ui
    assert not ui.export.isEnabled()
    compared(qtbot, panel)
    target = tmp_path / "out" / "figures"
    target.parent.mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.mouseClick(ui.export, LEFT)
    file = target.with_suffix(".csv")
    qtbot.waitUntil(lambda: ui.said.text() == "Saved figures.csv.", timeout=WAIT_MS)
    text = file.read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["case"], row["first"], row["second"]) for row in rows if row["second"] != "model"] == [
        ("scan_0", "reader 1", "reader 2"), ("scan_1", "reader 1", "reader 2"),
    ]  # fmt: skip
    assert not any(word in text for word in ("ann", "smith", "bob", str(tmp_path)))


def test_a_blind_reader_is_shown_no_other_reading(
    qtbot: Any, panel: ReadersPanel, session: Session, project: Project, room: ReviewRoom
) -> None:
    two_readers(project)
    panel.follow(session)
    compared(qtbot, panel)
    project.assign([Reading(case=project.cases()[0].key, reader="cid", blind=True)], who="boss")
    panel.follow(None)
    blind = room.have(project, reader="cid")
    panel.follow(blind)
    qtbot.waitUntil(lambda: bool(blind.rows), timeout=WAIT_MS)
    ui = panel.agreement.ui
    assert (ui.compare.isEnabled(), ui.compare.toolTip()) == (False, BLIND)
    assert panel.agreement.found is None
    assert ui.cases.rows == ()
    assert not panel.ui.regions.begin.isEnabled()
    qtbot.waitUntil(lambda: panel.ui.reader.currentText() == "cid", timeout=WAIT_MS)


def test_a_case_of_another_list_is_not_opened(
    qtbot: Any, panel: ReadersPanel, session: Session, project: Project, room: ReviewRoom
) -> None:
    two_readers(project)
    project.assign([Reading(case=project.cases()[0].key, reader="cid")], who="boss")
    panel.follow(None)
    other = room.have(project, reader="cid")
    panel.follow(other)
    qtbot.waitUntil(lambda: bool(other.rows), timeout=WAIT_MS)
    compared(qtbot, panel)
    asked: list[str] = []
    panel.openAsked.connect(asked.append)
    view = panel.agreement.ui.case_view
    view.opened.emit(0)
    assert (asked, panel.agreement.ui.said.text()) == ([], ELSEWHERE)
    view.opened.emit(1)
    assert asked == list(other.rows)


def test_where_nothing_can_be_compared_it_says_so(qtbot: Any, panel: ReadersPanel, session: Session) -> None:
    ui = panel.agreement.ui
    assert (ui.compare.isEnabled(), ui.compare.toolTip()) == (False, NO_PROJECT)
    panel.follow(session)
    compared(qtbot, panel)
    assert ui.said.text() == NONE_YET
    assert not ui.export.isEnabled()


def test_the_protocol_is_kept(qtbot: Any, panel: ReadersPanel, session: Session, project: Project) -> None:
    panel.follow(session)
    written(qtbot, session)
    panel.ui.asking.expand(animate=False)
    qtbot.mouseClick(panel.ui.show_prediction, LEFT, pos=QPoint(8, panel.ui.show_prediction.height() // 2))
    written(qtbot, session)
    assert protocol_of(project).show_prediction
    panel.follow(None)
    panel.ui.show_prediction.setChecked(False)
    panel.follow(session)
    written(qtbot, session)
    assert panel.ui.show_prediction.isChecked()


def test_it_fits_into_the_dock(qtbot: Any, panel: ReadersPanel, session: Session, project: Project) -> None:
    two_readers(project)
    panel.follow(session)
    panel.ui.asking.expand(animate=False)
    compared(qtbot, panel)
    assert panel.minimumSizeHint().width() <= 320
