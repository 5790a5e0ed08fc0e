"""A desk in a real window, with phantoms under correction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from napari import Viewer
from napari.layers import Labels
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from tests.gui.bench.conftest import labels as labels
from tests.gui.bench.conftest import scan as scan
from tests.gui.bench.conftest import views as views

WAIT_MS = 10_000


@pytest.fixture
def desk(qtbot: Any, viewer: Viewer, views: Bench) -> Iterator[Desk]:
    """The desk of a viewer; what it wrote is on the disk when the test is over."""
    made = Desk(viewer, views)
    yield made
    made.let_go()
    QApplication.processEvents()


@pytest.fixture
def record(desk: Desk, viewer: Viewer, labels: Labels) -> Record:
    """The labels under correction."""
    viewer.layers.selection.active = labels
    assert desk.record is not None
    return desk.record
