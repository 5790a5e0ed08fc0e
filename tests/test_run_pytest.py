"""What is said last when tests fail, and when pytest dies in one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FINE = "def test_fine(): pass\n"
BAD = "def test_bad(): assert False\n"
DYING = {
    "crash": ("import ctypes\n", "ctypes.string_at(0)", ["Segmentation fault", "in the_place"], "SIGSEGV"),
    "endless": ("import time\n", "time.sleep(60)", ["Timeout", "in the_place"], "exit status 1"),
    "killed": ("import os\n", "os.kill(os.getpid(), 9)", [], "SIGKILL"),
}


def last_words(folder: Path, code: str) -> tuple[int, str]:
    """Run a file of tests as `make test` does."""
    (folder / "test_it.py").write_text(code)
    words = folder / "words"
    options = ["-c", ROOT / "pyproject.toml", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    options += ["-p", "no:napari", "-p", "no:pytest-qt", "-o", "faulthandler_timeout=2"]
    ran = subprocess.run(
        [sys.executable, "scripts/run_pytest.py", words, folder / "test_it.py", *options], cwd=ROOT, capture_output=True
    )
    return ran.returncode, words.read_text() if words.exists() else ""


def test_where_all_is_well_nothing_is_said(tmp_path: Path) -> None:
    assert last_words(tmp_path, FINE) == (0, "")


def test_failures_are_named(tmp_path: Path) -> None:
    code, said = last_words(tmp_path, FINE + BAD)
    assert code == 1
    (line,) = said.splitlines()
    assert line.startswith("failed at call")
    assert line.endswith("::test_bad")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("way", DYING)
def test_a_death_is_named_with_its_test_and_its_place(tmp_path: Path, way: str) -> None:
    imports, statement, expected, ending = DYING[way]
    body = f"def the_place():\n    {statement}\ndef test_dying():\n    the_place()\n"
    code, said = last_words(tmp_path, imports + FINE + BAD + body)
    assert code != 0
    failed, ended, *place = said.splitlines()
    assert "::test_bad" in failed
    assert ended.startswith(f"pytest ended ({ending}) in the middle of ")
    assert ended.endswith("::test_dying")
    for words in expected:
        assert any(words in line for line in place)
    assert not any("_pytest" in line for line in place)
