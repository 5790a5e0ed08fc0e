"""What the engine process may use up: no core dumps, no endless files, no more memory than there is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

GIB = 1024**3
# Largest file that the engine writes itself: a trained or an adopted network, never a scan; those the parent makes.
LARGEST_FILE = 8 * GIB
LEAST_MEMORY = 16 * GIB
ADOPTING_MEMORY = (4 * GIB, 8 * GIB)  # at least, at most, beside half of what is installed
ADOPTING_SECONDS = 15 * 60  # of computing, all threads together
LAST_SECONDS = 5  # between the signal that says why (SIGXCPU), and the end without a word
PER_CORE = GIB // 4  # address space that a core's threads reserve for stacks and heaps, and hardly fill


def set_limits(*, gpu: bool, adopting: bool = False) -> None:
    """Set this process' limits, as far as this system has them.

    Parameters
    ----------
    gpu : bool
        Whether it may use one: CUDA maps more addresses than there is memory, so these remain unlimited.
    adopting : bool
        Whether it is to look at a stranger's network: less memory, and an end to computing.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": LARGEST_FILE}
    if not gpu:
        limits["RLIMIT_AS"] = memory_limit(adopting=adopting)
    if adopting:
        limits["RLIMIT_CPU"] = ADOPTING_SECONDS
    for name, limit in limits.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            lower = [old for old in resource.getrlimit(kind) if old != resource.RLIM_INFINITY]
            ends = min([limit + LAST_SECONDS * (name == "RLIMIT_CPU"), *lower])
            with contextlib.suppress(ValueError, OSError):  # a Mac takes no limit of addresses
                resource.setrlimit(kind, (min([limit, *lower]), ends))


def memory_limit(*, adopting: bool) -> int:
    """Give how many bytes of addresses the process may use."""
    installed, swap = _memory()
    spread = PER_CORE * (os.cpu_count() or 1)
    if adopting:
        least, most = ADOPTING_MEMORY
        return max(least, min(most, installed // 2)) + spread
    return max(LEAST_MEMORY, installed + swap) + spread


def _memory() -> tuple[int, int]:
    """Give the bytes of memory and swap of this machine; nothing where it doesn't say."""
    info = Path("/proc/meminfo")
    lines = (line.split() for line in info.read_text().splitlines()) if info.is_file() else ()
    known = {words[0]: int(words[1]) * 1024 for words in lines if len(words) > 1}
    return known.get("MemTotal:", 0), known.get("SwapTotal:", 0)
