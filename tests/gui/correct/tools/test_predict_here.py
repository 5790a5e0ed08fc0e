"""Predict here again, in a real window: a box is drawn with the mouse, and the model changes it and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.runner import Runner
from napari_vol3d.gui.correct.tools.predict_here import DRAWN, IN_VIEW, PredictHere
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.models.store import Model
from tests.gui.bench.conftest import opened, settle, view_of
from tests.gui.conftest import RUN_MS
from tests.gui.correct.mousing import drag, move, pixel_of, press, release, with_hands
from tests.gui.correct.predicting import MODEL, SHAPE, Chosen, rectangle
from tests.gui.correct.predicting import chosen as chosen
from tests.gui.correct.predicting import keeper as keeper
from tests.gui.correct.predicting import predicted as predicted
from tests.gui.correct.predicting import runner as runner
from tests.gui.correct.predicting import tool as tool

REACH = (23, 29, 22)  # half of what the model knows, in voxels of 1 mm


def another() -> Model:
    """A model with the same classes in another order, and another name."""
    first, second = MODEL.card.output.classes
    classes = (replace(first, id=2), replace(second, id=1))
    output = MODEL.card.output.model_copy(update={"classes": classes})
    card = MODEL.card.model_copy(update={"name": "other", "title": "Other", "output": output})
    return Model(folder=MODEL.folder, card=card, origin="added")


@pytest.mark.parametrize("keeper", [EngineKeeper], indirect=True)
def test_apply_fills_the_drawn_box_around_what_is_corrected_and_undo_empties_it(
    qtbot: Any, desk: Desk, runner: Runner, predicted: Labels, tool: PredictHere
) -> None:
    record = desk.record
    assert record is not None
    hands = with_hands(opened(desk.bench), desk)
    painted = np.full((1, 4, 4), 7, np.uint16)
    edit = Edit.between("Paint", record.labels[17:18, 20:24, 15:19], painted, start=(17, 20, 15))
    assert edit is not None
    record.do(edit)
    rectangle(desk, Plane.AXIAL, (17, 10, 8), (17, 39, 26))
    assert len(hands) == 4
    seen: list[str] = []
    runner.progressed.connect(lambda progress: seen.append(progress.phase))
    with qtbot.waitSignal(runner.applied, timeout=RUN_MS):
        runner.apply()
    box = Box(start=(0, 10, 8), stop=(35, 40, 27))
    outside = np.ones(SHAPE, bool)
    outside[box.slices] = False
    assert not record.labels[outside].any()
    assert {1, 2, 7} == set(np.unique(record.labels)) - {0}
    assert (record.labels == 7).sum() == 16
    assert record.corrected.sum() == 16
    assert "Segmenting" in seen
    step = record.history.steps[-1]
    assert step.name == "Predict here again, z 0-34"
    assert step.by_model
    record.undo()
    assert set(np.unique(record.labels)) == {0, 7}


@pytest.mark.parametrize("keeper", [EngineKeeper], indirect=True)
def test_cancel_leaves_everything_as_it_was(
    qtbot: Any, desk: Desk, runner: Runner, predicted: Labels, tool: PredictHere
) -> None:
    assert desk.record is not None
    runner.apply()
    assert runner.busy
    runner.cancel()
    qtbot.waitUntil(lambda: not runner.busy, timeout=RUN_MS)
    assert not predicted.data.any()
    assert not desk.record.history.steps


def test_rectangles_give_the_box(desk: Desk, tool: PredictHere) -> None:
    record = desk.record
    assert record is not None
    with_hands(opened(desk.bench), desk)
    assert tool.where.currentIndex() == IN_VIEW
    rectangle(desk, Plane.AXIAL, (12, 10, 8), (12, 39, 26))
    assert tool.where.currentIndex() == DRAWN
    assert tool.box == Box(start=(0, 10, 8), stop=(35, 40, 27))  # 12 +- 23, inside the scan
    rectangle(desk, Plane.AXIAL, (16, 12, 6), (16, 45, 20))
    assert tool.box == Box(start=(12, 10, 6), stop=(17, 46, 27))
    rectangle(desk, Plane.AXIAL, (16, 20, 10), (16, 30, 20))  # in the place of the one on its slice
    assert tool.box == Box(start=(12, 10, 8), stop=(17, 40, 27))
    assert tool.words.text() == "z 12-16, y 10-39, x 8-26: 5 x 30 x 19 mm"
    rectangle(desk, Plane.CORONAL, (4, 25, 5), (30, 25, 20))  # a third begins anew
    third = Box(start=(4, 0, 5), stop=(31, 50, 21))
    assert tool.box == third
    # Escape, and a click, leave what is there.
    view = view_of(desk.bench, Plane.AXIAL)
    press(view, pixel_of(view, record, (30, 5, 5)))
    move(view, pixel_of(view, record, (30, 25, 25)))
    settle()
    assert tool.box not in (None, third)
    tool.cancel()
    release(view, pixel_of(view, record, (30, 25, 25)))
    drag(view, [pixel_of(view, record, (30, 5, 5))] * 2)
    assert tool.box == third
    tool.clear.click()
    assert tool.box is None
    assert tool.where.currentIndex() == IN_VIEW


def test_what_is_in_view_is_as_deep_as_the_field_of_view(
    qtbot: Any, viewer: Viewer, desk: Desk, predicted: Labels, tool: PredictHere
) -> None:
    task = desk.task()
    assert task is not None
    scan, box = tool._scan(), tool._box(task, tool._scan(), MODEL)
    assert box == Box(start=(max(0, task.index - REACH[0]), 0, 0), stop=(min(35, task.index + REACH[0] + 1), 50, 34))
    viewer.scene.camera.zoom *= 3
    settle()
    task = desk.task()
    assert task is not None
    closer = tool._box(task, scan, MODEL)
    assert (closer.start[1:], closer.stop[1:]) == (task.in_view.start[1:], task.in_view.stop[1:])
    assert closer.size < box.size
    tool.where.setCurrentIndex(DRAWN)
    with pytest.raises(Vol3dError, match="No box"):
        tool.verb(task)


def test_models_are_offered_and_their_classes_must_be_those_of_the_labels(
    viewer: Viewer, desk: Desk, predicted: Labels, tool: PredictHere, chosen: Chosen
) -> None:
    def offered() -> list[str]:
        return [tool.model.itemText(place) for place in range(tool.model.count())]

    assert offered() == ["Hippocampus (T1 MRI), as before"]
    chosen.model = another()
    tool.hide()
    tool.show()
    assert offered() == ["Hippocampus (T1 MRI), as before", "Other, chosen in Segment"]
    assert tool.model.currentIndex() == 0
    tool.model.setCurrentIndex(1)
    task = desk.task()
    assert task is not None
    tool.verb(task).close()
    strange = chosen.model.card.output.model_copy(
        update={"classes": (replace(MODEL.card.output.classes[0], name="liver"),)}
    )
    chosen.model = Model(
        folder=MODEL.folder, card=chosen.model.card.model_copy(update={"output": strange}), origin="added"
    )  # fmt: skip
    tool.list_models()
    tool.model.setCurrentIndex(1)
    with pytest.raises(Vol3dError, match="no liver"):
        tool.verb(task)
    assert tool.minimumSizeHint().width() <= 320


def test_what_is_missing_is_told(
    qtbot: Any, viewer: Viewer, desk: Desk, predicted: Labels, tool: PredictHere, chosen: Chosen
) -> None:
    task = desk.task()
    assert task is not None
    viewer.layers.remove(viewer.layers[0])
    with pytest.raises(Vol3dError, match="no scan on the grid"):
        tool.verb(task)
    plain = viewer.add_labels(np.zeros((4, 5, 6), np.uint8), name="plain")
    viewer.layers.selection.active = plain
    chosen.model = None
    task = desk.task()
    assert task is not None
    with pytest.raises(Vol3dError, match="no model"):
        tool.verb(task)
