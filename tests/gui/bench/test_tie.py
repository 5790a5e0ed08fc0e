"""Ties: looks follow the layer, tools follow each other, until they are let go."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_vol3d.gui.bench.tie import Tie
from napari_vol3d.gui.bench.twin_layers import twin_of


@pytest.mark.parametrize(
    ("name", "value"),
    [("contrast_limits", (-3.0, 44.0)), ("gamma", 0.7), ("opacity", 0.3), ("visible", False), ("blending", "additive"),
     ("projection_mode", "max"), ("translate", (1.0, 2.0, 3.0)), ("scale", (2.0, 2.0, 2.0)), ("name", "other")],
)  # fmt: skip
def test_a_twin_image_looks_as_its_layer_does(name: str, value: object) -> None:
    """Before the tie and after."""
    layer = Image(np.arange(60.0).reshape(3, 4, 5), contrast_limits=(0, 9))
    layer.contrast_limits_range = (-50, 100)
    twin = twin_of(layer, 1)
    tie = Tie(layer, twin)
    setattr(layer, name, value)
    layer.colormap = "red"
    assert np.array_equal(np.asarray(getattr(twin, name)), np.asarray(getattr(layer, name)))
    assert twin.colormap.name == "red"
    tie.let_go()
    layer.colormap = "gray"
    assert twin.colormap.name == "red"


@pytest.mark.parametrize(
    ("name", "value"),
    [("mode", "paint"), ("selected_label", 3), ("brush_size", 4), ("n_edit_dimensions", 3), ("preserve_labels", True)],
)
def test_tools_follow_whichever_view_they_were_chosen_in(name: str, value: object) -> None:
    """A key pressed over a twin changes the layer, and with it every other twin."""
    layer = Labels(np.zeros((3, 4, 5), np.uint8))
    twins = [twin_of(layer, 1) for _ in range(2)]
    ties = [Tie(layer, twin) for twin in twins]
    setattr(twins[0], name, value)
    assert str(getattr(layer, name)) == str(getattr(twins[1], name)) == str(value)
    for tie in ties:
        tie.let_go()


def test_other_voxels_are_shown_by_the_twin_too() -> None:
    """`layer.data = ...` gives the twin the new array; colours come with it."""
    layer = Labels(np.zeros((3, 4, 5), np.uint8))
    twin = twin_of(layer, 1)
    tie = Tie(layer, twin)
    layer.data = np.ones((3, 4, 5), np.uint16)
    layer.colormap = {0: "transparent", 1: "red", None: "blue"}
    assert twin.data is layer.data
    assert twin.get_color(1) == pytest.approx((1, 0, 0, 1))
    tie.let_go()
