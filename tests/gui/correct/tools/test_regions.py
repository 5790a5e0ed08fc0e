"""A class grows from its seeds through like intensities, as far as these hang together and labels may change."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.segmentation import flood

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.limits import Limits
from napari_vol3d.gui.correct.tools.regions import grow_regions, range_around
from tests.gui.correct.tools.told import applied, balls

SHAPE, SPACING = (16, 30, 40), (2.0, 1.0, 1.0)
FIRST, SECOND, THIRD = (8, 8, 8), (8, 20, 20), (8, 8, 32)
BRIGHT = balls(SHAPE, SPACING, (FIRST, 6.0, 1), (SECOND, 7.0, 1), (THIRD, 5.0, 1)) > 0
IMAGE = np.where(BRIGHT, 100.0, 20.0) + np.random.default_rng(1).normal(0, 4, SHAPE)
BOX = Box.of(SHAPE)


def test_what_hangs_together_with_a_seed_and_nothing_else() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    seeds = [FIRST, SECOND]
    edit = grow_regions(labels, seeds, class_id=2, spread=5.0, box=BOX, name="Grow", image=IMAGE)
    low, high = range_around(IMAGE, seeds, spread=5.0)
    like = np.abs(IMAGE - (low + high) / 2) <= (high - low) / 2
    wanted = np.zeros(SHAPE, bool)
    for seed in seeds:
        wanted |= flood(like.astype(np.uint8), seed, connectivity=1)
    after = applied(labels, edit)
    assert np.array_equal(after, np.where(wanted, 2, 0))
    assert not after[THIRD]
    assert (wanted == BRIGHT)[:, :15, :15].mean() > 0.99


def test_what_is_locked_is_not_grown_through() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, :, 8] = 3  # a wall
    kept = grow_regions(
        labels, [(8, 8, 5)], class_id=2, spread=5.0, box=BOX, name="Grow", image=IMAGE,
        limits=Limits(locked=frozenset({3})),
    )  # fmt: skip
    after = applied(labels, kept)
    assert (after == 2).any()
    assert not (after[:, :, 8:] == 2).any()
    with pytest.raises(Vol3dError, match="may change"):
        grow_regions(
            labels, [FIRST], class_id=2, spread=5.0, box=BOX, name="Grow", image=IMAGE,
            limits=Limits(locked=frozenset({3})),
        )  # fmt: skip


def test_the_box_holds() -> None:
    box = Box(start=(6, 4, 4), stop=(11, 11, 12))
    edit = grow_regions(np.zeros(SHAPE, np.uint8), [FIRST], class_id=2, spread=5.0, box=box, name="Grow", image=IMAGE)
    assert edit is not None
    assert edit.box.intersect(box) == edit.box


def test_seeds_lie_in_their_range_whatever_the_rest_is() -> None:
    image = np.zeros((3, 3, 3))
    image[1, 1, 1] = 9.0
    assert range_around(image, [(1, 1, 1)], spread=0.1)[1] == 9.0
    image[0, 0, 0] = np.nan
    assert np.isfinite(range_around(image, [(1, 1, 1)], spread=1.0)).all()
