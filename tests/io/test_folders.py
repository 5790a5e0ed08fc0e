"""A folder takes its name whole, and what stood there comes back where it can't."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.io.folders import folder_beside, moved_away, refuse_occupied


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
