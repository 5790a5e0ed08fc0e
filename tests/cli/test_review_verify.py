"""`review verify`: every version again from the log, and a damaged one is named."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.cli.main import main
from napari_vol3d.core.edits import Edit
from napari_vol3d.review.project.accepting import accept
from napari_vol3d.review.project.records import Case, ImageRef, Version
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.records import Layer

SHAPE = (3, 4, 5)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two cases, one with two versions, each after an edit."""
    cases = [Case(name=f"s{n}", code=f"s{n}", images=(ImageRef(path=f"{n}.nii"),)) for n in (1, 2)]
    made = Project.create(tmp_path / "study.vol3d", name="study", cases=cases)
    key, labels = made.rows()[0].reading.key, np.zeros(SHAPE, np.uint8)
    layer = Layer(scan="", name="labels", shape=SHAPE, dtype="uint8", key=key)
    made.journal.add_layer(layer, base=labels)
    for at in (1, 2):
        edit = Edit.between("Paint", labels[at : at + 1], np.full_like(labels[:1], at), start=(at, 0, 0))
        assert edit is not None
        token = made.journal.append(layer, edit)
        edit.apply(labels)
        accept(made, Version(reading=key, number=0, who="ann", cursor=token), labels)
    return made


def verdict(project: Project) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["review", "verify", str(project.path)])
    return int(ended.value.code or 0)


def test_all_versions_are_played(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(project) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 versions are what the log gives, bit for bit."


def test_one_that_is_not_what_the_log_gives_is_named(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(project.path)) as connection:
        connection.execute("DROP TRIGGER versions_update")
        connection.execute("UPDATE versions SET sha256 = ? WHERE number = 2", ("0" * 64,))
        connection.commit()
    assert verdict(project) == 1
    said = capsys.readouterr()
    assert "s1, version 2: Version 2 is not what its history gives" in said.err
    assert said.out.splitlines()[-1] == "1 version is what the log gives, bit for bit."
