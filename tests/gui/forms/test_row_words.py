"""Minutes are short, and hints say what was typed, not what Qt would make of it."""

from __future__ import annotations

from qtpy.QtGui import QTextDocumentFragment

from napari_vol3d.gui.forms.row_words import bold, rich, say_minutes


def test_minutes() -> None:
    said = {0: "", -1: "", 1: "0.1", 84: "1.4", 599: "10.0", 600: "10", 3599: "60", 90_000: "1,500"}
    assert {seconds: say_minutes(seconds) for seconds in said} == said


def test_a_hint_shows_the_lines_as_they_are() -> None:
    lines = ["a < b & c", "", "<b>no</b>"]
    plain = QTextDocumentFragment.fromHtml(rich(lines)).toPlainText()
    assert plain.splitlines() == ["a < b & c", "<b>no</b>"]


def test_bold_says_nothing_else(qapp: object) -> None:
    assert bold().bold()
