"""What was there before survives everything that can go wrong while something newer is written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.io import safe_write
from napari_vol3d.io.safe_write import replace_file, same_voxels, write_safely, write_text

ROOT = Path(safe_write.__file__).parents[2]
KILLS = 20

# Writes ever newer versions over one file, each of one repeated number, and says which are done.
WRITER = """
import sys
from pathlib import Path
from napari_vol3d.io.safe_write import write_safely

target, plain = Path(sys.argv[1]), sys.argv[2] == "plain"
number = 0
while True:
    number += 1

    def fill(path):
        with path.open("wb") as file:
            for _ in range(64):
                file.write(number.to_bytes(4, "little") * 8192)

    fill(target) if plain else write_safely(target, fill)
    print(number, flush=True)
"""

# Begins to write, says so, and waits for its end.
BEGINNER = """
import sys
from pathlib import Path
from napari_vol3d.io.safe_write import write_safely

def fill(path):
    path.write_bytes(b"half")
    print(path.parent, flush=True)
    sys.stdin.read()

write_safely(Path(sys.argv[1]), fill)
"""
WHOLE = 64 * 4 * 8192


@pytest.fixture
def old(tmp_path) -> Path:
    path = tmp_path / "labels.nii.gz"
    path.write_text("old")
    return path


def only_old(path: Path) -> bool:
    return path.read_text() == "old" and [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_failing_write_keeps_the_old_file(old, code):
    def write(path: Path) -> None:
        path.write_text("half")
        raise OSError(code, os.strerror(code))

    with pytest.raises(SaveProblem, match=r"labels\.nii\.gz was not saved.*untouched"):
        write_safely(old, write)
    assert only_old(old)


@pytest.mark.parametrize("error", [SaveProblem("differs"), FileProblem("Truncated file"), OSError(errno.EIO, "I/O")])
def test_a_failing_check_keeps_the_old_file(old, error):
    def check(path: Path) -> None:
        assert path.read_text() == "new"
        raise error

    with pytest.raises(SaveProblem):
        write_safely(old, lambda path: path.write_text("new") and None, check)
    assert only_old(old)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ValueError])
def test_whatever_else_happens_leaves_nothing_behind(old, error):
    def write(path: Path) -> None:
        path.write_text("half")
        raise error

    with pytest.raises(error):
        write_safely(old, write)
    assert only_old(old)


@pytest.mark.parametrize("call", ["fsync", "replace", "mkdtemp"])
def test_each_system_call_may_fail(old, monkeypatch, call):
    def fail(*_args, **_more):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    holder = {"fsync": os, "replace": Path, "mkdtemp": safe_write.tempfile}[call]
    monkeypatch.setattr(holder, call, fail)
    with pytest.raises(SaveProblem):
        write_text(old, "new")
    assert only_old(old)


def test_a_full_disk(old):
    """A real one: /dev/full refuses every byte."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")

    def write(path: Path) -> None:
        path.symlink_to("/dev/full")
        path.write_text("new")

    with pytest.raises(SaveProblem, match="Free some space"):
        write_safely(old, write)
    assert only_old(old)


def test_a_whole_write_replaces_the_file_and_only_that(old):
    old.chmod(0o640)
    assert write_text(old, "new ä") == old
    assert old.read_text(encoding="utf-8") == "new ä"
    assert old.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in old.parent.iterdir()] == [old.name]
    assert replace_file(old, old.with_name("copy.txt")).read_bytes() == old.read_bytes()


def test_a_link_stays_a_link(old):
    link = old.with_name("link.nii.gz")
    link.symlink_to(old)
    assert write_text(link, "new") == link
    assert link.is_symlink()
    assert old.read_text() == "new"


def test_a_folder_is_no_target(tmp_path):
    (tmp_path / "labels.nii").mkdir()
    with pytest.raises(SaveProblem, match="folder"):
        write_text(tmp_path / "labels.nii", "new")


def test_a_read_only_folder_is_said(old):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere; run as another user to test this")
    old.parent.chmod(0o555)
    try:
        with pytest.raises(SaveProblem, match="may write"):
            write_text(old, "new")
    finally:
        old.parent.chmod(0o755)
    assert only_old(old)


def test_voxels_are_compared_by_type_shape_and_value():
    data = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    data[0, 0, 0] = np.nan
    assert same_voxels(data.copy(), data)
    other = data.copy()
    other[1, 2, 3] += 1
    assert not same_voxels(other, data)
    assert not same_voxels(data.astype(np.float64), data)
    assert not same_voxels(data[:1], data)


def _kill_while_writing(target: Path, arm: str, rng: np.random.Generator) -> bool:
    """Whether a writer that is killed at a random moment leaves a whole file, not older than the last one it said."""
    command = [sys.executable, "-c", WRITER, str(target), arm]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=float(rng.uniform(0.001, 0.03)))
        process.kill()
        said = (said + process.stdout.read()).split(b"\n")[-2]
    content = target.read_bytes()
    number = int.from_bytes(content[:4], "little")
    return len(content) == WHOLE and content == content[:4] * (WHOLE // 4) and number >= int(said)


def test_kill_minus_nine_never_leaves_a_half_file(tmp_path):
    rng = np.random.default_rng(0)
    safe = [_kill_while_writing(tmp_path / "safe.bin", "safe", rng) for _ in range(KILLS)]
    plain = [_kill_while_writing(tmp_path / "plain.bin", "plain", rng) for _ in range(KILLS)]
    assert all(safe)
    assert not all(plain)  # the control arm: otherwise this test would prove nothing


def _begin(target: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a program that is in the middle of writing, and give it and its folder beside the target."""
    command = [sys.executable, "-c", BEGINNER, str(target)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().decode().strip())


def _make_old(folder: Path) -> None:
    for path in (*folder.iterdir(), folder):
        os.utime(path, (1e9, 1e9))


def test_what_a_killed_program_left_goes_with_the_next_write(old):
    process, left = _begin(old)
    with process:
        process.kill()
    assert [p.name for p in left.iterdir()] == [old.name]
    write_text(old.with_name("other.txt"), "new")
    assert left.is_dir()  # too young: whether its writer is gone is told for this machine only
    _make_old(left)
    write_text(old.with_name("other.txt"), "new")
    assert not left.exists()
    assert sorted(p.name for p in old.parent.iterdir()) == [old.name, "other.txt"]
    assert old.read_text() == "old"


def test_only_what_killed_programs_of_ours_left_is_removed(old):
    process, alive = _begin(old)
    pid = process.pid
    with process:
        names = [
            f".saving-00000000-{2**22 + 1}-abcdefgh", f".saving-{safe_write.HOST}-abc-abcdefgh", ".saving-abcdefgh",
            f".saving-{safe_write.HOST}-{os.getpid()}-abcdefgh", f".saving-{safe_write.HOST}-{2**22 + 1}-abcdefgh-copy",
            f".saving-{safe_write.HOST}-{10**30}-abcdefgh", ".saving-notes",
        ]  # fmt: skip
        for name in names:
            (old.parent / name).mkdir()
            (old.parent / name / "precious").write_text("kept")
            _make_old(old.parent / name)
        file = old.with_name(f".saving-{safe_write.HOST}-{2**22 + 1}-filefile")
        file.write_text("kept")
        link = old.with_name(f".saving-{safe_write.HOST}-{2**22 + 1}-linklink")
        link.symlink_to(old.parent / ".saving-notes", target_is_directory=True)
        _make_old(alive)
        write_text(old, "new")
        assert all((old.parent / name / "precious").read_text() == "kept" for name in names)
        assert file.read_text() == "kept"
        assert link.is_symlink()
        assert alive.is_dir()
        assert str(pid) in alive.name
    assert process.returncode == 0
    assert not alive.exists()
    assert old.read_text() == "half"  # the other program's, which was last


@pytest.mark.parametrize("name", ["x" * 300 + ".txt", "a\0b.txt"])
def test_names_that_no_system_takes_are_told(tmp_path, name):
    with pytest.raises(SaveProblem, match="was not saved"):
        write_text(tmp_path / name, "text")


def test_a_link_to_itself_is_told(tmp_path):
    (tmp_path / "l.txt").symlink_to("l.txt")
    with pytest.raises(SaveProblem, match="was not saved"):
        write_text(tmp_path / "l.txt", "text")
