"""A model of several channels asks for a layer for each, and reads their names."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import LayerList
from napari.layers import Image

from napari_vol3d.gui.forms.channel_choices import ChannelChoices


@pytest.fixture
def layers():
    return LayerList([Image(np.zeros((2, 3, 4)), name=name) for name in ("p1_T1", "p1_FLAIR", "p1_T1-post")])


@pytest.fixture
def form(qtbot, layers):
    found = ChannelChoices(layers)
    qtbot.addWidget(found)
    yield found
    found.let_go()


def names(form):
    return [layer and layer.name for layer in form.value()]


def test_hidden_until_channels_are_asked_for(form):
    assert form.isHidden()
    form.ask(("FLAIR", "T1"))
    assert not form.isHidden()
    form.ask(())
    assert form.isHidden()
    assert form.value() == ()


def test_names_say_which_is_which_and_what_is_missing_stays_open(form, layers, qtbot):
    form.ask(("FLAIR", "T1", "T1 post", "T2"))
    assert names(form) == ["p1_FLAIR", "p1_T1", "p1_T1-post", None]
    with qtbot.waitSignal(form.valueChanged):
        layers.append(Image(np.zeros((2, 3, 4)), name="p1_T2"))
    assert names(form)[3] == "p1_T2"


def test_what_a_person_chose_stays(form, layers):
    form.ask(("FLAIR", "T1"))
    form.choices[1].setCurrentIndex(form.choices[1].findText("p1_T1-post"))
    form.choices[1].activated.emit(form.choices[1].currentIndex())
    layers.append(Image(np.zeros((2, 3, 4)), name="another T1"))
    assert names(form) == ["p1_FLAIR", "p1_T1-post"]


def test_other_channels_start_anew(form):
    form.ask(("FLAIR", "T1"))
    form.choices[1].activated.emit(0)
    form.ask(("T1 post",))
    assert names(form) == ["p1_T1-post"]


def test_a_layer_that_gets_another_name_is_matched(form, layers):
    form.ask(("FLAIR", "T2"))
    layers.append(Image(np.zeros((2, 3, 4)), name="odd"))
    assert names(form) == ["p1_FLAIR", None]
    layers["odd"].name = "p1_T2"
    assert names(form) == ["p1_FLAIR", "p1_T2"]
