"""Serving: reports only on the pipe, and problems told as what they are, before and after the cage closes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from napari_vol3d.core.errors import EngineProblem, MemoryProblem, ModelProblem, ScanMismatch
from napari_vol3d.engine.landlock import find_abi
from napari_vol3d.engine.messages import REPORT, Failed, Ready
from napari_vol3d.engine.process import NO_MEMORY, answer_safely


def failing(error):
    raise error
    yield


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (ModelProblem("m"), "model"), (ScanMismatch("m"), "mismatch"), (MemoryError(), "memory"),
        (EngineProblem("m"), "engine"), (OSError(28, "No space left on device"), "engine"),
        (OSError(12, "Cannot allocate memory"), "memory"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_the_last_report(error, problem):
    (report,) = answer_safely(failing(error))
    assert isinstance(report, Failed)
    assert report.problem == problem
    assert (report == NO_MEMORY) == (problem == "memory")


def test_a_mistake_of_this_program_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        list(answer_safely(failing(ZeroDivisionError())))
    assert not issubclass(MemoryProblem, MemoryError)


def started(folder, *more):
    """Start an engine process with a closed pipe for requests, and give what it reported and its folder's fate."""
    command = [sys.executable, "-P", "-m", "napari_vol3d.engine", "--device", "cpu", "--folder", str(folder), *more]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ
    ) as process:  # fmt: skip
        line = process.stdout.readline()
        process.stdin.close()
        return REPORT.validate_python(json.loads(line)), process.wait(30)


def test_it_says_what_it_is_and_of_its_cage_and_goes_with_its_pipe(tmp_path):
    folder = tmp_path / "private"
    folder.mkdir()
    ready, code = started(folder, "--adopting")
    assert isinstance(ready, Ready)
    assert code == 0
    assert (ready.cage == "") == (find_abi() >= 6)
    assert not folder.exists()


def test_before_the_cage_nothing_is_imported_that_starts_threads_or_takes_time():
    code = "import sys, napari_vol3d.engine.__main__; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    assert not names - sys.stdlib_module_names - {"napari_vol3d", "__main__"} - _at_startup()


def _at_startup():
    """What this Python imports by itself, by its .pth files."""
    done = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True)
    return {name.split(".")[0] for name in done.stdout.split()}
