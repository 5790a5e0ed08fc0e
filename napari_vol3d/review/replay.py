"""From a journal to the array, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.review.journal import Journal, widest
from napari_vol3d.review.line import Line
from napari_vol3d.review.records import Event, Layer
from napari_vol3d.review.schema import JournalDamaged


def replay(journal: Journal, layer: Layer, base: NDArray[Any] | None = None) -> NDArray[Any]:
    """Do all edits up to the cursor.

    Parameters
    ----------
    base : ndarray of an unsigned integer type, shape (Z, Y, X) or (T, Z, Y, X), optional
        The labels before the first edit, left as they are; by default those that the journal keeps.

    Returns
    -------
    ndarray
        An array of its own, of the base's type, or a wider one where an edit needed it.

    Raises
    ------
    ScanMismatch
        If the base is not what the edits were made on: each is compared with the voxels that it started from.
    JournalDamaged
        If an edit can't be read: nothing is ever left out in silence.
    """
    line = journal.line(layer)
    if line.broken:
        raise JournalDamaged(f"The journal {journal.path.name} lacks edits.", hint="Open it again to recover it.")
    labels = base_of(journal, layer, line) if base is None else base
    if layer.shape and labels.shape != layer.shape:
        raise ScanMismatch(
            f"The labels have another shape: {labels.shape}, the corrections were made on {layer.shape}.",
            hint="Choose the labels that were corrected.",
        )
    return _done(journal, line, labels)


def base_of(journal: Journal, layer: Layer, line: Line) -> NDArray[Any]:
    """Give the labels that the journal keeps as the start of a layer's history.

    Raises
    ------
    ScanMismatch
        If it keeps none.
    """
    if line.base is None or not layer.shape:  # a layer without a shape was lost with a damaged page
        raise ScanMismatch(
            f"The journal keeps corrections of {layer.name!r}, and not what they were made on.",
            hint="Open the labels that were corrected.",
        )
    (event,) = journal.with_voxels([line.base])
    return event.base(layer.shape)


def done_up_to(journal: Journal, line: Line, base: NDArray[Any], cursor: str | None) -> NDArray[Any]:
    """Do all edits that lead to one (None: none), which may lie on a branch that was left.

    Raises
    ------
    ScanMismatch, JournalDamaged
        As `replay` does.
    """
    way = Line.of([*line.edits.values(), Event(layer="", kind="move", cursor=cursor)])
    if way.broken:
        raise JournalDamaged(f"The journal {journal.path.name} lacks edits.", hint="Open it again to recover it.")
    return _done(journal, way, base)


def _done(journal: Journal, line: Line, base: NDArray[Any]) -> NDArray[Any]:
    labels = base.astype(widest(base.dtype, line))
    for number, edit in enumerate(journal.edits(line.done), start=1):
        if not edit.fits(labels):
            raise ScanMismatch(
                f"These are not the labels that were corrected: step {number}, {edit.name!r}, does not fit.",
                hint="Choose the labels that were corrected.",
            )
        edit.apply(labels)
    return np.ascontiguousarray(labels)
