"""A history tells which edits lead where, keeps few of them in memory, and each until it is written."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review.history import MODEL, History
from napari_vol3d.review.line import Line
from napari_vol3d.review.records import Event
from tests.review.scripts import first_labels, random_edit


def nowhere(token: str) -> Edit:
    raise AssertionError(f"{token} was in memory")


def size(edit: Edit) -> int:
    return edit.before.nbytes + edit.after.nbytes


class Session:
    """Labels, their history, a journal that is a dict, and every state that there was."""

    def __init__(self, seed: int = 0, *, room: int = 10**9) -> None:
        self.rng, self.labels = np.random.default_rng(seed), first_labels()
        self.states = {None: self.labels.copy()}
        self.written: dict[str, Edit] = {}
        self.read: list[str] = []
        self.history = History("key", read=self._read, room=room)

    def _read(self, token: str) -> Edit:
        self.read.append(token)
        return self.written[token]

    def edit(self, who: str = "") -> str:
        edit = random_edit(self.labels, self.rng, name=f"step {len(self.states)}")
        edit.apply(self.labels)
        token = f"token {len(self.states)}"
        self.history.add(edit, token, who=who)
        self.states[token] = self.labels.copy()
        self.written[token] = edit
        return token

    def go(self, token: str | None) -> None:
        for _, edit, _ in self.history.way_to(token):
            assert edit.fits(self.labels)
            edit.apply(self.labels)

    def is_right(self) -> None:
        history = self.history
        np.testing.assert_array_equal(self.labels, self.states[history.cursor])
        names = [step.name for step in history.steps]
        assert history.undo_name == (names[history.at - 1] if history.at else None)
        assert history.redo_name == (names[history.at] if history.at < len(names) else None)


MOVES: dict[str, Callable[[Session], str | None]] = {
    "undo": lambda s: s.history.back if s.history.at else None,
    "redo": lambda s: s.history.next or s.history.cursor,
    "jump": lambda s: list(s.states)[int(s.rng.integers(len(s.states)))],
}


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31), room=st.sampled_from([0, 3000, 10**9]),
    steps=st.lists(st.sampled_from(["edit", "edit", "written", *MOVES]), max_size=25),
)  # fmt: skip
def test_wherever_it_goes_the_labels_are_those_that_there_were(seed: int, room: int, steps: list[str]) -> None:
    """Edits, undo, redo, jumps to steps that are there or were left, with much memory and with none."""
    session = Session(seed, room=room)
    for step in steps:
        if step == "edit":
            session.edit()
        elif step == "written":
            session.history.acknowledge(session.written)
        else:
            wanted, here = MOVES[step](session), session.history.cursor
            listed = wanted is None or wanted in {each.token for each in session.history.steps}
            session.go(wanted)
            assert session.history.cursor == (wanted if listed else here)
        session.is_right()
        waiting = sum(size(session.written[token]) for token in session.history._waiting)
        assert session.history.bytes_kept <= max(room, waiting)


def test_steps_are_listed_and_an_edit_after_an_undo_is_a_branch() -> None:
    session = Session()
    one, two, three = (session.edit(who=who) for who in ("", MODEL, "anna"))
    history = session.history
    assert [step.token for step in history.steps] == [one, two, three]
    assert [step.by_model for step in history.steps] == [False, True, False]
    assert [history.by_model(token) for token in (one, two, three, "another's")] == [False, True, False, False]
    assert [step.time for step in history.steps] == sorted(step.time for step in history.steps)
    assert (history.at, history.cursor, history.back, history.next) == (3, three, two, None)
    session.go(one)
    assert (history.at, history.cursor, history.back, history.next) == (1, one, None, two)
    four = session.edit()
    assert [step.token for step in history.steps] == [one, four]
    session.go(three)  # on a branch that was left
    assert history.cursor == four
    session.is_right()


def test_an_empty_history_offers_nothing() -> None:
    history = History("key", read=nowhere)
    assert (history.steps, history.at, history.bytes_kept) == ((), 0, 0)
    assert (history.cursor, history.back, history.next) == (None, None, None)
    assert (history.undo_name, history.redo_name) == (None, None)
    assert list(history.way_to(None)) == []


def test_what_is_not_written_stays_in_memory_and_what_is_may_leave_it_oldest_use_first() -> None:
    session = Session(room=1)
    tokens = [session.edit() for _ in range(6)]
    history = session.history
    whole = sum(size(edit) for edit in session.written.values())
    assert history.bytes_kept == whole
    session.go(None)
    assert session.read == []
    history.acknowledge(tokens[:2])
    assert history.bytes_kept == whole - sum(size(session.written[token]) for token in tokens[:2])
    session.go(tokens[-1])
    assert session.read == tokens[:2]
    session.is_right()


def test_what_was_used_last_is_kept_longest() -> None:
    session = Session()
    tokens = [session.edit() for _ in range(4)]
    history = session.history
    history.acknowledge(tokens)
    history.edit(tokens[0])
    history._room = size(session.written[tokens[0]])
    history.acknowledge(())
    assert history.bytes_kept == history._room
    assert history.edit(tokens[0]) is session.written[tokens[0]]
    assert session.read == []
    history.edit(tokens[1])
    assert session.read == [tokens[1]]


def test_where_a_step_can_not_be_read_history_and_labels_still_agree() -> None:
    session = Session(room=0)
    tokens = [session.edit() for _ in range(5)]
    session.history.acknowledge(tokens)
    lost = session.written.pop(tokens[2])
    plain = session.history._read

    def read(token: str) -> Edit:
        if token not in session.written:
            raise Vol3dError("The disk is gone.")
        return plain(token)

    session.history._read = read
    with pytest.raises(Vol3dError, match="gone"):
        session.go(None)
    assert session.history.cursor == tokens[2]
    session.is_right()
    session.written[tokens[2]] = lost
    session.go(None)
    session.is_right()


def test_a_change_that_is_not_applied_does_not_move_the_history() -> None:
    """Whoever finds that it does not fit stops asking for more."""
    session = Session()
    tokens = [session.edit() for _ in range(3)]
    for token, edit, back in session.history.way_to(None):
        assert back
        if token == tokens[1]:
            break
        edit.apply(session.labels)
    assert session.history.cursor == tokens[1]
    session.is_right()


def test_it_goes_on_from_what_a_journal_holds() -> None:
    first = Session(4)
    tokens = [first.edit() for _ in range(3)]
    entries = [
        Event(layer="key", kind="edit", token=token, parent=parent, cursor=token, name=first.written[token].name)
        for parent, token in zip([None, *tokens], tokens, strict=False)
    ]
    first.history = History("key", read=first._read, line=Line.of(entries))
    assert [step.token for step in first.history.steps] == tokens
    first.go(tokens[0])
    first.is_right()
    assert first.read == [tokens[2], tokens[1]]
    last = first.edit()
    assert [step.token for step in first.history.steps] == [tokens[0], last]
