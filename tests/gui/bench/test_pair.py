"""A pair is shown while it is held, and given back as it was."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel

from napari_vol3d.gui.bench.pair import Pair


def test_held_layers_are_shown_and_given_back() -> None:
    viewer = ViewerModel()
    a, b, c = (viewer.add_image(np.zeros((3, 3, 3)), visible=name == "b", name=name) for name in "abc")
    pair, heard = Pair(viewer.layers), []
    pair.changed.connect(lambda: heard.append(pair.value()))
    pair.hold(a, b)
    assert (a.visible, b.visible, c.visible) == (True, True, False)
    pair.hold(b, c)
    assert (a.visible, b.visible, c.visible) == (False, True, True)
    pair.drop()
    pair.drop()
    assert (a.visible, b.visible, c.visible) == (False, True, False)
    assert heard == [(a, b), (b, c), None]


def test_a_layer_taken_away_leaves_none() -> None:
    viewer = ViewerModel()
    a, b, c = (viewer.add_image(np.zeros((3, 3, 3)), visible=False) for _ in range(3))
    pair = Pair(viewer.layers)
    pair.hold(a, b)
    viewer.layers.remove(c)
    assert pair.value() == (a, b)
    viewer.layers.remove(b)
    assert pair.value() is None
    assert not a.visible
    pair.let_go()
