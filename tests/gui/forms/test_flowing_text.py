"""A text is as high as it is long at the width it has, and can be copied."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.flowing_text import FlowingText


def test_a_narrower_text_is_higher_and_nothing_scrolls(qtbot: Any) -> None:
    text = FlowingText()
    qtbot.addWidget(text)
    text.show()
    text.setPlainText("one word after another " * 30 + "b" * 200)  # a hash has no place to break
    heights = []
    for width in (900, 300):
        text.resize(width, text.height())
        qtbot.waitUntil(lambda width=width: text.width() == width and text.verticalScrollBar().maximum() == 0)
        heights.append(text.height())
        assert text.document().size().width() <= text.viewport().width()
    assert heights[1] > 2 * heights[0]
    assert text.minimumSizeHint().width() == 0


def test_it_can_be_selected_and_a_link_opens_nothing(qtbot: Any) -> None:
    text = FlowingText()
    qtbot.addWidget(text)
    text.setHtml("<a href='https://example.org'>here</a>")
    assert not text.openLinks()
    assert text.isReadOnly()
    assert text.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
    text.selectAll()
    assert text.textCursor().selectedText() == "here"
