"""The object at a voxel is told once the mouse rests, and never from labels as they were before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.components import ViewerModel
from napari.layers import Labels
from skimage.measure import label

from napari_vol3d.gui.bench import object_finder
from napari_vol3d.gui.bench.object_finder import ObjectFinder

VOXELS = (np.random.default_rng(3).random((12, 40, 40)) > 0.93).astype(np.uint8) * 2


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def labels(viewer: ViewerModel) -> Labels:
    return viewer.add_labels(VOXELS.copy(), scale=(2, 1, 1), units=("mm",) * 3)


@pytest.fixture
def finder(qtbot: Any, viewer: Viewer) -> Iterator[ObjectFinder]:
    finder = ObjectFinder(viewer)
    yield finder
    finder.let_go()
    qtbot.waitUntil(lambda: not finder.busy)


def told(qtbot: Any, finder: ObjectFinder, labels: Labels, index: tuple[int, ...]) -> tuple[int, str] | None:
    """Ask, wait for what is found, and ask again."""
    class_id = int(labels.data[index])
    if finder(labels, index, class_id) is None:
        with qtbot.waitSignal(finder.found, timeout=20_000):
            pass
    return finder(labels, index, class_id)


def test_number_and_size_are_those_of_the_object(qtbot: Any, labels: Labels, finder: ObjectFinder) -> None:
    parts = label(VOXELS, connectivity=3)
    sizes = np.bincount(parts.ravel())[1:]
    largest = tuple(np.argwhere(parts == sizes.argmax() + 1)[0].tolist())
    found = told(qtbot, finder, labels, largest)
    assert found == (1, f"{sizes.max() * 2 / 1000:.3g} mL")
    smallest = tuple(np.argwhere(parts == np.flatnonzero(sizes == 1)[-1] + 1)[0].tolist())
    assert finder(labels, smallest, 2) == (len(sizes), "0.002 mL")  # known without being asked for again


def test_what_changes_labels_is_seen(qtbot: Any, labels: Labels, finder: ObjectFinder) -> None:
    labels.data[...] = 0
    labels.data[3, 5, 5:8] = 1
    index = 3, 5, 5
    assert told(qtbot, finder, labels, index) == (1, "0.006 mL")
    labels.selected_label = 1
    labels.data_setitem((np.array([3]), np.array([5]), np.array([8])), 1)
    assert finder(labels, index, 1) is None
    assert told(qtbot, finder, labels, index) == (1, "0.008 mL")
    labels.undo()
    assert told(qtbot, finder, labels, index) == (1, "0.006 mL")
    labels.data[3, 5, 8:18] = 1  # as a running prediction writes
    labels.refresh()
    assert told(qtbot, finder, labels, index) == (1, "0.026 mL")
    labels.data = np.ones_like(labels.data)
    assert told(qtbot, finder, labels, index) == (1, "38.4 mL")


def test_scrolling_forgets_nothing(qtbot: Any, viewer: ViewerModel, labels: Labels, finder: ObjectFinder) -> None:
    index = tuple(np.argwhere(VOXELS)[0].tolist())
    found = told(qtbot, finder, labels, index)
    viewer.dims.set_point(0, 8.0)
    viewer.dims.order = (1, 0, 2)
    assert finder(labels, index, 2) == found is not None
    labels.data[...] = 0
    labels.refresh()
    assert finder(labels, index, 2) is None


def test_a_change_while_it_looks_makes_the_answer_late(qtbot: Any, labels: Labels, finder: ObjectFinder) -> None:
    index = tuple(np.argwhere(VOXELS)[0].tolist())
    finder(labels, index, 2)
    finder._timer.stop()
    finder._begin()
    with qtbot.assertNotEmitted(finder.found):
        finder.forget(labels)
        qtbot.waitUntil(lambda: not finder.busy)
    assert finder._known == {}


def test_each_moment_of_a_series_has_its_objects(qtbot: Any, viewer: ViewerModel, finder: ObjectFinder) -> None:
    data = np.zeros((2, 4, 9, 9), np.uint8)
    data[0, 2, 4, 4], data[1, 2, 4, 4:7] = 1, 1
    labels = viewer.add_labels(data)
    assert told(qtbot, finder, labels, (0, 2, 4, 4)) == (1, "1 voxels")
    assert told(qtbot, finder, labels, (1, 2, 4, 4)) == (1, "3 voxels")


def test_labels_that_are_gone_are_let_go(
    qtbot: Any, viewer: ViewerModel, labels: Labels, finder: ObjectFinder
) -> None:
    told(qtbot, finder, labels, tuple(np.argwhere(VOXELS)[0].tolist()))
    viewer.layers.remove(labels)
    assert finder._known == {}
    assert finder._watched == {}


def test_little_is_kept(
    qtbot: Any, viewer: ViewerModel, labels: Labels, finder: ObjectFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_finder, "KEPT_VOXELS", 1000)
    labels.data[0, 0, 0], labels.data[11, 39, 39] = 5, 5
    told(qtbot, finder, labels, tuple(np.argwhere(labels.data == 2)[0].tolist()))
    told(qtbot, finder, labels, (0, 0, 0))
    assert [key[2] for key in finder._known] == [5]
    monkeypatch.setattr(object_finder, "MOST_VOXELS", 1000)
    assert finder(labels, tuple(np.argwhere(labels.data == 2)[0].tolist()), 2) is None
    assert not finder.busy
