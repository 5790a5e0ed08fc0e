"""Durable, in order, within a second, and never silently not."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.review import fallback, keeper, lock
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.replay import replay
from napari_vol3d.review.reports import Acknowledged, Mended, Report, TakenOver, Trouble
from napari_vol3d.review.writer import Writer
from tests.review.scripts import Person, first_labels, layer_of, random_edit

LONG = 20.0  # seconds; nothing here takes that long unless it is broken


class Desk:
    """A person, a writer, and all that the writer said."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.journal = Journal.open(folder / "project" / "a.journal")
        self.first = first_labels()
        self.layer = layer_of(self.first)
        self.reports: list[Report] = []
        self.heard = threading.Condition()
        self.writer = Writer(self.journal, tell=self.hear, who="anna", **options)
        self.writer.begin(self.layer, self.first.copy())
        layer, writer = self.layer, self.writer
        self.person = Person(self.first.copy(), lambda e: writer.append(layer, e), lambda t: writer.move(layer, t))

    def hear(self, report: Report) -> None:
        with self.heard:
            self.reports.append(report)
            self.heard.notify_all()

    def wait_for(self, kind: type, count: int = 1) -> None:
        with self.heard:
            assert self.heard.wait_for(lambda: len(self.of(kind)) >= count, LONG), self.reports

    def of(self, kind: type) -> list[Any]:
        return [report for report in self.reports if isinstance(report, kind)]

    def work(self, steps: int) -> None:
        for _ in range(steps):
            self.person.step()

    def is_right(self) -> None:
        """What a next program finds."""
        journal = Journal.open(self.journal.path)
        fallback.gather(journal)
        assert journal.recovery is None
        np.testing.assert_array_equal(replay(journal, self.layer), self.person.labels)
        assert [entry.token for entry in journal.line(self.layer).done] == [token for token, _ in self.person.done]


@contextmanager
def failing_disk(monkeypatch: pytest.MonkeyPatch, folder: Path, error: OSError) -> Iterator[None]:
    """Let every write to journals below `folder` fail."""
    plain = Journal.add

    def add(journal: Journal, *given: Any) -> int:
        if folder in journal.path.parents:
            raise error
        return plain(journal, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "add", add)
        yield


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "RETRY_FIRST", 0.05)
    monkeypatch.setattr(keeper, "RETRY_LAST", 0.2)


def test_all_is_acknowledged_in_order_and_replayed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, patience=LONG)
    desk.work(60)
    assert desk.writer.flush(LONG)
    assert desk.writer.waiting == 0
    said = desk.of(Acknowledged)
    assert [report.sequence for report in said] == sorted({report.sequence for report in said})
    assert said[-1].sequence == 61
    assert said[-1].words == f"saved {said[-1].time:%H:%M:%S}"
    history = desk.journal.history(desk.layer)
    assert [token for report in said for token in report.tokens] == [event.token for event in history]
    assert {event.who for event in history} == {"anna"}
    assert [event.time for event in history] == sorted(event.time for event in history)
    desk.writer.mark(desk.layer, "saved", file="a.nii.gz")
    desk.writer.close()
    assert desk.journal.unsaved() == ()
    desk.is_right()


def test_strokes_that_arrive_together_are_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, plain = threading.Event(), Journal.add

    def add(journal: Journal, *given: Any) -> int:
        assert gate.wait(LONG)
        return plain(journal, *given)

    monkeypatch.setattr(Journal, "add", add)
    desk = Desk(tmp_path, patience=LONG)
    desk.work(40)
    gate.set()
    desk.writer.close()
    assert len(desk.of(Acknowledged)) <= 3
    desk.is_right()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_journal_that_fails_is_replaced_and_merged_when_it_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    desk = Desk(tmp_path, patience=LONG)
    desk.work(10)
    assert desk.writer.flush(LONG)
    with failing_disk(monkeypatch, tmp_path / "project", OSError(number, os.strerror(number))):
        desk.work(10)
        assert desk.writer.flush(LONG)
        desk.work(10)
        assert desk.writer.flush(LONG)
        assert desk.of(Acknowledged)[-1].place == "local"
        assert desk.of(Acknowledged)[-1].words.startswith("saved on this computer ")
        assert os.strerror(number) in desk.of(Trouble)[0].message
        assert len(desk.journal.history(desk.layer)) == 11
    desk.wait_for(Mended)
    assert desk.of(Mended)[0].merged == 20
    assert len(desk.of(Trouble)) == 1  # a banner, not a rain
    desk.work(10)
    assert desk.writer.flush(LONG)
    assert desk.of(Acknowledged)[-1].place == "journal"
    desk.writer.close()
    assert not fallback.waiting_for(desk.journal.path)
    desk.is_right()


def test_a_journal_that_hangs_holds_nobody_and_what_it_wrote_late_is_not_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, patience=LONG)
    assert desk.writer.flush(LONG)
    desk.writer._keeper._patience = 0.1
    gate, plain = threading.Event(), Journal.add

    def add(journal: Journal, *given: Any) -> int:
        if journal.path == desk.journal.path:
            assert gate.wait(LONG)
        return plain(journal, *given)

    monkeypatch.setattr(Journal, "add", add)
    desk.work(5)
    assert desk.writer.flush(LONG)
    assert desk.of(Acknowledged)[-1].place == "local"
    assert "too long" in desk.of(Trouble)[0].message
    desk.work(5)
    assert desk.writer.flush(LONG)
    desk.writer._keeper._patience = LONG
    gate.set()
    desk.wait_for(Mended)
    assert len(desk.journal.history(desk.layer)) == 11
    desk.writer.close()
    desk.is_right()


def test_with_no_disk_at_all_edits_wait_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path, patience=LONG)
    assert desk.writer.flush(LONG)
    monkeypatch.setenv("VOL3D_JOURNALS", str(tmp_path / "own"))
    with failing_disk(monkeypatch, tmp_path, OSError(errno.ENOSPC, "full")):
        desk.work(8)
        desk.wait_for(Trouble, 2)
        assert {report.place for report in desk.of(Trouble)} == {"local", "memory"}
        assert desk.writer.waiting == 8
        assert not desk.writer.flush(0.05)
    assert desk.writer.flush(LONG)
    desk.writer.close()
    desk.is_right()


def test_closing_says_what_could_be_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path, patience=LONG)
    assert desk.writer.flush(LONG)
    monkeypatch.setenv("VOL3D_JOURNALS", str(tmp_path / "own"))
    with failing_disk(monkeypatch, tmp_path, OSError(errno.ENOSPC, "full")):
        desk.work(3)
        with pytest.raises(SaveProblem, match="3 corrections could not be written"):
            desk.writer.close(timeout=0.5)


def test_what_could_not_be_merged_is_gathered_by_the_next_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, patience=0.3)
    assert desk.writer.flush(LONG)
    with failing_disk(monkeypatch, tmp_path / "project", OSError(errno.EIO, "gone")):
        desk.work(12)
        assert desk.writer.flush(LONG)
        assert fallback.gather(desk.journal) == 0  # it is in use
        desk.writer.close()
    assert len(fallback.waiting_for(desk.journal.path)) == 1
    assert fallback.gather(Journal.open(desk.journal.path)) == 12
    assert not fallback.waiting_for(desk.journal.path)
    desk.is_right()


def test_two_who_write_are_two_branches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path, patience=2.0)
    desk.work(6)
    assert desk.writer.flush(LONG)
    fork = desk.journal.line(desk.layer)
    other = Person(replay(desk.journal, desk.layer), lambda e: desk.journal.append(desk.layer, e), print, seed=5)
    with failing_disk(monkeypatch, tmp_path / "project", OSError(errno.EIO, "gone")):
        desk.work(6)
        assert desk.writer.flush(LONG)
        desk.writer.close()
    other.step()
    fallback.gather(desk.journal)
    desk.is_right()
    desk.journal.move(desk.layer, other.done[0][0])
    np.testing.assert_array_equal(replay(desk.journal, desk.layer), other.labels)
    assert [e.token for e in desk.journal.line(desk.layer).done] == [*(e.token for e in fork.done), other.done[0][0]]


def test_the_heartbeat_is_kept_up_and_a_lock_that_is_lost_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "BEAT_SECONDS", 0.05)
    desk = Desk(tmp_path, patience=LONG)
    taken = lock.acquire(desk.journal)
    assert isinstance(taken, lock.Lock)
    second = Writer(desk.journal, tell=desk.hear, lock=taken)
    held = lock.acquire(desk.journal)
    assert isinstance(held, lock.Held)
    assert isinstance(lock.take_over(desk.journal, held), lock.Lock)
    desk.wait_for(TakenOver)
    second.close()
    desk.writer.close()


def test_a_report_that_can_not_be_shown_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal, labels = Journal.open(tmp_path / "a.journal"), first_labels()
    layer = layer_of(labels)

    def tell(report: Report) -> None:
        raise RuntimeError("no window")

    writer = Writer(journal, tell=tell, patience=LONG)
    for _ in range(3):
        writer.begin(layer, labels)
        assert writer.flush(LONG)
    writer.close()
    assert "could not be shown" in caplog.text
    assert len(journal.history(layer)) == 3


def test_a_call_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    plain = Journal.add
    monkeypatch.setattr(Journal, "add", lambda *given: gate.wait(LONG) and plain(*given))
    desk = Desk(tmp_path, patience=LONG)
    desk.work(20)  # comes back while the gate is shut
    assert desk.writer.waiting == 21
    gate.set()
    desk.writer.close()
    desk.is_right()


def test_a_token_and_who_made_an_edit_are_those_that_are_given(tmp_path: Path) -> None:
    """As where a model's result goes into a history that has named the step already."""
    desk, rng = Desk(tmp_path, patience=LONG), np.random.default_rng(0)
    given = [("mine", None), (None, None), ("the model's", "model"), (None, "")]
    labels, tokens = desk.first, []
    for token, who in given:
        edit = random_edit(labels, rng)
        edit.apply(labels)
        tokens.append(desk.writer.append(desk.layer, edit, token=token, who=who))
    desk.writer.close()
    assert [tokens[0], tokens[2]] == ["mine", "the model's"]
    assert len(set(tokens)) == 4
    done = desk.journal.line(desk.layer).done
    assert [event.token for event in done] == tokens
    assert [event.parent for event in done] == [None, *tokens[:-1]]
    assert [event.who for event in done] == ["anna", "anna", "model", ""]
    np.testing.assert_array_equal(replay(desk.journal, desk.layer), labels)


def test_what_was_saved_is_marked_where_it_was_however_far_the_person_is(tmp_path: Path) -> None:
    """A file takes long to write, and meanwhile somebody paints."""
    desk = Desk(tmp_path, patience=LONG)
    tokens = []
    for seed in range(4):
        edit = random_edit(desk.person.labels, np.random.default_rng(seed))
        edit.apply(desk.person.labels)
        tokens.append(desk.writer.append(desk.layer, edit))
    writer, layer, journal = desk.writer, desk.layer, desk.journal
    for token, left in ((tokens[0], 3), (None, 4), (tokens[2], 1)):
        writer.mark_at(layer, token, "saved", file="a.nii.gz", sha256="cd" * 32)
        assert writer.flush(LONG)
        assert [entry.edits for entry in journal.unsaved()] == [left]
        mark = journal.history(layer)[-1]
        assert (mark.kind, mark.name, mark.cursor) == ("mark", "saved", token)
        assert (mark.file, mark.sha256, mark.who) == ("a.nii.gz", "cd" * 32, "anna")
        assert journal.line(layer).cursor == tokens[-1]
    writer.move(layer, tokens[2])
    assert writer.flush(LONG)
    assert journal.unsaved() == ()
    writer.mark(layer, "accepted")  # of where the person is
    writer.close()
    assert journal.history(layer)[-1].cursor == tokens[2]


def test_a_lock_that_is_taken_later_is_kept_up_and_released_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "BEAT_SECONDS", 0.02)
    beaten, plain = threading.Event(), lock.Lock.beat

    def beat(mine: lock.Lock) -> bool:
        kept = plain(mine)
        beaten.set()
        return kept

    monkeypatch.setattr(lock.Lock, "beat", beat)
    desk = Desk(tmp_path, patience=LONG)
    assert desk.writer.flush(LONG)
    taken = lock.acquire(desk.journal)
    assert isinstance(taken, lock.Lock)
    assert not beaten.is_set()  # nobody has told the writer
    desk.writer.keep_up(taken)
    desk.work(1)
    assert beaten.wait(LONG)
    assert isinstance(lock.acquire(desk.journal), lock.Held)
    desk.writer.close()
    again = lock.acquire(desk.journal)
    assert isinstance(again, lock.Lock)
    again.release()
