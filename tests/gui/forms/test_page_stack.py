"""One page is seen, and only that one needs room."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QLineEdit, QWidget

from napari_vol3d.gui.forms.page_stack import PageStack


def test_the_page_that_is_seen_has_the_room(qtbot: Any) -> None:
    stack, small, large = PageStack(), QLineEdit(), QWidget()
    qtbot.addWidget(stack)
    large.setMinimumSize(500, 700)
    stack.addWidget(small)
    stack.addWidget(large)
    stack.show()
    assert stack.currentIndex() == 0
    assert stack.minimumSizeHint().height() < 100
    stack.setCurrentIndex(1)
    assert (stack.currentIndex(), small.isVisible(), large.isVisible()) == (1, False, True)
    assert stack.minimumSizeHint().height() == 700
    stack.setCurrentIndex(1)
    assert large.isVisible()
    stack.setCurrentIndex(0)
    assert (small.isVisible(), large.isVisible()) == (True, False)
