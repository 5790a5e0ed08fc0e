"""One class, which is named, or all."""

from __future__ import annotations

from typing import Any

from napari_vol3d.gui.forms.which_classes import Which, WhichClasses


def test_the_chosen_class_is_named_shortly_and_the_choice_stays(qtbot: Any) -> None:
    form = WhichClasses()
    qtbot.addWidget(form)
    assert form.value() is Which.CHOSEN
    with qtbot.waitSignal(form.valueChanged, timeout=1000):
        form.setValue(Which.ALL)
    width = form.sizeHint().width()
    form.name_chosen("left lateral posterior superior nucleus of the thalamus")
    assert form.value() is Which.ALL
    assert form.itemText(0).startswith("Only left lateral")
    assert form.sizeHint().width() == width
