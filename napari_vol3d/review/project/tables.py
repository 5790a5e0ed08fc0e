"""The tables that make a project of a journal's file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, Table, Text

from napari_vol3d.core.errors import FileProblem

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
    """Whether a journal's file has the tables of a project."""
    asked = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'project'"
    return bool(connection.execute(asked).fetchone()[0])


def prepare_project(connection: sqlite3.Connection, name: str) -> None:
    """Make the tables in a journal's file, or bring them up to date, all at once or not at all.

    Raises
    ------
    FileProblem
        If a newer version wrote them.
    """
    connection.execute("BEGIN IMMEDIATE")
    version = 0
    if is_project(connection):
        row = connection.execute("SELECT value FROM project WHERE name = 'tables'").fetchone()
        version = int(row[0]) if row else 0
    if version > VERSION:
        connection.execute("ROLLBACK")
        raise FileProblem(
            f"The project {name} was written by a newer version (tables {version}, this knows {VERSION}).",
            hint="Update napari-vol3d.",
        )
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute("INSERT OR REPLACE INTO project VALUES ('tables', ?)", (str(VERSION),))
    connection.execute("COMMIT")


def is_project_file(path: Path) -> bool:
    """Whether a file is a project, by its name and its first bytes; opens no table."""
    if path.suffix != SUFFIX or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"
