"""Damaged files by the thousand: none may crash, hang, take too much memory, or be shown as something else in silence.

Run by hand: `python benchmarks/mutations.py [--files N] [--seed S] [--json FILE] [--quick]`. Seven formats in turn;
each file is damaged at random and read in a process of its own, under a limit on memory and time. What they are and
how they are damaged says `tests/io/mutations.py`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from common import REPO, arguments, cores, finish, machine, table, tell

sys.path.insert(0, str(REPO))
from tests.io.caged import Cage
from tests.io.mutations import FORMATS, Result, run

FILES, QUICK_FILES = 10_000, 700
VERDICTS = (
    "crashes", "hangs", "over_memory", "silent", "refused", "same", "different_unprotected", "header_changed",
)  # fmt: skip
NAMES = {"crash": "crashes", "hang": "hangs"}
WRONG = ("crash", "hang", "over_memory", "silent")
MOST_SHOWN = 20


def read_share(worker: int, workers: int, each: int, seed: int) -> list[Result]:
    """Read the files of one of several workers: of each format a run of numbers."""
    results: list[Result] = []
    numbers = range(each * worker // workers, each * (worker + 1) // workers)
    with Cage() as cage:
        for format in FORMATS:
            with TemporaryDirectory(prefix="vol3d-mutations-") as folder:
                results += run(format, numbers, Path(folder), cage, seed=seed)
    return results


def main() -> None:
    """Read them, and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--files", type=int, help=f"how many; {FILES:,}, with --quick {QUICK_FILES}")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    each = -(-(given.files or (QUICK_FILES if given.quick else FILES)) // len(FORMATS))
    figures = machine("nibabel", "pydicom", "tifffile", "zarr")
    tell(f"{each} damaged files of each of {len(FORMATS)} formats, seed {given.seed}.")
    started = time.perf_counter()
    with ThreadPoolExecutor(cores()) as pool:
        shares = pool.map(lambda worker: read_share(worker, cores(), each, given.seed), range(cores()))
        results = [result for share in shares for result in share]
    counts = Counter(NAMES.get(result.verdict, result.verdict) for result in results)
    by_format = Counter((result.format, NAMES.get(result.verdict, result.verdict)) for result in results)
    table(("format", *VERDICTS), [(name, *(by_format[name, verdict] for verdict in VERDICTS)) for name in FORMATS])
    for result in [result for result in results if result.verdict in WRONG][:MOST_SHOWN]:
        last = result.words.strip().rpartition("\n")[2]
        tell(f"{result.verdict}: {result.format} {result.number}, {result.kind}, seed {given.seed}: {last}")
    figures |= {"files": len(results), **{verdict: counts[verdict] for verdict in VERDICTS}}
    finish({**figures, "seconds": time.perf_counter() - started}, given.json)


if __name__ == "__main__":
    main()
