"""Which scans of a worklist are listed and in which order, and how far the work has come; no Qt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from statistics import median
from typing import TYPE_CHECKING, Any

from napari_vol3d.core.say import say_seconds
from napari_vol3d.gui.forms.status_icon import COLORS, DONE

if TYPE_CHECKING:
    from napari_vol3d.review.project.records import Row  # loads the database: not at the start of a window

ALL = frozenset(COLORS)
LEFT_TO_DO = ALL - DONE
RANKS = {status: rank for rank, status in enumerate(COLORS)}


class Column(IntEnum):
    """Columns of a worklist."""

    NAME = 0
    STATUS = 1
    SCORE = 2
    WHO = 3
    MINUTES = 4
    NOTE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be listed.

    Attributes
    ----------
    statuses : frozenset of str
    text : str
        Words that all have to occur in name, code, subject, session or note.
    order : Column or None
        None: as the worklist has it.
    falling : bool
        Whether from the largest; what is not known is last either way.
    """

    statuses: frozenset[str] = ALL
    text: str = ""
    order: Column | None = None
    falling: bool = False


def status_for(row: Row, *, blind: bool) -> str:
    """Give the status that a reader may see.

    A blind one sees what they did themselves: not that there is a prediction, and nothing of the common worklist.
    """
    status = row.reading.status
    if blind and (status == "predicted" or not row.reading.reader):
        return "todo"
    return status


def sought_in(row: Row) -> str:
    """Give what a search looks in."""
    case = row.case
    return "\n".join((case.name, case.code, case.subject, case.session, row.reading.note)).casefold()


def find_rows(sought: Sequence[str], statuses: Sequence[str], wanted: Wanted) -> list[int]:
    """Give the places of the rows that are wanted, in the order of the worklist.

    Parameters
    ----------
    sought : sequence of str
        Of each row, from `sought_in`.
    statuses : sequence of str
        Of each row, from `status_for`.
    wanted : Wanted
    """
    words, fit = wanted.text.casefold().split(), wanted.statuses
    pairs = enumerate(zip(statuses, sought, strict=True))
    return [at for at, (status, text) in pairs if status in fit and all(word in text for word in words)]


def sort_rows(rows: Sequence[Row], statuses: Sequence[str], wanted: Wanted, *, found: Sequence[int]) -> list[int]:
    """Sort the places that were found; equal rows stay in the order of the worklist, and what is not known is last."""
    if wanted.order is None:
        return list(found)
    value = _VALUES[wanted.order]
    values = {at: value(rows[at], statuses[at]) for at in found}
    known = [at for at in found if values[at] is not None]
    known.sort(key=values.__getitem__, reverse=wanted.falling)
    return [*known, *(at for at in found if values[at] is None)]


def say_progress(rows: Sequence[Row], *, blind: bool = False) -> str:
    """Say how far the work is: "38 of 200 accepted, 12 min left at this pace".

    The pace is the median time of the scans that were accepted: a break that was counted or one hard scan says little
    about the next. What was flagged is still to be done.
    """
    if not rows:
        return ""
    statuses = [status_for(row, blind=blind) for row in rows]
    counts = Counter(statuses)
    spent = [row.reading.seconds for row, status in zip(rows, statuses, strict=True) if status == "accepted"]
    timed = [seconds for seconds in spent if seconds > 0]
    left = sum(counts[status] for status in LEFT_TO_DO)
    said = f"{counts['accepted']:,} of {len(rows):,} accepted"
    if not left:
        return f"{said}, nothing left to do"
    return f"{said}, {say_seconds(left * median(timed))} left at this pace" if timed else said


def _natural(text: str) -> list[Any] | None:
    """Give a key by which "scan 9" comes before "scan 10"; None of no text."""
    parts = re.split(r"([0-9]+)", text.casefold())  # every second one is a number
    return [int(part) if k % 2 else part for k, part in enumerate(parts)] if text else None


_VALUES: Mapping[Column, Callable[[Row, str], Any]] = {
    Column.NAME: lambda row, _: _natural(row.case.name),
    Column.STATUS: lambda _, status: RANKS[status],
    Column.SCORE: lambda row, _: row.score,
    Column.WHO: lambda row, _: _natural(row.reading.annotator),
    Column.MINUTES: lambda row, _: row.reading.seconds or None,
    Column.NOTE: lambda row, _: _natural(row.reading.note),
}
