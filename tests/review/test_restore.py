"""What was left comes back: labels, history, and which voxels a person had touched; or it is said that it can't."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.touched import Touched
from napari_vol3d.review import fallback, schema
from napari_vol3d.review.history import MODEL, History
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Layer, edit_event, new_token
from napari_vol3d.review.replay import replay
from napari_vol3d.review.restore import Restored, restore
from napari_vol3d.review.schema import JournalDamaged
from tests.review.scripts import Person, first_labels, layer_of, random_edit


def run(verb: Generator[Progress, None, Restored]) -> tuple[Restored, list[Progress]]:
    told = []
    while True:
        try:
            told.append(next(verb))
        except StopIteration as ended:
            return ended.value, told


def begun(folder: Path, labels: np.ndarray) -> tuple[Journal, Layer]:
    journal = Journal.open(folder / "a.journal")
    return journal, journal.add_layer(layer_of(labels), base=labels)


def expected(edits: list[Edit], shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for edit in edits:
        space = mask[edit.frame] if mask.ndim == 4 else mask
        space[edit.box.slices] |= edit.changed
    return mask


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("timed", [False, True])
def test_a_session_goes_on_as_if_it_had_not_ended(tmp_path: Path, seed: int, timed: bool) -> None:
    """All can be undone and redone, and touched voxels follow, as they would have."""
    labels = first_labels(timed=timed)
    journal, layer = begun(tmp_path, labels)
    person = Person(labels.copy(), lambda e: journal.append(layer, e), lambda t: journal.move(layer, t), seed=seed)
    for _ in range(20):
        person.step()
    while not person.undone:
        person.undo()
    got, told = run(restore(journal.path, layer))
    np.testing.assert_array_equal(got.labels, person.labels)
    np.testing.assert_array_equal(got.labels, replay(journal, layer))
    np.testing.assert_array_equal(got.touched.mask, expected([edit for _, edit in person.done], labels.shape))
    assert (got.layer, got.path, got.note) == (layer, journal.path, "")
    assert got.labels.flags.c_contiguous
    assert got.labels.flags.writeable
    assert [(p.done, p.total) for p in told] == [(k, len(person.done)) for k in range(1, len(person.done) + 1)]
    history = History(layer.key, line=got.line, read=journal.edit)
    assert [step.token for step in history.steps] == [token for token, _ in person.done + person.undone[::-1]]
    for token, states in ((history.steps[-1].token, person.redo), (None, person.undo)):
        while person.undone if states == person.redo else person.done:
            states()
        _go(history, token, got.labels, got.touched)
        np.testing.assert_array_equal(got.labels, person.labels)
        np.testing.assert_array_equal(got.touched.mask, expected([edit for _, edit in person.done], labels.shape))


def _go(history: History, token: str | None, labels: np.ndarray, touched: Touched) -> None:
    for step, edit, back in history.way_to(token):
        edit.apply(labels)
        if back:
            touched.take_back(step, edit.inverse())
        else:
            touched.add(step, edit)


def test_what_a_model_wrote_is_done_again_and_counts_as_nobodys_work(tmp_path: Path) -> None:
    labels = first_labels()
    journal, layer = begun(tmp_path, labels)
    edits = []
    for seed, who in enumerate(("anna", MODEL, "")):
        edits.append(random_edit(labels, np.random.default_rng(seed)))
        edits[-1].apply(labels)
        journal.append(layer, edits[-1], who=who)
    got, _ = run(restore(journal.path, layer))
    np.testing.assert_array_equal(got.labels, labels)
    np.testing.assert_array_equal(got.touched.mask, expected([edits[0], edits[2]], labels.shape))


def test_what_waits_beside_the_journal_is_brought_home_first(tmp_path: Path) -> None:
    labels = first_labels()
    journal, layer = begun(tmp_path, labels)
    edit = random_edit(labels, np.random.default_rng(0))
    waiting = Journal.open(fallback.new_fallback(journal.path))
    waiting.add(layer, [edit_event(layer.key, edit, parent=None, token=new_token())])
    got, _ = run(restore(journal.path, layer))
    edit.apply(labels)
    np.testing.assert_array_equal(got.labels, labels)
    assert not fallback.waiting_for(journal.path)


def test_a_wide_id_that_was_taken_back_can_be_given_again(tmp_path: Path) -> None:
    """The labels were converted in the session that ended."""
    labels = np.zeros((3, 4, 5), np.uint8)
    journal, layer = begun(tmp_path, labels)
    wide = labels.astype(np.uint16)
    wide[1, 2, 3] = 700
    edit = Edit.between("Paint class 700", labels.astype(np.uint16), wide)
    assert edit is not None
    token = journal.append(layer, edit)
    journal.move(layer, None)
    got, _ = run(restore(journal.path, layer))
    assert not got.labels.any()
    _go(History(layer.key, line=got.line, read=journal.edit), token, got.labels, got.touched)
    np.testing.assert_array_equal(got.labels, wide)


def test_without_an_edit_the_labels_are_those_that_it_began_with(tmp_path: Path) -> None:
    labels = first_labels()
    journal, layer = begun(tmp_path, labels)
    got, told = run(restore(journal.path, layer))
    np.testing.assert_array_equal(got.labels, labels)
    assert not got.touched.mask.any()
    assert got.line.cursor is None
    assert told == []


def test_of_a_damaged_journal_what_could_be_read_comes_back_and_the_rest_is_said(tmp_path: Path) -> None:
    labels = first_labels()
    journal, layer = begun(tmp_path, labels)
    edits = []
    for seed in range(3):
        edits.append(random_edit(labels, np.random.default_rng(seed)))
        edits[-1].apply(labels)
        token = journal.append(layer, edits[-1])
        if seed == 0:
            first = labels.copy()
    with schema.writing(journal.engine, journal.path) as connection:
        gone = journal.line(layer).done[1].token
        connection.execute(delete(schema.events).where(schema.events.c.token == gone))
    got, _ = run(restore(journal.path, layer))
    np.testing.assert_array_equal(got.labels, first)
    np.testing.assert_array_equal(got.touched.mask, expected(edits[:1], labels.shape))
    assert "was damaged: 1 corrections were recovered" in got.note
    assert token in got.line.edits  # behind the gap: kept, and not done


def _without_base(journal: Journal, labels: np.ndarray) -> Layer:
    layer = journal.add_layer(layer_of(labels))
    journal.append(layer, random_edit(labels, np.random.default_rng(0)))
    return layer


def _on_other_labels(journal: Journal, labels: np.ndarray) -> Layer:
    layer = journal.add_layer(layer_of(labels), base=labels)
    journal.append(layer, random_edit(labels + np.uint16(1), np.random.default_rng(0), name="Paint liver"))
    return layer


def _upon_what_is_not_there(journal: Journal, labels: np.ndarray) -> Layer:
    layer = journal.add_layer(layer_of(labels), base=labels)
    edit = random_edit(labels, np.random.default_rng(0))
    journal.add(layer, [edit_event(layer.key, edit, parent=new_token(), token=new_token())])
    return layer


@pytest.mark.parametrize(("make", "error", "says"), [
    (_without_base, ScanMismatch, "not what they were made on"),
    (_on_other_labels, ScanMismatch, "Step 1 of labels, 'Paint liver', does not fit"),
    (_upon_what_is_not_there, JournalDamaged, "a.journal lacks edits"),
])  # fmt: skip
def test_what_can_not_be_had_is_refused_with_a_way_on(
    tmp_path: Path, make: Any, error: type[Exception], says: str
) -> None:
    journal = Journal.open(tmp_path / "a.journal")
    layer = make(journal, first_labels())
    with pytest.raises(error, match=says) as caught:
        run(restore(journal.path, layer))
    assert caught.value.hint  # type: ignore[attr-defined]
