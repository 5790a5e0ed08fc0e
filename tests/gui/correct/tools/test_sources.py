"""Layers that do not fit say why; the first state is what the labels were before any correction."""

from __future__ import annotations

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.sources import FirstState, voxels_of, why_not
from tests.gui.bench.conftest import SHAPE
from tests.gui.correct.tools.told import corrected, labelled


def write(record: Record, start: tuple[int, int, int], class_id: int, *, by_model: bool = False) -> None:
    """Make a step."""
    box = Box(start=start, stop=(start[0] + 6, start[1] + 9, start[2] + 5))
    before = record.labels[box.slices].copy()
    edit = Edit.between("Paint", before, np.full_like(before, class_id), start=start)
    assert edit is not None
    record.do(edit, by_model=by_model)


def test_what_does_not_fit_says_why(viewer: Viewer, desk: Desk, scan: Image) -> None:
    same = labelled(viewer, scan, np.ones(SHAPE, np.uint16), name="same")
    smaller = labelled(viewer, scan, np.ones((23, 40, 32), np.uint8), name="smaller")
    moved, coarse = (labelled(viewer, scan, np.ones(SHAPE, np.uint8), name=name) for name in ("moved", "coarse"))
    turned = labelled(viewer, scan, np.ones(SHAPE, np.uint8), name="turned")
    moved.translate = np.add(moved.translate, (0.0, 0.5, 0.0))
    coarse.scale = np.multiply(coarse.scale, (1.0, 1.0, 1.02))
    turned.rotate = (0, 0, 3)
    record = corrected(desk, scan, np.zeros(SHAPE, np.uint8))
    assert why_not(same, record) == ""
    assert "23 x 40 x 32" in why_not(smaller, record)
    assert "elsewhere" in why_not(moved, record)
    for layer in (coarse, turned):
        assert "spacing or direction" in why_not(layer, record)
    flat = viewer.add_labels(np.ones((40, 32), np.uint8))
    assert "axes" in why_not(flat, record)


@pytest.mark.parametrize("timed", [False, True])
def test_the_first_state_is_that_before_any_correction(
    viewer: Viewer, desk: Desk, scan: Image, timed: bool
) -> None:
    first = np.random.default_rng(4).integers(0, 3, (2, *SHAPE) if timed else SHAPE).astype(np.uint8)
    record = corrected(desk, scan, first.copy())
    model = np.zeros(SHAPE, bool)
    if timed:
        viewer.dims.set_point(0, 1)
        write(record, (1, 1, 1), 3)
        viewer.dims.set_point(0, 0)
    write(record, (3, 4, 5), 1)
    write(record, (5, 6, 7), 2, by_model=True)
    model[5:11, 6:15, 7:12] = True
    write(record, (6, 2, 8), 3)
    write(record, (0, 0, 0), 3)
    record.undo()
    wanted = np.where(model, 2, first[0] if timed else first)
    state = FirstState.of(record)
    box = Box(start=(2, 3, 4), stop=(20, 30, 30))
    assert state.shape == SHAPE
    assert np.array_equal(state[Box.of(SHAPE).slices], wanted)
    assert np.array_equal(state[box.slices], wanted[box.slices])
    assert np.array_equal(record.labels[0:2, 0:2, 0:2], (first[0] if timed else first)[0:2, 0:2, 0:2])


def test_of_a_series_the_moment_shown_is_copied(viewer: Viewer, desk: Desk, scan: Image) -> None:
    series = np.stack([np.full(SHAPE, i, np.uint8) for i in (1, 2, 3)])
    other, still = labelled(viewer, scan, series, name="other"), labelled(viewer, scan, series[0], name="still")
    record = corrected(desk, scan, np.zeros_like(series))
    viewer.dims.set_point(0, 2)
    assert why_not(other, record) == why_not(still, record) == ""
    assert (np.asarray(voxels_of(other, record)) == 3).all()
    assert (np.asarray(voxels_of(still, record)) == 1).all()
    two = labelled(viewer, scan, series[:2], name="two")
    assert "time points" in why_not(two, record)


