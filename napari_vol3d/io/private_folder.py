"""Folders for what need not outlive the program, and what is left of those whose program was killed."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from napari_vol3d.io.safe_write import HOST, OLD

# The name says whose it is, from its first moment on; a temporary folder may be shared with other machines.
FOLDER = re.compile(rf"vol3d-{HOST}-(\d{{1,9}})-\w{{8}}")


def make_private_folder() -> Path:
    """Make a folder that only this user can read, after those of killed programs have been removed."""
    _clear_up(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=f"vol3d-{HOST}-{os.getpid()}-"))


def _clear_up(folder: Path) -> None:
    """Remove folders of ours, of this machine, whose program is gone: they may hold a whole scan.

    A folder that is shared with an engine is removed by that, unless both were killed: by the memory killer, or with
    the machine. A process that only has the number of the dead one keeps the folder for another time: telling them
    apart by their start needs a clock that nobody sets.
    """
    import psutil

    for left in list(folder.glob("vol3d-*")):
        named = FOLDER.fullmatch(left.name)
        with suppress(OSError):  # another program is at the same
            if not named or not stat.S_ISDIR(left.lstat().st_mode) or psutil.pid_exists(int(named[1])):
                continue
            # As in safe_write: a container's host may have our name, and its processes are not seen.
            changed = max(path.lstat().st_mtime for path in (left, *left.iterdir()))
            if time.time() - changed > OLD:
                shutil.rmtree(left, ignore_errors=True)
