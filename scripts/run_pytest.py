"""Run pytest; where it dies in the middle of a test, say so last: in which test, and where in it.

    python scripts/run_pytest.py LAST_WORDS [ARGUMENTS OF pytest]

What runs the tests may keep the last lines of what they print only, and a crash prints the stack of each thread with
the frames of pytest last. So what pytest says on stderr comes when it has ended, and what matters of it is added to
the file LAST_WORDS too, with the names of tests that failed; scripts/run_tests.sh shows it at its end.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

FRAMES = 15
OF_PYTEST = ("/_pytest/", "/pluggy/", "/pytest/", "<frozen runpy>")


def main() -> int:
    """Give pytest's exit status; of a signal as a shell has it."""
    last_words, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="vol3d-pytest-") as folder:
        test, stacks = Path(folder, "test"), Path(folder, "stacks")
        code = run(arguments, stacks, {"VOL3D_TEST_NOW": str(test), "VOL3D_LAST_WORDS": last_words})
        said = stacks.read_text(errors="replace")
        sys.stderr.write(said)
        if code < 0 or test.exists():
            place = test.read_text() if test.exists() else "no test"
            lines = [f"pytest ended ({ending(code)}) in the middle of {place}", *what_matters(said)]
            with Path(last_words).open("a") as file:
                file.writelines(f"{line}\n" for line in lines)
    return code if code >= 0 else 128 - code


def run(arguments: list[str], stacks: Path, environment: dict[str, str]) -> int:
    """Run it, with stderr into a file."""
    command = [sys.executable, "-m", "pytest", *arguments]
    with stacks.open("w") as stderr, subprocess.Popen(command, stderr=stderr, env=os.environ | environment) as process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is pytest's: it ends in its own way
        return process.wait()


def ending(code: int) -> str:
    """Name the signal, or tell the exit status."""
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def what_matters(said: str) -> list[str]:
    """Pick from what Python prints at a crash or after the ten minutes: why, and the innermost frames of one thread.

    That is the thread that crashed, or else the main one, which comes last.
    """
    reasons = re.findall(r"^(?:Fatal Python error|Timeout).*", said, re.MULTILINE)
    threads = re.findall(r"^(?:Current thread|Thread) .*(?:\n  .*)+", said, re.MULTILINE)
    crashed = [thread for thread in threads if thread.startswith("Current")]
    frames = [frame for thread in (crashed or threads)[-1:] for frame in thread.splitlines()[1:]]
    return [*reasons[-1:], *[frame for frame in frames if not any(part in frame for part in OF_PYTEST)][:FRAMES]]


if __name__ == "__main__":
    sys.exit(main())
