"""A search gives what is there; an older one is never heard of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_vol3d.core.volume import Geometry
from napari_vol3d.gui.bench.under import geometry_under
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.panels.object_search import FoundObjects, ObjectSearch
from tests.gui.bench.conftest import SPACING
from tests.gui.bench.conftest import labels as labels
from tests.gui.bench.conftest import scan as scan
from tests.gui.bench.conftest import views as views
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.conftest import desk as desk
from tests.gui.correct.conftest import record as record


@pytest.fixture
def search(qtbot: Any) -> Iterator[ObjectSearch]:
    search = ObjectSearch()
    yield search
    search.stop()


def heard(qtbot: Any, signal: Any) -> Any:
    with qtbot.waitSignal(signal, timeout=WAIT_MS) as told:
        pass
    return told.args[0]


def test_objects_of_the_record_are_measured(qtbot: Any, record: Record, scan: Image, search: ObjectSearch) -> None:
    record.labels[2:4, 5, 5:9] = 3
    steps: list[Any] = []
    search.progressed.connect(steps.append)
    search.look(record, geometry_under(scan), values=scan.data, image=scan.name)
    assert search.busy
    found: FoundObjects = heard(qtbot, search.found)
    assert (found.record, found.frame, found.image) == (record, 0, "scan")
    assert found.table.class_id.tolist() == [3]
    assert found.table.volume == pytest.approx([8 * np.prod(SPACING)])
    assert found.table.mean[0] == pytest.approx(scan.data[2:4, 5, 5:9].mean())
    assert found.seconds > 0
    assert steps
    qtbot.waitUntil(lambda: not search.busy, timeout=WAIT_MS)


def test_a_tilted_grid_has_smaller_voxels(qtbot: Any, record: Record, search: ObjectSearch) -> None:
    record.labels[0, 0, 0] = 1
    affine = np.eye(4)
    affine[1, 0] = 1.0  # the first axis leans over
    search.look(record, Geometry(affine=affine))
    assert heard(qtbot, search.found).table.volume == pytest.approx([1.0])


def test_only_the_newest_search_is_heard_of(qtbot: Any, record: Record, scan: Image, search: ObjectSearch) -> None:
    found: list[FoundObjects] = []
    search.found.connect(found.append)
    search.look(record, geometry_under(scan), values=scan.data, image="first")
    search.look(record, geometry_under(scan), image="without voxels")
    qtbot.waitUntil(lambda: not search.busy, timeout=WAIT_MS)
    assert [one.image for one in found] == [""]
    search.look(record, geometry_under(scan))
    search.stop()
    assert not search.busy
    with qtbot.assertNotEmitted(search.found, wait=200):
        pass


def test_a_problem_is_told(qtbot: Any, record: Record, scan: Image, search: ObjectSearch) -> None:
    search.look(record, geometry_under(scan), values=scan.data[1:], image="another grid")
    assert "another grid" in str(heard(qtbot, search.failed))
    qtbot.waitUntil(lambda: not search.busy, timeout=WAIT_MS)
