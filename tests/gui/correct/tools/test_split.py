"""Touching objects are split as their clicks and the form say, and as the algorithm does by itself."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.split import split_at_seeds, split_class, split_object
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.split import SplitObject, Way
from tests.gui.bench.conftest import SHAPE, SPACING
from tests.gui.correct.mousing import drag, go_to, pixel_of, with_hands
from tests.gui.correct.tools.told import applied, balls, choose, corrected, planned, take

LEFT, MIDDLE, RIGHT, ALONE = (12, 12, 6), (12, 12, 15), (12, 12, 24), (12, 32, 16)
LABELS = balls(SHAPE, SPACING, (LEFT, 5.5, 2), (MIDDLE, 6.0, 2), (RIGHT, 5.5, 2), (ALONE, 5.0, 1))


@pytest.fixture
def record(desk: Desk, scan: Image) -> Record:
    """Three balls in a row, and one by itself."""
    return corrected(desk, scan, LABELS.copy())


@pytest.fixture
def tool(qtbot: Any, desk: Desk, record: Record, views: Bench) -> SplitObject:
    """In hand."""
    made = SplitObject()
    with_hands(views, desk)
    go_to(views, record, LEFT)
    take(qtbot, desk, made)
    return made


def click(views: Bench, record: Record, *voxels: tuple[int, int, int]) -> None:
    """Click into the slice that napari's own view shows."""
    for voxel in voxels:
        drag(views.views[0], [pixel_of(views.views[0], record, voxel)])


def test_one_click_cuts_at_necks(desk: Desk, views: Bench, record: Record, tool: SplitObject) -> None:
    with pytest.raises(Vol3dError, match="No object was clicked"):
        planned(desk, tool)
    click(views, record, RIGHT)
    edit = planned(desk, tool)
    assert edit is not None
    assert edit.name == "Split posterior"
    wanted = split_object(LABELS, RIGHT, ids=itertools.count(4), spacing=SPACING)
    after = applied(LABELS, edit)
    assert np.array_equal(after, applied(LABELS, wanted))
    assert len({int(after[voxel]) for voxel in (LEFT, MIDDLE, RIGHT)}) == 3
    assert np.array_equal(after > 0, LABELS > 0)
    assert set(np.unique(after)) == {0, 1, 2, 4, 5}  # 3 has a name, and no voxel
    tool.by_depth.click()
    tool.neck.setValue(6)
    assert planned(desk, tool) is None  # no neck is so deep


def test_several_clicks_are_a_part_each(desk: Desk, views: Bench, record: Record, tool: SplitObject) -> None:
    clicks = (LEFT, (12, 12, 20))
    click(views, record, *clicks)
    edit = planned(desk, tool)
    wanted = split_at_seeds(LABELS, clicks, ids=itertools.count(4), spacing=SPACING)
    after = applied(LABELS, edit)
    assert np.array_equal(after, applied(LABELS, wanted))
    assert set(np.unique(after)) == {0, 1, 2, 4}
    click(views, record, ALONE)
    with pytest.raises(Vol3dError, match="not in one object"):
        planned(desk, tool)


def test_into_a_number_of_parts(desk: Desk, views: Bench, record: Record, tool: SplitObject) -> None:
    choose(tool.way, Way.COUNT)
    tool.count.setValue(3)
    click(views, record, ALONE, LEFT)
    assert [pick.voxel for pick in tool.picks] == [LEFT]  # the last click says which object
    after = applied(LABELS, planned(desk, tool))
    assert len({int(after[voxel]) for voxel in (LEFT, MIDDLE, RIGHT)}) == 3
    assert np.array_equal(after == 1, LABELS == 1)


def test_all_of_the_class_and_the_parts_get_the_chosen_class(
    desk: Desk, views: Bench, record: Record, tool: SplitObject
) -> None:
    choose(tool.way, Way.CLASS)
    record.layer.selected_label = 2
    edit = planned(desk, tool)
    assert np.array_equal(
        applied(LABELS, edit), applied(LABELS, split_class(LABELS, 2, ids=itertools.count(4), spacing=SPACING))
    )
    tool.parts.setCurrentIndex(1)
    with pytest.raises(Vol3dError, match="keep their class"):
        planned(desk, tool)
    choose(tool.way, Way.CLICKS)
    record.layer.selected_label = 3
    click(views, record, MIDDLE)
    after = applied(LABELS, planned(desk, tool))
    assert set(np.unique(after)) == {0, 1, 2, 3}
    assert np.array_equal(after > 0, LABELS > 0)


def test_only_what_counts_is_shown(tool: SplitObject) -> None:
    tool.show()
    shown = {}
    for way in Way:
        choose(tool.way, way)
        shown[way] = tool.count.isVisible(), tool.necks.isVisible()
    assert shown == {Way.CLICKS: (False, True), Way.COUNT: (True, False), Way.CLASS: (False, True)}
    assert not tool.neck.isEnabled()
    tool.by_depth.click()
    assert tool.neck.isEnabled()
