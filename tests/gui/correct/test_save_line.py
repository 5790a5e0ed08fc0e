"""What a person sees of the journal follows what the writer says, and trouble stays until it is over."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QObject, Qt, Signal

from napari_vol3d.gui.correct.save_line import SaveLine
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lock import Held
from napari_vol3d.review.reports import Acknowledged, Mended, Place, Trouble
from napari_vol3d.review.writer import Writer
from tests.review.scripts import first_labels, layer_of, random_edit


@pytest.fixture
def line(qtbot: Any) -> SaveLine:
    line = SaveLine()
    qtbot.addWidget(line)
    line.show()
    return line


def acknowledged(place: Place = "journal") -> Acknowledged:
    return Acknowledged(sequence=1, tokens=("a",), place=place, time=datetime(2026, 1, 1, 12, 3, 20))


def trouble(place: str = "local") -> Trouble:
    return Trouble(message="The journal a can't be used: disk full.", hint="Free some space on that disk.", place=place)


def test_at_first_nothing_is_said(line: SaveLine) -> None:
    assert line.state.text() == ""
    hidden = (line.trouble, line.elsewhere, line.held, line.take_over, line.mended, line.seen)
    assert all(widget.isHidden() for widget in hidden)


@pytest.mark.parametrize(
    ("place", "said"), [("journal", "saved 12:03:20"), ("local", "saved on this computer 12:03:20")]
)
def test_what_is_on_a_disk_is_said_with_its_time(line: SaveLine, place: Place, said: str) -> None:
    line.show_report(acknowledged(place))
    assert line.state.text() == said


def test_only_saving_that_takes_long_is_announced(qtbot: Any, line: SaveLine) -> None:
    line.show_report(acknowledged())
    line.show_saving()
    assert line.state.text() == "saved 12:03:20"
    line.show_report(acknowledged("local"))
    assert not line._slow.isActive()
    line.show_saving()
    line.show_saving()
    qtbot.waitUntil(lambda: line.state.text() == "saving ...")
    line.show_report(acknowledged())
    assert line.state.text() == "saved 12:03:20"


def test_the_banner_stays_until_the_journal_is_mended(qtbot: Any, line: SaveLine) -> None:
    line.show_report(trouble())
    line.show_report(acknowledged("local"))
    assert line.trouble.isVisible()
    assert line.trouble.text() == (
        "Corrections are kept on this computer meanwhile. The journal a can't be used: disk full. "
        "Free some space on that disk."
    )
    assert line.state.text() == "saved on this computer 12:03:20"
    line.show_report(trouble("memory"))
    assert "in memory only" in line.trouble.text()
    assert line.state.text() == "not saved"
    with qtbot.waitSignal(line.saveElsewhereAsked):
        qtbot.mouseClick(line.elsewhere, Qt.MouseButton.LeftButton)
    assert line.trouble.isVisible()
    line.show_report(Mended(merged=3))
    assert line.trouble.isHidden()
    assert line.elsewhere.isHidden()


def test_who_else_has_the_journal_can_be_taken_over_from(qtbot: Any, line: SaveLine) -> None:
    held = Held(token="t", host="lab", who="anna", silent=True, seconds=600)
    line.show_held(held)
    assert line.held.text() == held.words
    with qtbot.waitSignal(line.takeOverAsked):
        qtbot.mouseClick(line.take_over, Qt.MouseButton.LeftButton)
    line.show_held(None)
    assert line.held.isHidden()
    assert line.take_over.isHidden()


def test_what_became_of_a_damaged_journal_is_said_until_it_was_read(qtbot: Any, line: SaveLine) -> None:
    line.show_mended("The journal was damaged: 12 corrections were recovered.")
    assert line.mended.isVisible()
    qtbot.mouseClick(line.seen, Qt.MouseButton.LeftButton)
    assert line.mended.isHidden()
    assert line.seen.isHidden()


def test_all_is_forgotten_for_other_labels(line: SaveLine) -> None:
    line.show_report(acknowledged())
    line.show_report(trouble())
    line.show_held(Held(token="t", host="lab", who="", silent=False, seconds=1))
    line.show_mended("x")
    line.show_saving()
    line.clear()
    test_at_first_nothing_is_said(line)
    assert not line._slow.isActive()


def test_it_fits_the_dock(line: SaveLine) -> None:
    line.show_report(trouble())
    line.show_held(Held(token="t", host="lab", who="anna", silent=True, seconds=600))
    line.show_mended("The journal was damaged: 12 corrections were recovered; a.journal.damaged-1 is kept.")
    assert line.minimumSizeHint().width() <= 320


class _Relay(QObject):
    said = Signal(object)


def test_the_real_writer_is_followed_across_threads(
    qtbot: Any, line: SaveLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOL3D_JOURNALS", str(tmp_path / "own"))
    relay, labels, share = _Relay(), first_labels(), tmp_path / "share"
    relay.said.connect(line.show_report)
    share.write_text("a file where the folder should be: the share is gone")
    layer, writer = layer_of(labels), Writer(Journal(share / "a.journal"), tell=relay.said.emit)
    writer.begin(layer, labels)
    qtbot.waitUntil(lambda: line.trouble.isVisible() and line.state.text().startswith("saved on this computer"))
    share.unlink()
    qtbot.waitUntil(line.trouble.isHidden, timeout=20_000)
    writer.append(layer, random_edit(labels, np.random.default_rng(0)))
    qtbot.waitUntil(lambda: line.state.text().startswith("saved ") and "computer" not in line.state.text())
    writer.close()
