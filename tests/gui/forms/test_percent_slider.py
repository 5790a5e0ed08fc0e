"""A share as a slider and as a number, which agree."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.percent_slider import LEAST, MOST, PercentSlider


@pytest.fixture
def form(qtbot: Any) -> PercentSlider:
    made = PercentSlider()
    qtbot.addWidget(made)
    made.show()
    return made


def heard_of(form: PercentSlider) -> list[int]:
    heard: list[int] = []
    form.valueChanged.connect(heard.append)
    return heard


def test_slider_and_number_agree_and_tell_once(form: PercentSlider) -> None:
    heard = heard_of(form)
    form.slider.setValue(60)
    form.number.setValue(70)
    form.setValue(80)
    form.setValue(80)
    assert heard == [60, 70, 80]
    assert form.value() == form.slider.value() == form.number.value() == 80
    assert form.number.text() == "80 %"


def test_what_lies_outside_is_the_nearest(form: PercentSlider) -> None:
    for wanted, found in ((0, LEAST), (100, MOST)):
        form.setValue(wanted)
        assert form.value() == found


def test_a_double_click_gives_back_what_it_began_with(qtbot: Any, form: PercentSlider) -> None:
    form.setValue(80)
    qtbot.mouseDClick(form.slider, Qt.MouseButton.LeftButton)
    assert form.value() == 50


def test_the_tip_is_wherever_the_mouse_is(form: PercentSlider) -> None:
    form.setToolTip("liver: higher is less")
    assert {form.toolTip(), form.slider.toolTip(), form.number.toolTip()} == {"liver: higher is less"}
