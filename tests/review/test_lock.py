"""Who has a journal, and when it may be taken."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from napari_vol3d.review import lock, schema
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lock import Held, Lock, acquire, take_over


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.open(tmp_path / "a.journal")


def say(journal: Journal, **values: object) -> None:
    """Change what the lock's row says, as if another had written it."""
    with schema.writing(journal.engine, journal.path) as connection:
        connection.execute(update(schema.locks).values(**values))


def ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_one_at_a_time_and_then_the_next(journal: Journal) -> None:
    first = acquire(journal, who="anna")
    assert isinstance(first, Lock)
    held = acquire(journal, who="ben")
    assert isinstance(held, Held)
    assert (held.who, held.silent) == ("anna", False)
    assert held.words == f"anna on {held.host} has this open."
    assert first.beat()
    first.release()
    assert isinstance(acquire(journal), Lock)


def test_the_lock_of_a_process_that_was_killed_is_taken_at_once(journal: Journal) -> None:
    first = acquire(journal)
    assert isinstance(first, Lock)
    say(journal, pid=ended_pid())
    assert isinstance(acquire(journal), Lock)
    assert not first.beat()
    first.release()  # not ours any more
    assert isinstance(acquire(journal), Held)


def test_another_process_with_the_number_of_the_dead_one_is_told_by_its_start(journal: Journal) -> None:
    acquire(journal)
    say(journal, started=1.0)
    assert isinstance(acquire(journal), Held)  # or somebody set the clock: the heart beats
    say(journal, heartbeat=time.time() - 2 * lock.MISSED_SECONDS)
    assert isinstance(acquire(journal), Lock)


@pytest.mark.parametrize("machine", ["elsewhere", "the same name after a restart"])
def test_of_another_machine_a_person_is_asked_once_it_is_silent(journal: Journal, machine: str) -> None:
    acquire(journal, who="anna")
    say(journal, machine=machine, host="elsewhere", pid=ended_pid())
    held = acquire(journal)
    assert isinstance(held, Held)
    assert not held.silent
    say(journal, heartbeat=time.time() - 3 * lock.MISSED_SECONDS)
    held = acquire(journal)
    assert isinstance(held, Held)
    assert held.silent
    assert held.words == "anna on elsewhere had this open and has been silent for 3 minutes: take over?"
    mine = take_over(journal, held)
    assert isinstance(mine, Lock)
    assert mine.beat()
    assert isinstance(take_over(journal, held), Held)  # the answer came too late


def test_a_clock_that_is_ahead_makes_nobody_silent(journal: Journal) -> None:
    acquire(journal)
    say(journal, machine="elsewhere", heartbeat=time.time() + 10_000)
    held = acquire(journal)
    assert isinstance(held, Held)
    assert held.seconds == 0
    assert held.words.startswith("A program on ")


def test_a_lock_whose_row_was_lost_with_a_damaged_file_is_put_again(journal: Journal) -> None:
    mine = acquire(journal)
    assert isinstance(mine, Lock)
    with schema.writing(journal.engine, journal.path) as connection:
        connection.exec_driver_sql("DELETE FROM locks")
    assert mine.beat()
    assert isinstance(acquire(journal), Held)


def test_a_heartbeat_that_comes_late_does_not_bring_back_what_was_given_back(journal: Journal) -> None:
    mine = acquire(journal)
    assert isinstance(mine, Lock)
    mine.release()
    assert mine.beat()  # nobody took it over
    assert not lock.in_use(journal)
    assert isinstance(acquire(journal), Lock)


def test_parts_have_locks_of_their_own(journal: Journal) -> None:
    whole, part = acquire(journal), acquire(journal, who="anna", name="part")
    assert isinstance(whole, Lock)
    assert isinstance(part, Lock)
    assert lock.in_use(journal, name="part")
    whole.release()
    assert not lock.in_use(journal)
    assert part.beat()
    held = acquire(journal, name="part")
    assert isinstance(held, Held)
    assert held.who == "anna"
    assert isinstance(take_over(journal, held, name="part"), Lock)
    assert not part.beat()
    part.release()  # not ours any more
    assert lock.in_use(journal, name="part")


def test_who_lives_has_it_in_use_and_looking_takes_nothing(journal: Journal) -> None:
    assert not lock.in_use(journal)
    assert isinstance(acquire(journal), Lock)
    assert lock.in_use(journal)
    say(journal, heartbeat=time.time() - 1000)  # this machine slept
    assert lock.in_use(journal)
    say(journal, pid=ended_pid())
    assert not lock.in_use(journal)
    assert isinstance(acquire(journal), Lock)
    say(journal, machine="before the last start", heartbeat=time.time())
    assert not lock.in_use(journal)
    say(journal, host="other")
    assert lock.in_use(journal)
    say(journal, heartbeat=time.time() - 1000)
    assert not lock.in_use(journal)


def test_a_machine_is_more_than_its_name() -> None:
    assert lock.machine() == lock.machine()
    assert lock.machine() != os.uname().nodename if hasattr(os, "uname") else True
