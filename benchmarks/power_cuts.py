"""Cut the power while corrections are written, 200 times: none that was acknowledged may be lost.

Run by hand: `python benchmarks/power_cuts.py [--cuts N] [--seed S] [--json FILE] [--quick]` (on Linux, with a C
compiler). The cuts are simulated: all calls of the program that change files are recorded, and at a random moment a
disk keeps what was flushed by then, and of the rest any sectors it likes, in any order (`tests/review/disk.py`). A
real disk may do worse: one that says that it has flushed and has not keeps nothing safe. With no loss in n cuts, the
chance of one is below 3/n with 95 % confidence. The control arm is the same journal with `synchronous` OFF.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from common import REPO, arguments, cores, finish, machine, tell

CUTS, QUICK_CUTS = 200, 40
WORKERS = 4  # at most: they wait for the disk


def main() -> None:
    """Cut, count, and tell."""
    sys.path.insert(0, str(REPO))
    from tests.review.power import cut_in_a_child

    parser = arguments(__doc__)
    parser.add_argument("--cuts", type=int, help=f"how many; {CUTS:,}, with --quick {QUICK_CUTS}")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    cuts = given.cuts or (QUICK_CUTS if given.quick else CUTS)
    workers = min(WORKERS, cores(), cuts)
    figures, started, counts = machine("SQLAlchemy"), time.perf_counter(), Counter[str]()
    tell(f"{cuts} cuts of each arm, seed {given.seed}.")
    with TemporaryDirectory(prefix="vol3d-cuts-") as folder, ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(partial(cut_in_a_child, len(range(k, cuts, workers)), Path(folder), seed=given.seed + k))
            for k in range(workers)
        ]
        for job in jobs:
            counts.update(job.result())
    tell(f"{counts['lost']} lost of {counts['acknowledged']} acknowledged: below {3 / cuts:.1%} a cut where 0.")
    finish({**figures, **counts, "seconds": time.perf_counter() - started}, given.json)


if __name__ == "__main__":
    main()
