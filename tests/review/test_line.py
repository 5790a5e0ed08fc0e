"""From events to what a person sees."""

from __future__ import annotations

from napari_vol3d.review.line import Line
from napari_vol3d.review.records import Event, Kind


def event(kind: Kind, token: str, parent: str | None = None, cursor: str | None = None) -> Event:
    return Event(layer="x", kind=kind, token=token, parent=parent, cursor=token if kind == "edit" else cursor)


def chain(*tokens: str) -> list[Event]:
    return [event("edit", t, parent) for parent, t in zip((None, *tokens), tokens, strict=False)]


def names(events: list[Event]) -> str:
    return "".join(entry.token for entry in events)


def test_the_cursor_moves_along_the_line() -> None:
    line = Line.of([*chain("a", "b", "c"), event("move", "1", cursor="a")])
    assert (names(line.done), names(line.ahead), line.cursor, line.before) == ("a", "bc", "a", None)
    line.take(event("move", "2", cursor="c"))
    assert (names(line.done), line.before) == ("abc", "b")
    line.take(event("move", "3", cursor=None))
    assert (names(line.done), names(line.ahead), line.cursor) == ("", "abc", None)


def test_a_branch_leaves_what_was_ahead_and_a_jump_brings_it_back() -> None:
    line = Line.of([*chain("a", "b", "c"), event("move", "1", cursor="a"), event("edit", "d", "a")])
    assert names(line.entries) == "ad"
    line.take(event("move", "2", cursor="c"))
    assert names(line.entries) == "abc"
    line.take(event("move", "3", cursor="d"))
    assert (names(line.entries), line.broken) == ("ad", False)


def test_an_edit_that_was_made_elsewhere_stands_on_its_own_parent() -> None:
    line = Line.of([*chain("a", "b"), event("edit", "c", "a")])
    assert names(line.entries) == "ac"


def test_unsaved_counts_what_differs_both_ways() -> None:
    line = Line.of([*chain("a", "b", "c")])
    assert line.unsaved() == 3
    line.take(event("mark", "m", cursor="c"))
    assert line.unsaved() == 0
    line.take(event("move", "1", cursor="a"))
    line.take(event("edit", "d", "a"))
    assert line.unsaved() == 3  # b and c are gone, d has come


def test_what_stands_upon_a_loss_is_broken_until_the_cursor_leaves_it() -> None:
    line = Line.of([*chain("a"), event("lost", "?"), event("edit", "c", "b")])
    assert (line.broken, line.lost) == (True, 1)
    line.take(event("move", "1", cursor="a"))
    assert (names(line.entries), line.broken) == ("a", False)
    line.take(event("move", "2", cursor="b"))
    assert (names(line.done), line.broken) == ("", True)
    line.take(event("move", "3", cursor=None))
    assert not line.broken
    line.take(event("edit", "d", None))
    assert (names(line.entries), line.broken) == ("d", False)
