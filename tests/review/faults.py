"""Let every call that touches the journal's files fail, one after the other; run with failing.c loaded before libc.

`python -m tests.review.faults FOLDER STRIDE` prints the counts as JSON. Each trial is a fork: a person corrects labels
through the writer while call number k fails; then the fault is gone, and what was acknowledged must be there.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import sys
import zlib
from pathlib import Path

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review import fallback, keeper
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.replay import replay
from napari_vol3d.review.reports import Acknowledged, Report
from napari_vol3d.review.writer import Writer
from tests.review.scripts import Person, first_labels, layer_of

STEPS, LONG, PATIENCE = 6, 30.0, 0.3
FAULT = ctypes.CDLL(None)


def trial(folder: Path, k: int, error: int, lasting: bool) -> tuple[str, int]:
    """Correct while call k fails; give a verdict, and the number of calls."""
    os.environ["VOL3D_JOURNALS"] = str(folder / "own")
    main = folder / "main"
    main.mkdir(parents=True)
    journal = Journal.open(main / "a.journal")
    first = first_labels()
    layer, states, known = layer_of(first), [zlib.crc32(first.tobytes())], [0]

    def tell(report: Report) -> None:
        if isinstance(report, Acknowledged):
            known[0] = report.sequence

    # A fault that lasts is that of one disk; one that passes may hit any.
    FAULT.arm(os.fsencode(main if lasting else folder), k, error, int(lasting))
    writer = Writer(journal, tell=tell, patience=PATIENCE)
    writer.begin(layer, first.copy())
    person = Person(first.copy(), lambda e: writer.append(layer, e), lambda t: writer.move(layer, t), seed=3)
    for _ in range(STEPS):
        person.step()
        states.append(zlib.crc32(person.labels.tobytes()))
        writer.flush(LONG)
    try:
        writer.close()
    except Vol3dError:
        return "not written", FAULT.count()
    calls = FAULT.count()
    FAULT.arm(b"", 0, 0, 0)
    return verdict(main / "a.journal", layer.key, states, known[0]), calls


def verdict(path: Path, key: str, states: list[int], known: int) -> str:
    """What the next program finds."""
    journal = Journal.open(path)
    fallback.gather(journal)
    if journal.recovery is not None:
        return "damaged"
    layer = next((layer for layer in journal.layers() if layer.key == key), None)
    if layer is None:
        return "lost"
    there = len(journal.history(layer))
    right = zlib.crc32(replay(journal, layer).tobytes()) == states[there - 1]
    return "kept" if right and there >= known == len(states) else "lost"


def main() -> None:
    """Try them all."""
    keeper.RETRY_FIRST = 0.02
    folder, stride = Path(sys.argv[1]), int(sys.argv[2])
    counts: dict[str, int] = {"trials": 0}
    _, calls = in_a_fork(folder / "0", 0, 0, False)
    for error in (errno.ENOSPC, errno.EIO):
        for lasting in (False, True):
            for k in range(1 + error % stride, calls + 1, stride):
                said, _ = in_a_fork(folder / f"{error}-{lasting}-{k}", k, error, lasting)
                counts[said] = counts.get(said, 0) + 1
                counts["trials"] += 1
    print(json.dumps({"calls": calls, **counts}))  # noqa: T201 - what it is for


def in_a_fork(*given: object) -> tuple[str, int]:
    """Each trial begins with a process that has opened nothing."""
    reads, writes = os.pipe()
    if os.fork() == 0:
        try:
            answer = trial(*given)
        except BaseException as error:  # noqa: BLE001 - told by the parent
            answer = (repr(error), 0)
        os.write(writes, json.dumps(answer).encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as file:
        said = file.read()
    os.wait()
    word, calls = json.loads(said)
    return word, calls


if __name__ == "__main__":
    main()
