"""The broom removes the one folder that it was made for, and only when told to."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from napari_vol3d.engine.broom import Broom
from napari_vol3d.engine.landlock import find_abi

SWEEP = """
import contextlib
import sys
import threading
import time
from pathlib import Path

from napari_vol3d.engine.broom import Broom
from napari_vol3d.engine.cage import enter
folder, busy = Path(sys.argv[1]), "busy" in sys.argv
broom = Broom(sys.argv[1])
assert enter(sys.argv[1]) == "" or sys.argv[2] != "caged"

def write():
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            (folder / "keras.json").write_bytes(b"what Keras and TensorFlow leave there")

if busy:
    threading.Thread(target=write, daemon=True).start()
if sys.argv[3] == "sweep":
    broom.sweep()
print(broom._helper)
"""


def run(folder, *how):
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, str(folder), *how], capture_output=True, text=True, check=True
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.skipif(find_abi() < 6, reason="this kernel, or its container, has no Landlock of ABI 6")
@pytest.mark.parametrize("name", ["private", "-rf of a 'person'; $HOME"])
def test_in_the_cage_the_folder_goes_with_all_in_it(tmp_path, name):
    private, other = tmp_path / name, tmp_path / "other"
    for folder in (private, private / "deep", other):
        folder.mkdir()
        (folder / "scan.npy").write_bytes(b"a person's scan")
    run(private, "caged", "sweep")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other"]
    assert (other / "scan.npy").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no shell")
@pytest.mark.parametrize("cage", ["caged", "any"])
def test_what_is_put_in_meanwhile_goes_too(tmp_path, cage):
    """The engine that is left by its parent imports TensorFlow to the end, in another thread."""
    if cage == "caged" and find_abi() < 6:
        pytest.skip("this kernel, or its container, has no Landlock of ABI 6")
    private = tmp_path / "private"
    private.mkdir()
    run(private, cage, "sweep", "busy")
    assert not private.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no shell")
def test_without_a_word_nothing_is_removed_and_the_helper_ends(tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    helper = run(private, "any", "rest")
    if psutil.pid_exists(helper):
        psutil.Process(helper).wait(5)
    assert private.is_dir()


def test_where_there_is_no_shell_it_sweeps_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_vol3d.engine.broom.SHELL", tmp_path / "no-shell")
    private = tmp_path / "private"
    private.mkdir()
    Broom(str(private)).sweep()
    assert not private.exists()
