"""What becomes of a damaged project's rows: mended where a part is lost, and something in the place of what is lost.

Nobody's work may be out of reach because a row beside it was lost: a reading without its case gets "lost case 1", and
accepted labels without their reading get another one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Table

from napari_vol3d.review.project.records import Case, ImageRef, Reading, Status
from napari_vol3d.review.project.soundness import read_row
from napari_vol3d.review.project.tables import misfits
from napari_vol3d.review.schema import JournalDamaged

NO_IMAGE = '[["a scan that was lost", ""]]'
NEVER = "1970-01-01T00:00:00.000+00:00"
BEFORE: Status = "in review"  # of a reading whose status nobody knows
# What a column says where that can't be read. Keys, and what tells which voxels these are, are not made up.
UNKNOWN: Mapping[str, Mapping[str, Any]] = {
    "project": {},
    "cases": {"position": 0, "name": "a lost name", "subject": "", "session": "", "images": NO_IMAGE, "prior": None},
    "readings": {
        "reader": "", "repeat": 0, "blind": 1, "position": 0, "status": BEFORE, "annotator": "", "seconds": 0.0,
        "note": "", "place": "{}", "version": None,
    },
    "predictions": {
        "time": NEVER, "model": "", "model_sha256": "", "settings": "{}", "score": None, "places": "[]", "seconds": 0.0,
    },
    "versions": {
        "parent": None, "cursor": None, "prediction": None, "time": NEVER, "who": "", "seconds": 0.0, "model": "",
        "model_sha256": "", "settings": "{}", "changed": "{}",
    },
    "acts": {"time": NEVER, "who": "", "reading_key": None, "act": "lost", "details": "{}"},
}  # fmt: skip


def mended(table: Table, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give a row that makes sense, with as little as can be left out; None where it says nothing any more.

    Parameters
    ----------
    row : mapping
        Of this table, with its voxels.
    """
    unknown = UNKNOWN[table.name]
    wrong = {name: unknown[name] for name in misfits(table, row) if name in unknown}
    tries = (wrong, *({**wrong, name: value} for name, value in unknown.items()), unknown)
    return next(({**row, **changes} for changes in tries if _is_sound(table, {**row, **changes})), None)


def stand_in(connection: sqlite3.Connection) -> int:
    """Complete the tables, in the caller's transaction.

    Returns
    -------
    int
        How many readings there are.
    """
    for (key,) in connection.execute(
        "SELECT case_key FROM readings UNION SELECT case_key FROM predictions EXCEPT SELECT key FROM cases"
    ).fetchall():
        _add_case(connection, key)
    for key, case in list(_readings_lost(connection)):
        _add_reading(connection, key, case or _add_case(connection, None))
    for key, position in connection.execute(
        "SELECT key, position FROM cases EXCEPT SELECT cases.key, cases.position FROM cases JOIN readings"
        " ON case_key = cases.key WHERE reader = '' AND repeat = 0"
    ).fetchall():
        _put(connection, "readings", Reading(case=key, position=position).row())
    _name_versions(connection)
    return int(connection.execute("SELECT count(*) FROM readings").fetchone()[0])


def _is_sound(table: Table, row: Mapping[str, Any]) -> bool:
    with suppress(JournalDamaged):
        read_row(table, {name: value for name, value in row.items() if name not in ("payload", "rowid")})
        return not misfits(table, row)
    return False


def _readings_lost(connection: sqlite3.Connection) -> Iterator[tuple[str, str | None]]:
    """Give the keys of readings that only their versions or corrections know of, with the case where that is known."""
    asked = (
        "SELECT reading_key FROM versions UNION SELECT layer FROM events UNION SELECT key FROM layers"
        " EXCEPT SELECT key FROM readings"
    )
    of_version = (
        "SELECT case_key FROM predictions JOIN versions ON prediction = predictions.key WHERE reading_key = ?"
    )
    for (key,) in connection.execute(asked).fetchall():
        row = connection.execute(of_version, (key,)).fetchone()
        yield key, row[0] if row else None


def _add_reading(connection: sqlite3.Connection, key: str, case: str) -> None:
    """Add a reading for everybody, where a case has none; else one more of it."""
    asked = "SELECT max(repeat) FROM readings WHERE case_key = ? AND reader = ''"
    last = connection.execute(asked, (case,)).fetchone()[0]
    (position,) = connection.execute("SELECT position FROM cases WHERE key = ?", (case,)).fetchone()
    newest = "SELECT key FROM versions WHERE reading_key = ? ORDER BY number DESC LIMIT 1"
    version = connection.execute(newest, (key,)).fetchone()
    made = Reading(
        case=case, key=key, status=BEFORE, repeat=0 if last is None else last + 1, position=position,
        version=version[0] if version else None,
    )  # fmt: skip
    _put(connection, "readings", made.row())


def _add_case(connection: sqlite3.Connection, key: str | None) -> str:
    """Add a lost case, behind all others; with a key of its own where None is known."""
    codes = {code for (code,) in connection.execute("SELECT code FROM cases")}
    number = next(n for n in range(1, len(codes) + 2) if f"lost-{n}" not in codes)
    (last,) = connection.execute("SELECT coalesce(max(position), -1) FROM cases").fetchone()
    made = Case(
        name=f"lost case {number}", code=f"lost-{number}", position=last + 1,
        images=(ImageRef(path=f"the scan of lost case {number}"),), **({"key": key} if key else {}),
    )  # fmt: skip
    _put(connection, "cases", made.row())
    return made.key


def _name_versions(connection: sqlite3.Connection) -> None:
    """Have readings whose accepted version was lost look at the newest that is left."""
    connection.execute(
        "UPDATE readings SET status = CASE status WHEN 'accepted' THEN ? ELSE status END, version ="
        " (SELECT key FROM versions WHERE reading_key = readings.key ORDER BY number DESC LIMIT 1)"
        " WHERE (version IS NOT NULL AND version NOT IN (SELECT key FROM versions))"
        " OR (version IS NULL AND status = 'accepted')",
        (BEFORE,),
    )


def _put(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()])
