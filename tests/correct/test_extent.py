"""Where classes lie, against a look at every voxel."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.sliced import moved
from napari_vol3d.correct.extent import clipped, extent

CORNERS = st.tuples(*[st.integers(-4, 12)] * 3)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**31), start=CORNERS, stop=CORNERS, ids=st.sets(st.integers(0, 4)), whole=st.booleans())
def test_the_box_is_the_smallest(
    seed: int, start: tuple[int, int, int], stop: tuple[int, int, int], ids: set[int], whole: bool
) -> None:
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random((6, 7, 8)) < 0.02, rng.integers(0, 4, (6, 7, 8)), 3).astype(np.uint16)
    box = None if whole else Box(start=start, stop=stop)
    places = [
        place for place in np.argwhere(np.isin(labels, list(ids)))
        if box is None or all(a <= p < b for a, p, b in zip(start, place, stop, strict=True))
    ]  # fmt: skip
    found = extent(labels, ids, box=box)
    if not places:
        assert found is None
    else:
        assert found == Box(start=tuple(np.min(places, axis=0)), stop=tuple(np.max(places, axis=0) + 1))
    assert extent(moved(labels.transpose(2, 0, 1), (1, 2, 0)), ids, box=box) == found


@given(start=CORNERS, stop=CORNERS)
def test_a_clipped_box_can_be_read(start: tuple[int, int, int], stop: tuple[int, int, int]) -> None:
    labels = np.zeros((6, 7, 8), np.uint8)
    box = Box(start=start, stop=stop)
    inside = clipped(box, labels)
    assert labels[inside.slices].shape == inside.shape
    assert inside.size == box.intersect(Box.of(labels.shape)).size
    assert clipped(None, labels) == Box.of((6, 7, 8))
