"""Opening a project's file: proved, and recovered where it is damaged and nobody works in it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.review import damage, schema
from napari_vol3d.review.damage import Recovery
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lock import Held
from napari_vol3d.review.project.claims import holders
from napari_vol3d.review.project.soundness import look
from napari_vol3d.review.project.tables import is_project, prepare_project
from napari_vol3d.review.records import utc_now
from napari_vol3d.review.schema import JournalDamaged, JournalProblem


def prove(path: Path) -> Recovery | None:
    """See that a file is a project that can be worked with; nothing is written to one that is sound and up to date.

    Returns
    -------
    Recovery or None
        What was done where it was damaged; the damaged file is kept beside.

    Raises
    ------
    FileProblem
        If there is no such file, it is none of ours, or so damaged that nothing of it can be read.
    JournalProblem
        If it can't be read just now, or is damaged and can't be recovered now.
    """
    if not path.is_file():
        raise FileProblem(f"There is no project {path.name}.", hint="Choose a .vol3d file, or make one.")
    try:
        _prove(path)
    except JournalDamaged:
        recovery = _recover(path)
        _prove_again(path)
        return recovery
    return None


def prepare(path: Path) -> None:
    """Make the tables of a project in a new file, or bring an older one up to date."""
    schema.prepare(path, utc_now())
    with schema.told(path), closing(schema.connect(path)) as connection:
        prepare_project(connection, path.name)


def _prove(path: Path) -> None:
    schema.prepare(path, utc_now())
    with schema.told(path), closing(schema.connect(path)) as connection:
        if not is_project(connection):
            raise FileProblem(f"{path.name} is not a project.", hint="Choose a .vol3d file, or make one.")
    prepare(path)
    look(path)


def _prove_again(path: Path) -> None:
    try:
        _prove(path)
    except JournalDamaged as error:  # of a disk that loses what is written to it
        raise FileProblem(f"{path.name} is damaged again.", hint="Copy it to another disk.") from error


def _recover(path: Path) -> Recovery:
    for held in _working(path):
        raise JournalProblem(
            f"{path.name} is damaged, and in use: {held.words}", hint="Close it there, then open it again."
        )
    try:
        return damage.recover(path, readings=1)
    except SaveProblem as problem:
        raise JournalProblem(
            f"{path.name} is damaged and can't be recovered here: {problem.message}", hint=problem.hint
        ) from problem


def _working(path: Path) -> Iterable[Held]:
    """Give who works in it, as far as that can be read."""
    with suppress(JournalDamaged, JournalProblem):
        return holders(Journal(path)).values()
    return ()
