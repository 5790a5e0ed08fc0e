"""The ids that occur are known a moment after they were painted, and what is asked no more is answered no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import Dims
from napari.layers import Labels

from napari_vol3d.gui.panels.id_watch import IdWatch
from napari_vol3d.io.registry import read_volume


@pytest.fixture
def watch(qtbot: Any) -> Iterator[IdWatch]:
    watch = IdWatch(Dims(ndim=3))
    yield watch
    watch.let_go()
    qtbot.waitUntil(lambda: not watch.looking)


def labels(*ids: int, dtype: type = np.uint16) -> Labels:
    data = np.zeros((5, 6, 7), dtype)
    data[2, 3, : len(ids)] = ids
    return Labels(data)


def ended(watch: IdWatch) -> Any:
    return lambda: not watch.looking


def test_all_ids_are_found_and_those_painted_later_too(qtbot: Any, watch: IdWatch) -> None:
    layer = labels(3, 530)
    with qtbot.waitSignal(watch.changed):
        watch.watch(layer)
    assert watch.ids == {3, 530}
    with qtbot.waitSignal(watch.changed):
        layer.data_setitem((np.array([1]), np.array([1]), np.array([1])), 77)
    assert watch.ids == {3, 77, 530}
    with qtbot.waitSignal(watch.changed):
        layer.data = np.full((2, 3, 4), 9, np.uint16)
    assert watch.ids == {9}


def test_ids_that_are_undone_or_written_by_others_are_seen_with_the_next_drawing(qtbot: Any, watch: IdWatch) -> None:
    layer = labels(3)
    with qtbot.waitSignal(watch.changed):
        watch.watch(layer)
    with qtbot.waitSignal(watch.changed):
        layer.data_setitem((np.array([1]), np.array([1]), np.array([1])), 77)
    with qtbot.waitSignal(watch.changed):
        layer.undo()
    assert watch.ids == {3}
    layer.data[4] = 12
    with qtbot.waitSignal(watch.changed):
        layer.refresh()
    assert watch.ids == {3, 12}


def test_a_stroke_that_brings_no_new_id_is_not_told(qtbot: Any, watch: IdWatch) -> None:
    layer = labels(3)
    with qtbot.waitSignal(watch.changed):
        watch.watch(layer)
    with qtbot.assertNotEmitted(watch.changed):
        layer.data_setitem((np.array([1]), np.array([1]), np.array([1])), 3)
        assert watch.looking
        qtbot.waitUntil(ended(watch))


def test_of_two_layers_only_the_one_that_is_watched_counts(qtbot: Any, watch: IdWatch) -> None:
    first, second = labels(1), labels(2)
    watch.watch(first)
    watch.watch(second)
    qtbot.waitUntil(lambda: watch.ids == {2})
    with qtbot.assertNotEmitted(watch.changed):
        first.data_setitem((np.array([1]), np.array([1]), np.array([1])), 8)
        assert not watch.looking
    assert watch.ids == {2}


def test_nobody_and_pictures_are_not_looked_through(watch: IdWatch) -> None:
    watch.watch(None)
    assert not watch.looking
    watch.watch(Labels(np.ones((4, 5), np.uint8)))
    assert not watch.looking
    assert watch.ids == frozenset()


def test_letting_go_ends_it(qtbot: Any, watch: IdWatch) -> None:
    layer = labels(4)
    watch.watch(layer)
    watch.let_go()
    layer.data_setitem((np.array([1]), np.array([1]), np.array([1])), 8)
    assert not watch.looking


def test_sparse_ids_of_a_real_map(qtbot: Any, watch: IdWatch, shared_data: Path) -> None:
    data = np.asarray(read_volume(shared_data / "scans" / "aparc_labels" / "training_seg_01.nii.gz").data)
    layer = Labels(data.astype(np.uint16))
    with qtbot.waitSignal(watch.changed, timeout=20_000):
        watch.watch(layer)
    assert watch.ids == set(np.unique(data).tolist()) - {0}
    assert max(watch.ids) == 530
