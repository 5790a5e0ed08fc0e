"""A layer as tools see it: the moment that is shown, spacing, names, locks, and places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels

from napari_vol3d.gui.correct.subject import Subject
from tests.gui.bench.conftest import SHAPE, SPACING
from tests.gui.correct.tools.told import NAMES, labelled


def test_of_a_volume_everything_is_as_it_lies(viewer: Viewer, scan: Image) -> None:
    data = np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE)
    subject = Subject(viewer, labelled(viewer, scan, data))
    assert subject.frame == 0
    assert np.shares_memory(subject.labels, data) or subject.labels is subject.layer.data
    assert subject.spacing == pytest.approx(SPACING)
    assert subject.unit == "mm"
    assert [item.name for item in subject.classes()] == list(NAMES)
    assert subject.name_of(2) == "posterior"
    assert subject.name_of(77) == "class 77"
    assert subject.name_of(0) == "background"


def test_places_of_the_canvas_are_voxels(viewer: Viewer, scan: Image) -> None:
    subject = Subject(viewer, labelled(viewer, scan, np.zeros(SHAPE, np.uint16)))
    for voxel in ((0, 0, 0), (3, 4.5, 31), (23.25, 39, 2)):
        assert subject.to_voxel(subject.layer.data_to_world(voxel)) == pytest.approx(voxel)


def test_of_a_series_the_moment_on_the_screen(viewer: Viewer) -> None:
    data = np.zeros((3, 4, 5, 6), np.uint8)
    layer = Labels(data, scale=(2.5, 3, 1, 2), translate=(5, 1, 2, 3))
    subject = Subject(viewer, layer)
    assert subject.frame == 0  # nobody sees it yet
    viewer.add_layer(layer)
    for moment in (2, 0, 1):
        viewer.dims.set_point(0, 5 + 2.5 * moment)
        assert subject.frame == moment
        assert np.shares_memory(subject.labels, data[moment])
    assert subject.spacing == (3, 1, 2)
    assert subject.to_voxel(layer.data_to_world((1, 2, 3, 4))) == pytest.approx((2, 3, 4))


def test_moments_are_counted_in_those_of_the_layer(viewer: Viewer) -> None:
    viewer.add_image(np.zeros((11, 4, 5, 6), np.float32), scale=(0.5, 1, 1, 1))  # twice as often
    layer = viewer.add_labels(np.zeros((4, 4, 5, 6), np.uint8), scale=(1, 1, 1, 1))
    subject = Subject(viewer, layer)
    viewer.dims.set_point(0, 2.0)
    assert viewer.dims.current_step[0] == 4
    assert subject.frame == 2
    viewer.dims.set_point(0, 5.0)  # where it shows nothing
    assert subject.frame == 3


def test_locks_are_the_layers_and_are_told(qtbot: Any, viewer: Viewer, scan: Image) -> None:
    layer = labelled(viewer, scan, np.zeros(SHAPE, np.uint16))
    subject = Subject(viewer, layer)
    assert subject.locked == frozenset()
    with qtbot.waitSignal(subject.locksChanged):
        subject.locked = frozenset({1, 3})
    assert Subject(viewer, layer).locked == {1, 3}
    assert layer.metadata["napari-vol3d"]  # what else is kept there stays
