"""One person at a time for each reading: claims are rows of the journal's locks, one a reading.

    claim = claims.claim(journal, reading.key, who="anna")
    if isinstance(claim, Held): ...  # `claim.words` says who has it; look only, or ask and `take_over`

A claim is a `Lock`: its holder has its heart beat (`Writer.keep_up`, or `beat` every `lock.BEAT_SECONDS`) and releases
it. The claim of a process of this machine that has ended is there for the next at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from napari_vol3d.review import lock
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lock import Held, Lock
from napari_vol3d.review.schema import locks, reading

PREFIX = "reading "


def name_of(reading_key: str) -> str:
    """Name the row of a reading's claim."""
    return f"{PREFIX}{reading_key}"


def claim(journal: Journal, reading_key: str, *, who: str) -> Lock | Held:
    """Have a reading, if nobody has it or a process of this machine had it that has ended.

    Raises
    ------
    JournalProblem, JournalDamaged
        If the project can't be written.
    """
    return lock.acquire(journal, who=who, name=name_of(reading_key))


def take_over(journal: Journal, reading_key: str, *, held: Held, who: str) -> Lock | Held:
    """Have a reading that another has, after a person said so; who took it meanwhile keeps it."""
    return lock.take_over(journal, held, who=who, name=name_of(reading_key))


def holders(journal: Journal) -> Mapping[str, Held]:
    """Say who has which reading, by its key; of programs that are known to live, this one among them.

    Our own are told by `Held.token`, which is that of our `Lock`. Changes nothing.
    """
    asked = select(locks).where(locks.c.name.startswith(PREFIX, autoescape=True))
    with reading(journal.engine, journal.path) as connection:
        rows = connection.execute(asked).mappings().all()
    return {row["name"].removeprefix(PREFIX): lock.held_of(row) for row in map(dict, rows) if lock.lives(row)}
