"""Opening what was damaged: each project opens again, with all that can be read, or says once and for all that not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem, Vol3dError
from napari_vol3d.review import schema
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.schema import JournalProblem
from tests.review.project.worked import sql, use

ROOT = Path(__file__).resolve().parents[3]
FLIPS = int(os.environ.get("VOL3D_FLIPS", "45"))  # 3,000 were tried once
HEADER = 100  # bytes


def ends(path: Path) -> bool:
    """Use a damaged project twice: true where it can be, and that stays so; else a last word is said."""
    with suppress(Vol3dError):
        use(path)
    try:
        project = use(path)
    except Vol3dError as problem:
        if "Open it again" in str(problem):
            raise
        return False
    assert project.journal.recovery is None
    row = project.rows()[-1]
    project.set_status(row.reading.key, "rejected", who="ann")
    Journal.open(path)
    return True


def flipped(path: Path, place: int, bit: int) -> Path:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)
    return path


def test_flipped_bits_anywhere_never_lock_a_project(worked_once: Path, tmp_path: Path) -> None:
    rng, size = np.random.default_rng(FLIPS), worked_once.stat().st_size
    limits = (HEADER, 2 * 4096, size)
    ended = []
    for number, limit in enumerate(np.repeat(limits, FLIPS // len(limits))):
        path = Path(shutil.copy(worked_once, tmp_path / f"{number}.vol3d"))
        ended.append(ends(flipped(path, int(rng.integers(limit)), int(rng.integers(8)))))
    assert np.mean(ended) > 0.9


def test_the_first_page_may_be_gone_and_all_is_there(worked: Path) -> None:
    before = use(worked)
    rows, acts = before.rows(), before.acts()
    worked.write_bytes(bytes(4096) + worked.read_bytes()[4096:])
    found = use(worked)
    assert found.journal.recovery is not None
    assert found.rows() == rows
    assert found.acts() == acts
    assert found.journal.recovery.kept.read_bytes()[:4096] == bytes(4096)


def test_another_programs_text_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "text.vol3d"
    path.write_text("no database at all, but long enough to be one" * 10)
    for _ in range(2):
        with pytest.raises(FileProblem, match="damaged beyond reading"):
            Project.open(path)
    assert [each.name for each in tmp_path.iterdir()] == ["text.vol3d"]


HOLDER = """
import sys
from pathlib import Path
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.project.claims import claim
claim(Journal(Path(sys.argv[1])), "one", who="ben")
print("ready", flush=True)
sys.stdin.read()
"""


def test_nobody_is_recovered_from_under_another(worked: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(worked)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        sql(worked, "DELETE FROM cases WHERE position = 0")
        before = worked.read_bytes()
        with pytest.raises(JournalProblem, match="in use: ben on"):
            Project.open(worked)
        assert worked.read_bytes() == before
        other.communicate("")
    assert use(worked).journal.recovery is not None


# ---- where nobody may write -----------------------------------------------------------------------------------------


def test_opening_and_looking_begin_no_change(worked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants to write waits for a writer; who reads does not."""
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.01)
    with closing(schema.connect(worked)) as other:
        other.execute("BEGIN IMMEDIATE")
        project = use(worked)
        with pytest.raises(JournalProblem, match="locked"):
            project.say("x", 1)


@pytest.fixture
def read_only(worked: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a program where the project's folder is mounted read-only."""
    mount = f"mount --bind {worked.parent} {worked.parent} && mount -o remount,ro,bind {worked.parent}"
    if not sys.platform.startswith("linux") or os.getuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root of Linux can mount")
    if subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")

    def run(program: str) -> subprocess.CompletedProcess[str]:
        inner = f'{mount} && exec "$0" -c "$1"'
        command = ["unshare", "-m", "sh", "-c", inner, sys.executable, program]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    return run


LOOK = """
import sys
from pathlib import Path
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.project.accepting import accepted_versions, labels_of_version
try:
    project = Project.open(Path(r"{path}"))
    for version in accepted_versions(project).values():
        labels_of_version(project, version.key)
    print(len(project.rows()))
    project.set_note(project.rows()[0].reading.key, "x", who="y")
except Vol3dError as problem:
    print(problem)
"""


def test_a_share_that_is_read_only(read_only: Callable[[str], subprocess.CompletedProcess[str]], worked: Path) -> None:
    done = read_only(LOOK.format(path=worked))
    assert done.stderr == ""
    count, problem = done.stdout.splitlines()
    assert count == "8"
    assert "readonly" in problem
    sql(worked, "DELETE FROM cases WHERE position = 0")
    (problem,) = read_only(LOOK.format(path=worked)).stdout.splitlines()
    assert "can't be recovered here" in problem
