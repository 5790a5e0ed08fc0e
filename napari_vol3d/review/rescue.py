"""What a damaged file holds beside edits: the worklist of a project, its predictions and versions, row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from napari_vol3d.review import schema
from napari_vol3d.review.project.tables import is_project, metadata, prepare_project
from napari_vol3d.review.records import utc_now

Rows = Callable[[sqlite3.Connection, str], Iterator[dict[str, Any]]]


def make_pattern(path: Path, like: Path) -> None:
    """Make an empty file whose tables lie as in another: as in a project's, where its name says that it is one."""
    schema.prepare(path, utc_now())
    if like.suffix == ".vol3d":
        with closing(schema.connect(path)) as connection:
            prepare_project(connection, like.name)


def carry_over(damaged: sqlite3.Connection, fresh: Path, rows: Rows) -> int:
    """Put the rows of a project that can be read into a new file; nothing where the damaged one is none.

    Parameters
    ----------
    rows : callable
        Gives the rows of a table by its name that can be read.

    Returns
    -------
    int
        How many rows.
    """
    try:
        if not is_project(damaged):
            return 0
    except sqlite3.DatabaseError:
        return 0
    count = 0
    with closing(schema.connect(fresh)) as connection:
        prepare_project(connection, fresh.name)
        connection.execute("PRAGMA foreign_keys=OFF")  # a case may be lost whose reading is not
        connection.execute("BEGIN IMMEDIATE")
        for table in metadata.sorted_tables:
            names = [column.name for column in table.columns]
            put = f"INSERT OR IGNORE INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
            for row in rows(damaged, table.name):
                with suppress(sqlite3.DatabaseError, KeyError):
                    count += connection.execute(put, [row[name] for name in names]).rowcount
        connection.execute("COMMIT")
    return count
