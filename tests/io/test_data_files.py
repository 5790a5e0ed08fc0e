"""A header reaches nothing outside its own folder."""

from __future__ import annotations

import os

import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.data_files import data_file, numbered_names


@pytest.fixture
def header(tmp_path):
    """A header in a folder of its own, with a secret beside that folder and links to it inside."""
    folder = tmp_path / "scan"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.raw").write_bytes(b"secret")
    (folder / "data.raw").write_bytes(b"data")
    (folder / "sub" / "data.raw").write_bytes(b"data")
    (folder / "link.raw").symlink_to(tmp_path / "secret.raw")
    (folder / "out").symlink_to(tmp_path)
    (folder / "inside.raw").symlink_to(folder / "data.raw")
    (folder / "self.raw").symlink_to(folder / "scan.nhdr")
    (folder / "empty.raw").touch()
    (folder / "scan.nhdr").write_text("header")
    os.mkfifo(folder / "pipe.raw")  # opening it would block for ever
    return folder / "scan.nhdr"


@pytest.mark.parametrize("name", ["data.raw", "./data.raw", "sub/data.raw", "sub\\data.raw", "inside.raw"])
def test_files_of_the_own_folder_are_found(header, name):
    assert data_file(header, name).read_bytes() == b"data"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.raw", "sub/../../secret.raw", "..\\secret.raw", "/etc/passwd", "//host/share/x",
        "\\\\host\\share\\x", "C:\\secret.raw", "C:secret.raw", "link.raw", "out/secret.raw", "sub/../data.raw", "file:///etc/passwd",
        "/dev/zero", "\0", "data.raw\0.txt", "..", ".", "", "~/secret.raw", "self.raw", "scan.nhdr", "pipe.raw",
        "empty.raw", "sub", "none.raw", "x" * 5000,
    ],
)  # fmt: skip
def test_all_else_is_refused(header, name):
    with pytest.raises(FileProblem) as caught:
        data_file(header, name)
    assert len(caught.value.message.split(":")[0]) <= 40


def test_a_header_that_is_a_link_has_its_files_beside_the_link(header, tmp_path):
    link = tmp_path / "elsewhere" / "scan.nhdr"
    link.parent.mkdir()
    link.symlink_to(header)
    with pytest.raises(FileProblem, match="No such file"):
        data_file(link, "data.raw")
    (link.parent / "data.raw").write_bytes(b"other")
    assert data_file(link, "data.raw").read_bytes() == b"other"


def test_names_are_numbered_as_printf_does(header):
    assert numbered_names(header, "s%03d.raw", range(9, 12), 3) == ["s009.raw", "s010.raw", "s011.raw"]
    assert numbered_names(header, "%d", range(5, 0, -2), 3) == ["5", "3", "1"]
    assert numbered_names(header, "a%2d.raw", range(1, 2), 1) == ["a 1.raw"]
    for pattern, numbers, count in (
        ("s%s.raw", range(3), 3), ("s%d%d.raw", range(3), 3), ("s%n", range(1), 1), ("s%99d", range(1), 1),
        ("s%d", range(3), 4), ("s%d", range(10**15), 4), ("%%", range(1), 1),
    ):  # fmt: skip
        with pytest.raises(FileProblem, match="Damaged header"):
            numbered_names(header, pattern, numbers, count)
