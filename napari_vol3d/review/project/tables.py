"""The tables that make a project of a journal's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, Table, Text

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review.schema import JournalDamaged

# One step a version, each as it was when it was published: never edit one, add the next.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE project (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE cases (key TEXT PRIMARY KEY, position INTEGER NOT NULL, code TEXT NOT NULL UNIQUE,"
        " name TEXT NOT NULL, subject TEXT NOT NULL, session TEXT NOT NULL, images TEXT NOT NULL, prior TEXT)",
        "CREATE TABLE readings (key TEXT PRIMARY KEY, case_key TEXT NOT NULL REFERENCES cases(key),"
        " reader TEXT NOT NULL, repeat INTEGER NOT NULL, blind INTEGER NOT NULL, position INTEGER NOT NULL,"
        " status TEXT NOT NULL, annotator TEXT NOT NULL, seconds FLOAT NOT NULL, note TEXT NOT NULL,"
        " place TEXT NOT NULL, version TEXT, UNIQUE (case_key, reader, repeat))",
        "CREATE TABLE predictions (key TEXT PRIMARY KEY, case_key TEXT NOT NULL REFERENCES cases(key),"
        " time TEXT NOT NULL, model TEXT NOT NULL, model_sha256 TEXT NOT NULL, settings TEXT NOT NULL, score FLOAT,"
        " places TEXT NOT NULL, seconds FLOAT NOT NULL, shape TEXT NOT NULL, dtype TEXT NOT NULL,"
        " sha256 TEXT NOT NULL, payload BLOB NOT NULL)",
        "CREATE INDEX predictions_of ON predictions (case_key, time)",
        "CREATE TABLE versions (key TEXT PRIMARY KEY, reading_key TEXT NOT NULL REFERENCES readings(key),"
        " number INTEGER NOT NULL, parent TEXT, cursor TEXT, prediction TEXT, time TEXT NOT NULL, who TEXT NOT NULL,"
        " seconds FLOAT NOT NULL, model TEXT NOT NULL, model_sha256 TEXT NOT NULL, settings TEXT NOT NULL,"
        " changed TEXT NOT NULL, shape TEXT NOT NULL, dtype TEXT NOT NULL, sha256 TEXT NOT NULL,"
        " payload BLOB NOT NULL, UNIQUE (reading_key, number))",
        "CREATE TABLE acts (id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, who TEXT NOT NULL,"
        " reading_key TEXT, act TEXT NOT NULL, details TEXT NOT NULL)",
        # What was accepted, and who did what, stays as it was: the file itself refuses anything else.
        *(
            f"CREATE TRIGGER {table}_{what.lower()} BEFORE {what} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, 'what was accepted or done is never changed'); END"
            for table in ("versions", "acts")
            for what in ("UPDATE", "DELETE")
        ),
    ),
)
VERSION = len(MIGRATIONS)
SUFFIX = ".vol3d"
PROJECT = "project"  # the table that says the version of all
MAY_BE_NONE = frozenset({"prior", "version", "score", "parent", "cursor", "prediction", "reading_key"})
TYPES: dict[type, tuple[type, ...]] = {Text: (str,), Integer: (int,), Float: (int, float), LargeBinary: (bytes,)}

metadata = MetaData()
project = Table("project", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
cases = Table(
    "cases", metadata,
    Column("key", Text, primary_key=True), Column("position", Integer), Column("code", Text), Column("name", Text),
    Column("subject", Text), Column("session", Text), Column("images", Text), Column("prior", Text),
)  # fmt: skip
readings = Table(
    "readings", metadata,
    Column("key", Text, primary_key=True), Column("case_key", Text), Column("reader", Text), Column("repeat", Integer),
    Column("blind", Integer), Column("position", Integer), Column("status", Text), Column("annotator", Text),
    Column("seconds", Float), Column("note", Text), Column("place", Text), Column("version", Text),
)  # fmt: skip
predictions = Table(
    "predictions", metadata,
    Column("key", Text, primary_key=True), Column("case_key", Text), Column("time", Text), Column("model", Text),
    Column("model_sha256", Text), Column("settings", Text), Column("score", Float), Column("places", Text),
    Column("seconds", Float), Column("shape", Text), Column("dtype", Text), Column("sha256", Text),
    Column("payload", LargeBinary),
)  # fmt: skip
versions = Table(
    "versions", metadata,
    Column("key", Text, primary_key=True), Column("reading_key", Text), Column("number", Integer),
    Column("parent", Text), Column("cursor", Text), Column("prediction", Text), Column("time", Text),
    Column("who", Text), Column("seconds", Float), Column("model", Text), Column("model_sha256", Text),
    Column("settings", Text), Column("changed", Text), Column("shape", Text), Column("dtype", Text),
    Column("sha256", Text), Column("payload", LargeBinary),
)  # fmt: skip
acts = Table(
    "acts", metadata,
    Column("id", Integer, primary_key=True), Column("time", Text), Column("who", Text), Column("reading_key", Text),
    Column("act", Text), Column("details", Text),
)  # fmt: skip


def plain_columns(table: Table) -> list[Column[Any]]:
    """Give the columns that hold no voxels."""
    return [column for column in table.columns if column.name != "payload"]


def is_project(connection: sqlite3.Connection) -> bool:
    """Whether a journal's file has the tables of a project, or some of them: then the others were lost."""
    return bool(_tables(connection))


def misfits(table: Table, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the columns of a row whose value is not of their type; with flipped bits SQLite gives what it finds."""
    return tuple(column.name for column in table.columns if column.name in row and not _fits(column, row[column.name]))


def prepare_project(connection: sqlite3.Connection, name: str) -> None:
    """Make the tables in a journal's file, or bring them up to date, all at once or not at all.

    A file that is up to date is not written to: it may lie where nobody may write.

    Raises
    ------
    FileProblem
        If a newer version wrote them.
    JournalDamaged
        If they are not all there.
    """
    if _version(connection, name) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in MIGRATIONS[_version(connection, name) :]:  # another program may have been faster
            for statement in statements:
                connection.execute(statement)
        connection.execute("INSERT OR REPLACE INTO project VALUES ('tables', ?)", (str(VERSION),))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, name: str) -> int:
    """Give the version of a project's tables; 0 where there are none yet."""
    there = _tables(connection)
    if not there:
        return 0
    row = connection.execute("SELECT value FROM project WHERE name = 'tables'").fetchone() if PROJECT in there else None
    version = int(row[0]) if row and str(row[0]).isdecimal() else 0
    if version > VERSION:
        raise FileProblem(
            f"The project {name} was written by a newer version (tables {version}, this knows {VERSION}).",
            hint="Update napari-vol3d.",
        )
    if version == 0 or (version == VERSION and there != {*metadata.tables}):
        raise JournalDamaged(f"The project {name} lacks tables.", hint="Open it again to recover it.")
    return version


def _tables(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found} & {*metadata.tables}


def _fits(column: Column[Any], value: Any) -> bool:
    if value is None:
        return column.name in MAY_BE_NONE
    return isinstance(value, TYPES[type(column.type)])


def is_project_file(path: Path) -> bool:
    """Whether a file is a project, by its name and its first bytes; opens no table."""
    if path.suffix != SUFFIX or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"
