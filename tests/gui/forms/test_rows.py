"""A row is hidden with its title; what stands in it stays narrow."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QComboBox, QLabel, QSpinBox, QWidget

from napari_vol3d.gui.forms.rows import narrow, show_row, small_form


def test_a_row_comes_and_goes_with_its_title(qtbot: Any) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    layout = small_form(widget)
    titled, bare = QSpinBox(), QSpinBox()
    layout.addRow("Radius", titled)
    layout.addRow(bare)
    widget.show()
    (title,) = [label for label in widget.findChildren(QLabel) if label.text() == "Radius"]
    height = layout.sizeHint().height()
    for shown in (False, True):
        show_row(layout, titled, shown)
        show_row(layout, bare, shown)
        assert titled.isVisible() == title.isVisible() == bare.isVisible() == shown
    show_row(layout, titled, shown=False)
    assert layout.sizeHint().height() < height


def test_a_box_does_not_grow_with_its_choices(qtbot: Any) -> None:
    box = narrow(QComboBox())
    qtbot.addWidget(box)
    box.addItem("short")
    width = box.sizeHint().width()
    box.addItem("a choice of many words that nobody could show beside anything else")
    assert box.sizeHint().width() == width
