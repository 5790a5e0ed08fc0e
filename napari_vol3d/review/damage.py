"""A damaged journal: found, kept beside, and all that can still be read goes on in a new file.

What stands before the first loss is the history; what stands behind it is kept as a branch that was left, for an edit
without the one before it would give labels that nobody ever saw.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.private_folder import make_private_folder
from napari_vol3d.io.safe_write import replace_file
from napari_vol3d.review import schema
from napari_vol3d.review.line import Line
from napari_vol3d.review.project.tables import metadata
from napari_vol3d.review.records import Event, Layer, utc_now
from napari_vol3d.review.rescue import carry_over, has_project, make_pattern
from napari_vol3d.review.schema import UNREADABLE, JournalDamaged, JournalProblem, told

PAGE = 4096
FARTHEST = 10_000_000  # ids that are looked for where a file does not say how many there are
GUESS = 10_000  # ids that are tried where nothing tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What became of a damaged journal.

    Attributes
    ----------
    kept : Path
        The damaged file, under its new name.
    edits : int
        Edits that could be read and stand in the history.
    behind : int
        Edits that could be read and stand behind a loss: kept, and not done.
    lost : int
        Entries that are known to be missing.
    """

    kept: Path
    edits: int
    behind: int
    lost: int

    @property
    def words(self) -> str:
        """One sentence for the person."""
        behind = f", {self.behind} more stand behind a gap" if self.behind else ""
        return f"The journal was damaged: {self.edits} corrections were recovered{behind}; {self.kept.name} is kept."


def check(path: Path) -> None:
    """Prove that a journal is whole: its pages, its indices, every checksum, no number missing.

    Raises
    ------
    JournalDamaged
        With what was found first.
    JournalProblem
        If it can't be read just now.
    """
    with told(path), closing(schema.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        # Not quick_check: that does not compare indices with the table, and events are told apart by an index.
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise JournalDamaged(f"The journal {path.name} is damaged: {found}.", hint="Open it again to recover it.")
        _check_rows(connection, path)


def recover(path: Path, *, readings: int = 0) -> Recovery:
    """Put a new file with all that can be read in the place of a damaged one, which is kept beside.

    At no moment is there no file of that name, and none is half: it can be killed, and done again. The caller has no
    other connection to the file, for copying would take the locks away that this process holds on it.

    Parameters
    ----------
    readings : int
        How many of a project must be there for it to be put in the place of the damaged one.

    Raises
    ------
    FileProblem
        If there are fewer; the damaged file is then still in its place.
    JournalProblem
        If the new file can't be written; the damaged one is then still in its place.
    """
    folder = make_private_folder()
    try:
        with told(path):
            return _recover(path, folder, readings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _recover(path: Path, folder: Path, readings: int) -> Recovery:
    seen, copy, fresh = _looks(path), folder / "damaged", folder / "fresh"
    _copy(path, copy)  # what is tried now must not make it worse
    with closing(_opened(copy, folder, path)) as connection:
        found = _read(connection)
        lines = _write(fresh, found)
        if carry_over(connection, fresh, _all_rows) < readings:
            raise FileProblem(f"{path.name} is damaged beyond reading.", hint="Take it from a backup.")
    if _looks(path) != seen:
        raise JournalProblem(f"The journal {path.name} was changed by another program.", hint="Open it again.")
    kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    _copy(path, kept)
    rollback_of(path).unlink(missing_ok=True)  # it would be played into the new file
    replace_file(fresh, path)
    done, behind = sum(line.at for line in lines), sum(found.behind(key) for key in found.events)
    return Recovery(kept=kept, edits=done, behind=behind, lost=found.lost)


def rollback_of(path: Path) -> Path:
    """Give SQLite's name of the file that takes an unfinished transaction back."""
    return path.with_name(f"{path.name}-journal")


def _copy(path: Path, target: Path) -> None:
    replace_file(path, target)
    if rollback_of(path).exists():
        replace_file(rollback_of(path), rollback_of(target))


def _looks(path: Path) -> tuple[int, int, int]:
    seen = path.stat()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns


# ---- what can be read -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    """Layers and events that fit their checksums, events by layer and number."""

    layers: dict[str, Layer] = field(default_factory=dict)
    events: dict[str, dict[int, Event]] = field(default_factory=dict)
    lost: int = 0

    def gap(self, key: str) -> int:
        """Give the first number of a layer that is missing."""
        numbers = self.events[key]
        return next(number for number in range(1, len(numbers) + 2) if number not in numbers)

    def behind(self, key: str) -> int:
        """Count the edits behind the first gap."""
        gap = self.gap(key)
        return sum(event.kind == "edit" for number, event in self.events[key].items() if number > gap)

    def all_of(self, key: str) -> list[Event]:
        """Give all events of a layer in order, losses as such, and a last one that stands before the first loss."""
        numbers, gap = self.events[key], self.gap(key)
        rows = [numbers.get(n) or Event(layer=key, kind="lost", name="lost") for n in range(1, max(numbers) + 1)]
        sound = Line.of(rows[: gap - 1]).cursor
        return rows if gap > len(rows) else [*rows, Event(layer=key, kind="move", name="recovered", cursor=sound)]


def _read(connection: sqlite3.Connection) -> _Found:
    """Read row by row, for one damaged page must not hide those behind it."""
    found = _Found()
    for row in _all_rows(connection, "layers"):
        with suppress(JournalDamaged):
            layer = Layer.from_row(row)
            found.layers[layer.key] = layer
    highest = _highest(connection, "events")
    for row in _rows(connection, "SELECT * FROM events WHERE id = ?", highest):
        with suppress(JournalDamaged):
            event = Event.from_row(row)
            found.events.setdefault(event.layer, {})[row["number"]] = event
    found.lost = max(0, highest - sum(map(len, found.events.values())))
    return found


def _opened(copy: Path, folder: Path, path: Path) -> sqlite3.Connection:
    """Open a damaged file; where its first page is the trouble, with that of a new one, whose tables lie alike."""
    try:
        return _connect(copy)
    except UNREADABLE:
        pattern = folder / "pattern"
        make_pattern(pattern, path)
        _graft(pattern.read_bytes()[:PAGE], copy)
    try:
        return _connect(copy)
    except UNREADABLE:
        return _connect(pattern)  # nothing can be read: an empty journal


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(schema.uri_of(path, "rw"), uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda text: text.decode("utf-8", "replace")  # a checksum judges
    try:
        for table in ("layers", "events", *(metadata.tables if has_project(connection) else ())):
            connection.execute(f"SELECT rowid FROM {table} LIMIT 0")
        connection.execute("PRAGMA page_count").fetchone()
    except UNREADABLE:
        connection.close()
        raise
    return connection


def _graft(first: bytes, copy: Path) -> None:
    """Give a file another first page, with its own number of pages in it (https://sqlite.org/fileformat2.html)."""
    pages = copy.stat().st_size // PAGE
    page = bytearray(first)
    page[28:32] = pages.to_bytes(4, "big")
    page[32:40] = bytes(8)  # no free pages
    page[92:96] = page[24:28]  # the number of pages is up to date
    rollback_of(copy).unlink(missing_ok=True)
    with copy.open("r+b") as file:
        file.write(page)


def _highest(connection: sqlite3.Connection, table: str) -> int:
    """Give the highest id that a table ever gave, as far as anything can tell."""
    counts = []
    for query in (f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'", f"SELECT max(rowid) FROM {table}"):
        with suppress(*UNREADABLE):
            row = connection.execute(query).fetchone()
            counts += [value for value in row or () if isinstance(value, int) and 0 < value < FARTHEST]
    return max(counts, default=0) or GUESS


def _all_rows(connection: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    return _rows(connection, f"SELECT rowid, * FROM {table} WHERE rowid = ?", _highest(connection, table))


def _rows(connection: sqlite3.Connection, query: str, highest: int) -> Iterator[dict[str, Any]]:
    for number in range(1, highest + 1):
        with suppress(*UNREADABLE):
            row = connection.execute(query, (number,)).fetchone()
            if row is not None:
                yield dict(row)


# ---- what becomes of it ---------------------------------------------------------------------------------------------


def _write(fresh: Path, found: _Found) -> list[Line]:
    """Fill a new journal, and give the line of each layer."""
    schema.prepare(fresh, utc_now())
    lines, engine = [], schema.make_engine(fresh)
    unknown = {key: Layer(scan="", name="unknown", shape=(), dtype="uint16", key=key) for key in found.events}
    with schema.writing(engine, fresh) as connection:
        for key, layer in (unknown | found.layers).items():
            connection.execute(insert(schema.layers), [layer.row()])
            rows = found.all_of(key) if key in found.events else []
            for number, event in enumerate(rows, start=1):
                connection.execute(insert(schema.events), [event.row(number)])
            lines.append(Line.of(rows))
    return lines


def _check_rows(connection: sqlite3.Connection, path: Path) -> None:
    for row in connection.execute("SELECT * FROM layers"):
        Layer.from_row(dict(row))
    last: dict[str, int] = {}
    for row in connection.execute("SELECT * FROM events ORDER BY layer, number"):
        event = Event.from_row(dict(row))
        if row["number"] != last.get(event.layer, 0) + 1:
            raise JournalDamaged(f"The journal {path.name} lacks entries.", hint="Open it again to recover it.")
        last[event.layer] = row["number"]
