"""The voxels of a card go in and out unchanged, and what is no number is said."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.gui.forms.grid_form import ANY, CONFORM, RESIZE, SPACING, Grid, GridForm
from napari_vol3d.models.card import Conform


@pytest.fixture
def form(qtbot: Any) -> GridForm:
    form = GridForm()
    qtbot.addWidget(form)
    form.show()
    return form


@pytest.mark.parametrize(
    ("grid", "way"),
    [
        (Grid(), ANY), (Grid(spacing=(1.0, 0.5, 0.5), unit="um"), SPACING), (Grid(spacing=(3, 1, 1)), SPACING),
        (Grid(conform=Conform(edge=128, spacing=2.0)), CONFORM), (Grid(resize_to=(96, 128, 160)), RESIZE),
    ],
)  # fmt: skip
def test_what_is_shown_is_given_back(form: GridForm, grid: Grid, way: int) -> None:
    form.setValue(grid)
    assert form.way.currentIndex() == way
    assert form.value() == grid
    assert not form.refusal()


def test_a_unit_that_is_rare_stays(form: GridForm) -> None:
    form.setValue(Grid(spacing=(1.0, 1.0, 1.0), unit="nm"))
    assert form.value().unit == "nm"


def test_only_what_the_choice_needs_is_seen(form: GridForm) -> None:
    for way, seen in ((ANY, None), (SPACING, form.lengths), (CONFORM, form.edge), (RESIZE, form.edges)):
        form.way.setCurrentIndex(way)
        for editor in (form.lengths, form.edge, form.edges):
            assert editor.isVisible() == (editor is seen)


def test_each_change_is_told(qtbot: Any, form: GridForm) -> None:
    with qtbot.waitSignal(form.valueChanged):
        form.way.setCurrentIndex(SPACING)
    form.lengths.clear()
    with qtbot.waitSignal(form.valueChanged):
        qtbot.keyClicks(form.lengths, "2")
    assert form.value().spacing == (2, 2, 2)


@pytest.mark.parametrize("way", [SPACING, RESIZE])
def test_what_is_no_number_is_said(form: GridForm, way: int) -> None:
    form.way.setCurrentIndex(way)
    (form.lengths if way == SPACING else form.edges).setText("one")
    assert "such as" in form.refusal()
    form.way.setCurrentIndex(ANY)
    assert not form.refusal()
