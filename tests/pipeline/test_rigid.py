"""The search looks at enough voxels, of whichever axes are finest, and measures volumes that do not meet as 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.pipeline.rigid import MOST_VOXELS, Search, thinning

lengths = st.tuples(*[st.integers(1, 4000)] * 3)
spacings = st.tuples(*[st.floats(0.05, 8)] * 3)


@given(lengths, spacings)
def test_a_thinned_scan_is_small_and_a_small_one_is_whole(shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    steps = thinning(shape, spacing)
    left = np.prod([len(range(0, length, step)) for length, step in zip(shape, steps, strict=True)])
    assert left <= MOST_VOXELS
    assert steps == (1, 1, 1) or np.prod(shape) > MOST_VOXELS


def test_the_finest_axes_are_thinned_first() -> None:
    z, y, x = thinning((40, 512, 512), (5.0, 0.4, 0.4))
    assert z == 1
    assert y > 1
    assert x > 1


def test_volumes_that_do_not_meet_have_nothing_in_common() -> None:
    voxels = np.random.default_rng(0).random((16, 16, 16))
    here = Volume(data=voxels, geometry=Geometry.from_spacing((1, 1, 1)))
    there = replace(here, geometry=Geometry.from_spacing((1, 1, 1), origin=(0, 0, 500)))
    assert Search(here, there, together=False).measure(moved=False) == 0
    assert Search(here, here, together=False).measure(moved=False) > 1
    together = Search(here, there, together=True)
    assert together.measure(moved=True) > 1
    np.testing.assert_allclose(together.matrix[:3, 3], (-500, 0, 0), atol=1e-9)
