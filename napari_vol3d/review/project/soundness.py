"""Whether what a project's file holds makes sense: looked at when it is opened, before anybody works in it.

Voxels are left out, for there may be gigabytes: each label volume has a checksum that is compared when it is read, and
the journal's own entries are proved by `journal.Journal.prove`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from napari_vol3d.review import schema
from napari_vol3d.review.project.from_file import said_of
from napari_vol3d.review.project.records import Act, Case, Foreseen, Reading, Version
from napari_vol3d.review.project.tables import acts, cases, plain_columns, predictions, project, readings, versions
from napari_vol3d.review.schema import JournalDamaged, told

WHOLE = 64_000_000  # bytes of a file that is proved page by page; of a larger one tables without voxels are
SMALL = (*(table.name for table in (project, cases, readings, acts)), "layers", "locks")
INDEXED = (("predictions", "case_key, time"), ("predictions", "key"), ("versions", "reading_key, number"),
           ("versions", "key"))  # fmt: skip
READERS: Mapping[Table, Callable[[Mapping[str, Any]], object]] = {
    cases: Case.from_row, readings: Reading.from_row, predictions: Foreseen.from_row, versions: Version.from_row,
    acts: lambda row: Act.from_row({name: value for name, value in row.items() if name != "id"}),
}  # fmt: skip
# What never is: `stand_ins` puts something in the place of what was lost.
LACKING = (
    "SELECT 1 FROM readings WHERE case_key NOT IN (SELECT key FROM cases)",
    "SELECT 1 FROM predictions WHERE case_key NOT IN (SELECT key FROM cases)",
    "SELECT 1 FROM versions WHERE reading_key NOT IN (SELECT key FROM readings)",
    "SELECT 1 FROM cases WHERE key NOT IN (SELECT case_key FROM readings WHERE reader = '' AND repeat = 0)",
    "SELECT 1 FROM readings WHERE version IS NOT NULL AND version NOT IN (SELECT key FROM versions)",
)


def look(path: Path) -> None:
    """See whether a project can be worked with; nothing is written.

    Raises
    ------
    JournalDamaged
        With what was found first.
    JournalProblem
        If it can't be read just now.
    """
    with told(path), closing(schema.connect(path)) as connection:
        _check_pages(connection, path)
        connection.row_factory = sqlite3.Row
        for row in connection.execute("SELECT name, value FROM project"):
            read_row(project, dict(row))
        for table in READERS:
            names = ", ".join(column.name for column in plain_columns(table))
            for row in connection.execute(f"SELECT {names} FROM {table.name}"):
                read_row(table, dict(row))
        if any(connection.execute(f"{query} LIMIT 1").fetchone() for query in LACKING):
            raise _damaged(path, "rows are missing")


def read_row(table: Table, row: Mapping[str, Any]) -> object:
    """Read a row of any table of a project, without voxels.

    Raises
    ------
    JournalDamaged
        If it makes no sense.
    """
    if table is project:
        return said_of(row["value"], row["name"])
    return READERS[table](row)


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    with path.open("rb") as file:
        header = file.read(100)
    if {*header[18:20]} - {1, 2}:  # SQLite takes such a file for one that only a newer version may write
        raise _damaged(path, "its first page")
    size = path.stat().st_size
    for query in (["integrity_check(1)"] if size <= WHOLE else [f"integrity_check({name})" for name in SMALL]):
        (found,) = connection.execute(f"PRAGMA {query}").fetchone()
        if found != "ok":
            raise _damaged(path, found)
    for table, columns in INDEXED if size > WHOLE else ():
        ordered = connection.execute(f"SELECT {columns} FROM {table} ORDER BY {columns}").fetchall()
        if ordered != sorted(connection.execute(f"SELECT {columns} FROM {table} NOT INDEXED").fetchall()):
            raise _damaged(path, f"an index of {table}")


def _damaged(path: Path, what: str) -> JournalDamaged:
    reason = " ".join(what.split())
    return JournalDamaged(f"The project {path.name} is damaged: {reason}.", hint="Open it again to recover it.")
