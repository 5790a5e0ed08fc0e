"""All 48 ways in which a network's axes can run, each once."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.orientation_box import OrientationBox, orientations
from napari_vol3d.models.card import InputSpec


def test_there_are_48_and_a_card_takes_each() -> None:
    listed = orientations()
    assert len(set(listed)) == len(listed) == 48
    for letters in listed:
        InputSpec(channels=("a",), patch_size=(8, 8, 8), orientation=letters)


def test_what_is_shown_is_given_back_and_told(qtbot: Any) -> None:
    form = OrientationBox()
    qtbot.addWidget(form)
    for turned, letters in ((True, ""), (True, "LIA"), (False, ""), (True, "ASR"), (False, "stored")):
        with qtbot.waitSignal(form.valueChanged):
            form.setValue(turned, letters)
        assert form.value() == (turned, letters)
    form.setValue(False, "LIA")  # a card may say only the letters
    assert form.value() == (True, "LIA")
    form.setValue(True, "stored")
    assert form.value() == (False, "stored")


def test_as_shown_and_as_stored_are_told_apart(qtbot: Any) -> None:
    form = OrientationBox()
    qtbot.addWidget(form)
    assert form.box.currentText() == "As Vol3D shows it (S, P, L where the file says how the patient lies)"
    form.setValue(False, "stored")
    assert "nibabel" in form.box.currentText()
    assert form.box.currentData(Qt.ItemDataRole.ToolTipRole) == form.box.currentText()  # cut in a narrow dock
    assert "as stored" in form.box.toolTip()
