"""The eraser makes background, of what it may, and says so in its name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.ring import ERASING
from napari_vol3d.gui.correct.tools.brush import Eraser
from tests.gui.bench.conftest import settle
from tests.gui.correct.mousing import NONE, away, drag, go_to, move, pixel_of, with_hands, world_of

MIDDLE = (12, 20, 16)


@pytest.fixture
def eraser(desk: Desk, record: Record) -> Iterator[Eraser]:
    """In hand, over two classes."""
    wanted = np.ones_like(record.labels)
    wanted[..., 16:] = 2
    edit = Edit.between("Fill", record.labels, wanted)
    assert edit is not None
    record.do(edit)
    made = Eraser()
    desk.choose(made)
    made.size_form.setValue(9.0)
    settle()
    yield made
    desk.choose(None)
    made.deleteLater()


def test_it_erases_what_it_may(views: Bench, desk: Desk, record: Record, eraser: Eraser) -> None:
    ((view, hand),) = with_hands(views, desk).items()
    go_to(views, record, MIDDLE)
    before, pixel = record.labels.copy(), pixel_of(view, record, MIDDLE)
    z, y, x = record.to_voxel(world_of(view, pixel))
    ball = away(record, (round(z), y, x)) <= 4.5
    move(view, pixel, held=NONE)
    assert hand.ring.look is not None
    assert (hand.ring.look.color, hand.ring.look.dashed) == (ERASING, True)
    drag(view, [pixel])
    assert np.array_equal(record.labels, np.where(ball, 0, before))
    assert record.history.steps[-1].name == "Erase, z 11-13"
    record.undo()
    eraser.only_chosen.setChecked(True)
    record.layer.selected_label = 2
    drag(view, [pixel])
    assert np.array_equal(record.labels, np.where(ball & (before == 2), 0, before))
    assert record.history.steps[-1].name == "Erase class 2, z 11-13"
    record.undo()
    record.locked = frozenset({2})
    eraser.only_chosen.setChecked(False)
    drag(view, [pixel])
    assert np.array_equal(record.labels, np.where(ball & (before == 1), 0, before))
