"""One person at a time: a row that says who has a journal, and a heartbeat that says that they still do.

A lock of a process of this machine that has ended is taken over. Of other machines only the heartbeat is known, and
that stops when a share is gone or a laptop sleeps: then a person is asked. If two write all the same, nothing is lost:
their edits are branches of one history.
"""

from __future__ import annotations

import os
import platform
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Connection, delete, insert, select, update

from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import new_token
from napari_vol3d.review.schema import locks, reading, writing

NAME = "journal"  # the row of the whole; parts have rows of their own, see `project.claims`
BEAT_SECONDS = 10.0
MISSED_SECONDS = 60.0
START_TOLERANCE = 2.0  # seconds; a clock that was set moves the start of a process


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Somebody else has the journal, or a part of it.

    Attributes
    ----------
    token : str
        Of their lock; `take_over` wants it, so that only this one can be taken over.
    silent : bool
        Their heartbeat has stopped: ask the person, and call `take_over` on yes.
    seconds : float
        Since their last heartbeat.
    """

    token: str
    host: str
    who: str
    silent: bool
    seconds: float

    @property
    def words(self) -> str:
        """One sentence for the person; a question where that makes sense."""
        whom = f"{self.who} on {self.host}" if self.who else f"A program on {self.host}"
        if self.silent:
            return f"{whom} had this open and has been silent for {self.seconds / 60:.0f} minutes: take over?"
        return f"{whom} has this open."


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Our own lock on a journal, or on a part of it.

    Attributes
    ----------
    name : str
        Of the row.
    """

    journal: Journal
    token: str
    who: str = ""
    name: str = NAME
    # A heartbeat that was on its way when the lock was given back must not bring it back.
    _left: threading.Event = field(default_factory=threading.Event, init=False, repr=False, compare=False)

    def beat(self) -> bool:
        """Say that we are still here; False if another took the lock over."""
        with _writing(self.journal) as connection:
            row = _row(connection, self.name)
            if self._left.is_set():
                return True
            if row is None:  # of a journal that was recovered
                _put(connection, self.name, self.token, self.who)
            elif row["token"] == self.token:
                connection.execute(update(locks).where(locks.c.name == self.name).values(heartbeat=time.time()))
            return row is None or row["token"] == self.token

    def release(self) -> None:
        """Give it back; of another's lock nothing is changed."""
        self._left.set()
        with _writing(self.journal) as connection:
            connection.execute(delete(locks).where(locks.c.name == self.name, locks.c.token == self.token))


def acquire(journal: Journal, *, who: str = "", name: str = NAME) -> Lock | Held:
    """Take the lock, if nobody has it or a process of this machine had it that has ended.

    Raises
    ------
    JournalProblem, JournalDamaged
        If the journal can't be written.
    """
    with _writing(journal) as connection:
        row = _row(connection, name)
        if row is not None and not has_ended(row):
            return held_of(row)
        return Lock(journal=journal, token=_put(connection, name, new_token(), who), who=who, name=name)


def take_over(journal: Journal, held: Held, *, who: str = "", name: str = NAME) -> Lock | Held:
    """Take another's lock, after a person said so; who took it meanwhile keeps it."""
    with _writing(journal) as connection:
        row = _row(connection, name)
        if row is not None and row["token"] != held.token:
            return held_of(row)
        return Lock(journal=journal, token=_put(connection, name, new_token(), who), who=who, name=name)


def in_use(journal: Journal, *, name: str = NAME) -> bool:
    """Whether a program has the journal that is known to live; changes nothing."""
    with reading(journal.engine, journal.path) as connection:
        row = _row(connection, name)
    return row is not None and lives(row)


def lives(row: Mapping[str, Any]) -> bool:
    """Whether the program that has a lock is known to live.

    One of this machine lives until its process has ended; one of another as long as its heart beats. A machine of
    this name that has been started anew since is this one: its programs have ended.
    """
    if row["machine"] == machine():
        return not has_ended(row)
    return row["host"] != platform.node() and _silence(row) <= MISSED_SECONDS


def has_ended(row: Mapping[str, Any]) -> bool:
    """Whether the process that has a lock was one of this machine and is gone; False where nobody can tell."""
    if row["machine"] != machine():
        return False
    try:
        process = psutil.Process(row["pid"])
        if process.status() == psutil.STATUS_ZOMBIE:  # killed, and its parent has not asked for it
            return True
        started = process.create_time()
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
    # Another process with the number of the dead one. As the start is told by a clock that can be set, the heartbeat
    # must have stopped too.
    return abs(started - row["started"]) > START_TOLERANCE and _silence(row) > MISSED_SECONDS


@lru_cache(maxsize=1)
def machine() -> str:
    """Name what can see this process: machine, its last start, and the container; a name alone may be given twice."""
    boot, room = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists():
        return f"{platform.node()} {boot.read_text(encoding='ascii').strip()} {room.readlink()}"
    return f"{platform.node()} {uuid.getnode():x}"


def _writing(journal: Journal) -> AbstractContextManager[Connection]:
    return writing(journal.engine, journal.path)


def held_of(row: Mapping[str, Any]) -> Held:
    """Say who has a lock, from its row."""
    seconds = _silence(row)
    return Held(
        token=row["token"], host=row["host"], who=row["who"], silent=seconds > MISSED_SECONDS, seconds=seconds
    )


def _put(connection: Connection, name: str, token: str, who: str) -> str:
    connection.execute(delete(locks).where(locks.c.name == name))
    values = {
        "name": name, "token": token, "host": platform.node(), "machine": machine(), "pid": os.getpid(),
        "started": psutil.Process().create_time(), "heartbeat": time.time(), "who": who,
    }  # fmt: skip
    connection.execute(insert(locks), [values])
    return token


def _row(connection: Connection, name: str) -> dict[str, Any] | None:
    row = connection.execute(select(locks).where(locks.c.name == name)).mappings().first()
    return None if row is None else dict(row)


def _silence(row: Mapping[str, Any]) -> float:
    """Seconds since the heartbeat; a clock that is ahead of ours makes it no longer."""
    return max(0.0, time.time() - float(row["heartbeat"]))
