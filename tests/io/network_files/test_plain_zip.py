"""Archives of strangers: members are read as they were packed, or not at all."""

from __future__ import annotations

import os
import zipfile

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.plain_zip import leaves, member_file, opened, read_member

CONTENT = bytes(range(256)) * 40


def pack(path, method, **members):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_lies_in_an_open_file_of_the_system(tmp_path, method):
    path = pack(tmp_path / "a.zip", method, first=b"x" * 77, second=CONTENT)
    with opened(path) as members, member_file(path, members["second"]) as (file, start):
        assert os.pread(file.fileno(), len(CONTENT), start) == CONTENT


def test_folders_are_no_members(tmp_path):
    path = pack(tmp_path / "a.zip", zipfile.ZIP_STORED, **{"a/": b"", "a/b": b"1"})
    with opened(path) as members:
        assert list(members) == ["a/b"]


def test_a_damaged_member_is_noticed(tmp_path):
    path = pack(tmp_path / "a.zip", zipfile.ZIP_STORED, a=CONTENT)
    changed = bytearray(path.read_bytes())
    changed[200] ^= 1
    path.write_bytes(changed)
    with pytest.raises(ModelProblem, match="Damaged"), opened(path) as members, member_file(path, members["a"]):
        pass


def test_more_than_allowed_is_not_read(tmp_path):
    path = pack(tmp_path / "a.zip", zipfile.ZIP_STORED, a=CONTENT)
    with pytest.raises(ModelProblem, match="Too large"), opened(path) as members:
        read_member(path, members["a"], 100)


def test_other_compression_and_passwords_are_refused(tmp_path):
    path = pack(tmp_path / "a.zip", zipfile.ZIP_BZIP2, a=CONTENT)
    with pytest.raises(ModelProblem, match="Compression"), opened(path):
        pass


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("a/b.bin", False), ("a..b", False), ("./a", False), ("../a", True), ("a/../../b", True), ("/etc/x", True),
        ("C:\\x", True), ("..\\x", True), ("http://x/y", True), ("a\0b", True),
    ],
)  # fmt: skip
def test_which_names_leave_the_package(name, out):
    assert leaves(name) is out
