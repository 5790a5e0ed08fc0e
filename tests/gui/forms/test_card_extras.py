"""What few cards say goes in and out unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from napari._qt.qt_resources import get_stylesheet

from napari_vol3d.gui.forms.card_extras import KNOWN, CardExtras
from napari_vol3d.models.card import ForegroundCrop, PostProcessing
from napari_vol3d.models.draft import CardDraft

WIDEST = 300  # of the dock's 320, less what is around it


@pytest.fixture
def form(qtbot: Any) -> CardExtras:
    form = CardExtras()
    qtbot.addWidget(form)
    form.show()
    return form


@pytest.mark.parametrize(
    "said",
    [
        {
            "description": "x", "authors": ("A", "B C"), "intensity_range": None, "crop": None, "halo": 46,
            "post": PostProcessing(),
        },
        {
            "description": "", "authors": (), "intensity_range": (-1024.0, 3071.0),
            "crop": ForegroundCrop(above=0.25, padding=18), "halo": 0,
            "post": PostProcessing(largest_component=True, min_voxels=12),
        },
    ],
)  # fmt: skip
def test_what_is_shown_is_given_back(form: CardExtras, said: dict[str, Any]) -> None:
    form.setValue(CardDraft(**said))
    assert form.value() == said


def test_a_crop_is_asked_about_only_where_there_is_one(qtbot: Any, form: CardExtras) -> None:
    assert not form.above.isEnabled()
    with qtbot.waitSignal(form.valueChanged):
        form.crop.click()
    assert form.above.isEnabled()
    assert form.value()["crop"] == ForegroundCrop()


def test_half_a_range_is_refused_and_its_row_is_marked(qtbot: Any, form: CardExtras) -> None:
    assert (form.refusal(), form.known.text()) == ("", KNOWN)
    with qtbot.waitSignal(form.valueChanged):
        qtbot.keyClicks(form.range.lowest, "0")
    assert form.refusal().startswith("Grey values: say the lowest and the highest")
    assert "!" in form.known.text()
    assert form.known.toolTip() == form.refusal()
    qtbot.keyClicks(form.range.highest, "255")
    assert (form.refusal(), form.known.text(), form.known.toolTip()) == ("", KNOWN, "")
    assert form.value()["intensity_range"] == (0, 255)


def test_it_fits_the_dock(form: CardExtras) -> None:
    form.setStyleSheet(get_stylesheet("dark"))  # in which letters are wider
    form.setValue(CardDraft(intensity_range=(-1.23456789012345e-100, 1 / 3)))
    assert form.minimumSizeHint().width() <= WIDEST
