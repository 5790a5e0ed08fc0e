"""Kill -9 the program while it writes corrections, a thousand times: none that was acknowledged may be lost.

Run by hand: `python benchmarks/kills.py [--kills N] [--seed S] [--json FILE] [--quick]` (not on Windows). A kill keeps
what the operating system holds in memory: of power cuts this says nothing. With no loss in n kills, the chance of one
is below 3/n with 95 % confidence. What a life does, and how it is judged, says `tests/review/killing.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from common import REPO, arguments, cores, finish, machine, tell

KILLS, QUICK_KILLS = 1_000, 100
WORKERS = 4  # at most: they wait for the disk


def kill_share(kills: int, folder: Path, seed: int) -> dict[str, int]:
    """Let a process of its own do some of the kills: it forks, which this one, with its threads, must not."""
    command = [sys.executable, "-m", "tests.review.killing"]
    command += ["--kills", str(kills), "--folder", str(folder), "--seed", str(seed)]
    told = subprocess.run(command, cwd=REPO, stdout=subprocess.PIPE, text=True, check=True)
    counts: dict[str, int] = json.loads(told.stdout)
    return counts


def main() -> None:
    """Kill, count, and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--kills", type=int, help=f"how many; {KILLS:,}, with --quick {QUICK_KILLS}")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    kills = given.kills or (QUICK_KILLS if given.quick else KILLS)
    workers = min(WORKERS, cores(), kills)
    figures, started, counts = machine("SQLAlchemy"), time.perf_counter(), Counter[str]()
    tell(f"{kills} kills of each arm, seed {given.seed}.")
    with TemporaryDirectory(prefix="vol3d-kills-") as folder, ThreadPoolExecutor(workers) as pool:
        shares = [len(range(worker, kills, workers)) for worker in range(workers)]
        seeds = range(given.seed, given.seed + workers)
        for share in pool.map(kill_share, shares, [Path(folder)] * workers, seeds):
            counts.update(share)
    tell(f"{counts['lost']} lost of {counts['acknowledged']} acknowledged: below {3 / kills:.1%} a kill where 0.")
    finish({**figures, **counts, "seconds": time.perf_counter() - started}, given.json)


if __name__ == "__main__":
    main()
