"""A banner shows its text on a ground that it can be read on."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtGui import QColor, QPalette

from napari_vol3d.gui.correct.banner import AMBER, RED, Banner, Colors

LEAST_CONTRAST = 4.5  # of WCAG 2, level AA


def luminance(color: QColor) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("colors", [RED, AMBER])
@pytest.mark.parametrize("text", ["#f0f1f2", "#3b3a39"])  # of napari's dark theme and its light one
def test_the_text_stands_out_in_both_themes(qtbot: Any, colors: Colors, text: str) -> None:
    banner = Banner(colors)
    qtbot.addWidget(banner)
    palette = banner.palette()
    palette.setColor(QPalette.ColorRole.WindowText, QColor(text))
    banner.setPalette(palette)
    lighter, darker = sorted((luminance(banner.ground()), luminance(QColor(text))), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= LEAST_CONTRAST
    banner.say("The journal can't be used.")
    banner.resize(200, 60)
    picture = banner.grab().toImage()
    assert picture.pixelColor(6, 30) == banner.ground()
    seen = {picture.pixelColor(x, y).name() for x in range(200) for y in range(60)}
    assert len(seen) > 3  # letters, and their smooth edges


def test_it_is_seen_while_it_says_something_and_wraps(qtbot: Any) -> None:
    banner = Banner(RED)
    qtbot.addWidget(banner)
    banner.say("short")
    assert not banner.isHidden()
    assert banner.text() == "short"
    one_line = banner.heightForWidth(200)
    banner.say("much longer than fits into a line of 200 pixels, whatever the font may be")
    assert banner.heightForWidth(200) > one_line
    banner.say("")
    assert banner.isHidden()
