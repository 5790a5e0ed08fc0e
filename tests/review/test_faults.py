"""Disks that are full, broken, shut or gone: nothing that was acknowledged is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from napari_vol3d.review import keeper
from napari_vol3d.review.reports import Acknowledged, Mended, Trouble
from tests.review.test_writer import LONG, Desk

HERE = Path(__file__).resolve().parent
STRIDE = 30  # every thirtieth call; 1 tries all, which takes minutes


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "RETRY_FIRST", 0.05)


def test_every_call_may_fail(tmp_path: Path) -> None:
    """Open, read, write, flush, cut, remove: once, or from then on, of the files of the journal and beside it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler, and Linux: calls are made to fail by a library that is loaded first")
    library = tmp_path / "failing.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "failing.c", "-ldl"], check=True)
    command = [sys.executable, "-m", "tests.review.faults", str(tmp_path / "trials"), str(STRIDE)]
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    told = subprocess.run(
        command, cwd=HERE.parents[1], env=environment, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    counts = json.loads(told.stdout)
    assert counts["calls"] > 100  # or the library was not heard
    assert counts["kept"] == counts["trials"] > 20, counts


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "none", place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="needs mount")
def test_a_full_disk_is_left_for_the_persons_own_folder_until_there_is_space(small_disk: Path) -> None:
    filler = small_disk / "filler"
    desk = Desk(small_disk, patience=LONG)
    desk.work(5)
    assert desk.writer.flush(LONG)
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1024))
    desk.work(40)
    assert desk.writer.flush(LONG)
    assert "full" in desk.of(Trouble)[0].message
    assert desk.of(Trouble)[0].hint == "Free some space on that disk."
    assert desk.of(Acknowledged)[-1].place == "local"
    filler.unlink()
    desk.wait_for(Mended)
    desk.writer.close()
    desk.is_right()


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    """Of every file, the person's own too: edits wait in memory, and are written once they can be."""
    resource = pytest.importorskip("resource")
    desk = Desk(tmp_path, patience=LONG)
    desk.work(5)
    assert desk.writer.flush(LONG)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        desk.work(30)
        desk.wait_for(Trouble, 2)
        assert desk.writer.waiting > 0
        assert desk.of(Trouble)[-1].place == "memory"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    desk.writer.close(LONG)
    desk.is_right()


def test_a_folder_that_was_taken_away_and_comes_back(tmp_path: Path) -> None:
    """A share that is unmounted: no journal is begun in the empty folder that is left."""
    desk = Desk(tmp_path, patience=LONG)
    desk.work(5)
    assert desk.writer.flush(LONG)
    project, away = tmp_path / "project", tmp_path / "away"
    project.rename(away)
    project.mkdir()
    desk.work(20)
    assert desk.writer.flush(LONG)
    assert desk.of(Acknowledged)[-1].place == "local"
    assert not list(project.iterdir())
    project.rmdir()
    away.rename(project)
    desk.wait_for(Mended)
    desk.writer.close()
    desk.is_right()
