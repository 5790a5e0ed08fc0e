"""A journal while it is written: whose it is, what keeps it from being written, and what became of a damaged one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.ledger import Claim, Ledger
from napari_vol3d.review import keeper, lock
from napari_vol3d.review.fallback import journals_folder
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lock import Held, Lock
from napari_vol3d.review.records import Layer
from napari_vol3d.review.replay import replay
from napari_vol3d.review.reports import Acknowledged, Trouble
from tests.gui.correct.conftest import WAIT_MS

SHAPE = (4, 5, 6)
# Another program that has a journal until it is told to end, and says then whether it still has it.
OTHER = """
import sys
from pathlib import Path

from napari_vol3d.review import lock
from napari_vol3d.review.journal import Journal

taken = lock.acquire(Journal.open(Path(sys.argv[1])), who="Ada")
print("mine", flush=True)
sys.stdin.readline()
print(taken.beat(), flush=True)
sys.stdin.readline()
"""
Make = Callable[[Path], Ledger]


@pytest.fixture
def make(qapp: Any) -> Iterator[Make]:
    """Make ledgers that are closed in the end."""
    made: list[Ledger] = []

    def ledger(path: Path) -> Ledger:
        made.append(Ledger(path))
        return made[-1]

    yield ledger
    for one in made:
        one.close()
        one.deleteLater()


@pytest.fixture
def path() -> Path:
    """A journal in the person's own folder."""
    return journals_folder() / "case.journal"


@pytest.fixture
def other(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another program that has it."""
    command = [sys.executable, "-c", OTHER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert ask(process) == "mine"
        yield process
        process.kill()


def ask(process: subprocess.Popen[str], *, tell: bool = False) -> str:
    """Give the next line that the other program says."""
    assert process.stdin is not None
    assert process.stdout is not None
    if tell:
        process.stdin.write("\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


def begin(ledger: Ledger) -> Layer:
    """Begin a history of empty labels."""
    base = np.zeros(SHAPE, np.uint8)
    layer = Layer.of(base, scan="abc", name="labels")
    ledger.writer.begin(layer, base)
    return layer


def paint(ledger: Ledger, layer: Layer, place: int) -> None:
    """Change a voxel."""
    edit = Edit.between("p", np.zeros((1, 1, 1), np.uint8), np.ones((1, 1, 1), np.uint8), start=(0, 0, place))
    assert edit is not None
    ledger.writer.append(layer, edit)


def has_lock(path: Path) -> bool:
    """Whether some program has a journal."""
    return path.exists() and lock.in_use(Journal(path))


def test_it_is_ours_while_it_is_open_and_anybodys_afterwards(qtbot: Any, make: Make, path: Path) -> None:
    ledger = make(path)
    told: list[Acknowledged] = []
    ledger.acknowledged.connect(told.append)
    layer = begin(ledger)
    paint(ledger, layer, 3)
    qtbot.waitUntil(lambda: bool(told) and told[-1].sequence == 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: has_lock(path), timeout=WAIT_MS)
    assert ledger.held is None
    assert ledger.trouble is None
    assert told[-1].words.startswith("saved ")
    ledger.close()
    assert isinstance(lock.acquire(Journal.open(path)), Lock)
    assert replay(Journal(path), layer)[0, 0, 3] == 1


def test_closed_at_once_it_keeps_nothing_from_others(qtbot: Any, make: Make, path: Path) -> None:
    ledger = make(path)
    layer = begin(ledger)
    paint(ledger, layer, 1)
    ledger.close()
    qtbot.waitUntil(lambda: not ledger._opening.running, timeout=WAIT_MS)
    assert not has_lock(path)
    assert replay(Journal(path), layer).any()


def test_a_lock_that_comes_after_the_end_is_given_back(make: Make, path: Path) -> None:
    claim = Claim(make(path.with_name("another.journal")).writer)
    claim.close()
    taken = lock.acquire(Journal.open(path))
    assert isinstance(taken, Lock)
    claim.give(taken)
    assert not claim.given
    assert not has_lock(path)


def test_who_else_has_it_is_said_and_edits_are_kept(
    qtbot: Any, make: Make, path: Path, other: subprocess.Popen[str]
) -> None:
    ledger = make(path)
    with qtbot.waitSignal(ledger.heldChanged, timeout=WAIT_MS) as told:
        pass
    (held,) = told.args
    assert isinstance(held, Held)
    assert held is ledger.held
    assert held.words.startswith("Ada on ")
    layer = begin(ledger)
    paint(ledger, layer, 2)
    assert ledger.writer.flush(10)
    assert replay(Journal(path), layer)[0, 0, 2] == 1
    ledger.close()
    assert ask(other, tell=True) == "True"  # it is still theirs


def test_it_can_be_taken_over(qtbot: Any, make: Make, path: Path, other: subprocess.Popen[str]) -> None:
    ledger = make(path)
    with qtbot.waitSignal(ledger.heldChanged, timeout=WAIT_MS):
        pass
    with qtbot.waitSignal(ledger.heldChanged, timeout=WAIT_MS) as told:
        ledger.take_over()
    assert told.args == [None]
    assert ledger.held is None
    assert ask(other, tell=True) == "False"
    assert has_lock(path)
    ledger.take_over()  # there is nobody to take it from
    ledger.close()
    assert not has_lock(path)


def test_of_two_who_took_it_from_each_other_the_first_is_told(
    qtbot: Any, make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "BEAT_SECONDS", 0.1)
    ledger = make(path)
    qtbot.waitUntil(lambda: has_lock(path), timeout=WAIT_MS)
    journal = Journal.open(path)
    mine = lock.acquire(journal, who="Ada")
    assert isinstance(mine, Held)
    with qtbot.waitSignal(ledger.heldChanged, timeout=WAIT_MS, check_params_cb=lambda held: held is not None):
        taken = lock.take_over(journal, mine, who="Ada")
    assert isinstance(taken, Lock)
    assert ledger.held is not None
    assert ledger.held.who == "Ada"
    taken.release()


def test_a_folder_that_cannot_be_written_is_said_until_it_can(qtbot: Any, make: Make, path: Path) -> None:
    folder = path.parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file stands where the folder should be")
    ledger = make(path)
    layer = begin(ledger)
    paint(ledger, layer, 1)
    # The place where they would wait meanwhile is that folder, too.
    qtbot.waitUntil(lambda: ledger.trouble is not None and ledger.trouble.place == "memory", timeout=WAIT_MS)
    assert isinstance(ledger.trouble, Trouble)
    assert ledger.trouble.message
    paint(ledger, layer, 2)
    folder.unlink()
    with qtbot.waitSignal(ledger.troubled, timeout=WAIT_MS, check_params_cb=lambda now: now is None):
        pass
    assert ledger.trouble is None
    assert ledger.writer.flush(10)
    assert replay(Journal(path), layer)[0, 0].tolist() == [0, 1, 1, 0, 0, 0]
    qtbot.waitUntil(lambda: has_lock(path), timeout=WAIT_MS)  # it was not to be had before
    paint(ledger, layer, 3)
    ledger.close()
    assert not has_lock(path)
    assert replay(Journal(path), layer)[0, 0].tolist() == [0, 1, 1, 1, 0, 0]
    assert [one.name for one in folder.iterdir()] == [path.name]


def test_a_damaged_journal_is_said_and_goes_on_in_a_new_file(qtbot: Any, make: Make, path: Path) -> None:
    first = make(path)
    layer = begin(first)
    paint(first, layer, 1)
    first.close()
    voxels = bytearray(path.read_bytes())
    voxels[1024:8192] = b"\xff" * 7168
    path.write_bytes(voxels)
    ledger = make(path)
    with qtbot.waitSignal(ledger.recovered, timeout=WAIT_MS) as told:
        pass
    assert "damaged" in told.args[0]
    other = begin(ledger)
    paint(ledger, other, 4)
    assert ledger.writer.flush(10)
    assert replay(Journal(path), other)[0, 0, 4] == 1
