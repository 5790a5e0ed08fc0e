"""Clicks pick objects, with real events of the mouse in any view; what was picked is forgotten once it is done with."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.tools.picking import PickingTool
from tests.gui.bench.conftest import SHAPE, opened, view_of
from tests.gui.correct.mousing import drag, go_to, pixel_of, with_hands
from tests.gui.correct.tools.told import corrected, take

FIRST, SECOND = (10, 20, 16), (14, 26, 16)


def test_clicks_take_in_and_out_and_a_step_forgets(qtbot: Any, desk: Desk, views: Bench, scan: Image) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[8:13, 18:23, 14:19], labels[13:16, 24:29, 14:19] = 1, 2
    record = corrected(desk, scan, labels)
    with_hands(opened(views), desk)
    tool, said, told = PickingTool(), [], []
    desk.said.connect(said.append)
    tool.optionsChanged.connect(lambda: told.append(tool.picks))
    take(qtbot, desk, tool)
    axial, sagittal = view_of(views, Plane.AXIAL), view_of(views, Plane.SAGITTAL)

    def click(view: Any, voxel: tuple[int, int, int]) -> None:
        go_to(views, record, voxel)
        drag(view, [pixel_of(view, record, voxel)])

    click(axial, FIRST)
    click(sagittal, SECOND)
    assert [(pick.voxel, pick.class_id) for pick in tool.picks] == [(FIRST, 1), (SECOND, 2)]
    assert [mark.text for mark in tool.marks] == ["1", "2"]
    assert len({mark.color for mark in tool.marks}) == 2
    assert len(told[-1]) == 2
    click(axial, (10, 5, 5))
    assert said[-1].startswith("There is no object here")
    assert len(tool.picks) == 2
    click(sagittal, FIRST)  # its dot is in this view too
    assert [pick.voxel for pick in tool.picks] == [SECOND]
    record.do(_paint(labels, (0, 0, 0), 1))
    assert not tool.picks
    click(axial, FIRST)
    record.undo()
    assert [pick.voxel for pick in tool.picks] == [FIRST]
    desk.choose(None)
    assert not told[-1]


def _paint(labels: np.ndarray, start: tuple[int, int, int], class_id: int) -> Edit:
    box = Box(start=start, stop=(start[0] + 2, start[1] + 2, start[2] + 2))
    edit = Edit.between("Paint", labels[box.slices], np.full((2, 2, 2), class_id, labels.dtype), start=start)
    assert edit is not None
    return edit
