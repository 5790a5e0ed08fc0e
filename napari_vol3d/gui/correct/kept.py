"""The histories of layers that were taken away or whose dock was closed, for when they come again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import napari
from napari.layers import Labels

from napari_vol3d.core.shadow import Shadow
from napari_vol3d.core.touched import Touched
from napari_vol3d.gui.correct.book import Book
from napari_vol3d.gui.correct.ledger import Ledger
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.review.line import Line
from napari_vol3d.review.records import Layer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """What a record knew when it was let go; its edits lie in the journal.

    Attributes
    ----------
    shadow : Shadow
        The labels as they were then: what is done to them meanwhile is seen.
    """

    layer: Layer
    path: Path
    line: Line
    touched: Touched
    shadow: Shadow


_kept: WeakKeyDictionary[Labels, Kept] = WeakKeyDictionary()


def keep(record: Record) -> None:
    """Remember a record that was let go, as long as its layer lives."""
    place, line, labels = record.book.place, record.history.line, record.layer.data
    if place is not None and line.edits and labels.shape == record.shadow.shape:
        # Whoever writes the first labels to the disk may have the shadow yet.
        shadow = Shadow(labels) if record.shadow.lent else record.shadow
        _kept[record.layer] = Kept(layer=place[0], path=place[1], line=line, touched=record.touched, shadow=shadow)


def resumed(viewer: napari.Viewer, layer: Labels, ledger_of: Callable[[Path], Ledger]) -> Record | None:
    """Give a record that goes on with the history of a layer; None where there is none."""
    kept = _kept.pop(layer, None)
    if kept is None or kept.shadow.shape != layer.data.shape:
        return None
    book = Book(layer, ledger_of, known=kept.layer, path=kept.path)
    book.resume(kept.line.cursor)
    record = Record(viewer, layer, book, line=kept.line, touched=kept.touched)
    record.shadow = kept.shadow
    record.capture()
    return record
