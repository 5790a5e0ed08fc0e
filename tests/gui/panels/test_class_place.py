"""The way to a class leads into its largest object, in the world and at the moment that is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels

from napari_vol3d.gui.panels.class_place import ClassPlace


@pytest.fixture
def place(qtbot: Any, viewer: Viewer) -> Iterator[ClassPlace]:
    place = ClassPlace(viewer)
    yield place
    place.let_go()
    qtbot.waitUntil(lambda: not place.looking)


def cube() -> np.ndarray:
    data = np.zeros((10, 12, 14), np.uint16)
    data[2:5, 3:8, 4:9], data[9, 11, 13] = 7, 7
    return data


def add(viewer: Viewer, data: np.ndarray, **place: Any) -> Labels:
    layer: Labels = viewer.add_labels(data, **place)
    return layer


def test_the_point_is_in_the_world(qtbot: Any, place: ClassPlace, viewer: Viewer) -> None:
    layer = add(viewer, cube(), scale=(3, 1, 0.5), translate=(-40, 10, 5))
    with qtbot.waitSignal(place.found) as told:
        place.look(layer, 7)
    np.testing.assert_allclose(told.args[0], layer.data_to_world((3, 5, 6)))


def test_of_a_series_it_is_the_moment_that_is_shown(qtbot: Any, place: ClassPlace, viewer: Viewer) -> None:
    series = np.zeros((3, 10, 12, 14), np.uint8)
    series[1] = cube()
    series[2, 8, 9, 10] = 7
    layer = add(viewer, series, scale=(1, 3, 1, 1))
    for moment, expected in ((1, (1, 9, 5, 6)), (2, (2, 24, 9, 10))):
        viewer.dims.set_point(0, moment)
        with qtbot.waitSignal(place.found) as told:
            place.look(layer, 7)
        np.testing.assert_allclose(told.args[0], expected)


def test_beside_a_series_the_moment_stays(qtbot: Any, place: ClassPlace, viewer: Viewer) -> None:
    viewer.add_image(np.zeros((4, 10, 12, 14), np.float32))
    layer = add(viewer, cube())
    viewer.dims.set_point(0, 3)
    with qtbot.waitSignal(place.found) as told:
        place.look(layer, 7)
    np.testing.assert_allclose(told.args[0], (3, 3, 5, 6))


def test_a_class_without_voxels_is_said_to_be_missing(qtbot: Any, place: ClassPlace, viewer: Viewer) -> None:
    layer = add(viewer, cube())
    with qtbot.assertNotEmitted(place.found), qtbot.waitSignal(place.missing) as told:
        place.look(layer, 8)
    assert told.args == [8]


def test_only_the_last_wish_is_answered(qtbot: Any, place: ClassPlace, viewer: Viewer) -> None:
    data = cube()
    data[0, 0, 0] = 1
    layer = add(viewer, data)
    points: list[Any] = []
    place.found.connect(points.append)
    place.look(layer, 7)
    place.look(layer, 1)
    qtbot.waitUntil(lambda: len(points) == 1)
    qtbot.waitUntil(lambda: not place.looking)
    np.testing.assert_allclose(points, [(0, 0, 0)])
