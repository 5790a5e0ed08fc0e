"""Results lie in the scan as it came, and are tidied at the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.label_store import LabelSpec, LabelStore
from napari_vol3d.models.card import PostProcessing
from napari_vol3d.pipeline.results import Results, _tidied
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.sink import MemoryLabels
from napari_vol3d.pipeline.stage import stage
from tests.builders import make_card

SHAPE = (6, 8, 10)
LARGEST = PostProcessing(largest_component=True)


def results(target, region=None, orientation="LIA") -> Results:
    affine = np.array([[0, 0, -1.0, 0], [0, -1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
    scan = Volume(data=np.zeros(SHAPE, np.uint8), geometry=Geometry(affine=affine, anatomical=True))
    card = make_card(Path("model.keras"), sha256="0" * 64, input={"orientation": orientation})
    return Results.of(stage(scan, card, SegmentSettings()), card, target, region)


def memory() -> MemoryLabels:
    return MemoryLabels(SHAPE, np.dtype(np.uint8))


def spec() -> LabelSpec:
    return LabelSpec(
        geometry=Geometry.from_spacing((1.0, 1.0, 1.0)), shape=SHAPE, dtype=np.dtype(np.uint8), classes=(), run="a",
        chunks=(2, 4, 5),
    )  # fmt: skip


def store(path: Path) -> LabelStore:
    return LabelStore.create(path, spec())


def fill(kept: Results, labels, *, edge=3):
    """Hand labels of the whole scan over in boxes of the stage."""
    staged = kept.staged
    turned = np.asarray(staged._turn.volume(Volume(data=labels, geometry=staged.scan.geometry)).data)
    starts = [range(0, n, edge) for n in turned.shape]
    for z in starts[0]:
        for y in starts[1]:
            for x in starts[2]:
                stop = [min(a + edge, n) for a, n in zip((z, y, x), turned.shape, strict=True)]
                box = Box(start=(z, y, x), stop=tuple(stop))
                place, given = kept.keep(box, turned[box.slices], np.stack([turned[box.slices]] * 2))
                np.testing.assert_array_equal(given, labels[place.slices])


def crumbs():
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:5, 1:5, 1:5] = 3
    labels[2, 2, 2] = 7
    labels[5, 7, 8:] = 7
    labels[0, 6, 9] = 3
    return labels


def test_labels_and_probabilities_lie_where_they_belong():
    kept = results(memory())
    kept.keep_probabilities(2)
    fill(kept, crumbs())
    np.testing.assert_array_equal(kept.target.array, crumbs())
    np.testing.assert_array_equal(kept.probabilities[1], crumbs())
    assert kept.counts == Counter(crumbs().ravel().tolist())
    assert Box.of((10, 6, 8)).size == sum(box.size for box in kept.finished)


@pytest.mark.parametrize("on_disk", [False, True])
def test_the_largest_piece_stays_in_memory_and_on_disk(on_disk, tmp_path):
    target = store(tmp_path / "a.zarr") if on_disk else memory()
    kept = results(target)
    kept.keep_probabilities(2)
    fill(kept, crumbs())
    (box, labels), note = kept.tidy(LARGEST, most_bytes=1e9, voxels=1.0)
    expected = crumbs()
    expected[5, 7, 8:] = expected[0, 6, 9] = 0
    np.testing.assert_array_equal(target.read(Box.of(SHAPE)), expected)
    np.testing.assert_array_equal(labels, expected[box.slices])
    assert box == Box(start=(0, 6, 8), stop=(6, 8, 10))
    assert "3 voxels outside the largest piece" in note
    assert kept.counts == Counter(expected.ravel().tolist())
    np.testing.assert_array_equal(kept.probabilities[0], crumbs())
    assert kept.tidy(LARGEST, most_bytes=1e9, voxels=1.0) == (None, "")
    if on_disk:
        target.finish()


def test_all_that_a_card_can_ask_for_is_done_in_order():
    kept = results(memory())
    kept.keep_probabilities(2)
    labels = crumbs()
    labels[2, 2, 2], labels[3, 3, 3] = 7, 0
    fill(kept, labels)
    post = PostProcessing(min_voxels=1, fill_holes=True)
    _, note = kept.tidy(post, most_bytes=1e9, voxels=2.0)  # pieces of one voxel are half a voxel of the network's
    assert "3 voxels" not in note
    assert "2 voxels in small pieces became background, 2 voxels in holes were filled" in note
    assert (kept.target.array[1:5, 1:5, 1:5] == 3).all()


@pytest.mark.parametrize(
    "post",
    [LARGEST, PostProcessing(min_voxels=6), PostProcessing(fill_holes=True),
     PostProcessing(largest_component=True, min_voxels=6, fill_holes=True)],
)  # fmt: skip
def test_tidied_halfway_and_again_is_as_tidied_once(post):
    """A run that was killed while it tidied is gone on with: boxes that were rewritten lie beside others."""
    rng = np.random.default_rng(0)
    for _ in range(150):
        foreground, which = (ndimage.gaussian_filter(rng.normal(size=(8, 8, 8)), 0.8) for _ in range(2))
        labels = np.where(foreground > 0, np.where(which > 0, 1, 2), 0).astype(np.uint8)
        once = labels.copy()
        _tidied(once, post, 1.0)
        rewritten = np.kron(rng.random((2, 2, 2)) < 0.5, np.ones((4, 4, 4), bool))
        halfway = np.where(rewritten, once, labels)
        _tidied(halfway, post, 1.0)
        np.testing.assert_array_equal(halfway, once)


def test_crumbs_hold_no_pieces_together():
    labels = np.zeros((3, 3, 9), np.uint8)
    labels[..., :4], labels[1, 1, 4:6], labels[..., 6:] = 1, 2, 1
    _tidied(labels, PostProcessing(largest_component=True, min_voxels=3), 1.0)
    assert np.flatnonzero(labels.any(axis=(0, 1))).tolist() == [0, 1, 2, 3]  # one piece, as the card says


def test_what_does_not_fit_into_memory_is_told_of():
    kept = results(memory())
    kept.keep_probabilities(2)
    fill(kept, crumbs())
    part, note = kept.tidy(LARGEST, most_bytes=100, voxels=1.0)
    assert part is None
    assert "memory" in note
    np.testing.assert_array_equal(kept.target.array, crumbs())


def test_beyond_what_the_network_sees_is_background():
    kept = results(memory(), Box(start=(1, 0, 0), stop=(6, 8, 10)))
    frame = kept.staged.forth(Box(start=(0, 2, 3), stop=(5, 6, 9)))
    cleared = np.zeros(SHAPE, int)
    for box, labels in kept.clear_beyond(frame):
        assert not labels.any()
        cleared[box.slices] += 1
    expected = np.zeros(SHAPE, int)
    expected[1:] = 1
    expected[1:5, 2:6, 3:9] = 0
    np.testing.assert_array_equal(cleared, expected)
    assert kept.counts == {0: expected.sum()}


def test_what_an_earlier_run_wrote_is_counted_too(tmp_path):
    first = results(store(tmp_path / "a.zarr"), orientation="")
    upper, lower = Box.of((4, 8, 10)), Box(start=(4, 0, 0), stop=SHAPE)
    first.keep(upper, crumbs()[upper.slices])
    resumed = results(LabelStore.resume_or_create(tmp_path / "a.zarr", spec()), orientation="")
    resumed.keep(lower, crumbs()[lower.slices])
    assert resumed.counts == Counter(crumbs().ravel().tolist())
    # What can't be read back is not counted, and no reason to end here: the store says so when it is finished.
    for chunk in (tmp_path / "a.zarr.partial" / "0" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"damaged")
    assert not results(LabelStore.resume_or_create(tmp_path / "a.zarr", spec()), orientation="").counts


def test_labels_outside_a_region_are_left_alone(tmp_path):
    """A store that an earlier run wrote more into: only what is wanted now is tidied."""
    target = memory()
    target.array[...] = crumbs()
    kept = results(target, Box(start=(0, 0, 0), stop=(5, 8, 10)), orientation="")
    fill_part = crumbs()[:5]
    kept.keep(Box.of((5, 8, 10)), fill_part)
    kept.tidy(LARGEST, most_bytes=1e9, voxels=1.0)
    assert target.array[0, 6, 9] == 0
    assert (target.array[5, 7, 8:] == 7).all()
