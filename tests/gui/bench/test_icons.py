"""Small drawings: as many outlines as they say, in the colour that they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from qtpy.QtGui import QColor, QPixmap
from scipy import ndimage

from napari_vol3d.gui.bench.icons import FOUR, ONE, WINDOW, Rect, chip, icon

COLOR = QColor(10, 200, 90)


def alpha_of(pixmap: QPixmap) -> NDArray[np.int64]:
    image = pixmap.toImage()
    return np.asarray([[image.pixelColor(x, y).alpha() for x in range(image.width())] for y in range(image.height())])


@pytest.mark.parametrize(("drawing", "holes"), [(ONE, 1), (FOUR, 4), (WINDOW, 3)])
def test_an_icon_has_the_outlines_of_its_drawing(qtbot: Any, drawing: tuple[Rect, ...], holes: int) -> None:
    """What is enclosed stays transparent: two sheets that overlap enclose three regions."""
    pixmap = icon(drawing, COLOR).pixmap(32, 32)
    empty, regions = ndimage.label(alpha_of(pixmap) == 0)
    assert regions == holes + 1  # and the outside
    assert empty[0, 0] == empty[-1, -1] != 0


def test_a_chip_is_full_of_its_colour(qtbot: Any) -> None:
    """And is drawn finer than it is shown."""
    pixmap = chip(COLOR)
    assert pixmap.toImage().pixelColor(pixmap.width() // 2, pixmap.height() // 2) == COLOR
    assert pixmap.toImage().pixelColor(0, 0).alpha() == 0
    assert pixmap.width() / pixmap.devicePixelRatioF() == 16
