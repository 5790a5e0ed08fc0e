"""What is shown is what is asked for, and what it comes to is said."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.reading_form import ReadingForm, ReadingWish, say_wish
from napari_vol3d.review.project.reading_plan import plan_readings
from tests.review.project.conftest import case

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def form(qtbot: Any) -> ReadingForm:
    form = ReadingForm()
    qtbot.addWidget(form)
    form.show()
    return form


def test_what_is_shown_is_what_is_asked_for(qtbot: Any, form: ReadingForm) -> None:
    assert form.value() == ReadingWish(reader="", share=1.0, blind=True, repeats=0, seed=1)
    wish = ReadingWish(reader="ann", share=0.25, blind=False, repeats=2, seed=77)
    with qtbot.waitSignal(form.valueChanged):
        form.setValue(wish)
    assert form.value() == wish
    form.reader.clear()
    qtbot.keyClicks(form.reader, "  zoe w ")
    assert form.value().reader == "zoe w"


@pytest.mark.parametrize("editor", ["share", "repeats", "seed"])
def test_every_number_is_told(qtbot: Any, form: ReadingForm, editor: str) -> None:
    form.share.setValue(50)
    with qtbot.waitSignal(form.valueChanged):
        getattr(form, editor).stepUp()
    with qtbot.waitSignal(form.valueChanged):
        form.blind.toggle()


@pytest.mark.parametrize("scans", [1, 3, 24])
@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
@pytest.mark.parametrize("repeats", [0, 2])
def test_what_is_said_is_what_is_planned(scans: int, share: float, repeats: int) -> None:
    wish = ReadingWish(reader="ann", share=share, repeats=repeats)
    plan = plan_readings(
        [case(n) for n in range(scans)], "ann", seed=wish.seed, share=share, blind=True, repeats=repeats
    )
    said = say_wish(wish, scans)
    assert said.startswith(f"{len({one.case for one in plan})} of {scans} scans")
    assert not repeats or said.endswith(f"each 3 times: {len(plan)} readings")
    assert say_wish(wish, 0).startswith("0 of 0 scans")


def test_it_fits_into_the_dock(form: ReadingForm) -> None:
    assert form.minimumSizeHint().width() <= 320
