"""From a journal back into a session: the labels, their history, and which voxels a person had touched."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.touched import Touched
from napari_vol3d.review import fallback
from napari_vol3d.review.history import MODEL
from napari_vol3d.review.journal import Journal, widest
from napari_vol3d.review.line import Line
from napari_vol3d.review.records import Layer
from napari_vol3d.review.replay import base_of
from napari_vol3d.review.schema import JournalDamaged


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restored:
    """A layer as it was left.

    Attributes
    ----------
    labels : ndarray, shape `layer.shape`
    line : Line
        Its history.
    touched : Touched
        What a person had touched.
    note : str
        What became of the journal, if it was damaged.
    path : Path
        The journal.
    """

    layer: Layer
    labels: NDArray[Any]
    line: Line
    touched: Touched
    path: Path
    note: str = ""


def restore(path: Path, layer: Layer) -> Generator[Progress, None, Restored]:
    """Do all edits up to the cursor again, step by step; `replay.replay` gives the same labels at once.

    Raises
    ------
    ScanMismatch, JournalDamaged, JournalProblem
        If the labels can't be had as they were left: nothing is left out in silence.
    """
    journal = Journal.open(path)
    fallback.gather(journal)  # what a program that has ended could not write there
    return (yield from play(journal, layer))


def play(journal: Journal, layer: Layer) -> Generator[Progress, None, Restored]:
    """Do the same in a journal that is open, and has all that belongs to it.

    Raises
    ------
    ScanMismatch, JournalDamaged, JournalProblem
        As `restore` does.
    """
    path, line = journal.path, journal.line(layer)
    if line.broken:
        raise JournalDamaged(f"The journal {path.name} lacks edits.", hint="Open it again to recover it.")
    base = base_of(journal, layer, line)
    labels = np.ascontiguousarray(base.astype(_widest(base, line)))
    touched = Touched(labels.shape)
    note = journal.recovery.words if journal.recovery else ""
    done = line.done
    for number, (event, edit) in enumerate(zip(done, journal.edits(done), strict=True), start=1):
        if not edit.fits(labels):
            raise ScanMismatch(
                f"Step {number} of {layer.name}, {event.name!r}, does not fit.", hint="Open the labels from a file."
            )
        edit.apply(labels)
        if event.who != MODEL:
            touched.add(event.token, edit)
        yield Progress(phase=f"Recovering {layer.name}", done=number, total=len(done))
    return Restored(layer=layer, labels=labels, line=line, touched=touched, path=path, note=note)


def _widest(base: NDArray[Any], line: Line) -> np.dtype[Any]:
    """Give the type that also holds what can be done again."""
    return np.result_type(widest(base.dtype, line), *(np.dtype(event.dtype) for event in line.ahead if event.dtype))
