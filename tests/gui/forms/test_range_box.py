"""Two grey values or none: to the last digit, and what is no range says why."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.gui.forms.range_box import RangeBox


@pytest.fixture
def box(qtbot: Any) -> RangeBox:
    box = RangeBox("of what it knows")
    qtbot.addWidget(box)
    box.show()
    return box


def type_both(qtbot: Any, box: RangeBox, low: str, high: str) -> None:
    for line, text in ((box.lowest, low), (box.highest, high)):
        line.clear()
        qtbot.keyClicks(line, text)


@pytest.mark.parametrize("given", [None, (-1024.0, 3071.0), (0.1, 1 / 3), (-1.5e-7, 1e22)])
def test_what_is_shown_is_given_back_to_the_last_digit(box: RangeBox, given: tuple[float, float] | None) -> None:
    box.setValue((3.0, 4.0))
    box.setValue(given)
    assert box.value() == given
    assert not box.refusal()


def test_whole_numbers_are_written_as_such_and_both_say_what_they_are_for(box: RangeBox) -> None:
    box.setValue((-1024.0, 3071.0))
    assert (box.lowest.text(), box.highest.text()) == ("-1024", "3071")
    assert box.lowest.toolTip().startswith("Lowest grey value: of what it knows")
    assert box.highest.toolTip().startswith("Highest grey value: of what it knows")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ("5", "", "or neither"), ("", "5", "or neither"), ("5", " ", "or neither"), ("9", "0", "below the highest"),
        ("5", "5", "below the highest"), ("a", "5", "written as"), ("0,5", "1", "written as"),
        ("nan", "1", "written as"), ("0", "inf", "written as"),
    ],
)  # fmt: skip
def test_what_is_no_range_says_why(qtbot: Any, box: RangeBox, low: str, high: str, words: str) -> None:
    type_both(qtbot, box, low, high)
    assert words in box.refusal()
    assert box.value() is None


def test_typing_is_told_and_showing_is_not(qtbot: Any, box: RangeBox) -> None:
    with qtbot.assertNotEmitted(box.valueChanged):
        box.setValue((1.0, 2.0))
    with qtbot.waitSignal(box.valueChanged):
        type_both(qtbot, box, " -5 ", "0.5")
    assert box.value() == (-5, 0.5)
    box.lowest.clear()
    box.highest.clear()
    assert (box.value(), box.refusal()) == (None, "")
