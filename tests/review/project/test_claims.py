"""Who has which reading, in one process and in two."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from napari_vol3d.review import lock, schema
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lock import Held, Lock
from napari_vol3d.review.project import claims
from napari_vol3d.review.records import new_token

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 60


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.open(tmp_path / "a.vol3d")


class Program:
    """Another process that claims what it is told to."""

    def __init__(self, path: Path, who: str) -> None:
        command = [sys.executable, "-m", "tests.review.project.claiming", str(path), who]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self.answer() == "ready"

    def claim(self, reading: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{reading}\n")

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def program(journal: Journal) -> Iterator[Callable[[str], Program]]:
    """Starts programs on the project."""
    programs: list[Program] = []

    def start(who: str) -> Program:
        programs.append(Program(journal.path, who))
        return programs[-1]

    yield start
    for each in programs:
        each.end()


def say(journal: Journal, reading: str, **values: object) -> None:
    """Change what the row of a claim says, as if another had written it."""
    row = schema.locks.c.name == claims.name_of(reading)
    with schema.writing(journal.engine, journal.path) as connection:
        connection.execute(update(schema.locks).where(row).values(**values))


def claimed(journal: Journal, reading: str, who: str = "ben") -> Lock:
    got = claims.claim(journal, reading, who=who)
    assert isinstance(got, Lock)
    return got


def test_each_reading_has_a_claim_of_its_own(journal: Journal) -> None:
    """And none is the lock of the whole journal."""
    one, two = claimed(journal, "one", "anna"), claimed(journal, "two")
    assert isinstance(lock.acquire(journal), Lock)
    held = claims.claim(journal, "one", who="carl")
    assert isinstance(held, Held)
    assert held.words == f"anna on {held.host} has this open."
    one.release()
    assert isinstance(claims.claim(journal, "two", who="carl"), Held)
    assert two.beat()
    assert isinstance(claims.claim(journal, "one", who="carl"), Lock)


def test_holders_are_those_of_readings(journal: Journal) -> None:
    """By key, whatever is in it; not who has the whole, and not who has given back."""
    lock.acquire(journal, who="nobody's business")
    mine, other = claimed(journal, "a_%b", "anna"), claimed(journal, "two")
    found = claims.holders(journal)
    assert {key: held.who for key, held in found.items()} == {"a_%b": "anna", "two": "ben"}
    assert found["a_%b"].token == mine.token
    other.release()
    assert set(claims.holders(journal)) == {"a_%b"}


def test_holders_of_another_machine_are_told_while_their_hearts_beat(journal: Journal) -> None:
    claimed(journal, "one")
    say(journal, "one", host="elsewhere", machine="elsewhere")
    assert claims.holders(journal)["one"].host == "elsewhere"
    say(journal, "one", heartbeat=time.time() - 2 * lock.MISSED_SECONDS)
    assert not claims.holders(journal)
    held = claims.claim(journal, "one", who="anna")
    assert isinstance(held, Held)
    assert held.silent


def test_a_heartbeat_is_of_one_claim(journal: Journal) -> None:
    one, _ = claimed(journal, "one"), claimed(journal, "two")
    for reading in ("one", "two"):
        say(journal, reading, heartbeat=time.time() - 1000)
    assert one.beat()
    found = claims.holders(journal)
    assert (found["one"].silent, found["two"].silent) == (False, True)


def test_a_silent_one_is_taken_over_once(journal: Journal) -> None:
    """And only the claim that the person was asked about."""
    lost = claimed(journal, "one", "anna")
    other = claimed(journal, "two", "anna")
    say(journal, "one", host="elsewhere", machine="elsewhere", heartbeat=time.time() - 1000)
    held = claims.claim(journal, "one", who="ben")
    assert isinstance(held, Held)
    assert isinstance(claims.take_over(journal, "two", held=held, who="ben"), Held)
    mine = claims.take_over(journal, "one", held=held, who="ben")
    assert isinstance(mine, Lock)
    assert (mine.name, mine.who) == (claims.name_of("one"), "ben")
    assert isinstance(claims.take_over(journal, "one", held=held, who="carl"), Held)
    assert (lost.beat(), mine.beat(), other.beat()) == (False, True, True)


def test_who_was_killed_has_nothing_any_more(journal: Journal, program: Callable[[str], Program]) -> None:
    """The second program sees the claim, and has it as soon as the first was killed; not even buried, on Linux."""
    first, second = program("anna"), program("ben")
    for each in (first, second):
        each.claim("one")
        told = each.answer()
    assert told == "held by anna"
    assert claims.holders(journal)["one"].who == "anna"
    first.process.kill()
    if not sys.platform.startswith("linux"):
        first.process.wait()
    else:
        assert_ends_unburied(first.process.pid)
    assert not claims.holders(journal)
    second.claim("one")
    assert second.answer() == "got"
    assert claims.holders(journal)["one"].who == "ben"


def assert_ends_unburied(pid: int) -> None:
    """Wait for the end of a child, and leave it a zombie: a parent may never ask for it."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{pid}").exists()


def test_of_two_at_the_same_moment_one_has_it(journal: Journal, program: Callable[[str], Program]) -> None:
    """Many times; each of them is the faster one now and then."""
    both = program("anna"), program("ben")
    winners = []
    for turn in range(ROUNDS):
        reading = new_token()
        for each in both[:: 1 if turn % 2 else -1]:
            each.claim(reading)
        answers = [each.answer() for each in both]
        assert sorted(answers) in (["got", "held by anna"], ["got", "held by ben"])
        winners.append(answers.index("got"))
        assert claims.holders(journal)[reading].who == ("anna", "ben")[winners[-1]]
    assert set(winners) == {0, 1}
