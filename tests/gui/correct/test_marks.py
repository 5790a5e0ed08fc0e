"""What the tool in hand was told is drawn on the slices that hold it, in each view, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.mark import Mark
from napari_vol3d.gui.correct.marks import Marks
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Tool
from napari_vol3d.gui.correct.tools.marking import MarkingTool
from tests.gui.bench.conftest import FLAT, SHAPE, opened, settle, view_of
from tests.gui.correct.mousing import go_to, pixel_of
from tests.gui.correct.tools.told import corrected, take

DOT = Mark(voxels=((10, 20, 16),), color="#ff00ff", text="7")
LINE = Mark(voxels=tuple((10, 14, x) for x in range(8, 25)), color="#00ffff")


class Told(MarkingTool):
    """Has marks, whoever set them."""

    told: tuple[Mark, ...] = ()

    @property
    def marks(self) -> tuple[Mark, ...]:
        return self.told

    def tell(self, *marks: Mark) -> None:
        self.told = marks
        self.marksChanged.emit()

    def forget(self) -> None:
        self.tell()


@pytest.fixture
def record(desk: Desk, scan: Image) -> Record:
    """Empty labels."""
    scan.visible = False  # so that colours are those of the marks
    return corrected(desk, scan, np.zeros(SHAPE, np.uint8))


@pytest.fixture
def drawn(desk: Desk, views: Bench) -> Iterator[dict[View, Marks]]:
    """The marks of each view."""
    made: dict[View, Marks] = {}

    def furnish(view: View) -> Marks:
        made[view] = Marks(view, desk)
        return made[view]

    views.furnish(furnish)
    yield made
    made.clear()  # pytest would hold the views longer than their window


@pytest.fixture
def tool(qtbot: Any, desk: Desk, record: Record) -> Told:
    """In hand."""
    made = Told()
    take(qtbot, desk, made)
    return made


def test_a_dot_is_on_its_slice_of_each_view(
    views: Bench, record: Record, drawn: dict[View, Marks], tool: Told
) -> None:
    opened(views)
    tool.tell(DOT)
    voxel = DOT.voxels[0]
    go_to(views, record, voxel)
    for plane in FLAT:
        view = view_of(views, plane)
        assert drawn[view].dots.tolist() == [pytest.approx(pixel_of(view, record, voxel), abs=0.01)]
        assert drawn[view].writing.words == ("7",)
    for axis, plane in enumerate(FLAT):
        beside = [*voxel]
        beside[axis] += 1
        go_to(views, record, tuple(beside))  # type: ignore[arg-type]
        shown = {one: len(drawn[view_of(views, one)].dots) for one in FLAT}
        assert shown == {one: int(one is not plane) for one in FLAT}
    volume = view_of(views, Plane.VOLUME)
    assert not len(drawn[volume].dots)
    tool.tell()
    assert not any(len(marks.dots) or marks.writing.words for marks in drawn.values())


def test_a_line_is_a_dot_where_another_view_cuts_it(
    views: Bench, record: Record, drawn: dict[View, Marks], tool: Told
) -> None:
    opened(views)
    go_to(views, record, LINE.voxels[5])
    tool.tell(LINE)
    axial, coronal, sagittal = (view_of(views, plane) for plane in FLAT)
    for view in (axial, coronal):
        ends = [pixel_of(view, record, voxel) for voxel in LINE.voxels]
        np.testing.assert_allclose(drawn[view].segments[0::2], ends[:-1], atol=0.01)
        np.testing.assert_allclose(drawn[view].segments[1::2], ends[1:], atol=0.01)
        assert not len(drawn[view].dots)
    assert not len(drawn[sagittal].segments)
    assert drawn[sagittal].dots.tolist() == [pytest.approx(pixel_of(sagittal, record, LINE.voxels[5]), abs=0.01)]


def test_marks_are_seen_in_their_colours_and_move_with_the_camera(
    viewer: Viewer, views: Bench, record: Record, drawn: dict[View, Marks], tool: Told
) -> None:
    first = views.views[0]
    views.go_to(record.layer.data_to_world(DOT.voxels[0]))
    tool.tell(DOT, LINE)
    for zoom in (1.0, 1.7):
        viewer.scene.camera.zoom *= zoom
        settle()
        picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
        for mark, voxel in ((DOT, DOT.voxels[0]), (LINE, LINE.voxels[8])):
            x, y = (round(v) for v in pixel_of(first, record, voxel))
            wanted = [int(mark.color[k : k + 2], 16) for k in (1, 3, 5)]
            assert np.abs(picture[y, x] - wanted).max() < 40


def test_only_the_tool_in_hand_is_drawn_and_nothing_is_left(
    qtbot: Any, desk: Desk, views: Bench, record: Record, drawn: dict[View, Marks], tool: Told
) -> None:
    first = views.views[0]
    views.go_to(record.layer.data_to_world(DOT.voxels[0]))
    tool.tell(DOT)
    other = Tool()
    qtbot.addWidget(other)
    desk.choose(other)
    assert not len(drawn[first].dots)
    desk.choose(tool)
    assert not len(drawn[first].dots)  # it was put down, and begins anew
    tool.tell(DOT)
    assert len(drawn[first].dots)
    children = list(first.glass.children)
    more = Marks(first, desk)
    assert len(more.dots)
    more.let_go()
    assert list(first.glass.children) == children
