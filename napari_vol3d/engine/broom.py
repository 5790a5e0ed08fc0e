"""A helper outside the cage that removes the engine's empty folder: a folder is its parent's, which the cage guards."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

SHELL = Path("/bin/sh")
# Without a word, as when the engine is killed, nothing is to be removed.
SCRIPT = 'while read -r word; do rmdir -- "$0" && exit; done'
TRIES, PAUSE = 100, 0.02  # seconds; another thread may put something in between emptying and removing


class Broom:
    """Made before the cage closes; removes a folder when told to, and ends with this process.

    A shell, because that is small and starts in a millisecond. All that it can be made to do is to remove that one
    folder, once it is empty.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._helper, self._pipe = 0, -1
        if hasattr(os, "posix_spawn") and SHELL.exists():
            with contextlib.suppress(OSError):
                self._start()

    def _start(self) -> None:
        listen, self._pipe = os.pipe()
        quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
        try:
            self._helper = os.posix_spawn(
                SHELL, [str(SHELL), "-c", SCRIPT, self.folder], {"PATH": os.defpath},
                file_actions=[(os.POSIX_SPAWN_DUP2, listen, 0), *quiet],
            )  # fmt: skip
        finally:
            os.close(listen)

    def sweep(self) -> None:
        """Remove the folder with all that is in it, and with what comes into it meanwhile."""
        for _ in range(TRIES):
            shutil.rmtree(self.folder, ignore_errors=True)
            if self._helper:
                with contextlib.suppress(OSError):  # it has ended: the folder is gone
                    os.write(self._pipe, b"go\n")
            if not os.path.lexists(self.folder):
                return
            time.sleep(PAUSE)
