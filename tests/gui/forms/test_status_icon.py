"""Each status has its own shape and its own colour, those that a project knows and no other."""

from __future__ import annotations

from itertools import combinations
from typing import Any, get_args

import numpy as np
from qtpy.QtGui import QIcon, QImage

from napari_vol3d.core.palette import PALETTE
from napari_vol3d.gui.forms.status_icon import COLORS, DONE, status_icons
from napari_vol3d.review.project import records

PIXELS = 36


def shape_of(icon: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal) -> tuple[np.ndarray, np.ndarray]:
    """Give where an icon is painted, and its colours there."""
    image = icon.pixmap(PIXELS, PIXELS, mode).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    data: Any = image.constBits()
    if hasattr(data, "setsize"):  # PyQt
        data.setsize(image.bytesPerLine() * image.height())
    pixels = np.frombuffer(bytes(data), np.uint8).reshape(image.height(), -1, 4)[:, : image.width()]
    return pixels[..., 3] > 128, pixels


def test_the_statuses_are_those_of_a_project() -> None:
    assert tuple(COLORS) == records.STATUSES == get_args(records.Status)
    assert DONE == records.DONE


def test_colours_are_told_apart_by_everybody() -> None:
    okabe_ito = set(PALETTE[:7])
    assert set(COLORS.values()) - okabe_ito == {"#808080"}
    assert len(set(COLORS.values())) == len(COLORS)


def test_shapes_differ_without_their_colours(qapp: Any) -> None:
    icons = {status: shape_of(icon) for status, icon in status_icons().items()}
    for (one, (inside, pixels)), (other, (inside_too, pixels_too)) in combinations(icons.items(), 2):
        bright = np.where(inside, pixels[..., :3].min(-1) > 230, False)  # a white tick
        bright_too = np.where(inside_too, pixels_too[..., :3].min(-1) > 230, False)
        shape, shape_too = inside & ~bright, inside_too & ~bright_too
        assert (shape ^ shape_too).sum() > 0.05 * max(shape.sum(), shape_too.sum()), (one, other)


def test_a_chosen_row_does_not_tint_it(qapp: Any) -> None:
    for icon in status_icons().values():
        assert np.array_equal(shape_of(icon)[1], shape_of(icon, QIcon.Mode.Selected)[1])
