"""What is set in the list is set on the layer, and what changes on the layer is shown in the list."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_vol3d.gui.panels.image_list import ImageList


def make(qtbot: Any) -> tuple[ViewerModel, ImageList]:
    viewer = ViewerModel()
    images = ImageList(viewer.layers)
    qtbot.addWidget(images)
    return viewer, images


def names(images: ImageList) -> list[str]:
    return [images.list.item(row).text() for row in range(images.list.count())]


def test_images_are_listed_as_they_lie_over_each_other(qtbot: Any) -> None:
    viewer, images = make(qtbot)
    assert not images.opacity.isEnabled()
    for name in "abc":
        viewer.add_image(np.zeros((3, 3, 3)), name=name)
    viewer.add_labels(np.zeros((3, 3, 3), np.uint8))
    assert names(images) == ["c", "b", "a"]
    viewer.layers.move(0, 3)
    assert names(images) == ["a", "c", "b"]
    viewer.layers["c"].name = "other"
    assert names(images) == ["a", "other", "b"]
    images.let_go()


def test_the_box_shows_and_hides(qtbot: Any) -> None:
    viewer, images = make(qtbot)
    layer = viewer.add_image(np.zeros((3, 3, 3)))
    item = images.list.item(0)
    item.setCheckState(Qt.CheckState.Unchecked)
    assert not layer.visible
    layer.visible = True
    assert item.checkState() == Qt.CheckState.Checked
    images.let_go()


def test_looks_go_both_ways(qtbot: Any) -> None:
    viewer, images = make(qtbot)
    one, other = (viewer.add_image(np.zeros((3, 3, 3)), name=name) for name in ("one", "other"))
    images.setValue(one)
    assert images.value() is one
    images.opacity.setValue(0.25)
    images.colormap.setCurrentText("magenta")
    images.blending.setCurrentIndex(1)
    assert (one.opacity, one.colormap.name, str(one.blending)) == (0.25, "magenta", "additive")
    assert (other.opacity, other.colormap.name) == (1, "gray")
    one.opacity, one.colormap, one.blending = 0.5, "bop blue", "translucent"
    assert images.opacity.value() == pytest.approx(0.5)
    assert (images.colormap.currentText(), images.blending.currentText()) == ("bop blue", "covers")
    images.setValue(other)
    assert images.colormap.currentText() == "gray"
    images.let_go()


def test_a_layer_that_has_gone_is_followed_no_longer(qtbot: Any) -> None:
    viewer, images = make(qtbot)
    one, other = (viewer.add_image(np.zeros((3, 3, 3)), name=name) for name in ("one", "other"))
    images.setValue(one)
    viewer.layers.remove(one)
    assert images.value() is other
    one.opacity = 0.1
    assert images.opacity.value() == 1
    images.let_go()
    assert not any(callback for callback in other.events.visible.callbacks if "_on_visible" in str(callback))
