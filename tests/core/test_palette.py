"""Colours for many classes can be told apart, from each other and from what scans show, by the measure of CIEDE2000."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from napari_vol3d.core.palette import PALETTE, palette_color

OKABE_ITO = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")


def lab(colors: list[str]) -> np.ndarray:
    rgb = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors])
    return rgb2lab(rgb[None] / 255)[0]


def smallest_difference(colors: list[str]) -> float:
    values = lab(colors)
    pairs = deltaE_ciede2000(*np.broadcast_arrays(values[:, None], values[None]))
    return float(pairs[np.triu_indices(len(colors), 1)].min())


@pytest.mark.parametrize(("count", "least"), [(20, 18), (60, 12.5), (130, 9), (len(PALETTE), 4.9)])
def test_no_two_of_the_first_colours_are_close(count: int, least: float) -> None:
    assert smallest_difference([palette_color(i) for i in range(1, count + 1)]) > least


def test_sparse_ids_of_a_brain_atlas_have_a_colour_each() -> None:
    assert len({palette_color(i) for i in range(1, 531)}) == 530
    for first in (1000, 2000, 11100):
        assert smallest_difference([palette_color(i) for i in range(first, first + 36)]) > 4.9


def test_the_first_seven_are_those_of_okabe_and_ito() -> None:
    assert tuple(palette_color(i) for i in range(1, 8)) == OKABE_ITO


def test_none_is_grey_black_or_white() -> None:
    values = lab(list(PALETTE))
    assert np.hypot(values[:, 1], values[:, 2]).min() > 20
    assert values[:, 0].min() > 25
    assert values[:, 0].max() < 95


def test_every_id_that_labels_can_have_has_a_colour_that_stays() -> None:
    for index in (0, 541, 65_535, 2**32 - 1):
        assert palette_color(index) in PALETTE
    assert (palette_color(8), palette_color(530)) == ("#1400fa", PALETTE[529])  # files of yesterday look the same
