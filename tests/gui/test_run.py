"""A run in the viewer; the whole way through is in test_main_job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import QObject

from napari_vol3d.core.box import Box
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.layers import to_volume
from napari_vol3d.gui.run import SegmentRun
from napari_vol3d.models.store import find_model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.gui.conftest import RUN_MS


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def scan(viewer: Viewer) -> Image:
    data = np.random.default_rng(0).normal(100, 20, (16, 40, 32)).astype(np.float32)
    layer: Image = viewer.add_image(data, name="scan", scale=(2, 1, 1), translate=(5, 6, 7), units=("mm",) * 3)
    return layer


def make_run(viewer: Viewer, scan: Image, engine: Engine, parent: QObject, **changes: Any) -> SegmentRun:
    volume, model, settings = to_volume(scan), find_model("hippocampus-t1"), SegmentSettings(**changes)
    return SegmentRun(
        viewer, scan, volume, model, settings, region=None, plan=plan_segment(volume, model.card, settings),
        engine=engine, parent=parent,
    )  # fmt: skip


def test_a_run_fills_a_new_layer_on_the_scan_and_keeps_the_selection(
    qtbot: Any, viewer: Viewer, scan: Image, engine: Engine
) -> None:
    parent = QObject()
    run = make_run(viewer, scan, engine, parent, probabilities=True)
    assert viewer.layers.selection.active is scan
    np.testing.assert_allclose(run.labels.data_to_world((1, 2, 3)), scan.data_to_world((1, 2, 3)))
    heard: list[str] = []
    run.succeeded.connect(lambda _: heard.append("succeeded"))
    run.ended.connect(lambda: heard.append("ended"))
    with qtbot.waitSignal(run.ended, timeout=RUN_MS):
        run.start()
    assert heard == ["succeeded", "ended"]
    assert run.labels_shown
    maps = [layer for layer in viewer.layers if isinstance(layer, Image) and layer is not scan]
    assert [layer.data.dtype for layer in maps] == [np.uint8] * 2
    assert not any(layer.visible for layer in maps)


def test_removing_the_layer_in_the_middle_does_no_harm(
    qtbot: Any, viewer: Viewer, scan: Image, engine: Engine
) -> None:
    parent = QObject()
    run = make_run(viewer, scan, engine, parent)
    run.start()
    viewer.layers.remove(run.labels)
    with qtbot.waitSignal(run.ended, timeout=RUN_MS):
        pass
    assert not run.labels_shown
    assert not [layer for layer in viewer.layers if isinstance(layer, Labels)]


def test_a_run_that_is_cancelled_before_anything_came_leaves_no_empty_layer(
    qtbot: Any, viewer: Viewer, scan: Image, engine: Engine
) -> None:
    parent = QObject()
    ones = np.ones(scan.data.shape, np.uint8)
    older = viewer.add_labels(ones, name="scan labels", scale=scan.scale, units=scan.units)
    run = make_run(viewer, scan, engine, parent)
    assert not older.visible
    with qtbot.waitSignals([run.cancelled, run.ended], timeout=RUN_MS):
        run.start()
        run.job.stop()
    assert not run.labels_shown
    assert scan in viewer.layers
    assert older.visible


@pytest.mark.parametrize("painted", [False, True])
def test_a_cancelled_rerun_gives_the_older_labels_back(
    qtbot: Any, viewer: Viewer, scan: Image, engine: Engine, painted: bool
) -> None:
    parent = QObject()
    ones = np.ones(scan.data.shape, np.uint8)
    older = viewer.add_labels(ones, name="scan labels", scale=scan.scale, units=scan.units)
    run = make_run(viewer, scan, engine, parent)
    tile = Box(start=(0, 0, 0), stop=(2, 2, 2))
    run.job.progressed.emit(Progress(phase="Segmenting", finished=tile, labels=np.ones((2, 2, 2), np.uint16)))
    if painted:
        run.labels.data_setitem((np.array([9]), np.array([9]), np.array([9])), 2)
    with qtbot.waitSignals([run.cancelled, run.ended], timeout=RUN_MS):
        run.start()
        run.job.stop()
    assert run.labels_shown
    assert older.visible
    assert run.labels.visible is painted  # what a person has put into it is not put out of their sight
