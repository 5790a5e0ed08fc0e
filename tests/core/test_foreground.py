"""The box around what is bright."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.foreground import foreground_box
from napari_vol3d.core.intensity import IntensityMap, IntensityScheme, measure_intensity

AS_IT_IS = IntensityMap(low=-np.inf, high=np.inf, shift=0.0, scale=1.0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("above", [0.0, 0.3, 0.8])
def test_it_holds_all_that_is_brighter_and_no_plane_more(seed, above):
    rng = np.random.default_rng(seed)
    data = np.where(rng.random((12, 14, 10)) < 0.01, rng.random((12, 14, 10)), 0)
    scheme = measure_intensity(data, IntensityScheme(kind="maximum"))
    places = np.argwhere(data > above * data.max())
    found = foreground_box([data], [scheme], above=above)
    assert found == Box(start=tuple(places.min(axis=0).tolist()), stop=tuple((places.max(axis=0) + 1).tolist()))


def test_it_looks_at_mapped_levels():
    """Air of a CT is far below 0, and yet it is the darkest."""
    data = np.full((8, 9, 10), -1000.0)
    data[2:4, 3:6, 5:9] = -500.0
    stretched = measure_intensity(data, IntensityScheme(kind="minmax"))
    assert foreground_box([data], [stretched], above=0.0).shape == (2, 3, 4)


def test_padding_ends_with_the_volume_and_channels_are_joined():
    one, other = np.zeros((8, 9, 10)), np.zeros((8, 9, 10))
    one[1, 4, 5], other[3, 4, 5] = 1, 1
    found = foreground_box([one, other], [AS_IT_IS] * 2, above=0.5, padding=(2, 3, 9))
    assert found == Box(start=(0, 1, 0), stop=(6, 8, 10))


def test_where_nothing_stands_out_there_is_no_box():
    assert foreground_box([np.zeros((4, 4, 4))], [AS_IT_IS], above=0.0) is None
