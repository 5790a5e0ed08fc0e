"""The bar asks about what was really left, and tells which of it a person wants."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.correct.recover_bar import RecoverBar
from napari_vol3d.review import fallback
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Layer, utc_now
from napari_vol3d.review.recovery import Found, Unread
from tests.review.scripts import first_labels, layer_of, random_edit

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def bar(qtbot: Any) -> RecoverBar:
    bar = RecoverBar()
    qtbot.addWidget(bar)
    return bar


def found(scan: str, *, waiting: bool = False) -> Found:
    layer = Layer(scan=scan, name=f"{scan} labels", shape=(1, 1, 1), dtype="uint8")
    return Found(journal=Path(f"{scan}.journal"), layer=layer, edits=14, time=utc_now(), waiting=waiting)


def untick(bar: RecoverBar, row: int) -> None:
    bar.list.item(row).setCheckState(Qt.CheckState.Unchecked)


def test_it_looks_beside_the_window_and_asks(
    qtbot: Any, bar: RecoverBar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOL3D_JOURNALS", str(tmp_path))
    assert bar.isHidden()
    labels = first_labels()
    for scan in ("a", "b"):
        journal = Journal.open(fallback.journal_of_scan(scan))
        layer = journal.add_layer(replace(layer_of(labels), scan=scan), base=labels)
        journal.append(layer, random_edit(labels, np.random.default_rng(0)))
    bar.look()
    qtbot.waitUntil(bar.isVisible)
    assert bar.text.text() == "2 scans have unsaved corrections: recover?"
    assert {one.layer.scan for one in bar.found} == {"a", "b"}
    assert {bar.list.item(row).text() for row in range(2)} == {one.words for one in bar.found}


def test_where_nothing_was_left_nothing_is_asked(qtbot: Any, bar: RecoverBar, tmp_path: Path) -> None:
    bar.look(tmp_path / "none")
    with qtbot.waitSignal(bar._job.ended):
        pass
    assert bar.isHidden()


def test_recover_tells_what_is_ticked_and_is_quiet_then(qtbot: Any, bar: RecoverBar) -> None:
    one, other = found("a"), found("b")
    bar.set_left([one, other, found("c", waiting=True)], [])
    assert bar.text.text().startswith("2 scans")
    untick(bar, 0)
    with qtbot.waitSignal(bar.recoverAsked) as asked:
        qtbot.mouseClick(bar.recover, LEFT)
    assert asked.args == [[other]]
    assert bar.isHidden()


def test_later_asks_nothing_of_anybody(qtbot: Any, bar: RecoverBar) -> None:
    bar.set_left([found("a")], [])
    assert bar.text.text() == "1 scan has unsaved corrections: recover?"
    with qtbot.assertNotEmitted(bar.recoverAsked), qtbot.assertNotEmitted(bar.discardAsked):
        qtbot.mouseClick(bar.later, LEFT)
    assert bar.isHidden()


def test_details_are_folded_at_first(qtbot: Any, bar: RecoverBar) -> None:
    bar.set_left([found("a")], [])
    assert bar.list.isHidden()
    assert bar.discard.isHidden()
    qtbot.mouseClick(bar.details, LEFT)
    assert bar.list.isVisible()
    assert bar.discard.isVisible()


def test_discarding_wants_a_second_click_about_the_same(qtbot: Any, bar: RecoverBar) -> None:
    one, other = found("a"), found("b")
    bar.set_left([one, other], [])
    bar.details.setChecked(True)
    with qtbot.assertNotEmitted(bar.discardAsked):
        qtbot.mouseClick(bar.discard, LEFT)
        assert bar.discard.text() == "Discard 2: sure?"
        untick(bar, 1)
        assert bar.discard.text() == "Discard 1"
        qtbot.mouseClick(bar.discard, LEFT)
    with qtbot.waitSignal(bar.discardAsked) as asked:
        qtbot.mouseClick(bar.discard, LEFT)
    assert asked.args == [[one]]
    bar.remove([one])
    assert bar.ticked() == [other]
    bar.remove([other])
    assert bar.isHidden()


def test_with_nothing_ticked_the_buttons_say_why_they_do_nothing(bar: RecoverBar) -> None:
    bar.set_left([found("a")], [])
    untick(bar, 0)
    for button in (bar.recover, bar.discard):
        assert not button.isEnabled()
        assert "ticked" in button.toolTip()


def test_what_can_not_be_read_is_listed_and_not_recovered(bar: RecoverBar) -> None:
    bar.set_left([], [Unread(path=Path("x.journal"), words="The journal x.journal is damaged.")])
    assert not bar.isHidden()
    assert bar.text.text() == "1 journal of corrections can't be read: see Details."
    assert bar.recover.isHidden()
    bar.details.setChecked(True)
    assert bar.discard.isHidden()
    assert bar.list.item(0).text() == "The journal x.journal is damaged."
    assert bar.ticked() == []


def test_what_only_waits_for_a_project_is_no_question(bar: RecoverBar) -> None:
    bar.set_left([found("a", waiting=True)], [])
    assert bar.isHidden()


def test_letting_go_ends_the_search(qtbot: Any, bar: RecoverBar, tmp_path: Path) -> None:
    bar.look(tmp_path)
    job = bar._job
    bar.let_go()
    qtbot.waitUntil(lambda: not job.running)
    assert bar.isHidden()


def test_it_fits_the_dock(bar: RecoverBar) -> None:
    bar.set_left([found("a rather long name of a scan, longer than the dock is wide")], [])
    bar.details.setChecked(True)
    assert bar.minimumSizeHint().width() <= 320
