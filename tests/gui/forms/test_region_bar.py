"""The form shows a region and asks; it is small while nothing is decided."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.region_bar import BEGIN, BOTH_TIP, KEYS, RegionBar

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def bar(qtbot: Any) -> RegionBar:
    bar = RegionBar()
    qtbot.addWidget(bar)
    bar.resize(320, 200)
    with qtbot.waitExposed(bar):
        bar.show()
    return bar


def deciding(bar: RegionBar, *, third: str = "model") -> None:
    bar.show_readers("ann", "a reader with a long name", third=third, why_no_third="" if third else "No prediction")
    bar.show_region("12 mm³. ann: tip; bob: background.", "Region 1 of 3, 0 decided", why_not_both="")


def test_it_asks_to_begin_where_that_works(qtbot: Any, bar: RegionBar) -> None:
    with qtbot.waitSignal(bar.beginAsked):
        qtbot.mouseClick(bar.begin, LEFT)
    assert bar.begin.toolTip() == BEGIN
    bar.show_idle("Two readings are needed.")
    assert (bar.begin.isEnabled(), bar.begin.toolTip(), bar.words.text()) == (False, *["Two readings are needed."] * 2)
    bar.show_idle("", busy=True)
    assert (bar.begin.isEnabled(), bar.begin.text()) == (False, "Comparing ...")
    assert not any(button.isVisible() for button in bar.choices.values())


def test_each_button_asks_for_its_choice_and_names_its_key(qtbot: Any, bar: RegionBar) -> None:
    deciding(bar)
    for choice, button in bar.choices.items():
        with qtbot.waitSignal(bar.chosen) as asked:
            qtbot.mouseClick(button, LEFT)
        assert asked.args == [choice]
        assert KEYS[choice] in button.toolTip()
    for button, signal, args in (
        (bar.previous, bar.stepped, [-1]), (bar.next, bar.stepped, [1]), (bar.both, bar.bothAsked, []),
        (bar.end, bar.endAsked, []),
    ):  # fmt: skip
        with qtbot.waitSignal(signal) as asked:
            qtbot.mouseClick(button, LEFT)
        assert asked.args == args
    assert len(set(KEYS.values())) == 4


def test_what_does_not_work_says_why(qtbot: Any, bar: RegionBar) -> None:
    deciding(bar, third="")
    third = bar.choices["third"]
    assert (third.isEnabled(), third.toolTip()) == (False, "No prediction")
    bar.show_region("", "", why_not_both="It is taken already.")
    assert (bar.both.isEnabled(), bar.both.toolTip()) == (False, "It is taken already.")
    deciding(bar, third="majority")
    assert (third.isEnabled(), third.text()) == (True, "Ctrl+3  majority")
    assert bar.both.toolTip() == BOTH_TIP


def test_it_fits_into_the_dock(bar: RegionBar) -> None:
    assert bar.minimumSizeHint().width() <= 320
    deciding(bar)
    assert bar.minimumSizeHint().width() <= 320
    assert "long name" not in bar.choices["second"].text()
