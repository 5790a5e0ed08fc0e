"""The threshold brush keeps to a range, and to what hangs together with its middle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from scipy import ndimage

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.threshold import FIXED, ThresholdBrush
from tests.gui.bench.conftest import settle
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.mousing import NONE, away, drag, go_to, move, pixel_of, with_hands, world_of

MIDDLE = (12, 20, 16)


@pytest.fixture
def brush(desk: Desk, record: Record, scan: Image) -> Iterator[ThresholdBrush]:
    """In hand, over two bright bars with a dark wall between them."""
    scan.data[:] = 100
    scan.data[:, :, 10:19] = 500
    scan.data[:, :, 20:24] = 520
    scan.contrast_limits = (0, 1000)
    scan.refresh()
    made = ThresholdBrush()
    record.layer.selected_label = 3
    desk.choose(made)
    made.size_form.setValue(16.0)
    settle()
    yield made
    desk.choose(None)
    made.deleteLater()


def test_it_paints_what_is_like_the_clicked_voxel_and_connected(
    qtbot: Any, views: Bench, desk: Desk, record: Record, scan: Image, brush: ThresholdBrush
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    assert brush.tolerance.value() == 100
    pixel = pixel_of(view, record, MIDDLE)
    z, y, x = record.to_voxel(world_of(view, pixel))
    ball = away(record, (round(z), y, x)) <= 8
    bright = ball & (np.abs(scan.data - 500) <= 100)
    parts, count = ndimage.label(bright)
    assert count == 2  # the second bar is in reach, behind the wall
    move(view, pixel, held=NONE)
    qtbot.waitUntil(lambda: brush.said.text() == "500 under the mouse; paints 400 to 600.", timeout=WAIT_MS)
    drag(view, [pixel])
    assert np.array_equal(record.labels == 3, parts == parts[MIDDLE])
    assert record.history.steps[-1].name.startswith("Paint class 3 by threshold, z ")


def test_a_range_of_its_own_and_the_limits_of_all_tools(
    views: Bench, desk: Desk, record: Record, scan: Image, brush: ThresholdBrush
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    brush.way.setCurrentIndex(FIXED)
    brush.low.setValue(50)
    brush.high.setValue(900)
    pixel = pixel_of(view, record, MIDDLE)
    z, y, x = record.to_voxel(world_of(view, pixel))
    ball = away(record, (round(z), y, x)) <= 8
    drag(view, [pixel])
    assert np.array_equal(record.labels == 3, ball)
    record.undo()
    desk.intensity = (510.0, 1000.0)
    drag(view, [pixel])
    assert np.array_equal(record.labels == 3, ball & (scan.data >= 510))
    record.undo()
    brush.low.setValue(950)
    said: list[str] = []
    desk.said.connect(said.append)
    drag(view, [pixel])
    assert not record.labels.any()
    assert said[-1].startswith("No intensity lies between")


def test_without_a_scan_it_says_so(viewer: Viewer, views: Bench, desk: Desk, record: Record, brush: Any) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    viewer.layers.remove("scan")
    said: list[str] = []
    desk.said.connect(said.append)
    drag(view, [pixel_of(view, record, MIDDLE)])
    assert not record.labels.any()
    assert said[-1].startswith("The threshold brush needs a scan")
