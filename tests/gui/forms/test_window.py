"""Histogram, numbers and names are three ways to say one window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_vol3d.core.windows import PRESETS, Levels, Window, survey
from napari_vol3d.gui.forms.window import FULL, OWN, STRETCHED, WindowForm, offered

RNG = np.random.default_rng(0)


def ct_levels() -> Levels:
    data = RNG.integers(-100, 900, (20, 20, 20)).astype(np.int16)
    data[:8] = -1000
    return survey(data, anatomical=True)


def mr_levels() -> Levels:
    return survey(RNG.normal(0.5, 0.1, (20, 20, 20)).astype(np.float32), anatomical=True)


@pytest.fixture
def form(qtbot: Any) -> WindowForm:
    form = WindowForm()
    qtbot.addWidget(form)
    form.show()
    return form


def choose(form: WindowForm, start: str) -> None:
    """Choose a name as a person does: only that tells `activated`."""
    index = next(k for k in range(form.preset.count()) if form.preset.itemText(k).startswith(start))
    form.preset.setCurrentIndex(index)
    form.preset.activated.emit(index)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_exactly_its_window(form: WindowForm, name: str) -> None:
    form.show_levels(ct_levels())
    choose(form, name)
    assert form.value() == PRESETS[name].limits
    assert (form.level.value(), form.width.value()) == (PRESETS[name].level, PRESETS[name].width)
    assert form.histogram.value() == form.value()


def test_windows_of_ct_come_first_for_a_ct_and_last_for_others() -> None:
    ct, mr, unknown = (list(offered(levels)) for levels in (ct_levels(), mr_levels(), None))
    assert ct[0].startswith("soft tissue ")
    assert ct[-2:] == [STRETCHED, FULL]
    assert mr[:2] == [STRETCHED, FULL]
    assert all("(CT)" in name for name in [*mr[2:], *unknown])


def test_numbers_carry_the_unit_only_where_it_is_known(form: WindowForm) -> None:
    form.show_levels(ct_levels())
    assert form.level.text().endswith(" HU")
    assert form.width.decimals() == 0
    form.show_levels(mr_levels())
    assert "HU" not in form.level.text()
    assert form.width.decimals() >= 3


def test_typed_numbers_change_the_window(qtbot: Any, form: WindowForm) -> None:
    form.show_levels(ct_levels())
    form.setValue((-150, 250))
    for box, text, expected in ((form.level, "100", (-100, 300)), (form.width, "50", (75, 125))):
        box.selectAll()
        qtbot.keyClicks(box, text)
        qtbot.keyClick(box, Qt.Key.Key_Return)
        assert form.value() == expected


def test_a_level_keeps_the_width_that_its_box_rounds(form: WindowForm) -> None:
    form.show_levels(ct_levels())
    form.setValue((0.25, 80.5))
    assert form.value() == (0.25, 80.5)
    form.level.setValue(100)
    low, high = form.value()
    assert high - low == pytest.approx(80.25)


def test_a_width_of_nothing_is_a_window_still(form: WindowForm) -> None:
    form.show_levels(ct_levels())
    form.setValue((0, 80))
    form.width.setValue(0)
    assert form.value() == (39.5, 40.5)


def test_the_name_follows_the_window(form: WindowForm) -> None:
    levels = ct_levels()
    form.show_levels(levels)
    form.setValue((0, 80))
    assert form.preset.currentText().startswith("brain")
    form.setValue((0, 81))
    assert form.preset.currentText() == OWN
    form.setValue(levels.full.limits)
    assert form.preset.currentText() == FULL
    choose(form, OWN)  # says nothing new
    assert form.value() == levels.full.limits
    assert form.preset.currentText() == FULL


def test_dragging_and_double_clicking_reach_the_value(qtbot: Any, form: WindowForm) -> None:
    levels = ct_levels()
    form.show_levels(levels)
    form.setValue((0, 80))
    form.histogram.setValue((10, 90))
    assert form.value() == (10, 90)
    assert form.level.value() == 50
    qtbot.mouseDClick(form.histogram, Qt.MouseButton.LeftButton)
    assert form.value() == levels.stretched.limits


def test_a_change_is_told_once(form: WindowForm) -> None:
    told: list[tuple[float, float]] = []

    def tell() -> None:
        told.append(form.value())

    form.show_levels(ct_levels())
    form.valueChanged.connect(tell)
    for limits in ((0.0, 80.0), (0.0, 80.0), (0.125, 80.0)):
        form.setValue(limits)
    choose(form, "bone")
    form.show_levels(mr_levels())  # other decimals are no change
    assert told == [(0.0, 80.0), (0.125, 80.0), PRESETS["bone"].limits]
    assert Window(*form.value()) == PRESETS["bone"]


def test_it_fits_the_dock(form: WindowForm) -> None:
    form.show_levels(ct_levels())
    assert form.minimumSizeHint().width() <= 320
