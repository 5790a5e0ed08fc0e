"""Labels from probabilities: the argmax where thresholds are one half, and never more change than thresholds move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct import thresholds as module
from napari_vol3d.correct.limits import Limits
from napari_vol3d.correct.thresholds import exclusive, independent, rethreshold, winners

SHAPE = (5, 6, 7)
IDS = (3, 1, 7)
SEED = st.integers(0, 2**31)
PERCENT = st.integers(0, 100).map(lambda n: n / 100)
GIVEN = st.dictionaries(st.sampled_from(IDS), PERCENT)
BOX = st.builds(
    lambda start, size: Box(start=start, stop=tuple(a + n for a, n in zip(start, size, strict=True))),
    st.tuples(*[st.integers(-3, 6)] * 3), st.tuples(*[st.integers(0, 8)] * 3),
)  # fmt: skip


def shares(seed: int, count: int = len(IDS)) -> np.ndarray:
    """Probabilities of some classes, that leave something for the background; many are near a tie."""
    scores = np.random.default_rng(seed).integers(0, 5, (count + 1, *SHAPE)).astype(np.float64)
    return np.exp(scores)[1:] / np.exp(scores).sum(axis=0)


def stored(probabilities: np.ndarray) -> np.ndarray:
    """As the pipeline keeps them."""
    return np.round(probabilities * 255).astype(np.uint8)


def done(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    after = labels.copy()
    if edit is not None:
        assert edit.count
        assert edit.fits(labels)
        edit.apply(after)
    return after


def inside(box: Box | None) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    for place in np.ndindex(SHAPE):
        mask[place] = box is None or all(a <= p < b for a, p, b in zip(box.start, place, box.stop, strict=True))
    return mask


def by_hand(probabilities: np.ndarray, given: dict[int, float]) -> np.ndarray:
    """The rule, voxel by voxel, in whole numbers: hundredths of shares of 255."""
    found = np.zeros(SHAPE, np.uint8)
    for place in np.ndindex(SHAPE):
        values = [int(v) for v in probabilities[(slice(None), *place)]]
        scores = [(255 - sum(values)) * 100]
        scores += [v * 100 + 255 * (100 - 2 * round(100 * given.get(i, 0.5))) for v, i in zip(values, IDS, strict=True)]
        found[place] = (0, *IDS)[scores.index(max(scores))]
    return found


@settings(max_examples=50, deadline=None)
@given(seed=SEED)
def test_thresholds_of_one_half_give_the_largest_probability(seed: int) -> None:
    probabilities = stored(shares(seed))
    background = 255 - probabilities.astype(int).sum(axis=0)
    largest = np.array([0, *IDS])[np.concatenate([background[None], probabilities]).argmax(axis=0)]
    np.testing.assert_array_equal(winners(probabilities, classes=IDS), largest)


@settings(max_examples=50, deadline=None)
@given(seed=SEED, threshold=PERCENT)
def test_with_one_class_voxels_above_the_threshold_belong_to_it(seed: int, threshold: float) -> None:
    probability = stored(shares(seed, 1))
    above = probability[0].astype(int) * 100 > round(threshold * 100) * 255
    for rest in (exclusive, independent):
        found = winners(probability, classes=[4], thresholds={4: threshold}, rest=rest)
        np.testing.assert_array_equal(found, np.where(above, 4, 0))


@settings(max_examples=50, deadline=None)
@given(seed=SEED, given_thresholds=GIVEN)
def test_the_highest_score_wins(seed: int, given_thresholds: dict[int, float]) -> None:
    probabilities = stored(shares(seed))
    found = winners(probabilities, classes=IDS, thresholds=given_thresholds)
    np.testing.assert_array_equal(found, by_hand(probabilities, given_thresholds))


@settings(max_examples=50, deadline=None)
@given(seed=SEED)
def test_independent_classes_begin_at_one_half(seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 256, (3, *SHAPE)).astype(np.uint8)
    expected = np.where(values.max(axis=0) > 127.5, np.array(IDS)[values.argmax(axis=0)], 0)
    np.testing.assert_array_equal(winners(values, classes=IDS, rest=independent), expected)


@settings(max_examples=100, deadline=None)
@given(seed=SEED, new=GIVEN, since=GIVEN, box=st.none() | BOX)
def test_only_voxels_change_on_which_the_thresholds_disagree(
    seed: int, new: dict[int, float], since: dict[int, float], box: Box | None
) -> None:
    # The labels have nothing to do with the probabilities: a hand was there, or rounding.
    labels = np.random.default_rng(seed + 1).choice([0, *IDS, 9], SHAPE).astype(np.uint16)
    kept, probabilities = labels.copy(), stored(shares(seed))
    now, then = by_hand(probabilities, new), by_hand(probabilities, since)
    expected = np.where((now != then) & (labels != 9) & inside(box), now, labels)
    edit = rethreshold(labels, probabilities, classes=IDS, thresholds=new, since=since, box=box, name="moved")
    np.testing.assert_array_equal(done(labels, edit), expected)
    np.testing.assert_array_equal(labels, kept)
    assert edit is None or edit.name == "moved"


@pytest.mark.parametrize("probabilities", [shares(0), stored(shares(0))], ids=["float", "stored"])
def test_thresholds_that_stay_change_nothing_whatever_the_labels(probabilities: Any) -> None:
    labels = np.random.default_rng(1).choice([0, *IDS], SHAPE).astype(np.uint8)
    assert rethreshold(labels, probabilities, classes=IDS, thresholds={}) is None
    assert rethreshold(labels, probabilities, classes=IDS, thresholds={3: 0.5, 7: 0.5}) is None
    assert rethreshold(labels, probabilities, classes=IDS, thresholds={1: 0.3}, since={1: 0.3}) is None


@settings(max_examples=50, deadline=None)
@given(seed=SEED, new=GIVEN)
def test_going_back_gives_the_labels_back(seed: int, new: dict[int, float]) -> None:
    probabilities = stored(shares(seed))
    labels = winners(probabilities, classes=IDS)
    moved = done(labels, rethreshold(labels, probabilities, classes=IDS, thresholds=new))
    np.testing.assert_array_equal(moved, winners(probabilities, classes=IDS, thresholds=new))
    back = done(moved, rethreshold(moved, probabilities, classes=IDS, thresholds={}, since=new))
    np.testing.assert_array_equal(back, labels)


@settings(max_examples=50, deadline=None)
@given(seed=SEED, new=GIVEN, locked=st.frozensets(st.sampled_from([0, *IDS])))
def test_corrected_voxels_and_locked_classes_stay(seed: int, new: dict[int, float], locked: frozenset[int]) -> None:
    probabilities = stored(shares(seed))
    labels = winners(probabilities, classes=IDS)
    guarded = np.random.default_rng(seed).random(SHAPE) < 0.3
    free = done(labels, rethreshold(labels, probabilities, classes=IDS, thresholds=new))
    held = done(
        labels,
        rethreshold(
            labels, probabilities, classes=IDS, thresholds=new, limits=Limits(locked=locked), guarded=guarded
        ),
    )  # fmt: skip
    stays = guarded | np.isin(labels, list(locked)) | np.isin(free, list(locked))
    np.testing.assert_array_equal(held, np.where(stays, labels, free))


class Lazy:
    """Voxels that are read part by part; remembers the most that were asked for at once."""

    def __init__(self, data: np.ndarray) -> None:
        self._data, self.shape, self.dtype, self.most = data, data.shape, data.dtype, 0

    def __getitem__(self, index: Any) -> np.ndarray:
        part = self._data[index]
        self.most = max(self.most, part.size)
        return part


@pytest.mark.parametrize("apart", [False, True], ids=["one array", "one a class"])
def test_lazy_volumes_are_read_by_planes(monkeypatch: pytest.MonkeyPatch, apart: bool) -> None:
    monkeypatch.setattr(module, "MOST_VOXELS", 2 * SHAPE[1] * SHAPE[2])
    values = stored(shares(2))
    labels = winners(values, classes=IDS)
    expected = rethreshold(labels, values, classes=IDS, thresholds={3: 0.2})
    lazy = [Lazy(value) for value in values] if apart else Lazy(values)
    edit = rethreshold(Lazy(labels), lazy, classes=IDS, thresholds={3: 0.2})
    assert edit is not None
    assert expected is not None
    assert edit.box == expected.box
    np.testing.assert_array_equal(edit.after, expected.after)
    read = lazy[0].most * len(IDS) if isinstance(lazy, list) else lazy.most
    assert read == 2 * SHAPE[1] * SHAPE[2] * len(IDS)


def test_what_makes_no_sense_is_told() -> None:
    labels, values = np.zeros(SHAPE, np.uint8), stored(shares(0))
    with pytest.raises(Vol3dError, match="3 classes were expected; there are 2"):
        rethreshold(labels, values[:2], classes=IDS, thresholds={3: 0.2})
    with pytest.raises(Vol3dError, match="differ in their grid"):
        rethreshold(labels[1:], list(values), classes=IDS, thresholds={3: 0.2})
    with pytest.raises(Vol3dError, match="between 0 and 1"):
        rethreshold(labels, values, classes=IDS, thresholds={3: 20})
    with pytest.raises(Vol3dError, match="does not fit"):
        rethreshold(labels, values, classes=(3, 1, 700), thresholds={700: 0.1})
