"""A long form scrolls in a low window; the buttons below it stay in sight."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QPushButton

from napari_vol3d.gui.panels.form_page import LEAST_FORM, Scrolled, button_row, new_page


def test_a_long_form_scrolls_and_the_buttons_stay(qtbot: Any) -> None:
    page, column = new_page()
    scrolled, inside = Scrolled(), QPushButton("long")
    inside.setMinimumHeight(2000)
    scrolled.setWidget(inside)
    wide, other = QPushButton("Go"), QPushButton("Back")
    column.addWidget(scrolled)
    column.addLayout(button_row(wide, other))
    qtbot.addWidget(page)
    page.resize(320, 300)
    page.show()
    assert page.height() == 300
    assert LEAST_FORM <= scrolled.height() < 300
    assert scrolled.verticalScrollBar().maximum() > 0
    assert wide.width() > other.width()
    assert page.rect().contains(wide.geometry())
