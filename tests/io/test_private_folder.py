"""A folder of this program is private, and goes also where the program was killed, and its engine with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from napari_vol3d.io.private_folder import make_private_folder
from napari_vol3d.io.safe_write import HOST

NOBODY = 2**22 + 1  # above the largest pid of Linux
PARENT = """
import sys
from napari_vol3d.pipeline.child import Engine
engine = Engine(device="cpu")
print(engine.process.pid, engine.folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which temporary ones are made, by child processes too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def make_old(folder: Path) -> None:
    for path in (*folder.iterdir(), folder):
        os.utime(path, (1e9, 1e9))


def test_it_is_private_and_says_whose_it_is(temporary: Path) -> None:
    folder = make_private_folder()
    assert folder.parent == temporary
    assert folder.name.startswith(f"vol3d-{HOST}-{os.getpid()}-")
    if os.name == "posix":
        assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_later_start_removes_what_is_left_where_program_and_engine_were_killed(temporary: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, path = parent.stdout.readline().split(maxsplit=1)
        left = Path(path.strip())
        os.kill(int(pid), signal.SIGKILL)  # the engine first: it would remove the folder
        make_old(left)
        make_private_folder()
        assert left.is_dir()  # its program lives
        parent.kill()
    (left / "scan.npy").write_bytes(b"a whole scan")
    make_private_folder()
    assert left.is_dir()  # too young: whether its program is gone is told for this machine only
    make_old(left)
    make_private_folder()
    assert not left.exists()


def test_only_what_killed_programs_of_ours_left_is_removed(temporary: Path) -> None:
    kept = [
        "vol3d-abcdefgh", "vol3d-tests-abcdefgh", f"vol3d-00000000-{NOBODY}-abcdefgh", f"vol3d-{HOST}-abc-abcdefgh",
        f"vol3d-{HOST}-{NOBODY}-abcdefgh-copy", f"vol3d-{HOST}-{10**30}-abcdefgh",
    ]  # fmt: skip
    gone = f"vol3d-{HOST}-{NOBODY}-abcdefgh"
    for name in (*kept, gone):
        (temporary / name).mkdir()
        (temporary / name / "precious").write_text("kept")
        make_old(temporary / name)
    mine = make_private_folder()
    link = temporary / f"vol3d-{HOST}-{NOBODY}-linklink"
    link.symlink_to(temporary / kept[0], target_is_directory=True)
    make_private_folder()
    assert {path.name for path in temporary.iterdir()} > {*kept, mine.name, link.name}
    assert all((temporary / name / "precious").read_text() == "kept" for name in kept)
    assert not (temporary / gone).exists()
