"""Labels are copied from what is chosen, for the classes and in the part of the volume that were asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.relabel import add_classes, copy_box, copy_classes
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.preview import Preview
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.copy import FIRST, CopyFrom, How
from napari_vol3d.gui.forms.where import Area, Where
from napari_vol3d.gui.forms.which_classes import Which
from tests.gui.bench.conftest import SHAPE
from tests.gui.correct.tools.told import applied, choose, corrected, labelled, planned, take

OURS, THEIRS = (np.random.default_rng(seed).integers(0, 4, SHAPE).astype(np.uint8) for seed in (1, 2))


@pytest.fixture
def theirs(viewer: Viewer, scan: Image) -> Labels:
    """Labels to copy from."""
    return labelled(viewer, scan, THEIRS.copy(), name="theirs")


@pytest.fixture
def record(desk: Desk, scan: Image, theirs: Labels) -> Record:
    """Labels that a model made."""
    return corrected(desk, scan, OURS.copy(), model="hippocampus-t1")


@pytest.fixture
def tool(qtbot: Any, desk: Desk, record: Record) -> CopyFrom:
    """In hand."""
    made = CopyFrom()
    take(qtbot, desk, made)
    return made


def test_each_choice_is_what_the_algorithm_makes_of_it(
    viewer: Viewer, desk: Desk, record: Record, tool: CopyFrom
) -> None:
    whole, one = Box.of(SHAPE), Box(start=(7, 0, 0), stop=(8, 40, 32))
    viewer.dims.set_point(0, record.layer.data_to_world((7, 0, 0))[0])
    record.layer.selected_label = 2
    edit = planned(desk, tool)
    assert edit is not None
    assert edit.name == "Copy posterior"
    assert np.array_equal(applied(OURS, edit), applied(OURS, copy_classes(OURS, THEIRS, [2], box=whole)))
    tool.where.setValue(Where(area=Area.SLICE))
    choose(tool.how, How.ADD)
    edit = planned(desk, tool)
    assert edit is not None
    assert edit.name == "Add posterior"
    assert np.array_equal(applied(OURS, edit), applied(OURS, add_classes(OURS, THEIRS, [2], box=one)))
    tool.which.setValue(Which.ALL)
    added = applied(OURS, planned(desk, tool))
    assert np.array_equal(added[7], np.where(OURS[7] == 0, THEIRS[7], OURS[7]))
    choose(tool.how, How.SAME)
    edit = planned(desk, tool)
    assert edit is not None
    assert edit.name == "Copy all classes"
    assert np.array_equal(applied(OURS, edit), applied(OURS, copy_box(OURS, THEIRS, box=one)))
    tool.where.setValue(Where(area=Area.VOLUME))
    assert np.array_equal(applied(OURS, planned(desk, tool)), THEIRS)
    record.locked = frozenset({3})
    assert np.array_equal(applied(OURS, planned(desk, tool)) == 3, OURS == 3)


def test_the_prediction_comes_back(desk: Desk, record: Record, tool: CopyFrom) -> None:
    row = tool.source.findText("As predicted: hippocampus-t1")
    assert not tool.source.model().item(row).isEnabled()
    assert "Nothing was corrected" in tool.source.itemData(row, Qt.ItemDataRole.ToolTipRole)
    tool.which.setValue(Which.ALL)
    edit = planned(desk, tool)
    assert edit is not None
    record.do(edit)
    assert tool.source.model().item(tool.source.findText("As predicted: hippocampus-t1")).isEnabled()
    choose(tool.source, FIRST)
    edit = planned(desk, tool)
    assert edit is not None
    record.do(edit)
    assert np.array_equal(record.labels, OURS)
    assert tool.source.currentData() == FIRST


def test_the_list_follows_the_layers_and_tells_nobody_for_nothing(
    viewer: Viewer, desk: Desk, scan: Image, theirs: Labels, record: Record, tool: CopyFrom
) -> None:
    assert tool.source.currentData() is theirs
    small = labelled(viewer, scan, np.ones((5, 5, 5), np.uint8), name="small")
    assert tool.source.currentIndex() == -1  # these are corrected now, and nothing fits them
    viewer.layers.selection.active = record.layer
    assert tool.source.currentData() is theirs
    told: list[object] = []
    tool.optionsChanged.connect(lambda: told.append(tool.source.currentData()))
    row = tool.source.findText("small")
    assert not tool.source.model().item(row).isEnabled()
    assert "5 x 5 x 5" in tool.source.itemData(row, Qt.ItemDataRole.ToolTipRole)
    shown = Preview(viewer)
    shown.show(record, planned(desk, tool))
    assert [tool.source.itemText(k) for k in range(tool.source.count())][:2] == ["small", "theirs"]
    shown.clear()
    theirs.name = "others"
    assert tool.source.currentText() == "others"
    assert not told
    viewer.layers.remove(theirs)
    assert told == [None]
    viewer.layers.remove(small)
    with pytest.raises(Vol3dError, match="no labels to copy from"):
        planned(desk, tool)
