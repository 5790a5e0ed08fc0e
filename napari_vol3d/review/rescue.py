"""What a damaged file holds beside edits: the worklist of a project, its predictions and versions, row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from napari_vol3d.review import schema
from napari_vol3d.review.project.stand_ins import mended, stand_in
from napari_vol3d.review.project.tables import SUFFIX, is_project, metadata, prepare_project
from napari_vol3d.review.records import utc_now
from napari_vol3d.review.schema import UNREADABLE

Rows = Callable[[sqlite3.Connection, str], Iterator[dict[str, Any]]]


def make_pattern(path: Path, like: Path) -> None:
    """Make an empty file whose tables lie as in another: as in a project's, where its name says that it is one."""
    schema.prepare(path, utc_now())
    if like.suffix == SUFFIX:
        with closing(schema.connect(path)) as connection:
            prepare_project(connection, like.name)


def carry_over(damaged: sqlite3.Connection, fresh: Path, rows: Rows) -> int:
    """Put the rows of a project that can be read into a new file; nothing where the damaged one is none.

    What makes no sense any more is mended, what was lost gets a stand-in.

    Parameters
    ----------
    rows : callable
        Gives the rows of a table by its name that can be read.

    Returns
    -------
    int
        How many readings there are.
    """
    if not has_project(damaged):
        return 0
    with closing(schema.connect(fresh)) as connection:
        prepare_project(connection, fresh.name)
        connection.execute("PRAGMA foreign_keys=OFF")  # a case may be lost whose reading is not
        connection.execute("BEGIN IMMEDIATE")
        for table in metadata.sorted_tables:
            names = [column.name for column in table.columns]
            put = f"INSERT OR IGNORE INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
            for row in rows(damaged, table.name):
                with suppress(*UNREADABLE, KeyError):
                    sound = mended(table, row)
                    if sound is not None:
                        connection.execute(put, [sound[name] for name in names])
        count = stand_in(connection)
        connection.execute("COMMIT")
    return count


def has_project(damaged: sqlite3.Connection) -> bool:
    """Whether a damaged file holds a project, as far as it can be read."""
    with suppress(*UNREADABLE):
        return is_project(damaged)
    return False
