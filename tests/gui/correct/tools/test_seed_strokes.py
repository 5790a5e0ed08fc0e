"""Seeds are the voxels that were painted, the later stroke over the earlier one; what is rubbed out is gone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.gui.correct.tools.seed_strokes import BACKGROUND, Seeds, Stroke, without

SHAPE = (6, 7, 8)
VOXEL = st.tuples(*[st.integers(0, n - 1) for n in SHAPE])
STROKES = st.lists(
    st.builds(
        lambda class_id, voxels, frame: Stroke(class_id=class_id, voxels=tuple(voxels), frame=frame),
        st.sampled_from([1, 2, 70_000, BACKGROUND]), st.lists(VOXEL, min_size=1, max_size=8), st.integers(0, 1),
    ),
    max_size=5,
)  # fmt: skip


@given(STROKES, VOXEL)
def test_a_box_holds_what_the_whole_volume_does(strokes: list[Stroke], start: tuple[int, int, int]) -> None:
    whole = np.zeros(SHAPE, np.int64)
    for stroke in strokes:
        for voxel in stroke.voxels:
            whole[voxel] = stroke.class_id
    seeds = Seeds(strokes=strokes, shape=SHAPE)
    box = Box(start=start, stop=SHAPE)
    assert np.array_equal(seeds[box.slices], whole[box.slices])
    for class_id in (1, 2):
        assert sorted(seeds.of(class_id)) == sorted(map(tuple, np.argwhere(whole == class_id).tolist()))
    if strokes:
        outside = whole.copy()
        outside[seeds.box.slices] = 0
        assert not outside.any()


@given(STROKES, st.lists(VOXEL, min_size=1, max_size=4), st.integers(0, 2))
def test_what_is_rubbed_out_is_gone_and_all_else_stays(
    strokes: list[Stroke], rubbed: list[tuple[int, int, int]], reach: int
) -> None:
    def near(voxel: tuple[int, int, int]) -> bool:
        return any(max(abs(a - b) for a, b in zip(voxel, one, strict=True)) <= reach for one in rubbed)

    left = without(strokes, rubbed, reach=reach, frame=0)
    kept = [(s.class_id, v, s.frame) for s in strokes for v in s.voxels if s.frame == 1 or not near(v)]
    assert [(s.class_id, v, s.frame) for s in left for v in s.voxels] == kept
    assert all(stroke.voxels for stroke in left)
