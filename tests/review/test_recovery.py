"""What was not saved is found, counted as a merge would count it, and nothing is touched by looking."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import update

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.review import fallback, lock, schema
from napari_vol3d.review.damage import PAGE
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Layer, edit_event, new_token
from napari_vol3d.review.recovery import Found, Unread, discard, look_for_unsaved, unsaved_in
from napari_vol3d.review.replay import replay
from napari_vol3d.review.shelter import Shelter
from tests.review.scripts import first_labels, layer_of, random_edit
from tests.review.test_schema import old_journal, old_row


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOL3D_JOURNALS", str(tmp_path / "own"))
    return tmp_path / "own"


def corrected(scan: str, name: str, edits: int) -> tuple[Journal, Layer, NDArray[np.uint16]]:
    """A journal in the person's folder, as a program that was killed left it."""
    journal, labels = Journal.open(fallback.journal_of_scan(scan)), first_labels()
    layer = journal.add_layer(replace(layer_of(labels), scan=scan, name=name), base=labels)
    for seed in range(edits):
        edit = random_edit(labels, np.random.default_rng(seed))
        edit.apply(labels)
        journal.append(layer, edit)
    return journal, layer, labels


def test_each_layer_that_differs_from_what_was_saved_is_found(folder: Path) -> None:
    assert unsaved_in() == ()  # no folder yet
    one, layer, labels = corrected("a", "hippo_031 labels", 14)
    other, saved, _ = corrected("b", "saved", 3)
    corrected("c", "untouched", 0)
    other.mark(saved, "saved", file="x.nii.gz")
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    (found,) = unsaved_in()
    assert (found.journal, found.layer, found.edits) == (one.path, layer, 14)
    assert found.time == one.history(layer)[-1].time
    assert found.words.startswith("hippo_031 labels: 14 corrections, ")
    assert unsaved_in(folder) == (found,)
    assert {path: path.read_bytes() for path in folder.iterdir()} == kept
    np.testing.assert_array_equal(replay(Journal.open(found.journal), found.layer), labels)
    other.undo(saved)
    assert [(each.layer, each.edits) for each in unsaved_in()] == [(saved, 1), (layer, 14)]  # the last one first
    assert unsaved_in()[0].words.startswith("saved: 1 correction, ")


def test_what_a_living_program_has_is_its_own_business(folder: Path) -> None:
    journal, layer, labels = corrected("a", "labels", 2)
    mine = lock.acquire(journal)
    assert isinstance(mine, lock.Lock)
    edit, cursor = random_edit(labels, np.random.default_rng(1)), journal.line(layer).cursor
    waiting = Journal.open(fallback.new_fallback(journal.path))
    waiting.add(layer, [edit_event(layer.key, edit, parent=cursor, token=new_token())])
    assert unsaved_in() == ()
    with schema.writing(journal.engine, journal.path) as connection:
        connection.execute(update(schema.locks).values(machine="x", host="x", heartbeat=time.time() - 3600))
    assert [found.edits for found in unsaved_in()] == [3]


def test_what_waits_beside_is_counted_once_and_with_what_it_waits_for(folder: Path) -> None:
    journal, layer, labels = corrected("a", "labels", 2)
    journal.mark(layer, "saved")
    shelter = Shelter(journal)
    edit = random_edit(labels, np.random.default_rng(9))
    event = edit_event(layer.key, edit, parent=journal.line(layer).cursor, token=new_token())
    shelter.put([(layer, event)])
    assert unsaved_in() == ()  # the program lives that will merge it
    shelter.leave()
    (found,) = unsaved_in()
    assert (found.journal, found.edits, found.waiting) == (journal.path, 1, False)
    journal.add(layer, [event])  # merged, and killed before the file was removed
    assert unsaved_in() == (found,)


def test_what_waits_for_a_project_elsewhere_says_so(folder: Path, tmp_path: Path) -> None:
    project, labels = Journal.open(tmp_path / "project.journal"), first_labels()
    layer = project.add_layer(layer_of(labels), base=labels)
    shelter = Shelter(project)
    event = edit_event(layer.key, random_edit(labels, np.random.default_rng(9)), parent="gone", token=new_token())
    shelter.put([(layer, event)])
    shelter.leave()
    (found,) = unsaved_in()
    assert (found.waiting, found.edits) == (True, 1)
    assert "project" in found.words


def test_files_that_can_not_be_read_are_told_and_hide_no_others(folder: Path) -> None:
    _, layer, _ = corrected("a", "labels", 2)
    damaged, _, _ = corrected("b", "labels", 2)
    lines, _, _ = corrected("c", "labels", 2)
    (folder / "d.journal").write_text("a text, and longer than a header of SQLite would be " * 200)
    (folder / "e.journal").touch()
    (folder / "f.journal").mkdir()
    old_journal(folder / "g.journal", schema.VERSION, [("schema_version", {"version": 99, "time": "x"})])
    damaged.path.write_bytes(bytes(PAGE) + damaged.path.read_bytes()[PAGE:])
    with schema.writing(lines.engine, lines.path) as connection:
        connection.exec_driver_sql("UPDATE events SET name = 'other' WHERE number = 2")
    kept = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    unread: list[Unread] = []
    assert [found.layer for found in unsaved_in(folder, unread=unread)] == [layer]
    assert {each.path.name: "damaged" in each.words for each in unread} == {
        "b.journal": True, "c.journal": True, "d.journal": True, "g.journal": False,
    }  # fmt: skip
    assert all("Open its scan" in each.words for each in unread if "damaged" in each.words)
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == kept
    assert Journal.open(damaged.path).recovery is not None  # as opening its scan does
    assert [found.edits for found in unsaved_in()] == [2, 2]


def test_journals_of_older_versions_are_found(folder: Path) -> None:
    labels = first_labels()
    layer = layer_of(labels)
    event = edit_event(layer.key, random_edit(labels, np.random.default_rng(0)), parent=None, token=new_token())
    folder.mkdir()
    for version in (1, 2):
        old_journal(folder / "a.journal", version, [("layers", old_row(layer)), ("events", event.row(1))])
        assert [(found.layer, found.edits) for found in unsaved_in()] == [(layer, 1)]
        (folder / "a.journal").unlink()


def test_what_was_discarded_is_not_asked_again_and_can_still_be_opened(folder: Path) -> None:
    journal, layer, labels = corrected("a", "labels", 3)
    assert [progress.phase for progress in discard(unsaved_in())] == ["Discarding labels"]
    assert unsaved_in() == ()
    again = Journal.open(journal.path)
    np.testing.assert_array_equal(replay(again, layer), labels)
    assert (again.history(layer)[-1].kind, again.history(layer)[-1].name) == ("mark", "discarded")
    edit = random_edit(labels, np.random.default_rng(5))
    again.append(layer, edit)
    assert [found.edits for found in unsaved_in()] == [1]  # of what came after
    assert isinstance(lock.acquire(again), lock.Lock)
    with pytest.raises(SaveProblem, match="labels was not discarded: A program on"):
        list(discard([Found(journal=journal.path, layer=layer, edits=1, time=edit.name)]))


def test_looking_can_be_stopped_after_each_file(folder: Path) -> None:
    for scan in "abc":
        corrected(scan, "labels", 1)
    verb = look_for_unsaved()
    assert [next(verb).fraction for _ in range(3)] == [1 / 3, 2 / 3, 1.0]
    with pytest.raises(StopIteration) as end:
        next(verb)
    assert len(end.value.value.found) == 3
