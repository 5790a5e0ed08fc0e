"""Slider and box say one size; small sizes have as much room as large ones."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.gui.correct.tools.brush_size import TICKS, BrushSize


@pytest.fixture
def form(qtbot: Any) -> BrushSize:
    made = BrushSize()
    qtbot.addWidget(made)
    return made


def test_both_ends_of_the_slider_are_both_ends_of_the_range(form: BrushSize) -> None:
    form.slider.setValue(0)
    assert form.value() == 0.5
    form.slider.setValue(TICKS)
    assert form.value() == 100
    form.slider.setValue(TICKS // 2)
    assert form.value() == pytest.approx((0.5 * 100) ** 0.5, rel=0.01)
    form.box.setValue(0.5)
    assert form.slider.value() == 0


def test_each_change_is_told_once(qtbot: Any, form: BrushSize) -> None:
    told: list[float] = []
    form.valueChanged.connect(told.append)
    form.setValue(20)
    form.slider.setValue(10)
    form.step(1)
    assert told == [20, *told[1:3]]
    assert told[-1] == form.value()
    assert told[2] == pytest.approx(1.1 * told[1], abs=0.01)


def test_steps_lead_back_and_end_at_the_ends(form: BrushSize) -> None:
    form.setValue(8)
    form.step(5)
    form.step(-5)
    assert form.value() == pytest.approx(8, abs=0.02)
    for _ in range(100):
        form.step(-1)
    assert form.value() == 0.5
    for _ in range(100):
        form.step(1)
    assert form.value() == 100


def test_the_default_fits_the_voxels_and_a_chosen_size_stays_where_it_can(form: BrushSize) -> None:
    form.fit((3.0, 0.5, 0.5), "mm")
    assert form.value() == 3.0
    form.setValue(7.0)
    form.fit((1.0, 1.0, 1.0), "mm")
    assert form.value() == 7.0
    form.fit((0.3, 0.1, 0.1), "µm")
    assert (form.value(), form.box.suffix()) == (pytest.approx(0.6), " µm")
    form.fit((0.02, 0.02, 0.02), "µm")
    assert form.value() == pytest.approx(0.6)
    form.fit((0.002, 0.002, 0.002), "µm")
    assert form.value() == pytest.approx(0.012)
