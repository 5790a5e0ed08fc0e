"""Random scripts of edits: undo all gives the original bit for bit, redo all the final, and the journal the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Labels
from numpy.random import Generator

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.correct import brush, edges, holes, islands, relabel, smooth
from napari_vol3d.correct.interpolate import interpolate
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.replay import replay
from tests.gui.correct.conftest import WAIT_MS

EDITS = 200
CLASSES = 4
Act = Callable[[Record, Generator], None]


def point(record: Record, rng: Generator) -> tuple[float, float, float]:
    """Give a place in the volume."""
    z, y, x = (float(rng.uniform(0, n - 1)) for n in record.labels.shape)
    return (z, y, x)


def size(rng: Generator) -> float:
    """Give a radius in mm."""
    return float(rng.uniform(1.5, 6.0))


def a_class(rng: Generator) -> int:
    """Give a class."""
    return int(rng.integers(1, CLASSES + 1))


def do(record: Record, edit: Edit | None, rng: Generator) -> None:
    """Apply what a tool gave; now and then it is a model's."""
    if edit is not None:
        record.do(edit, by_model=bool(rng.random() < 0.1))


def ball(record: Record, rng: Generator) -> None:
    """Draw a stroke of several parts."""
    shape = record.labels.shape
    for _ in range(3):
        dab = brush.stroke([point(record, rng), point(record, rng)], size(rng), spacing=record.spacing, shape=shape)
        edit = brush.paint(record.labels, dab, class_id=a_class(rng))
        if edit is not None:
            record.draw(edit)
    record.finish("Paint")


def abandoned(record: Record, rng: Generator) -> None:
    """Draw a stroke, and give it up."""
    dab = brush.stroke([point(record, rng)], size(rng), spacing=record.spacing, shape=record.labels.shape)
    edit = brush.paint(record.labels, dab, class_id=a_class(rng))
    if edit is not None:
        record.draw(edit)
    record.abandon()


def naparis_brush(record: Record, rng: Generator) -> None:
    """Paint as napari's brush does, or erase."""
    layer = record.layer
    layer.brush_size = int(rng.integers(1, 12))
    layer.paint(tuple(round(v) for v in point(record, rng)), a_class(rng) if rng.random() < 0.7 else 0)


def naparis_fill(record: Record, rng: Generator) -> None:
    """Fill what is connected."""
    record.layer.fill(tuple(round(v) for v in point(record, rng)), a_class(rng))


def direct(record: Record, rng: Generator) -> None:
    """Write into the array, and tell nobody."""
    z, y, x = (int(rng.integers(0, n - 3)) for n in record.labels.shape)
    record.layer.data[z : z + 3, y : y + 3, x : x + 3] = a_class(rng)
    if rng.random() < 0.5:
        record.layer.refresh()


def undo(record: Record, rng: Generator) -> None:
    """Take some steps back, by the layer's own method."""
    for _ in range(int(rng.integers(1, 4))):
        record.layer.undo()


def redo(record: Record, rng: Generator) -> None:
    """Do some again."""
    for _ in range(int(rng.integers(1, 4))):
        record.layer.redo()


def jump(record: Record, rng: Generator) -> None:
    """Go to a step nearby."""
    steps = record.history.steps
    if steps:
        near = int(np.clip(record.history.at + rng.integers(-5, 6), 0, len(steps)))
        record.jump(None if near == 0 else steps[near - 1].token)


def box_tool(record: Record, rng: Generator) -> None:
    """Use one of the tools that compute."""
    labels, chosen, mm = record.labels, a_class(rng), record.spacing
    here = Box(start=(2, 4, 4), stop=(20, 30, 28))
    tools: list[Callable[[], Edit | None]] = [
        lambda: edges.grow(labels, chosen, by=2.6, spacing=mm),
        lambda: edges.shrink(labels, chosen, by=1.2, spacing=mm),
        lambda: smooth.median(labels, classes=[chosen], radius=2.6, spacing=mm, box=here),
        lambda: smooth.gaussian(labels, classes=[chosen], sigma=1.5, spacing=mm, box=here),
        lambda: islands.keep_largest(labels, [chosen], spacing=mm),
        lambda: holes.fill_holes(labels, chosen),
        lambda: relabel.swap(labels, chosen, chosen % CLASSES + 1),
        lambda: relabel.relabel(labels, {chosen: 0}, box=here),
        lambda: interpolate(labels, axis=int(rng.integers(3)), classes=[chosen], spacing=mm).edit,
    ]
    do(record, tools[int(rng.integers(len(tools)))](), rng)


ACTS: dict[Act, float] = {
    ball: 3, abandoned: 1, naparis_brush: 4, naparis_fill: 1, direct: 2, undo: 3, redo: 2, jump: 1, box_tool: 4,
}  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_undo_all_redo_all_and_replay(qtbot: Any, desk: Desk, scan: Image, record: Record, seed: int) -> None:
    """With every kind of edit, undo, redo, jumps and writes that nobody is told of."""
    rng = np.random.default_rng(seed)
    original = record.labels.copy()
    acts, weights = list(ACTS), np.array(list(ACTS.values()))
    for place in rng.choice(len(acts), EDITS, p=weights / weights.sum()):
        acts[place](record, rng)
    record.capture()
    final = record.labels.copy()
    assert final.any()
    assert len(record.history.steps) > EDITS / 8
    here = record.history.cursor
    record.jump(None)
    assert np.array_equal(record.labels, original)
    assert not record.corrected.any()
    record.jump(here)
    assert np.array_equal(record.labels, final)
    assert np.array_equal(record.shadow.read(Box.of(final.shape)), final)
    qtbot.waitUntil(lambda: record.book.ledger is not None and not record.book.waiting, timeout=WAIT_MS)
    ledger = record.book.ledger
    assert ledger is not None
    assert ledger.writer.flush(10)
    journal = Journal(ledger.path)
    (known,) = journal.layers()
    assert np.array_equal(replay(journal, known), final)
    assert isinstance(record.layer, Labels)
