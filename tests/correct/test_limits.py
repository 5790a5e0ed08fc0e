"""Limits: whatever a tool proposes, what is locked stays voxel by voxel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.limits import FREE, Limits, limited, one_of, propose, with_class

SHAPE = (4, 5, 6)
IDS = st.frozensets(st.integers(0, 5), max_size=5)
BEYOND = frozenset({300, -1})  # ids that uint8 cannot hold
MANY = st.one_of(IDS, st.just(BEYOND | set(range(2, 14))), st.just(BEYOND | {2}))


def proposal(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 6, SHAPE).astype(np.uint8)
    wanted = np.where(rng.random(SHAPE) < rng.random(), rng.integers(0, 6, SHAPE), before).astype(np.uint16)
    image = np.where(rng.random(SHAPE) < 0.05, np.nan, rng.integers(-8, 9, SHAPE) / 4)  # many on the ends of a range
    return before, wanted, image, rng.random(SHAPE) < 0.3


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    inside=st.none() | MANY,
    locked=MANY,
    intensity=st.none() | st.tuples(st.integers(-8, 0), st.integers(0, 8)).map(lambda ends: (ends[0] / 4, ends[1] / 4)),
    guards=st.booleans(),
)
def test_as_much_as_is_allowed_and_no_more(
    seed: int, inside: frozenset[int] | None, locked: frozenset[int], intensity: Any, guards: bool
) -> None:
    before, wanted, image, mask = proposal(seed)
    guarded = mask if guards else None
    kept = before.copy(), wanted.copy(), image.copy(), mask.copy()
    limits = Limits(inside=inside, locked=locked, intensity=intensity)
    after = limited(before, wanted, limits, image=image, guarded=guarded)
    assert after.dtype == before.dtype
    assert not np.shares_memory(after, before)
    for class_id in locked:
        np.testing.assert_array_equal(after == class_id, before == class_id)
    for place in np.ndindex(SHAPE):  # each voxel by itself, in plain Python
        old, new, value = int(before[place]), int(wanted[place]), float(image[place])
        free = old not in locked and new not in locked and (inside is None or old in inside)
        free = free and (intensity is None or intensity[0] <= value <= intensity[1])
        free = free and not (guards and mask[place])
        assert after[place] == (new if free else old)
    np.testing.assert_array_equal(limited(after, wanted, limits, image=image, guarded=guarded), after)
    for given_one, was in zip((before, wanted, image, mask), kept, strict=True):
        np.testing.assert_array_equal(given_one, was)


def test_without_limits_everything_may_change() -> None:
    before, wanted, _, _ = proposal(1)
    np.testing.assert_array_equal(limited(before, wanted, FREE), wanted)
    assert FREE.takes(3)
    assert not Limits(locked=frozenset({3})).takes(3)


def test_an_edit_reads_only_its_box_of_the_volumes() -> None:
    rng = np.random.default_rng(2)
    labels, image = np.zeros((9, 9, 9), np.uint8), rng.random((9, 9, 9))
    guarded = rng.random((9, 9, 9)) < 0.5
    box = Box(start=(2, 3, 1), stop=(7, 8, 9))
    wanted = np.ones(box.shape, np.uint8)
    edit = propose("all", labels[box.slices], wanted, box=box, image=image, guarded=guarded,
                   limits=Limits(intensity=(0.5, 1)))  # fmt: skip
    assert edit is not None
    edit.apply(labels)
    expected = np.zeros_like(labels)
    expected[box.slices] = ((image >= 0.5) & ~guarded)[box.slices]
    np.testing.assert_array_equal(labels, expected)
    assert propose("again", labels[box.slices], wanted, box=box, guarded=labels == 0) is None


def test_ids_that_do_not_fit_are_refused_only_where_they_would_be_written() -> None:
    before = np.zeros(SHAPE, np.uint8)
    wanted = np.zeros(SHAPE, np.uint32)
    wanted[0, 0, 0] = 300
    with pytest.raises(Vol3dError, match="Class 300 does not fit into uint8"):
        limited(before, wanted, FREE)
    assert not limited(before, wanted, Limits(locked=frozenset({300}))).any()
    with pytest.raises(Vol3dError, match="ids begin at 0"):
        limited(before, np.full(SHAPE, -1), FREE)
    with pytest.raises(Vol3dError, match="does not fit"):
        with_class(before, np.zeros(SHAPE, bool), 256)


@pytest.mark.parametrize(("change", "match"), [
    ({"wanted": np.zeros((4, 5, 5), np.uint8)}, "new labels"), ({"image": np.zeros((*SHAPE, 3))}, "image"),
    ({"guarded": np.zeros((1, 5, 6), bool)}, "guarded"), ({"image": None}, "needs an image"),
    ({"wanted": np.zeros(SHAPE)}, "whole numbers"),
])  # fmt: skip
def test_what_does_not_fit_the_box_is_refused(change: dict[str, Any], match: str) -> None:
    arguments = {"wanted": np.zeros(SHAPE, np.uint8), "image": np.zeros(SHAPE), **change}
    with pytest.raises(Vol3dError, match=match):
        limited(np.zeros(SHAPE, np.uint8), limits=Limits(intensity=(0, 1)), **arguments)


@pytest.mark.parametrize("intensity", [(2.0, 1.0), (float("nan"), 1.0)])
def test_a_range_without_values_is_refused(intensity: tuple[float, float]) -> None:
    with pytest.raises(Vol3dError, match="No intensity"):
        Limits(intensity=intensity)


@given(seed=st.integers(0, 2**31), ids=MANY)
def test_one_of_is_isin(seed: int, ids: frozenset[int]) -> None:
    labels = proposal(seed)[0]
    np.testing.assert_array_equal(one_of(labels, ids), np.isin(labels, list(ids)))
