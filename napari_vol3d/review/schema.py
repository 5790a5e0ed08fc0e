"""The tables of a journal, how they came to be, and connections that keep what they promise.

Settings follow the SQLite manual: a rollback journal (WAL does not work over a network file system), `synchronous`
EXTRA (also flushes the folder once the rollback journal is gone), no memory map (a vanished share would be a crash).
Each transaction opens the file anew: nothing is kept of a file handle whose flush once failed, no lock outlives a
transaction, and a file that was mended meanwhile is seen.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from napari_vol3d.core.errors import FileProblem, SaveProblem

BUSY_SECONDS = 5.0  # another program may be writing
APPLICATION = 0x56334A31  # "V3J1" in the file's header: whose SQLite file this is
PRAGMAS = (
    "PRAGMA journal_mode=DELETE", "PRAGMA synchronous=EXTRA", "PRAGMA foreign_keys=ON", "PRAGMA mmap_size=0",
    "PRAGMA trusted_schema=OFF", "PRAGMA cell_size_check=ON",
)  # fmt: skip

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_TOOBIG)
# What else it says where bits of a text, of the list of tables, or of the first page have flipped.
LACKS = (
    "decode to UTF-8", "no such table", "no such column", "has no column", "already exists", "duplicate column name",
    "unsupported file format", "malformed",
)  # fmt: skip

# One step a version, each as it was when it was published: never edit one, add the next. New files run them all.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, time TEXT NOT NULL)",
        "CREATE TABLE layers (key TEXT PRIMARY KEY, scan TEXT NOT NULL, name TEXT NOT NULL, shape TEXT NOT NULL,"
        " dtype TEXT NOT NULL, time TEXT NOT NULL, checksum INTEGER NOT NULL)",
        # AUTOINCREMENT: an id is never given twice. The payload comes last: what stands before it is read without it.
        "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, layer TEXT NOT NULL REFERENCES layers(key),"
        " number INTEGER NOT NULL, token TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, parent TEXT, cursor TEXT,"
        " name TEXT NOT NULL, frame INTEGER NOT NULL, box TEXT, dtype TEXT, time TEXT NOT NULL, who TEXT NOT NULL,"
        " file TEXT, sha256 TEXT, payload_crc INTEGER NOT NULL, checksum INTEGER NOT NULL, payload BLOB,"
        " UNIQUE (layer, number))",
    ),
    (
        "CREATE TABLE locks (name TEXT PRIMARY KEY, token TEXT NOT NULL, host TEXT NOT NULL, machine TEXT NOT NULL,"
        " pid INTEGER NOT NULL, started FLOAT NOT NULL, heartbeat FLOAT NOT NULL, who TEXT NOT NULL)",
    ),
    ("ALTER TABLE layers ADD COLUMN about TEXT NOT NULL DEFAULT '{}'",),
)
VERSION = len(MIGRATIONS)

# The tables as the last migration leaves them.
metadata = MetaData()
layers = Table(
    "layers", metadata,
    Column("key", Text, primary_key=True),  # a uuid: two layers of one scan are two histories
    Column("scan", Text, nullable=False),  # sha256 of the scan
    Column("name", Text, nullable=False), Column("shape", Text, nullable=False), Column("dtype", Text, nullable=False),
    Column("time", Text, nullable=False), Column("checksum", Integer, nullable=False),
    Column("about", Text, nullable=False, server_default="{}"),  # JSON: what shows it again without its file
)  # fmt: skip
events = Table(
    "events", metadata,
    Column("id", Integer, primary_key=True), Column("layer", ForeignKey("layers.key"), nullable=False),
    Column("number", Integer, nullable=False),  # 1, 2, 3 ... of its layer: a gap is a loss
    Column("token", Text, nullable=False, unique=True),  # the same in whichever file the event lies
    Column("kind", Text, nullable=False), Column("parent", Text), Column("cursor", Text),
    Column("name", Text, nullable=False), Column("frame", Integer, nullable=False), Column("box", Text),
    Column("dtype", Text), Column("time", Text, nullable=False), Column("who", Text, nullable=False),
    Column("file", Text), Column("sha256", Text), Column("payload_crc", Integer, nullable=False),
    Column("checksum", Integer, nullable=False), Column("payload", LargeBinary),
)  # fmt: skip
locks = Table(
    "locks", metadata,
    Column("name", Text, primary_key=True), Column("token", Text, nullable=False), Column("host", Text, nullable=False),
    Column("machine", Text, nullable=False), Column("pid", Integer, nullable=False),
    Column("started", Float, nullable=False), Column("heartbeat", Float, nullable=False),
    Column("who", Text, nullable=False),
)  # fmt: skip


class JournalProblem(SaveProblem):
    """A journal can't be written or read just now; what was acknowledged is still in it."""


class JournalDamaged(FileProblem):
    """A journal's file is not whole."""


# What SQLite says of a damaged file; names of tables with flipped bits are not even text, nor is what it says of them.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)


# ---- connections ----------------------------------------------------------------------------------------------------


def connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    """Open a file; with "rw" one that is gone is an error, for an unmounted share must not become an empty journal."""
    connection = sqlite3.connect(
        uri_of(path, mode), uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        for pragma in PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def uri_of(path: Path, mode: str) -> str:
    """Give SQLite's name of a file, also of one on a Windows share: `file:////server/share/x`."""
    place = Path(os.path.abspath(path)).as_posix()  # noqa: PTH100 - resolve() would read the disk
    return f"file://{'' if place.startswith('/') else '/'}{quote(place, safe='/:')}?mode={mode}"


def make_engine(path: Path) -> Engine:
    """Give SQLAlchemy's engine for a file; it opens nothing yet."""
    engine = create_engine("sqlite+pysqlite://", creator=lambda: connect(path), poolclass=NullPool)
    event.listen(engine, "begin", _begin)  # Python's own way of beginning leaves reads outside of transactions
    return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("vol3d_begin", "BEGIN"))


@contextmanager
def reading(engine: Engine, path: Path) -> Iterator[Connection]:
    """Give a connection that sees one state of the file.

    Raises
    ------
    JournalProblem, JournalDamaged
        With one sentence, and a way on.
    """
    with told(path), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, path: Path) -> Iterator[Connection]:
    """Give a connection that is the only writer; durable once this is left without an error.

    Raises
    ------
    JournalProblem, JournalDamaged
        Then nothing of it is in the file.
    """
    at_once = engine.execution_options(vol3d_begin="BEGIN IMMEDIATE")
    with told(path), at_once.connect() as connection, connection.begin():
        yield connection


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite, SQLAlchemy and the disk say into a sentence for people."""
    try:
        yield
    except (SQLAlchemyError, *UNREADABLE, OSError) as error:
        raise _problem(path, error) from error


def _problem(path: Path, error: Exception) -> JournalProblem | JournalDamaged:
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", None)
    reason = str(getattr(cause, "strerror", None) or cause)
    if isinstance(cause, UnicodeDecodeError) or (code or 0) & 0xFF in DAMAGED or any(said in reason for said in LACKS):
        return JournalDamaged(f"The journal {path.name} is damaged: {reason}.", hint="Open it again to recover it.")
    return JournalProblem(f"The journal {path.name} can't be used: {reason}.", hint=_way_on(code))


def _way_on(code: int | None) -> str:
    ways = {
        sqlite3.SQLITE_FULL: "Free some space on that disk.",
        sqlite3.SQLITE_BUSY: "Close the other program that uses it.",
        sqlite3.SQLITE_READONLY: "Choose a folder that you may write to.",
        sqlite3.SQLITE_CANTOPEN: "See whether its folder is there and may be written to.",
    }
    return ways.get((code or 0) & 0xFF, "See whether its disk is there and has space.")


# ---- versions -------------------------------------------------------------------------------------------------------


def prepare(path: Path, now: str) -> int:
    """Make the tables of a new file, or bring those of an older version up to date, all at once or not at all.

    Parameters
    ----------
    now : str
        The time, to be kept with each version.

    Returns
    -------
    int
        The version it had; 0 for a new file.

    Raises
    ------
    FileProblem
        If it is another program's file, or a newer version's.
    JournalProblem, JournalDamaged
        If it can't be opened.
    """
    with told(path):
        connection = connect(path, "rwc")
        try:
            return _migrate(connection, path, now)
        finally:
            connection.close()


def _migrate(connection: sqlite3.Connection, path: Path, now: str) -> int:
    version = version_of(connection, path)
    if version == VERSION:
        return version
    connection.execute("BEGIN IMMEDIATE")
    version = version_of(connection, path)  # another program may have been faster
    for step, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        for statement in statements:
            connection.execute(statement)
        connection.execute("INSERT INTO schema_version VALUES (?, ?)", (step, now))
    connection.execute(f"PRAGMA application_id={APPLICATION}")
    connection.execute("COMMIT")
    return version


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Give the version of a file's tables; 0 where there are none yet."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    ours = [application == APPLICATION, "schema_version" in tables]
    if any(ours) and not all(ours) and tables >= {*metadata.tables}:  # so many names are no accident
        words = f"The journal {path.name} is damaged: its first page."
        raise JournalDamaged(words, hint="Open it again to recover it.")
    if not all(ours):
        raise FileProblem(f"{path.name} is not a journal.", hint="Choose another file, or another name.")
    return _known(connection.execute("SELECT max(version) FROM schema_version").fetchone()[0], path)


def _known(version: Any, path: Path) -> int:
    if not isinstance(version, int) or version < 1:
        raise JournalDamaged(f"The journal {path.name} does not say its version.", hint="Open it again to recover it.")
    if version > VERSION:
        raise FileProblem(
            f"The journal {path.name} was written by a newer version (tables {version}, this knows {VERSION}).",
            hint="Update napari-vol3d.",
        )
    return version
