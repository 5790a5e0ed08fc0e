"""The disk keeps what was flushed, and nothing that was never written but where a file grew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.review.disk import SECTOR, Call, Disk

TRIES = 60


class Program:
    """Makes calls as recording.c would have recorded them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.disk = folder, Disk(folder)

    def call(self, kind: str, file: int, offset: int = 0, data: bytes = b"") -> None:
        self.disk.take(Call(kind, file, offset, data))

    def open(self, name: str, file: int, kind: str = "C") -> None:
        self.call(kind, file, 0, str(self.folder / name if name else self.folder).encode())

    def seen(self) -> list[dict[str, bytes]]:
        return [self.disk.after_cut(np.random.default_rng(seed)) for seed in range(TRIES)]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    (tmp_path / "old").write_bytes(b"a" * 3 * SECTOR)
    return Program(tmp_path)


def test_what_was_there_and_what_was_flushed_stays(program: Program) -> None:
    program.open("old", 1, "O")
    program.call("W", 1, 5, b"b" * 700)
    program.call("S", 1)
    program.open("new", 2)
    program.call("W", 2, 0, b"c" * 700)
    program.call("S", 2)
    program.open("", 3, "O")
    program.call("S", 3)
    for files in program.seen():
        assert files == {"old": b"a" * 5 + b"b" * 700 + b"a" * (3 * SECTOR - 705), "new": b"c" * 700}
        assert files == program.disk.now()


def test_each_sector_that_was_not_flushed_is_old_or_new(program: Program) -> None:
    program.open("old", 1, "O")
    program.call("W", 1, 100, b"b" * 1000)
    found = {files["old"] for files in program.seen()}
    assert len(found) == 8  # of three sectors
    assert program.disk.now()["old"] in found
    for content in found:
        for start in range(0, 3 * SECTOR, SECTOR):
            written = [byte for place, byte in enumerate(content[start : start + SECTOR], start) if 100 <= place < 1100]
            assert len(set(written)) == 1
        assert content[:100] + content[1100:] == b"a" * (3 * SECTOR - 1000)


def test_cutting_a_file_may_or_may_not_have_happened(program: Program) -> None:
    program.open("old", 1, "O")
    program.call("T", 1, 10)
    assert {len(files["old"]) for files in program.seen()} == {10, 3 * SECTOR}
    program.open("old", 1, "E")
    assert program.disk.now() == {"old": b""}


def test_names_are_safe_once_the_folder_was_flushed(program: Program) -> None:
    program.open("new", 1)
    program.call("S", 1)
    program.call("U", -1, 0, str(program.folder / "old").encode())
    assert {frozenset(files) for files in program.seen()} == {
        frozenset(names) for names in ((), ("old",), ("new",), ("old", "new"))
    }  # fmt: skip
    program.open("", 2, "O")
    program.call("S", 2)
    assert {frozenset(files) for files in program.seen()} == {frozenset({"new"})}


def test_a_file_that_was_removed_and_made_anew_is_either_and_no_mixture(program: Program) -> None:
    program.call("U", -1, 0, str(program.folder / "old").encode())
    program.open("old", 1)
    program.call("W", 1, 0, b"b" * SECTOR)
    program.call("S", 1)
    assert {files.get("old") for files in program.seen()} == {b"a" * 3 * SECTOR, None, b"b" * SECTOR}


def test_where_a_file_grew_anything_may_stand(program: Program) -> None:
    program.open("old", 1, "O")
    program.call("W", 1, 3 * SECTOR, b"b" * 2 * SECTOR)
    between = {files["old"][3 * SECTOR : 4 * SECTOR] for files in program.seen() if len(files["old"]) == 5 * SECTOR}
    assert {b"b" * SECTOR, bytes(SECTOR)} <= between
    assert len(between) > 2  # what lay there before
