"""Having a reading to oneself: asked for when it is shown, given back when all that was done is in the project."""

from __future__ import annotations

from dataclasses import dataclass

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.correct.ledger import Ledger
from napari_vol3d.gui.review.loading import Loaded, is_old
from napari_vol3d.review.lock import Held, Lock
from napari_vol3d.review.project import claims
from napari_vol3d.review.project.records import Act, Row
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.when import say_when

AT = "at"  # where each person is, in what the project remembers
OPEN = "open"  # the act
FLUSH_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of asking for a reading.

    Attributes
    ----------
    row : Row
        As it is now: nobody else changes it from here on.
    old : bool
        Whether somebody has corrected it since it was loaded.
    words : str
        Who has it, and since when; "" where it is ours.
    """

    reading: str
    got: Lock | Held
    row: Row
    old: bool
    words: str = ""


def where(project: Project, who: str, reader: str) -> str:
    """Give the reading that a person had open last; "" for none."""
    return str(project.said(f"{AT} {who} {reader}", ""))


def take(project: Project, loaded: Loaded, *, who: str, reader: str) -> Taken:
    """Have a reading, and keep that this person is there now; if somebody else has it, say who and since when."""
    reading = loaded.row.reading.key
    got = claims.claim(project.journal, reading, who=who)
    try:
        project.say(f"{AT} {who} {reader}", reading)
        words = _who_has(project, reading, got) if isinstance(got, Held) else ""
        if isinstance(got, Lock):
            project.note(Act(act=OPEN, who=who, reading=reading))
        row, old = project.row(reading), is_old(project, loaded)
    except Vol3dError:
        if isinstance(got, Lock):  # else nobody could have it until this program ends
            got.release()
        raise
    return Taken(reading=reading, got=got, row=row, old=old, words=words)


def is_free(project: Project, reading: str) -> bool:
    """Whether nobody that is known to live has a reading."""
    return reading not in claims.holders(project.journal)


def give_back(ledger: Ledger, lock: Lock) -> None:
    """Let others have a reading, once all that was done to it is in the project."""
    ledger.writer.flush(FLUSH_SECONDS)
    lock.release()


def _who_has(project: Project, reading: str, held: Held) -> str:
    times = [act.time for _, act in project.acts(reading) if act.act == OPEN and act.who == held.who]
    since = f" Since {say_when(times[-1])}." if times else ""
    return f"{held.words}{since} It is only looked at."
