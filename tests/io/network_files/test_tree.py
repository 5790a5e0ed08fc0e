"""Folders of strangers hold plain files."""

from __future__ import annotations

import os

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files import tree


def test_all_files_at_any_depth_with_their_sizes(tmp_path):
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "a.pb").write_bytes(b"12")
    (tmp_path / "b" / "c" / "d").write_bytes(b"123")
    assert tree.plain_files(tmp_path) == {"a.pb": 2, "b/c/d": 3}


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc"), os.mkfifo])
def test_links_and_pipes_are_refused(tmp_path, make):
    make(tmp_path / "x")
    with pytest.raises(ModelProblem, match=r"x in .* is a link, pipe or device"):
        tree.plain_files(tmp_path)


def test_a_folder_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "MOST_FILES", 2)
    for name in "abc":
        (tmp_path / name).touch()
    with pytest.raises(ModelProblem, match="Too many"):
        tree.plain_files(tmp_path)
