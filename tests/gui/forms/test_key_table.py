"""The keys of a hand are listed under the choice of the hand."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.key_table import HANDS, KeyTable


@pytest.fixture
def form(qtbot: Any) -> KeyTable:
    form = KeyTable()
    qtbot.addWidget(form)
    form.show()
    return form


def test_a_person_chooses_the_hand_and_is_heard(qtbot: Any, form: KeyTable) -> None:
    assert form.value() == "right"
    form.hand.setFocus()
    with qtbot.waitSignal(form.valueChanged) as told:
        qtbot.keyClick(form.hand, Qt.Key.Key_Down)
    assert told.args == ["left"]
    assert form.value() == "left"


def test_what_the_program_sets_is_told_to_nobody(qtbot: Any, form: KeyTable) -> None:
    with qtbot.assertNotEmitted(form.valueChanged):
        for hand in HANDS[::-1]:
            form.setValue(hand)
            assert form.value() == hand


def test_each_key_stands_beside_what_it_does_whatever_its_sign(form: KeyTable) -> None:
    form.set_keys({"W": "ball brush", "<": "smaller & less"})
    text = form.table.text()
    assert text.index("W") < text.index("ball brush") < text.index("&lt;") < text.index("smaller &amp; less")
    form.set_keys({"I": "ball brush"})
    assert "W" not in form.table.text()
    assert form.minimumSizeHint().width() <= 320
