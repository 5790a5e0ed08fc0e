"""Twins: the same voxels, one history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points

from napari_vol3d.gui.bench.twin_layers import TwinImage, TwinLabels, twin_of


@pytest.fixture
def pair() -> tuple[Labels, TwinLabels]:
    """Labels and their twin, in two models; the twin shows coronal slices."""
    viewer, other = ViewerModel(), ViewerModel()
    labels = Labels(np.zeros((8, 9, 10), np.uint16), scale=(3, 1, 2), translate=(-4, 5, 6))
    viewer.layers.append(labels)
    twin = twin_of(labels, 1)
    assert isinstance(twin, TwinLabels)
    other.layers.append(twin)
    other.dims.order = (1, 0, 2)
    other.dims.set_point(1, labels.data_to_world((0, 4, 0))[1])
    return labels, twin


def test_a_stroke_in_a_twin_is_a_stroke_of_the_layer(pair: tuple[Labels, TwinLabels]) -> None:
    """The voxels are shared; the layer emits the paint event, once, and nothing but the slice changes."""
    labels, twin = pair
    heard: list[Any] = []
    labels.events.paint.connect(heard.append)
    twin.paint((3, 4, 5), 2)
    assert twin.data is labels.data
    assert len(heard) == 1
    changed = np.argwhere(labels.data)
    assert len(changed) > 1
    assert set(changed[:, 1]) == {4}


def test_undo_and_redo_are_the_layer_s_in_any_mixture(pair: tuple[Labels, TwinLabels]) -> None:
    """Strokes here and there, taken back here and there: the array comes back bit for bit, both ways."""
    labels, twin = pair
    rng, states = np.random.default_rng(0), [labels.data.copy()]
    for turn in range(20):
        layer = (labels, twin)[rng.integers(2)]
        layer.paint(tuple(rng.integers(1, 8, 3)), int(rng.integers(1, 5)))
        if turn % 3 == 0:
            twin.data_setitem((np.array([turn % 8]), np.array([4]), np.array([turn % 10])), 9)
        if not np.array_equal(states[-1], labels.data):
            states.append(labels.data.copy())
    steps = len(labels._undo_history)
    for step in range(steps):
        (labels, twin)[step % 2].undo()
    np.testing.assert_array_equal(labels.data, states[0])
    for step in range(steps):
        (twin, labels)[step % 2].redo()
    np.testing.assert_array_equal(labels.data, states[-1])


def test_a_new_stroke_forgets_what_was_taken_back(pair: tuple[Labels, TwinLabels]) -> None:
    """As in one view: after undo and another stroke there is nothing to redo."""
    labels, twin = pair
    labels.paint((2, 2, 2), 1)
    twin.undo()
    twin.paint((3, 4, 5), 2)
    after = labels.data.copy()
    labels.redo()
    np.testing.assert_array_equal(labels.data, after)


def test_a_twin_lies_where_its_layer_lies() -> None:
    """Also turned and sheared ones, and multiscale images, which are not looked through."""
    affine = np.eye(4)
    affine[1:3, 1:3] += np.random.default_rng(3).normal(0, 0.2, (2, 2))  # turned and sheared within the slice
    levels = [np.zeros((8, 8, 8), np.uint8), np.zeros((4, 4, 4), np.uint8)]
    layers = [
        Image(np.zeros((4, 5, 6)), affine=affine, contrast_limits=(0, 9)),
        Image(levels, multiscale=True, scale=(2, 1, 1), contrast_limits=(3, 7)),
        Labels(np.zeros((4, 5, 6), np.uint8), scale=(1, 2, 3), translate=(7, 8, 9)),
        Points(np.zeros((2, 3)), scale=(1, 2, 3)),
    ]
    for layer in layers:
        twin = twin_of(layer, 1)
        point = (1.0, 2.0, 3.0)
        assert twin.data_to_world(point) == pytest.approx(layer.data_to_world(point))
    assert isinstance(twin_of(layers[1], 1), TwinImage)
    assert twin_of(layers[1], 1).multiscale
