"""The tables are made once, brought up to date, and a newer version's are left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review import schema
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.project.tables import (
    VERSION,
    is_project,
    is_project_file,
    metadata,
    plain_columns,
    prepare_project,
    versions,
)


def test_a_journal_becomes_a_project_and_making_it_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.vol3d"
    schema.prepare(path, "2026-01-01")
    with closing(schema.connect(path)) as connection:
        assert not is_project(connection)
        for _ in range(2):
            prepare_project(connection, path.name)
            assert is_project(connection)
        for table in metadata.sorted_tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")]
            assert columns == [column.name for column in table.columns], table.name


def test_a_newer_versions_project_is_left_alone(project: Project) -> None:
    with closing(sqlite3.connect(project.path)) as connection:
        connection.execute("UPDATE project SET value = ? WHERE name = 'tables'", (str(VERSION + 1),))
        connection.commit()
    before = project.path.read_bytes()
    with pytest.raises(FileProblem, match="newer version"):
        Project.open(project.path)
    assert project.path.read_bytes() == before


def test_lists_read_no_voxels() -> None:
    assert "payload" not in {column.name for column in plain_columns(versions)}
    assert len(plain_columns(versions)) == len(versions.columns) - 1


def test_a_project_is_known_by_its_name_and_first_bytes(project: Project, tmp_path: Path) -> None:
    assert is_project_file(project.path)
    assert not is_project_file(tmp_path / "none.vol3d")
    (tmp_path / "text.vol3d").write_text("text")
    assert not is_project_file(tmp_path / "text.vol3d")
