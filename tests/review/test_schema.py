"""Files of every version, and settings that keep what they promise."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import inspect

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review import lock, schema
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Layer, base_event, new_token
from napari_vol3d.review.replay import replay
from tests.review.scripts import first_labels, layer_of, random_edit

NOW = "2026-01-01T00:00:00.000+00:00"


def old_journal(path: Path, version: int, rows: list[tuple[str, dict]] = ()) -> None:
    """Make a file as the program of that version did."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for step, statements in enumerate(schema.MIGRATIONS[:version], start=1):
            for statement in statements:
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?, ?)", (step, NOW))
        connection.execute(f"PRAGMA application_id={schema.APPLICATION}")
        for table, row in rows:
            names = ", ".join(row)
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", [*row.values()])


def old_row(layer: Layer) -> dict[str, Any]:
    """Give a layer as versions 1 and 2 wrote it."""
    said = (layer.key, layer.scan, layer.name, list(layer.shape), layer.dtype, layer.time)
    row = {name: value for name, value in layer.row().items() if name != "about"}
    return row | {"checksum": zlib.crc32(json.dumps(said).encode())}


def test_settings_that_survive_power_cuts_and_network_folders(tmp_path: Path) -> None:
    schema.prepare(tmp_path / "a", NOW)
    with closing(schema.connect(tmp_path / "a")) as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "mmap_size", "application_id")
        found = [connection.execute(f"PRAGMA {name}").fetchone() for name in asked]
    assert [row[0] if row else 0 for row in found] == ["delete", 3, 1, 0, schema.APPLICATION]


def test_the_journals_of_version_1_go_on_with_all_they_hold(tmp_path: Path) -> None:
    path, first = tmp_path / "old.journal", first_labels()
    layer = layer_of(first)
    base = base_event(layer.key, first, token=new_token())
    old_journal(path, 1, [("layers", old_row(layer)), ("events", base.row(1))])
    journal = Journal.open(path)
    assert journal.recovery is None
    np.testing.assert_array_equal(replay(journal, layer), first)
    edit = random_edit(first, np.random.default_rng(0))
    journal.append(layer, edit)
    edit.apply(first)
    np.testing.assert_array_equal(replay(Journal.open(path), layer), first)
    assert isinstance(lock.acquire(journal), lock.Lock)  # a table of version 2


def test_the_layers_of_version_2_say_nothing_of_themselves_until_somebody_does(tmp_path: Path) -> None:
    path, layer = tmp_path / "old.journal", layer_of(first_labels())
    old_journal(path, 2, [("layers", old_row(layer))])
    journal = Journal.open(path)
    assert journal.recovery is None
    assert journal.layers() == (layer,)
    told = replace(layer, about={"model": "m"})
    journal.add(told, [])
    assert Journal.open(path).layers() == (told,)


@pytest.mark.parametrize("version", range(schema.VERSION + 1))
def test_every_version_ends_as_the_tables_that_we_use(tmp_path: Path, version: int) -> None:
    path = tmp_path / "a"
    old_journal(path, version)
    assert schema.prepare(path, NOW) == version
    assert schema.prepare(path, NOW) == schema.VERSION
    found = inspect(schema.make_engine(path))
    assert set(found.get_table_names()) == {*schema.metadata.tables, "schema_version"}
    for name, table in schema.metadata.tables.items():
        columns = [(column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(name)]
        meant = [(c.name, str(c.type.compile(dialect=schema.make_engine(path).dialect)), c.nullable) for c in table.c]
        assert [c[:2] for c in columns] == [c[:2] for c in meant]
        assert all(a[2] == b[2] for a, b in zip(columns, meant, strict=True) if a[0] not in ("id", "key", "name"))


def test_a_newer_version_and_another_programs_file_are_left_alone(tmp_path: Path) -> None:
    newer, other = tmp_path / "newer", tmp_path / "other"
    old_journal(newer, schema.VERSION, [("schema_version", {"version": schema.VERSION + 1, "time": NOW})])
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE bookmarks (address TEXT)")
    for path, match in ((newer, "newer version"), (other, "not a journal")):
        kept = path.read_bytes()
        with pytest.raises(FileProblem, match=match):
            Journal.open(path)
        assert path.read_bytes() == kept
    assert {path.name for path in tmp_path.iterdir()} == {"newer", "other"}


@pytest.mark.parametrize("name", ["a b.journal", "50% #1?.journal", "Hüfte.journal"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    Journal.open(tmp_path / name).add_layer(layer_of(first_labels()))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_windows_share_has_the_address_that_sqlite_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema.os.path, "abspath", str)
    monkeypatch.setattr(schema, "Path", lambda text: type("P", (), {"as_posix": lambda self: text})())
    assert schema.uri_of("//server/share/a b", "rw") == "file:////server/share/a%20b?mode=rw"
    assert schema.uri_of("C:/x", "rw") == "file:///C:/x?mode=rw"


def test_what_the_disk_says_becomes_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(schema.JournalProblem, match="can't be used: unable to open"):
        schema.prepare(tmp_path / "no folder" / "a", NOW)
    (tmp_path / "text").write_text("no database, but long enough to look at " * 300)
    with pytest.raises(schema.JournalDamaged, match="damaged"):
        schema.prepare(tmp_path / "text", NOW)


def test_a_writer_elsewhere_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.01)
    journal = Journal.open(tmp_path / "a")
    with closing(schema.connect(journal.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(schema.JournalProblem, match="locked") as told:
            journal.add_layer(layer_of(first_labels()))
    assert "Close the other program" in told.value.hint


def test_lists_of_tables_that_are_no_text_are_told(tmp_path: Path) -> None:
    with pytest.raises(schema.JournalDamaged), schema.told(tmp_path / "a"):
        b"\xff".decode()
