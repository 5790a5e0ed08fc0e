"""Kill -9 a program that corrects labels, again and again, and see what is left.

`python -m tests.review.killing --kills N --seed S --folder DIR` prints the counts as JSON. One process loads what is
needed, and each life is a fork of it; so a life takes milliseconds, and most kills hit it while it writes.
A life says on a pipe what it is about to put, with a checksum of the labels after it, and what was acknowledged.
The control arm does the same with a file that is written anew in its place, as programs do that "just save".
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import signal
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Layer
from napari_vol3d.review.replay import replay
from napari_vol3d.review.reports import Acknowledged, Report
from napari_vol3d.review.writer import Writer
from tests.review.scripts import Person, first_labels, layer_of, random_edit

LONGEST = 0.2  # seconds of a life; of short ones from its first word, of long ones from its birth: opening is hit too
LIVES = 25  # of one journal; its history grows from life to life
BURST = 6  # calls that arrive together
OVER_TIME = 30.0


@dataclass
class Counts:
    """What the kills left.

    `lost`: acknowledged and not there, or not in order, or labels that differ by one voxel. `unreadable`: the journal
    could not be opened, or was found damaged. `control_...`: the same of the plain file.
    """

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    unreadable: int = 0
    control_kills: int = 0
    control_acknowledged: int = 0
    control_lost: int = 0
    control_unreadable: int = 0


def run(kills: int, folder: Path, seed: int, counts: Counts) -> Counts:
    """Kill so many lives of each arm."""
    rng = np.random.default_rng(seed)
    os.environ["VOL3D_JOURNALS"] = str(folder / "own")
    for first in range(0, kills, LIVES):
        place = folder / f"{seed}-{first}"
        place.mkdir(parents=True)
        for _ in range(min(LIVES, kills - first)):
            journal_life(place / "a.journal", rng, counts)
            control_life(place / "plain.pickle", rng, counts)
    return counts


# ---- ours -----------------------------------------------------------------------------------------------------------


def journal_life(path: Path, rng: np.random.Generator, counts: Counts) -> None:
    """One life, its end, and what the next program finds."""
    counts.kills += 1
    started = journal_state(path)
    seed = int(rng.integers(2**31))
    said = _live_and_die(lambda say: work(path, seed, say), float(rng.uniform(0, LONGEST)))
    put = [(int(s), t, int(crc)) for kind, *rest in said if kind == "put" for s, t, crc in [rest]]
    known = max((int(rest[0]) for kind, *rest in said if kind == "ack"), default=0)
    counts.acknowledged += known
    try:
        journal = Journal.open(path)
        counts.unreadable += journal.recovery is not None
        counts.lost += not is_whole(journal, put, known, before=started)
    except Vol3dError:
        counts.unreadable += 1


def is_whole(journal: Journal, put: list[tuple[int, str, int]], known: int, *, before: tuple[int, int]) -> bool:
    """Whether what was put is there in order, at least as far as acknowledged, and the labels are those of then."""
    length, crc = before
    layers = journal.layers()
    events = list(journal.history(layers[0]))[length:] if layers else []
    # The token of a move is not told to the caller: its kind and order are compared.
    there = [event.token if event.kind == "edit" else event.kind for event in events]
    meant = [token for _, token, _ in put]
    if there != meant[: len(there)] or len(there) < known:
        return False
    labels = replay(journal, layers[0]) if layers and journal.line(layers[0]).base else first_labels()
    return zlib.crc32(labels.tobytes()) == (put[len(there) - 1][2] if there else crc)


def journal_state(path: Path) -> tuple[int, int]:
    """Number of events, and checksum of the labels."""
    if not path.exists():
        return 0, zlib.crc32(first_labels().tobytes())
    journal = Journal.open(path)
    layers = journal.layers()
    if not layers or journal.line(layers[0]).base is None:
        return 0, zlib.crc32(first_labels().tobytes())
    return len(journal.history(layers[0])), zlib.crc32(replay(journal, layers[0]).tobytes())


def work(path: Path, seed: int, say: Callable[..., None]) -> None:
    """Correct labels until killed."""
    journal = Journal.open(path)

    def tell(report: Report) -> None:
        if isinstance(report, Acknowledged):
            say("ack", report.sequence)

    writer = Writer(journal, tell=tell, patience=OVER_TIME)  # all in one file: falling back has tests of its own
    layer, labels = _resume(journal, writer, say)
    line = journal.line(layer)
    sequence = 0 if line.base else 1

    def put(what: str) -> None:
        nonlocal sequence
        sequence += 1
        say("put", sequence, what, zlib.crc32(labels.tobytes()))

    def append(edit: Edit) -> str:
        # The token is known only once the writer has it; so it is told first what it will be.
        token = f"{seed:08x}{sequence:08x}{os.getpid():08x}"
        put(token)
        with _Token(token):
            return writer.append(layer, edit)

    def move(token: str | None) -> None:
        put("move")
        writer.move(layer, token)

    person = Person(labels, append, move, seed=seed)
    person.done = [(event.token, edit) for event, edit in zip(line.done, journal.edits(line.done), strict=True)]
    while True:
        for _ in range(int(person.rng.integers(1, BURST))):
            person.step()
        time.sleep(float(person.rng.uniform(0, 0.01)))


def _resume(journal: Journal, writer: Writer, say: Callable[..., None]) -> tuple[Layer, NDArray[Any]]:
    layers = journal.layers()
    if layers and journal.line(layers[0]).base:
        writer.watch(layers[0], journal.line(layers[0]).cursor)
        return layers[0], replay(journal, layers[0])
    labels = first_labels()
    layer = layers[0] if layers else layer_of(labels)
    say("put", 1, "base", zlib.crc32(labels.tobytes()))
    writer.begin(layer, labels.copy())
    return layer, labels


class _Token:
    """Let the writer's next token be this one."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __enter__(self) -> None:
        from napari_vol3d.review import writer

        self.kept, writer.new_token = writer.new_token, lambda: self.token

    def __exit__(self, *_: object) -> None:
        from napari_vol3d.review import writer

        writer.new_token = self.kept


# ---- the control arm ------------------------------------------------------------------------------------------------


def control_life(path: Path, rng: np.random.Generator, counts: Counts) -> None:
    """The same with a plain file."""
    counts.control_kills += 1
    seed = int(rng.integers(2**31))
    said = _live_and_die(lambda say: work_plainly(path, seed, say), float(rng.uniform(0, LONGEST)))
    known = max((int(rest[0]) for kind, *rest in said if kind == "ack"), default=0)
    counts.control_acknowledged += known
    try:
        counts.control_lost += path.exists() and len(pickle.loads(path.read_bytes())) < known
    except (EOFError, pickle.UnpicklingError):
        counts.control_unreadable += 1
        path.unlink()


def work_plainly(path: Path, seed: int, say: Callable[..., None]) -> None:
    """Save all edits after each, over the file that is there."""
    edits: list[Edit] = pickle.loads(path.read_bytes()) if path.exists() else []
    labels, rng = first_labels(), np.random.default_rng(seed)
    while True:
        edits.append(random_edit(labels, rng))
        with path.open("wb") as file:
            pickle.dump(edits, file)
        say("ack", len(edits))
        time.sleep(float(rng.uniform(0, 0.01)))


# ---- life and death -------------------------------------------------------------------------------------------------


def _live_and_die(live: Callable[[Callable[..., None]], None], seconds: float) -> list[list[str]]:
    """Fork, let it live so long, kill it, and give its last words: only whole lines count."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        _live(live, writes)
    os.close(writes)
    try:
        words = b"" if seconds > LONGEST / 2 else os.read(reads, 65536)
        words += _hear(reads, seconds)
        os.kill(child, signal.SIGKILL)
        words += _hear(reads, OVER_TIME)
    finally:
        os.close(reads)
        _, status = os.waitpid(child, 0)
    lines = words.decode().split("\n")[:-1]
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"a life ended by itself: {lines[-1:]}")
    return [line.split() for line in lines]


def _live(live: Callable[[Callable[..., None]], None], writes: int) -> None:
    """Never return: this is the child."""

    def say(*words: Any) -> None:
        os.write(writes, (" ".join(map(str, words)) + "\n").encode())  # short ones are never torn

    try:
        live(say)
    except BaseException as error:  # noqa: BLE001 - told by the parent
        say("error", repr(error))
    os._exit(1)


def _hear(reads: int, seconds: float) -> bytes:
    """Read for so long, or until nobody is left who could write."""
    import select

    words, until = b"", time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([reads], [], [], left)[0]:
            part = os.read(reads, 65536)
            if not part:
                break
            words += part
    return words


def main() -> None:
    """Kill, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    counts = run(given.kills, given.folder, given.seed, Counts())
    print(json.dumps(asdict(counts)))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
