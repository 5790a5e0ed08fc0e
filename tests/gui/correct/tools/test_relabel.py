"""Objects and classes get the class that was asked for, each in one step with a name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.relabel import object_at, relabel, relabel_objects, swap
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.relabel import Deed, Relabel, objects_at
from tests.gui.bench.conftest import SHAPE, SPACING
from tests.gui.correct.mousing import drag, go_to, pixel_of, with_hands
from tests.gui.correct.tools.told import applied, balls, choose, corrected, planned, take

ONE, TWO, THREE = (12, 10, 8), (12, 10, 24), (12, 30, 16)
LABELS = balls(SHAPE, SPACING, (ONE, 5.0, 1), (TWO, 6.0, 1), (THREE, 5.0, 2))


@pytest.fixture
def record(desk: Desk, scan: Image) -> Record:
    """Three balls, two of them of one class."""
    return corrected(desk, scan, LABELS.copy())


@pytest.fixture
def tool(qtbot: Any, desk: Desk, record: Record, views: Bench) -> Relabel:
    """In hand."""
    made = Relabel()
    with_hands(views, desk)
    go_to(views, record, ONE)
    take(qtbot, desk, made)
    return made


def click(views: Bench, record: Record, *voxels: tuple[int, int, int]) -> None:
    """Click into the slice that napari's own view shows."""
    for voxel in voxels:
        drag(views.views[0], [pixel_of(views.views[0], record, voxel)])


def test_an_object_gets_the_chosen_class(desk: Desk, views: Bench, record: Record, tool: Relabel) -> None:
    record.layer.selected_label = 3
    click(views, record, TWO)
    edit = planned(desk, tool)
    assert edit is not None
    assert edit.name == "Relabel object as cortex"
    wanted = relabel_objects(LABELS, object_at(LABELS, TWO), [1], into=3)
    after = applied(LABELS, edit)
    assert np.array_equal(after, applied(LABELS, wanted))
    record.do(edit)
    assert np.array_equal(record.labels, after)
    assert not tool.picks  # done with
    with pytest.raises(Vol3dError, match="No object was clicked"):
        planned(desk, tool)


def test_several_are_merged_into_the_first_whatever_class_is_chosen(
    desk: Desk, views: Bench, record: Record, tool: Relabel
) -> None:
    choose(tool.deed, Deed.MERGE)
    click(views, record, THREE)
    with pytest.raises(Vol3dError, match="two objects"):
        planned(desk, tool)
    click(views, record, ONE)
    edit = planned(desk, tool)
    assert edit is not None
    assert edit.name == "Merge 2 objects into posterior"
    wanted = LABELS.copy()
    wanted[(LABELS == 1) & (np.arange(SHAPE[2]) < 16)] = 2
    assert np.array_equal(applied(LABELS, edit), wanted)


def test_what_is_clicked_is_deleted_and_what_is_locked_stays(
    desk: Desk, views: Bench, record: Record, tool: Relabel
) -> None:
    choose(tool.deed, Deed.DELETE)
    click(views, record, ONE, TWO, THREE)
    record.locked = frozenset({2})
    edit = planned(desk, tool)
    assert edit is not None
    assert edit.name == "Delete 3 objects of several classes"
    assert np.array_equal(applied(LABELS, edit), np.where(LABELS == 2, 2, 0))


def test_a_second_click_anywhere_on_an_object_takes_it_out(views: Bench, record: Record, tool: Relabel) -> None:
    click(views, record, ONE, TWO)
    z, y, x = TWO
    click(views, record, (z, y + 5, x + 2))
    assert [pick.voxel for pick in tool.picks] == [ONE]
    click(views, record, (z, y + 5, x + 2))
    assert len(tool.picks) == 2
    tool.clear.click()
    assert not tool.picks
    assert not tool.clear.isEnabled()


def test_whole_classes_are_chosen_in_boxes(desk: Desk, views: Bench, record: Record, tool: Relabel) -> None:
    choose(tool.deed, Deed.SWAP)
    tool.first.setValue(1)
    tool.second.setValue(2)
    edit = planned(desk, tool)
    assert edit is not None
    assert edit.name == "Swap anterior and posterior"
    assert np.array_equal(applied(LABELS, edit), applied(LABELS, swap(LABELS, 1, 2)))
    choose(tool.deed, Deed.CLASS)
    tool.second.setValue(3)
    edit = planned(desk, tool)
    assert edit is not None
    assert edit.name == "Relabel anterior as cortex"
    assert np.array_equal(applied(LABELS, edit), applied(LABELS, relabel(LABELS, {1: 3})))
    tool.second.setValue(1)
    with pytest.raises(Vol3dError, match="two different classes"):
        planned(desk, tool)
    said: list[str] = []
    desk.said.connect(said.append)
    click(views, record, ONE)
    assert said[-1].startswith("Choose the classes")
    assert not tool.picks


def test_two_clicks_on_one_object_are_one_object() -> None:
    found = objects_at(LABELS, [TWO, (TWO[0], TWO[1] + 5, TWO[2] + 2), THREE])
    assert [one.voxels[1] for one in found] == [int((LABELS[..., 16:] == 1).sum()), int((LABELS == 2).sum())]
