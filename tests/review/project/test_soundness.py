"""What is looked at when a project is opened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from napari_vol3d.review import schema
from napari_vol3d.review.project import soundness
from napari_vol3d.review.project.store import Project
from tests.review.project.worked import sql, use


def test_a_project_that_is_open_says_what_it_meets(worked: Path) -> None:
    project = Project.open(worked)
    sql(worked, "UPDATE readings SET place = '{' WHERE position = 1")
    sql(worked, "UPDATE project SET value = '{' WHERE name = 'classes'")
    for ask in (project.rows, lambda: project.classes):
        with pytest.raises(schema.JournalDamaged, match="damaged"):
            ask()


def test_a_large_file_is_proved_without_its_voxels(worked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "WHOLE", 0)
    use(worked)
    with closing(sqlite3.connect(worked)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'predictions_of'").fetchone()
    content = bytearray(worked.read_bytes())
    content[page * 4096 - 20] ^= 1  # of the index's entries, which fill a page from its end
    worked.write_bytes(content)
    with pytest.raises(schema.JournalDamaged):
        soundness.look(worked)
