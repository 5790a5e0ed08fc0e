"""Seeds are painted with the mouse in any view, and grow as the algorithm does by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.correct.grow import grow_random_walker, grow_watershed
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.regions import grow_regions
from napari_vol3d.gui.correct.tools.seed_strokes import BACKGROUND
from napari_vol3d.gui.correct.tools.seeds import GrowFromSeeds, Method
from tests.gui.bench.conftest import SHAPE, SPACING, add, opened, settle, view_of
from tests.gui.correct.mousing import drag, go_to, move, pixel_of, press, with_hands
from tests.gui.correct.tools.told import applied, balls, choose, corrected, planned, take

CENTRE = (12, 20, 16)
TRUTH = balls(SHAPE, SPACING, (CENTRE, 9.0, 1)) > 0
CTRL = Qt.KeyboardModifier.ControlModifier
INNER = ((12, 18, 14), (12, 22, 18))
OUTER = ((12, 4, 4), (12, 4, 28), (12, 36, 28))


@pytest.fixture
def scan(viewer: Viewer) -> Image:
    """A bright ball with noise."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = SPACING[0], -SPACING[1], -SPACING[2], 1.0
    data = np.where(TRUTH, 600, 200) + np.random.default_rng(2).normal(0, 40, SHAPE)
    geometry = Geometry(affine=affine, anatomical=True)
    return add(viewer, Volume(data=data.astype(np.int16), geometry=geometry, name="scan"))


@pytest.fixture
def record(desk: Desk, scan: Image) -> Record:
    """Nothing is labelled yet."""
    return corrected(desk, scan, np.zeros(SHAPE, np.uint8))


@pytest.fixture
def tool(qtbot: Any, desk: Desk, record: Record, views: Bench) -> GrowFromSeeds:
    """In hand."""
    made = GrowFromSeeds()
    with_hands(views, desk)
    take(qtbot, desk, made)
    return made


def paint(views: Bench, record: Record, plane: Plane, voxels: Any, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Draw through voxels in a view."""
    view = view_of(views, plane)
    go_to(views, record, voxels[0])
    drag(view, [pixel_of(view, record, voxel) for voxel in voxels], keys)


def test_seeds_of_two_kinds_find_the_ball(desk: Desk, views: Bench, record: Record, tool: GrowFromSeeds) -> None:
    opened(views)
    with pytest.raises(Vol3dError, match="no seeds yet"):
        planned(desk, tool)
    paint(views, record, Plane.AXIAL, INNER)
    tool.kind.setCurrentIndex(1)
    paint(views, record, Plane.AXIAL, OUTER)
    paint(views, record, Plane.SAGITTAL, ((1, 20, 16), (1, 22, 16)))
    assert [stroke.class_id for stroke in tool.strokes] == [1, BACKGROUND, BACKGROUND]
    first, second, third = tool.strokes
    assert {first.voxels[0], first.voxels[-1]} == set(INNER)
    assert {voxel[0] for voxel in second.voxels} == {12}
    assert {voxel[2] for voxel in third.voxels} == {16}
    assert set(OUTER) <= set(second.voxels)  # and no gap between them
    assert (np.abs(np.diff(second.voxels, axis=0)).max(axis=1) == 1).all()
    assert "background" in tool.hint.text()
    seeds = np.zeros(SHAPE, np.int64)
    for stroke in tool.strokes:
        seeds[tuple(np.transpose(stroke.voxels))] = 9 if stroke.class_id == BACKGROUND else stroke.class_id
    tool.margin.setValue(6.0)
    # 6 mm are 3 slices of 2.5 mm, 8 rows of 0.8 mm and 6 columns of 1.1 mm.
    box = Box(start=(0, 0, 0), stop=(16, 40, 32))
    for method, grow in ((Method.WALKER, grow_random_walker), (Method.WATERSHED, grow_watershed)):
        choose(tool.method, method)
        edit = planned(desk, tool)
        assert edit is not None
        assert edit.name == "Grow anterior"
        image = desk.values()
        wanted = grow(record.labels, seeds, box=box, spacing=record.spacing, background=9, image=image)
        after = applied(record.labels, edit)
        assert np.array_equal(after, applied(record.labels, wanted))
        found = after[:14] > 0
        assert 2 * (found & TRUTH[:14]).sum() / (found.sum() + TRUTH[:14].sum()) > 0.9
    record.do(edit)
    assert len(tool.strokes) == 3  # they stay, to paint more


def test_a_class_grows_through_like_intensities(
    desk: Desk, views: Bench, record: Record, tool: GrowFromSeeds
) -> None:
    opened(views)
    choose(tool.method, Method.REGION)
    paint(views, record, Plane.AXIAL, INNER)
    tool.spread.setValue(4.0)
    edit = planned(desk, tool)
    assert edit is not None
    wanted = grow_regions(
        record.labels, tool.strokes[0].voxels, class_id=1, spread=4.0, box=Box.of(SHAPE), name="", image=desk.values()
    )
    assert np.array_equal(applied(record.labels, edit), applied(record.labels, wanted))
    record.layer.selected_label = 2
    with pytest.raises(Vol3dError, match="no seeds of posterior"):
        planned(desk, tool)


def test_strokes_are_rubbed_out_taken_back_and_cancelled(
    desk: Desk, views: Bench, record: Record, tool: GrowFromSeeds
) -> None:
    opened(views)
    paint(views, record, Plane.AXIAL, ((12, 10, 4), (12, 10, 28)))
    paint(views, record, Plane.AXIAL, ((12, 10, 16),), CTRL)
    assert [len(stroke.voxels) for stroke in tool.strokes] == [10, 10]  # two voxels to both sides are gone
    paint(views, record, Plane.AXIAL, INNER)
    before, view = tool.strokes, view_of(views, Plane.AXIAL)
    press(view, pixel_of(view, record, OUTER[0]))
    move(view, pixel_of(view, record, OUTER[1]))
    settle()
    assert len(tool.strokes) == 4
    tool.cancel()
    assert tool.strokes == before
    tool.back.click()
    assert len(tool.strokes) == 2
    tool.clear.click()
    assert not tool.marks
    assert not tool.clear.isEnabled()


def test_without_a_scan_it_says_so(
    viewer: Viewer, desk: Desk, views: Bench, scan: Image, record: Record, tool: GrowFromSeeds
) -> None:
    viewer.layers.remove(scan)
    QApplication.processEvents()
    with pytest.raises(Vol3dError, match="needs a scan"):
        planned(desk, tool)


def test_the_background_is_not_painted(views: Bench, desk: Desk, record: Record, tool: GrowFromSeeds) -> None:
    said: list[str] = []
    desk.said.connect(said.append)
    opened(views)
    record.layer.selected_label = 0
    paint(views, record, Plane.AXIAL, INNER)
    assert not tool.strokes
    assert said[-1].startswith("The background is chosen")
