"""Folders that take their name whole: made beside it, and moved there in one step."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.io import gate
from napari_vol3d.io.safe_write import HOST, WAYS_ON
from napari_vol3d.io.zarr_store import METADATA


def refuse_occupied(target: Path, *, overwrite: bool) -> None:
    """Refuse a target that is there already, unless it is a Zarr folder that may be replaced."""
    restore(target)
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise SaveProblem(f"{target.name} was not saved: it is already there.", hint="Choose another name.")
    if target.is_symlink() or not any((target / name).is_file() for name in METADATA):
        raise SaveProblem(f"{target.name} was not saved: what is there is no Zarr folder.", hint="Choose another name.")


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Make a folder whose name says whose it is; `safe_write` removes those of programs that were killed."""
    folder = Path(tempfile.mkdtemp(prefix=f".saving-{HOST}-{os.getpid()}-", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def moved_away(target: Path) -> Iterator[None]:
    """Take an older folder out of the way, put it back if the new one can't take its place, else throw it away.

    It lies in a folder called as the target and ``.replaced``, which nobody clears away: a program that is killed here
    leaves it to be put back by `restore`.

    Raises
    ------
    SaveProblem
        If it can be put back by nobody but the person.
    """
    restore(target)
    if not target.exists():
        yield
        return
    aside = _aside(target)
    aside.mkdir()
    try:
        target.rename(aside / target.name)
        yield
    except BaseException as error:
        try:
            restore(target)
        except OSError:
            raise SaveProblem(
                f"{target.name} was not saved: its place could not be taken.",
                hint=f"What was there lies in {aside.name}; move it back.",
            ) from error
        raise
    shutil.rmtree(aside, ignore_errors=True)


def restore(target: Path) -> None:
    """Finish a replacement that was cut short: put the older folder back, or throw it away if the new one is there."""
    aside = _aside(target)
    older = aside / target.name
    if not aside.is_dir() or {path.name for path in aside.iterdir()} - {target.name}:
        return  # there is none, or it is somebody else's
    if older.exists() and not target.exists():
        older.rename(target)
    shutil.rmtree(aside)


def lies_aside(target: Path) -> bool:
    """Whether a folder that is not there was being replaced when a program was killed."""
    return not target.exists() and (_aside(target) / target.name).exists()


def _aside(target: Path) -> Path:
    return target.with_name(f"{target.name}.replaced")


@contextmanager
def saving(target: Path) -> Iterator[None]:
    """Turn what the system, zarr and its codecs raise into a `SaveProblem`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise SaveProblem(f"{target.name} was not saved: {reason}.", hint=WAYS_ON.get(error.errno or 0, "")) from error
    except FileProblem as error:
        raise SaveProblem(
            f"{target.name} was not saved: it could not be read back. {error.message}", hint=error.hint
        ) from error
    except gate.DAMAGE as error:
        reason = str(error) or type(error).__name__
        raise SaveProblem(f"{target.name} was not saved: {reason}.", hint="Try another disk.") from error
