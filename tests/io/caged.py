"""Reading files that may be hostile: a process of its own for each, with a limit on memory and on time.

A server imports the readers once and forks for every file; a child that crashes, hangs or asks for too much memory
takes nothing with it. Run as a module it is that server: a JSON line in, a JSON line out.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Volume
from napari_vol3d.io import npy
from napari_vol3d.io.held import held_from_stored
from napari_vol3d.io.parts import SeveralParts
from napari_vol3d.io.registry import FORMATS, read_volume
from napari_vol3d.io.times import time_step

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_ADDRESSES, MOST_SECONDS = 2_500_000_000, 10.0
MOST_RESIDENT = 500_000_000  # grown by reading a file of some kilobytes
# One arena and one thread: each more would reserve addresses that the limit then counts.
QUIET = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
ALSO = ("highdicom", "SimpleITK", "zarr", "numcodecs", "imagecodecs", "psutil")

Verdict = Literal["read", "refused", "asked", "crash", "hang", "over_memory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of reading a file.

    Attributes
    ----------
    verdict : str
        "read"; "refused" with one sentence; "asked" which part is wanted; "crash" is a signal or any other exception.
    words : str
        The sentence, or how it crashed.
    facts : mapping
        Of what was read, as `facts_of` gives them.
    grown : int
        Bytes of memory that were really used, at most, beyond the server's own.
    """

    verdict: Verdict
    words: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    grown: int = 0


class Cage:
    """A server that reads one file after another, each in a child of its own."""

    def __init__(
        self, *, addresses: int = MOST_ADDRESSES, seconds: float = MOST_SECONDS, mapped_from: int | None = None
    ) -> None:
        limits = [str(addresses), str(seconds), str(npy.MAPPED_FROM if mapped_from is None else mapped_from)]
        # Warnings are errors, as in all tests: a damaged file must not make a library talk.
        self._server = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.io.caged", *limits], cwd=ROOT, env={**os.environ, **QUIET},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def read(self, path: Path, part: str | None = None) -> Outcome:
        """Read a file there."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps([str(path), part]) + "\n")
        self._server.stdin.flush()
        return Outcome(**json.loads(self._server.stdout.readline()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()


def facts_of(volume: Volume) -> dict[str, Any]:
    """Tell what a person sees of a volume: voxels and their places in the file's own axis order, names, times."""
    grid, voxels = volume.geometry.stored, np.asarray(volume.data)
    facts = facts_about(grid.to_stored(voxels), volume.geometry.affine @ held_from_stored(grid, volume.shape))
    return facts | {
        "held": [*grid.axes, *grid.flips], "unit": volume.geometry.unit, "anatomical": volume.geometry.anatomical,
        "channels": list(volume.channels), "timed": volume.timed, "step": time_step(volume),
        "classes": [[item.id, item.name, item.color] for item in volume.classes], "is_labels": volume.is_labels,
    }  # fmt: skip


def facts_about(stored: np.ndarray, affine: np.ndarray) -> dict[str, Any]:
    """Tell what is in an array, and where: `affine` maps its own first three indices to the world."""
    content = np.ascontiguousarray(stored)
    return {
        "shape": list(content.shape), "dtype": content.dtype.str, "affine": np.asarray(affine).ravel().tolist(),
        "voxels": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip


def serve(addresses: int, seconds: float) -> None:
    """Read files named on standard input until that ends."""
    for module in (*(f.read.partition(":")[0] for f in FORMATS if f.read), *ALSO):
        import_module(module)
    gc.freeze()  # memory is shared with the children until they write to it; a collection would
    for line in sys.stdin:
        path, part = json.loads(line)
        with tempfile.TemporaryFile("w+") as told:
            child = os.fork()
            if not child:
                _read_and_end(Path(path), part, told.fileno(), addresses, seconds)
            _, status = os.waitpid(child, 0)
            told.seek(0)
            text = told.read()
        outcome = json.loads(text) if text and not status else asdict(_ended(status))
        sys.stdout.write(json.dumps(outcome) + "\n")
        sys.stdout.flush()


def _read_and_end(path: Path, part: str | None, told: int, addresses: int, seconds: float) -> None:
    """In the child: read, tell, end; whatever happens, it never goes back into the server's loop."""
    code = 1
    try:
        # Its default action ends the process, also one that hangs in C.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        before = _memory("VmRSS")
        resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize") + addresses,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        outcome = _outcome(path, part)
        grown = max(0, _memory("VmHWM") - before)
        verdict = "over_memory" if grown > MOST_RESIDENT else outcome["verdict"]
        os.write(told, json.dumps({**outcome, "verdict": verdict, "grown": grown}).encode())
        code = 0
    finally:
        os._exit(code)


def _outcome(path: Path, part: str | None) -> dict[str, Any]:
    try:
        return {"verdict": "read", "facts": facts_of(read_volume(path, part))}
    except SeveralParts as question:
        return {"verdict": "asked", "words": str(question)}
    except Vol3dError as problem:
        return {"verdict": "over_memory" if _lacks_memory(problem) else "refused", "words": str(problem)}
    except MemoryError as error:
        return {"verdict": "over_memory", "words": repr(error)}
    except BaseException:  # noqa: BLE001 - telling of anything else is what this is for
        return {"verdict": "crash", "words": traceback.format_exc()}


def _lacks_memory(error: BaseException | None) -> bool:
    """Whether memory was asked for that there is not, whatever was made of it."""
    while error is not None:
        if isinstance(error, MemoryError) or "allocate" in str(error).lower():
            return True
        error = error.__cause__ or error.__context__
    return False


def _ended(status: int) -> Outcome:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        return Outcome(verdict="hang")
    ended = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"
    return Outcome(verdict="crash", words=ended)


def _memory(name: str) -> int:
    """Give a figure of this process's memory in bytes; 0 where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


if __name__ == "__main__":
    npy.MAPPED_FROM = int(sys.argv[3])
    serve(int(sys.argv[1]), float(sys.argv[2]))
