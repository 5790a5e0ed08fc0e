"""A folder takes its name whole, and what stood there comes back where it can't."""

from __future__ import annotations

import subprocess
import sys

import pytest

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.io.folders import folder_beside, lies_aside, moved_away, refuse_occupied, restore


def make(folder, text):
    folder.mkdir()
    (folder / "zarr.json").write_text(text, encoding="utf-8")
    return folder


def test_the_old_folder_gives_way_to_the_new(tmp_path):
    target, new = make(tmp_path / "a.zarr", "old"), make(tmp_path / "new", "new")
    with moved_away(target):
        new.rename(target)
    assert (target / "zarr.json").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_the_old_folder_comes_back_where_the_new_one_fails(tmp_path):
    target = make(tmp_path / "a.zarr", "old")
    with pytest.raises(FileNotFoundError), moved_away(target):
        (tmp_path / "nothing").rename(target)
    assert (target / "zarr.json").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_the_folder_beside_goes_whatever_happens(tmp_path):
    with pytest.raises(FileNotFoundError), folder_beside(tmp_path / "a.zarr") as beside:
        (beside / "x" / "y").mkdir()
    assert beside.parent == tmp_path
    assert not list(tmp_path.iterdir())


def test_what_is_in_the_way_is_not_replaced(tmp_path):
    refuse_occupied(tmp_path / "free.zarr", overwrite=False)
    target = make(tmp_path / "a.zarr", "old")
    with pytest.raises(SaveProblem, match="already there"):
        refuse_occupied(target, overwrite=False)
    refuse_occupied(target, overwrite=True)
    (tmp_path / "photos").mkdir()
    with pytest.raises(SaveProblem, match="no Zarr folder"):
        refuse_occupied(tmp_path / "photos", overwrite=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from napari_vol3d.io.folders import moved_away
with moved_away(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_kill_between_old_and_new_loses_neither(tmp_path):
    target = make(tmp_path / "a.zarr", "old")
    subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
    assert not target.exists()
    assert lies_aside(target)
    restore(target)
    assert (target / "zarr.json").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
    assert not lies_aside(target)


def test_the_next_save_finishes_what_a_killed_one_began(tmp_path):
    target = make(tmp_path / "a.zarr", "new")
    (tmp_path / "a.zarr.replaced").mkdir()
    make(tmp_path / "a.zarr.replaced" / "a.zarr", "old")
    refuse_occupied(target, overwrite=True)
    assert (target / "zarr.json").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_somebody_elses_folder_of_that_name_stays(tmp_path):
    theirs = tmp_path / "a.zarr.replaced"
    theirs.mkdir()
    (theirs / "notes.txt").write_text("mine", encoding="utf-8")
    restore(tmp_path / "a.zarr")
    assert (theirs / "notes.txt").is_file()


def test_what_can_not_be_put_back_is_kept_and_told(tmp_path, monkeypatch):
    target = make(tmp_path / "a.zarr", "old")
    rename, calls = type(target).rename, []

    def fail_after_the_first(path, to):
        calls.append(to)
        if len(calls) > 1:
            raise PermissionError(13, "busy")
        return rename(path, to)

    monkeypatch.setattr(type(target), "rename", fail_after_the_first)
    with pytest.raises(SaveProblem, match=r"lies in a\.zarr\.replaced"), moved_away(target):
        raise PermissionError(13, "busy")
    monkeypatch.undo()
    restore(target)
    assert (target / "zarr.json").read_text(encoding="utf-8") == "old"
