"""The sign stands on the slices that are marked, in the views that cut along their axis, and nowhere else."""

from __future__ import annotations

import numpy as np
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.unchecked import Fill, Unchecked
from napari_vol3d.gui.correct.unchecked_sign import WIDTH, WORDS, UncheckedSign


def fill(desk: Desk, unchecked: Unchecked, record: Record) -> None:
    """Fill three axial slices."""
    box = Box(start=(5, 4, 4), stop=(8, 30, 28))
    edit = Edit.between("Fill", record.labels[box.slices], np.ones(box.shape, np.uint16), start=box.start)
    assert edit is not None
    unchecked.pending.append(Fill(edit=edit, axis=0, slices=(5, 6, 7)))
    desk.do(edit)


def test_the_sign_stands_where_the_slice_is_not_checked(desk: Desk, views: Bench, record: Record) -> None:
    signs: dict[View, UncheckedSign] = {}
    unchecked = Unchecked.of(desk)

    def furnish(view: View) -> UncheckedSign:
        signs[view] = UncheckedSign(view, desk, unchecked)
        return signs[view]

    views.furnish(furnish)
    views.open()
    QApplication.processEvents()

    def shown() -> list[Plane]:
        return [view.plane for view, sign in signs.items() if sign.words == (WORDS,)]

    assert shown() == []
    fill(desk, unchecked, record)
    views.go_to(record.layer.data_to_world((6, 6, 6)))
    assert shown() == [Plane.AXIAL]
    axial = views.view(Plane.AXIAL)
    assert axial is not None
    picture = axial.qt_viewer.screenshot(flash=False).astype(int)
    bar = picture[: WIDTH - 1, :, 0] - picture[: WIDTH - 1, :, 2]
    assert (bar > 100).mean() > 0.9  # orange from one side to the other
    record.undo()
    assert shown() == []
    record.redo()
    assert shown() == [Plane.AXIAL]
    unchecked.confirm_shown()
    assert shown() == []
    views.go_to(record.layer.data_to_world((7, 6, 6)))
    assert shown() == [Plane.AXIAL]
    views.go_to(record.layer.data_to_world((8, 6, 6)))
    assert shown() == []
    views.go_to(record.layer.data_to_world((7, 6, 6)))
    views.close()
    QApplication.processEvents()
    (sign,) = [signs[view] for view in views.views]
    assert sign.words == (WORDS,)
    views.views[0].set_plane(Plane.CORONAL)
    assert sign.words == ()
    views.views[0].set_plane(Plane.VOLUME)
    assert sign.words == ()
