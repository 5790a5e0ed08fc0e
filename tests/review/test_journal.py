"""What was done is there again, in another program, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.errors import FileProblem, Vol3dError
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Event
from napari_vol3d.review.replay import replay
from napari_vol3d.review.schema import JournalDamaged, JournalProblem, writing
from tests.review.scripts import Person, first_labels, layer_of, random_edit


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**31), steps=st.integers(1, 25), timed=st.booleans())
def test_replay_gives_the_array_at_every_moment(tmp_path_factory, seed: int, steps: int, timed: bool) -> None:
    path = tmp_path_factory.mktemp("journal") / "a.journal"
    first = first_labels(timed=timed)
    layer = layer_of(first)
    journal = Journal.open(path)
    journal.add_layer(layer, base=first)
    person = Person(first.copy(), lambda e: journal.append(layer, e), lambda t: journal.move(layer, t), seed=seed)
    for step in range(steps):
        person.step()
        if step % 5 == 0 or step == steps - 1:
            again = replay(Journal(path), layer)
            assert again.dtype == person.labels.dtype
            np.testing.assert_array_equal(again, person.labels)
            np.testing.assert_array_equal(replay(journal, layer, first), person.labels)
    line = Journal.open(path).line(layer)
    assert [entry.token for entry in line.done] == [token for token, _ in person.done]
    assert [entry.token for entry in line.ahead] == [token for token, _ in reversed(person.undone)]
    while journal.undo(layer):
        pass
    np.testing.assert_array_equal(replay(journal, layer), first)


def test_an_edit_after_an_undo_leaves_a_branch_that_can_be_jumped_to(tmp_path: Path) -> None:
    first, rng = first_labels(), np.random.default_rng(3)
    journal, layer = Journal.open(tmp_path / "a.journal"), layer_of(first)
    journal.add_layer(layer, base=first)
    states, tokens, now = [], [], first.copy()
    for name in ("one", "two"):
        edit = random_edit(now, rng, name)
        edit.apply(now)
        states.append(now.copy())
        tokens.append(journal.append(layer, edit))
    assert journal.undo(layer)
    other = random_edit(states[0], rng, "other")
    journal.append(layer, other)
    assert not journal.redo(layer)
    assert [entry.name for entry in journal.line(layer).entries] == ["one", "other"]
    assert [event.kind for event in journal.history(layer)] == ["base", "edit", "edit", "move", "edit"]
    journal.move(layer, tokens[1])
    np.testing.assert_array_equal(replay(journal, layer), states[1])
    assert [entry.name for entry in journal.line(layer).entries] == ["one", "two"]
    with pytest.raises(Vol3dError, match="not in the history"):
        journal.move(layer, "nowhere")
    assert journal.edit(tokens[0]).name == "one"
    with pytest.raises(FileProblem, match="not in the journal"):
        journal.edit("nowhere")


def test_unsaved_is_what_differs_from_the_last_mark(tmp_path: Path) -> None:
    first, rng = first_labels(), np.random.default_rng(3)
    journal = Journal.open(tmp_path / "a.journal")
    quiet, busy = layer_of(first), layer_of(first)
    journal.add_layer(quiet)
    journal.add_layer(busy)
    assert journal.unsaved() == ()
    now = first.copy()
    for _ in range(3):
        edit = random_edit(now, rng)
        edit.apply(now)
        journal.append(busy, edit, who="anna")
    (found,) = journal.unsaved()
    assert (found.layer, found.edits) == (busy, 3)
    journal.mark(busy, "saved", file="labels.nii.gz", sha256="cd" * 32)
    assert journal.unsaved() == ()
    saved = journal.line(busy).saved
    assert saved is not None
    assert (saved.file, saved.sha256) == ("labels.nii.gz", "cd" * 32)
    journal.undo(busy)
    assert journal.unsaved()[0].edits == 1
    journal.redo(busy)
    assert journal.unsaved() == ()
    assert {event.who for event in journal.history(busy)} == {"anna", ""}
    assert set(journal.layers_of(quiet.scan)) == {quiet, busy}


def test_events_are_added_once_whoever_adds_them(tmp_path: Path) -> None:
    first = first_labels()
    journal, layer = Journal.open(tmp_path / "a.journal"), layer_of(first)
    moves = [Event(layer=layer.key, kind="move") for _ in range(200)]
    assert journal.add(layer, moves[:150]) == 150
    assert journal.add(layer, moves) == 200
    assert [event.token for event in journal.history(layer)] == [event.token for event in moves]


def test_a_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    """A share that was unmounted leaves an empty folder."""
    journal, layer = Journal.open(tmp_path / "a.journal"), layer_of(first_labels())
    journal.add_layer(layer)
    (tmp_path / "a.journal").unlink()
    with pytest.raises(JournalProblem, match="can't be used"):
        journal.undo(layer)
    assert not list(tmp_path.iterdir())


def test_a_missing_row_is_found(tmp_path: Path) -> None:
    journal, layer = Journal.open(tmp_path / "a.journal"), layer_of(first_labels())
    journal.add(layer, [Event(layer=layer.key, kind="move") for _ in range(3)])
    with writing(journal.engine, journal.path) as connection:
        connection.exec_driver_sql("DELETE FROM events WHERE number = 2")
    with pytest.raises(JournalDamaged, match="lacks"):
        journal.history(layer)


def test_a_base_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected"):
        Journal.open(tmp_path / "a.journal").add_layer(layer_of(first_labels()), base=np.zeros((1, 2, 3), np.uint16))
