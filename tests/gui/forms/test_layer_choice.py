"""The choice of the scan follows the layer list and never shows what is no scan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import LayerList
from napari.layers import Image, Labels, Points

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.forms.layer_choice import LayerChoice
from napari_vol3d.gui.layers import PREVIEW, is_preview, probability_layers, to_volume


def scan(name: str) -> Image:
    return Image(np.zeros((3, 4, 5)), name=name)


@pytest.fixture
def layers() -> LayerList:
    return LayerList()


@pytest.fixture
def form(qtbot: Any, layers: LayerList) -> LayerChoice:
    form = LayerChoice(layers)
    qtbot.addWidget(form)
    return form


def names(form: LayerChoice) -> list[str]:
    return [form.itemText(index) for index in range(form.count())]


def count(form: LayerChoice) -> list[None]:
    told: list[None] = []
    form.valueChanged.connect(lambda: told.append(None))
    return told


def test_without_scans_there_is_no_choice(form: LayerChoice) -> None:
    assert form.value() is None
    assert form.count() == 0


def test_layers_that_were_there_before_are_offered(qtbot: Any) -> None:
    layers = LayerList([scan("a"), scan("b")])
    form = LayerChoice(layers)
    qtbot.addWidget(form)
    assert names(form) == ["a", "b"]
    assert form.value() is layers[1]


def test_a_new_scan_is_chosen_and_told_once(form: LayerChoice, layers: LayerList) -> None:
    layers.append(scan("a"))
    told = count(form)
    layers.append(scan("b"))
    assert form.value() is layers["b"]
    assert len(told) == 1


def test_choosing_gives_that_layer_and_is_told_once(form: LayerChoice, layers: LayerList) -> None:
    layers.extend([scan("a"), scan("b")])
    told = count(form)
    form.setValue(layers["a"])
    assert form.value() is layers["a"]
    assert len(told) == 1


def test_labels_points_and_our_probabilities_are_no_scans(form: LayerChoice, layers: LayerList) -> None:
    layers.append(scan("a"))
    layers.append(Labels(np.zeros((3, 4, 5), np.uint8)))
    layers.append(Points(np.zeros((1, 3))))
    maps = np.zeros((1, 3, 4, 5), np.uint8)
    classes = [LabelClass(id=1, name="x", color="#ff0000")]
    layers.extend(probability_layers(maps, to_volume(layers["a"]), classes, like=layers["a"]))
    assert len(layers) == 4
    assert names(form) == ["a"]
    assert form.value() is layers["a"]


def test_other_layers_leave_the_choice_alone(form: LayerChoice, layers: LayerList) -> None:
    layers.extend([scan("a"), scan("b")])
    form.setValue(layers["a"])
    layers.append(Labels(np.zeros((3, 4, 5), np.uint8)))
    assert form.value() is layers["a"]
    layers.remove(layers["b"])
    assert form.value() is layers["a"]


def test_a_removed_scan_is_not_offered_any_more(form: LayerChoice, layers: LayerList) -> None:
    layers.extend([scan("a"), scan("b")])
    layers.remove(layers["b"])
    assert names(form) == ["a"]
    assert form.value() is layers["a"]
    layers.clear()
    assert form.value() is None


def test_a_new_name_is_shown(form: LayerChoice, layers: LayerList) -> None:
    layers.append(scan("a"))
    layers["a"].name = "patient"
    assert names(form) == ["patient"]
    assert form.value() is layers["patient"]


def test_a_scan_named_like_a_probability_is_a_scan(form: LayerChoice, layers: LayerList) -> None:
    layers.append(scan("drug p(0.5)"))
    assert names(form) == ["drug p(0.5)"]


def test_having_let_go_it_follows_no_more(form: LayerChoice, layers: LayerList) -> None:
    layers.append(scan("a"))
    form.let_go()
    layers.append(scan("b"))
    assert names(form) == ["a"]


def test_it_lists_what_is_wanted_and_nothing_else(qtbot: Any, layers: LayerList) -> None:
    """As labels for the Correct tab; a layer that only shows what a tool would do is none."""
    form = LayerChoice(layers, wanted=lambda layer: isinstance(layer, Labels) and not is_preview(layer), tip="Whose")
    qtbot.addWidget(form)
    assert form.toolTip() == "Whose"
    told = count(form)
    layers.append(Labels(np.zeros((3, 4, 5), np.uint8), name="mine"))
    assert form.value() is layers["mine"]
    layers.append(scan("a"))
    layers.append(Labels(np.zeros((3, 4, 5), np.uint8), name="shown", metadata={PREVIEW: True}))
    assert names(form) == ["mine"]
    assert form.value() is layers["mine"]
    form.setValue(layers["a"])  # is not on the list
    assert form.value() is None
    assert len(told) >= 2
