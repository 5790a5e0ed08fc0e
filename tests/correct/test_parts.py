"""Parts get ids of their own, the largest of each whole keeps the one it had."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.parts import renamed, taken


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), most=st.integers(1, 9))
def test_every_part_has_one_id_and_no_other_part_of_its_whole_has_it(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    parts = rng.integers(0, most + 1, (4, 5, 6)).astype(np.int32)
    wholes = parts % 3  # a part lies in one whole
    before = np.where(parts > 0, 4, 9).astype(np.uint8)
    after = renamed(before, parts, wholes, itertools.count(10))
    assert np.array_equal(after[parts == 0], before[parts == 0])
    new = []
    for whole in np.unique(wholes[parts > 0]):
        own = [n for n in np.unique(parts[wholes == whole]) if n > 0]
        got = {int(n): np.unique(after[parts == n]) for n in own}
        assert all(len(ids) == 1 for ids in got.values())
        kept = [n for n in own if got[int(n)][0] == 4]
        sizes = {int(n): int((parts == n).sum()) for n in own}
        assert kept == [min(n for n in own if sizes[int(n)] == max(sizes.values()))]
        new += [int(got[int(n)][0]) for n in sorted(own, key=lambda n: (-sizes[int(n)], n)) if n not in kept]
    assert new == list(range(10, 10 + len(new)))  # object by object, the large ones first


def test_ids_wider_than_the_labels_are_not_cut_off() -> None:
    parts = np.array([[[1, 1, 2, 3]]])
    after = renamed(np.ones(parts.shape, np.uint8), parts, np.zeros_like(parts), iter([70_000, 300]))
    assert after.tolist() == [[[1, 1, 70_000, 300]]]


def test_nothing_to_rename_takes_no_id() -> None:
    before = np.ones((1, 1, 3), np.uint8)
    for parts in (np.zeros(before.shape, np.int32), np.ones(before.shape, np.int32)):
        assert np.array_equal(renamed(before, parts, parts, iter(())), before)


def test_too_few_ids_are_said() -> None:
    assert taken(iter([5, 6]), 2) == [5, 6]
    with pytest.raises(Vol3dError, match="3 are needed, 2 were left"):
        taken(iter([5, 6]), 3)
