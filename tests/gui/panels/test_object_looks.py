"""What a class looks like is the layer's, also of ids that nobody named."""

from __future__ import annotations

import numpy as np
from napari.layers import Labels

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.label_looks import class_looks, names_in, true_color
from napari_vol3d.gui.panels.object_looks import classes_with, look_of, recolor, toggle

PRESENT = np.array([1, 1, 40])


def a_layer() -> Labels:
    voxels = np.zeros((2, 3, 4), np.uint8)
    voxels[0, 0, 0], voxels[1, 1, 1] = 1, 40
    return Labels(voxels, **class_looks([LabelClass(id=1, name="left", color="#112233")]))


def test_classes_with_and_without_names_are_shown() -> None:
    layer = a_layer()
    assert look_of(layer, 1).name == "left"
    assert look_of(layer, 1).color == "#112233"
    assert look_of(layer, 40).name == "class 40"
    assert [item.id for item in classes_with(layer, PRESENT)] == [1, 40]


def test_a_class_is_hidden_and_shown_again() -> None:
    layer = a_layer()
    for class_id in (1, 40):
        color = look_of(layer, class_id).color
        toggle(layer, class_id, PRESENT)
        assert not look_of(layer, class_id).shown
        assert layer.colormap.color_dict[class_id][3] == 0
        assert true_color(layer, class_id) == color
        toggle(layer, class_id, PRESENT)
        assert look_of(layer, class_id).shown
        assert layer.colormap.color_dict[class_id][3] == 1


def test_a_colour_stays_and_gives_a_name() -> None:
    layer = a_layer()
    recolor(layer, 40, "#abcdef", PRESENT)
    assert look_of(layer, 40).color == true_color(layer, 40) == "#abcdef"
    assert names_in(layer) == {1: "left", 40: "class 40"}
    assert look_of(layer, 1).color == "#112233"
