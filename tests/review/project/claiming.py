"""A program that claims readings: `python -m tests.review.project.claiming JOURNAL WHO`.

For each reading that is named on a line of its input it says "got" or "held by WHO"; it keeps all that it got.
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lock import Lock
from napari_vol3d.review.project import claims


def main(path: str, who: str) -> None:
    journal = Journal(Path(path))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        got = claims.claim(journal, line.strip(), who=who)
        sys.stdout.write("got\n" if isinstance(got, Lock) else f"held by {got.who}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
