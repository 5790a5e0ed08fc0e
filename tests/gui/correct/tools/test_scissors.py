"""A drawn line cuts through the slices, in one step, and is gone from the canvas afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.polygon import fill_polygon
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import Pixel, View
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.scissors import ALL, IN_TWO, INSIDE, NEW, OUTSIDE, Scissors
from tests.gui.bench.conftest import opened, settle, view_of
from tests.gui.correct.mousing import drag, go_to, move, pixel_of, press, release, with_hands, world_of

MIDDLE = (12, 20, 16)


@pytest.fixture
def scissors(desk: Desk, record: Record) -> Iterator[Scissors]:
    """In hand, over two classes; the first is chosen."""
    wanted = np.zeros_like(record.labels)
    wanted[2:22, 5:35, 4:28] = 1
    wanted[2:22, 5:12, 4:28] = 2
    edit = Edit.between("Fill", record.labels, wanted)
    assert edit is not None
    record.do(edit)
    made = Scissors()
    record.layer.selected_label = 1
    desk.choose(made)
    settle()
    yield made
    desk.choose(None)
    made.deleteLater()


def around(view: View, record: Record) -> list[Pixel]:
    """Give whole pixels around a slanted area."""
    shifts = ((-10, -7), (-8, 8), (7, 9), (9, -3))
    voxels = []
    for shift in shifts:
        voxel = list(MIDDLE)
        for axis, by in zip(sorted({0, 1, 2} - {view.plane.value}), shift, strict=True):
            voxel[axis] += by
        voxels.append(voxel)
    pixels = [pixel_of(view, record, (v[0], v[1], v[2])) for v in voxels]
    return [(float(round(x)), float(round(y))) for x, y in pixels]


def area(view: View, record: Record, pixels: list[Pixel]) -> NDArray[np.bool_]:
    """Give the voxels inside a line of pixels, through all slices."""
    axis = view.plane.value
    points = np.delete(np.array([record.to_voxel(world_of(view, pixel)) for pixel in pixels]), axis, axis=1)
    shape = tuple(np.delete(record.labels.shape, axis))
    flat = fill_polygon(points, (int(shape[0]), int(shape[1])))
    return np.broadcast_to(np.expand_dims(flat, axis), record.labels.shape)


def test_it_erases_inside_and_outside_in_every_view(
    views: Bench, desk: Desk, record: Record, scissors: Scissors
) -> None:
    with_hands(opened(views), desk)
    go_to(views, record, MIDDLE)
    before = record.labels.copy()
    for plane in (Plane.AXIAL, Plane.CORONAL):
        view = view_of(views, plane)
        pixels = around(view, record)
        inside = area(view, record, pixels)
        scissors.way.setCurrentIndex(INSIDE)
        drag(view, pixels)
        assert np.array_equal(record.labels, np.where(inside & (before == 1), 0, before))
        assert record.history.steps[-1].name == "Erase class 1 inside a line"
        record.undo()
        scissors.way.setCurrentIndex(OUTSIDE)
        drag(view, pixels)
        assert np.array_equal(record.labels, np.where(~inside & (before == 1), 0, before))
        record.undo()
        assert np.array_equal(record.labels, before)


def test_depth_all_classes_and_locks(views: Bench, desk: Desk, record: Record, scissors: Scissors) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    before, pixels = record.labels.copy(), around(view, record)
    deep = area(view, record, pixels) & (np.abs(np.arange(24) - 12) <= 2)[:, None, None]
    scissors.depth.setValue(5)
    drag(view, pixels)
    assert np.array_equal(record.labels, np.where(deep & (before == 1), 0, before))
    assert record.history.steps[-1].name == "Erase class 1 inside a line, z 10-14"
    record.undo()
    scissors.of.setCurrentIndex(ALL)
    drag(view, pixels)
    assert np.array_equal(record.labels, np.where(deep, 0, before))
    record.undo()
    record.locked = frozenset({1})
    drag(view, pixels)
    assert np.array_equal(record.labels, np.where(deep & (before == 2), 0, before))


def test_inside_becomes_a_new_class(views: Bench, desk: Desk, record: Record, scissors: Scissors) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    before, pixels = record.labels.copy(), around(view, record)
    scissors.way.setCurrentIndex(NEW)
    drag(view, pixels)
    (new,) = set(np.unique(record.labels).tolist()) - {0, 1, 2}
    assert np.array_equal(record.labels, np.where(area(view, record, pixels) & (before == 1), new, before))
    assert record.history.steps[-1].name == f"Cut class {new} out of class 1"


def test_a_line_across_an_object_cuts_it_in_two(views: Bench, desk: Desk, record: Record, scissors: Scissors) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    before = record.labels.copy()
    scissors.way.setCurrentIndex(IN_TWO)
    drag(view, [pixel_of(view, record, voxel) for voxel in ((12, 8, 9.5), (12, 20, 9.5), (12, 37, 9.5))])
    wanted = before.copy()
    part = before[:, :, :10]
    wanted[:, :, :10] = np.where(part == 1, record.labels.max(), part)
    assert record.labels.max() > 2
    assert np.array_equal(record.labels, wanted)
    said: list[str] = []
    desk.said.connect(said.append)
    drag(view, [pixel_of(view, record, voxel) for voxel in ((12, 1, 1), (12, 1, 30))])
    assert np.array_equal(record.labels, wanted)
    assert said[-1].startswith("The line crosses no object")


def test_the_line_is_seen_while_it_is_drawn_and_escape_cuts_nothing(
    qtbot: Any, views: Bench, desk: Desk, record: Record, scissors: Scissors
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    before, pixels = record.labels.copy(), around(view, record)
    nodes = len(view.glass.children)
    press(view, pixels[0])
    for pixel in pixels[1:]:
        move(view, pixel)
    QApplication.processEvents()
    assert len(view.glass.children) > nodes
    assert scissors._line is not None
    np.testing.assert_allclose(scissors._line.pixels, pixels)
    qtbot.keyClick(view.native, Qt.Key.Key_Escape)
    release(view, pixels[-1])
    assert len(view.glass.children) == nodes
    assert np.array_equal(record.labels, before)
    said: list[str] = []
    desk.said.connect(said.append)
    drag(view, [pixels[0]])
    assert "draw a line" in said[-1]
    drag(view, pixels)
    assert len(view.glass.children) == nodes
    assert not np.array_equal(record.labels, before)
