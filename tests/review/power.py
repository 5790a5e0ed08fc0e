"""Cut the power of a program that corrects labels, again and again, and see what is left; recording.c is loaded first.

`python -m tests.review.power --cuts N --seed S --folder DIR` prints the counts as JSON. Each life is a fork whose calls
are recorded; then a moment of it is chosen, `disk` says what may be on the disk if the power fails then, and the next
life begins with that. The control arm is the same journal, but never waits for the disk.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review import schema
from napari_vol3d.review.journal import Journal
from tests.review.disk import Call, Disk, calls_in
from tests.review.killing import is_whole, journal_state, work

HERE = Path(__file__).resolve().parent
LIVES = 20  # of one journal; its history grows from life to life
LONGEST = 50  # calls of a life that are acknowledged
UNSAFE = tuple("PRAGMA synchronous=OFF" if "synchronous" in pragma else pragma for pragma in schema.PRAGMAS)
State = tuple[int, int]  # number of events, checksum of the labels


@dataclass
class Counts:
    """What the cuts left: see `killing.Counts`."""

    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    unreadable: int = 0
    control_cuts: int = 0
    control_acknowledged: int = 0
    control_lost: int = 0
    control_unreadable: int = 0

    def add(self, arm: str, **found: int) -> None:
        for name, count in found.items():
            setattr(self, arm + name, getattr(self, arm + name) + count)


def cut_in_a_child(cuts: int, folder: Path, *, seed: int) -> dict[str, int]:
    """Do all this in a process with the recorder, which is compiled into the folder; on Linux, with a C compiler."""
    library = folder / f"recording-{seed}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "recording.c", "-ldl"], check=True)
    command = [sys.executable, "-m", "tests.review.power", "--cuts", str(cuts), "--folder", str(folder)]
    told = subprocess.run(
        [*command, "--seed", str(seed)], cwd=HERE.parents[1], env={**os.environ, "LD_PRELOAD": str(library)},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    counts: dict[str, int] = json.loads(told.stdout)
    return counts


def run(cuts: int, folder: Path, seed: int, counts: Counts) -> Counts:
    """Cut so many lives of each arm."""
    os.environ["VOL3D_JOURNALS"] = str(folder / "own")
    for arm, pragmas in (("", schema.PRAGMAS), ("control_", UNSAFE)):
        rng, place, anew = np.random.default_rng(seed), folder / f"{arm}{seed}" / "files", True
        for number in range(cuts):
            if anew or number % LIVES == 0:
                fill(place, {})
            acknowledged, verdict = life(place, rng, pragmas)
            counts.add(arm, cuts=1, acknowledged=acknowledged, **({} if verdict == "kept" else {verdict: 1}))
            anew = verdict != "kept"
    return counts


def life(place: Path, rng: np.random.Generator, pragmas: tuple[str, ...]) -> tuple[int, str]:
    """One life, a cut in it, and what the next program finds: the calls acknowledged by then, and a verdict."""
    path, log = place / "a.journal", place.with_name("log")
    started, disk, whole = journal_state(path), Disk(place), Disk(place)
    _record(path, log, seed=int(rng.integers(2**31)), calls=int(rng.integers(1, LONGEST)), pragmas=pragmas)
    calls = list(calls_in(log.read_bytes()))
    for call in calls:
        whole.take(call)
    if whole.now() != {file.name: file.read_bytes() for file in place.iterdir()}:
        raise RuntimeError("the recorder has missed a call")
    before = calls[: int(rng.integers(len(calls) + 1))]
    for call in before:
        disk.take(call)
    fill(place, disk.after_cut(rng))
    put, known = _said(before)
    return known, verdict(path, put, known, started)


def verdict(path: Path, put: list[tuple[int, str, int]], known: int, started: State) -> str:
    """What the next program finds."""
    try:
        journal = Journal.open(path)
        if journal.recovery is not None:
            return "unreadable"
        return "kept" if is_whole(journal, put, known, before=started) else "lost"
    except Vol3dError:
        return "unreadable"


def fill(place: Path, files: Mapping[str, bytes]) -> None:
    """Let these files be all that is there."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name).write_bytes(content)


def _said(calls: list[Call]) -> tuple[list[tuple[int, str, int]], int]:
    """Give what was put, and how much of it the person had been told of."""
    words = [call.data.decode().split() for call in calls if call.kind == "N"]
    put = [(int(word[1]), word[2], int(word[3])) for word in words if word[0] == "put"]
    return put, max((int(word[1]) for word in words if word[0] == "ack"), default=0)


def _record(path: Path, log: Path, *, seed: int, calls: int, pragmas: tuple[str, ...]) -> None:
    """Correct labels in a fork until so many calls are acknowledged."""
    child = os.fork()
    if child == 0:
        _live(path, log, seed, calls, pragmas)
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"a life ended with {status}")


def _live(path: Path, log: Path, seed: int, calls: int, pragmas: tuple[str, ...]) -> None:
    """Never return: this is the child."""
    recorder = ctypes.CDLL(None)

    def say(*words: Any) -> None:
        recorder.note(" ".join(map(str, words)).encode())
        if words[0] == "ack" and words[1] >= calls:
            os._exit(0)  # in the writer's thread: nothing is being written now

    try:
        schema.PRAGMAS = pragmas
        recorder.record(os.fsencode(path.parent), os.fsencode(log))
        work(path, seed, say)
    except BaseException:  # noqa: BLE001 - told by the status
        sys.excepthook(*sys.exc_info())
    os._exit(1)


def main() -> None:
    """Cut, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    counts = run(given.cuts, given.folder, given.seed, Counts())
    print(json.dumps(asdict(counts)))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
