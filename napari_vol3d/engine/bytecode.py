"""Compiled Python modules: written once before the cage closes, because no start after it can write them.

Some installers leave the compiling to the first import; each start would compile Keras and its backend again.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from importlib.machinery import PathFinder
from importlib.util import cache_from_source
from pathlib import Path

WITHIN_SECONDS = 90.0  # the parent waits for two minutes


def compile_once(backend: str) -> bool:
    """Import Keras and its backend in a process without cage if that would leave compiled modules; tell whether.

    Nothing of a person's is read there, and no network.
    """
    if sys.dont_write_bytecode or not any(_wants_compiling(name) for name in ("keras", backend)):
        return False
    command = [sys.executable, "-P", "-c", f"import keras, {backend}, h5py"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            command, env={**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "-1"}, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=WITHIN_SECONDS,
        )  # fmt: skip
    return True


def _wants_compiling(name: str) -> bool:
    spec = PathFinder.find_spec(name)  # the path only: a package is found without being imported
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return False
    return not Path(cache_from_source(spec.origin)).exists() and os.access(Path(spec.origin).parent, os.W_OK)
