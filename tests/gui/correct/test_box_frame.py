"""The box is to be seen in every view whose slice cuts it, along the outer faces of its voxels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.box_frame import BoxFrame
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.tools.predict_here import PredictHere
from tests.gui.bench.conftest import opened, view_of
from tests.gui.correct.mousing import go_to, with_hands
from tests.gui.correct.predicting import chosen as chosen
from tests.gui.correct.predicting import keeper as keeper
from tests.gui.correct.predicting import predicted as predicted
from tests.gui.correct.predicting import rectangle
from tests.gui.correct.predicting import runner as runner
from tests.gui.correct.predicting import tool as tool


def test_every_view_shows_where_it_cuts_the_box(desk: Desk, tool: PredictHere) -> None:
    record = desk.record
    assert record is not None
    with_hands(opened(desk.bench), desk)
    frames: dict[View, BoxFrame] = {}

    def furnish(view: View) -> BoxFrame:
        frames[view] = BoxFrame(view, tool)
        return frames[view]

    desk.bench.furnish(furnish)
    assert not any(frame.corners for frame in frames.values())
    rectangle(desk, Plane.AXIAL, (12, 10, 8), (12, 39, 26))
    rectangle(desk, Plane.AXIAL, (16, 12, 9), (16, 35, 20))
    assert tool.box is not None
    go_to(desk.bench, record, (14, 25, 15))
    for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL):
        view = view_of(desk.bench, plane)
        corners = np.array([record.to_voxel(view.to_world(pixel)) for pixel in frames[view].corners])
        for axis in {0, 1, 2} - {plane.value}:
            assert corners[:, axis].min() == pytest.approx(tool.box.start[axis] - 0.5, abs=1e-3)
            assert corners[:, axis].max() == pytest.approx(tool.box.stop[axis] - 0.5, abs=1e-3)
    go_to(desk.bench, record, (30, 25, 15))
    assert not frames[view_of(desk.bench, Plane.AXIAL)].corners
    assert frames[view_of(desk.bench, Plane.CORONAL)].corners
    assert not frames[view_of(desk.bench, Plane.VOLUME)].corners
    tool.clear.click()
    assert not any(frame.corners for frame in frames.values())
