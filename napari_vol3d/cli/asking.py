"""Asking the person at the terminal."""

from __future__ import annotations

import sys


def agrees(question: str) -> bool:
    """Ask; only a yes counts, and where nobody sits there is none."""
    if not sys.stdin.isatty():
        return False
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
