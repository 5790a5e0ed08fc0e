"""The box lists classes, and what is chosen stays chosen while it is listed."""

from __future__ import annotations

from typing import Any

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.forms.class_box import ClassBox

CLASSES = [LabelClass(id=i, name=f"c{i}", color="#00ff00") for i in (2, 5, 2**31 + 7)]  # more than Qt's int


def test_a_choice_stays_while_it_is_listed(qtbot: Any) -> None:
    box, told = ClassBox("tip"), []
    qtbot.addWidget(box)
    box.valueChanged.connect(lambda: told.append(box.value()))
    assert box.value() is None
    box.set_classes(CLASSES, otherwise=5)
    assert box.value() == 5
    box.setValue(2**31 + 7)
    box.set_classes(CLASSES[1:])
    assert box.value() == 2**31 + 7
    box.set_classes(CLASSES[:2])
    assert box.value() == 2
    box.set_classes([])
    assert box.value() is None
    assert told == [5, 2**31 + 7, 2, None]
    assert box.itemText(0) == ""


def test_a_new_name_is_no_new_choice(qtbot: Any) -> None:
    box, told = ClassBox("tip"), []
    qtbot.addWidget(box)
    box.set_classes(CLASSES)
    box.valueChanged.connect(lambda: told.append(box.value()))
    box.set_classes([LabelClass(id=2, name="other", color="#ff0000"), *CLASSES[1:]])
    assert (box.value(), box.currentText(), told) == (2, "other", [])
