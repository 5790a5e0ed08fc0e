from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core import blend
from napari_vol3d.core.blend import (
    MONAI_FLOOR,
    Blender,
    OverlapPlan,
    Span,
    Spans,
    gaussian_spans,
    gaussian_weights,
)
from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import Vol3dError

floors = st.sampled_from([0.0, MONAI_FLOOR, 0.2])


@st.composite
def plans(draw: st.DrawFn) -> OverlapPlan:
    """Plans over volumes from one voxel to three times the patch along each axis."""
    multiple = draw(st.sampled_from([1, 2, 4]))
    patch = tuple(draw(st.integers(1, 3)) * multiple for _ in range(3))
    shape = tuple(draw(st.integers(1, 3 * edge)) for edge in patch)
    return OverlapPlan(shape=shape, patch_size=patch, overlap=draw(st.floats(0, 0.95)), multiple=multiple)


@st.composite
def irregular(draw: st.DrawFn) -> tuple[Triple, Spans]:
    """Windows of any length, some of none at all, which leave parts of the scan uncovered."""
    shape = tuple(draw(st.integers(1, 12)) for _ in range(3))
    axes = []
    for length in shape:
        cuts = st.tuples(st.integers(0, length), st.integers(0, length)).map(sorted)
        bounds = sorted(draw(st.lists(cuts, max_size=4)))
        weights = [draw(st.lists(st.floats(1e-3, 2), min_size=b - a, max_size=b - a)) for a, b in bounds]
        axes.append([Span(start=a, stop=b, weights=np.float32(w)) for (a, b), w in zip(bounds, weights, strict=True)])
    if not (axes[1] and axes[2]):
        axes[0] = []
    return shape, tuple(axes)


def windows(spans: Spans) -> list[Triple]:
    return list(product(*(range(len(axis)) for axis in spans)))


def random_scores(spans: Spans, classes: int) -> dict[Triple, np.ndarray]:
    """Scores that no two windows agree on."""
    rng = np.random.default_rng(0)
    sizes = [[span.stop - span.start for span in axis] for axis in spans]
    return {
        index: rng.normal(size=(*(s[i] for s, i in zip(sizes, index, strict=True)), classes)).astype(np.float32)
        for index in windows(spans)
    }


def blended(
    shape: Triple, spans: Spans, scores: dict[Triple, np.ndarray], *, floor: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Run a Blender over shuffled layers; rows must come once each, in order, and cover the volume."""
    classes = next(iter(scores.values())).shape[-1] if scores else 1
    blender = Blender(shape, spans, classes=classes, floor=floor)
    order = np.random.default_rng(seed).permutation(len(scores))
    taken = []
    for index in sorted([list(scores)[i] for i in order], key=lambda index: index[0]):
        blender.add(index, scores[index])
        taken += blender.finished()
    taken += blender.close()
    edges = [0, *(box.stop[0] for box, _ in taken)]
    assert [box.start for box, _ in taken] == [(row, 0, 0) for row in edges[:-1]]
    assert edges[-1] == shape[0]
    assert all(box.stop[1:] == shape[1:] for box, _ in taken)
    assert all(rows.shape == (*box.shape, classes) and rows.dtype == np.float32 for box, rows in taken)
    return np.concatenate([rows for _, rows in taken])


def naive(shape: Triple, spans: Spans, scores: dict[Triple, np.ndarray], *, floor: float = 0.0) -> np.ndarray:
    """Sum up whole volumes in double precision, weights included."""
    total = np.zeros(shape)
    summed = np.zeros((*shape, next(iter(scores.values())).shape[-1] if scores else 1))
    for index, values in scores.items():
        z, y, x = (axis[i] for axis, i in zip(spans, index, strict=True))
        at = (slice(z.start, z.stop), slice(y.start, y.stop), slice(x.start, x.stop))
        weights = np.maximum(np.einsum("z,y,x->zyx", *(s.weights.astype(float) for s in (z, y, x))), floor)
        total[at] += weights
        summed[at] += weights[..., None] * values
    return np.divide(summed, total[..., None], out=np.zeros_like(summed), where=total[..., None] > 0)


# ---- the plan


@given(plan=plans())
@settings(deadline=None, max_examples=150)
def test_windows_are_whole_aligned_and_cover_every_voxel_z_slowest(plan: OverlapPlan) -> None:
    covered = np.zeros(plan.shape, bool)
    tiles = list(plan)
    for tile in tiles:
        assert tile.patch.shape == plan.patch_size
        assert all(start >= 0 and start % plan.multiple == 0 for start in tile.patch.start)
        assert tile.core.start == tile.patch.start
        assert tile.core.stop == tuple(min(p, n) for p, n in zip(tile.patch.stop, plan.shape, strict=True))
        assert tile.core.size > 0
        covered[tile.core.slices] = True
    assert covered.all()
    assert [tile.index for tile in tiles] == list(range(len(plan)))
    assert [tile.patch.start for tile in tiles] == sorted({tile.patch.start for tile in tiles})
    assert plan.redundancy == pytest.approx(sum(tile.patch.size for tile in tiles) / math.prod(plan.shape))


@given(plan=plans())
@settings(deadline=None, max_examples=150)
def test_steps_are_regular_and_keep_the_overlap_and_the_last_window_ends_at_the_far_face(plan: OverlapPlan) -> None:
    for origins, length, edge in zip(plan.axes, plan.shape, plan.patch_size, strict=True):
        assert (len(origins) == 1) == (length <= edge)
        assert origins[0] == 0
        assert origins[-1] + edge == max(edge, math.ceil(length / plan.multiple) * plan.multiple)
        steps = np.diff(origins)
        assert len(set(steps[:-1])) <= 1
        assert all(steps[-1:] <= steps[:1])
        assert all(step <= max(plan.multiple, edge * (1 - plan.overlap) + 1e-4) for step in steps)


@pytest.mark.parametrize(
    ("length", "edge", "overlap", "multiple", "origins"),
    [
        (90, 32, 0.25, 8, (0, 24, 48, 64)),
        (90, 32, 0.25, 16, (0, 16, 32, 48, 64)),
        (33, 32, 0.5, 16, (0, 16)),
        (32, 32, 0.9, 16, (0,)),
        (5, 32, 0.5, 16, (0,)),
        (14, 10, 0.8, 1, (0, 2, 4)),
        (3, 1, 0.99, 1, (0, 1, 2)),
    ],
)
def test_origins_by_hand(length: int, edge: int, overlap: float, multiple: int, origins: tuple[int, ...]) -> None:
    plan = OverlapPlan(shape=(length,) * 3, patch_size=(edge,) * 3, overlap=overlap, multiple=multiple)
    assert plan.axes == (origins,) * 3


@pytest.mark.parametrize(
    ("shape", "patch", "overlap", "message"),
    [
        ((9, 9, 9), (8, 8, 6), 0.5, "patch_size must divide by 4"),
        ((9, 9, 9), (8, 8, 0), 0.5, "patch_size must divide by 4"),
        ((9, 0, 9), (8, 8, 8), 0.5, "at least one voxel"),
        ((9, 9, 9), (8, 8, 8), 1.0, "overlap must be 0 to below 1"),
        ((9, 9, 9), (8, 8, 8), -0.1, "overlap must be 0 to below 1"),
    ],
)
def test_impossible_plans_are_refused(shape: Triple, patch: Triple, overlap: float, message: str) -> None:
    with pytest.raises(Vol3dError, match=message):
        OverlapPlan(shape=shape, patch_size=patch, overlap=overlap, multiple=4)


# ---- weights


def test_weights_are_the_gaussian_at_voxel_centres() -> None:
    five = gaussian_weights(5, 0.2)
    assert five.dtype == np.float32
    np.testing.assert_allclose(five, np.exp([-2, -0.5, 0, -0.5, -2]), rtol=1e-6)
    assert gaussian_weights(96).max() == pytest.approx(math.exp(-8 / 96**2))
    assert gaussian_weights(64, 0.01).min() == pytest.approx(1e-8)


# ---- blending


def test_two_windows_by_hand() -> None:
    weights = np.float32([1, 3, 1])
    line = [Span(start=0, stop=3, weights=weights), Span(start=2, stop=5, weights=weights)]
    one = [Span(start=0, stop=1, weights=np.ones(1, np.float32))]
    first, second = np.float32([10, 20, 30]), np.float32([50, 60, 70])
    for axis in range(3):
        shape, spans = [1, 1, 1], [one, one, one]
        shape[axis], spans[axis] = 6, line
        at = [tuple(int(a == axis) * i for a in range(3)) for i in range(2)]
        form = [-1 if a == axis else 1 for a in range(3)] + [1]
        result = blended(tuple(shape), tuple(spans), {at[0]: first.reshape(form), at[1]: second.reshape(form)})
        # Index 2 has weight 1 of either window, 5 lies outside both.
        np.testing.assert_allclose(result.ravel(), [10, 20, 40, 60, 70, 0], rtol=1e-6)
    unequal = [line[0], Span(start=2, stop=5, weights=np.float32([4, 1, 1]))]
    result = blended((5, 1, 1), (unequal, one, one), {
        (0, 0, 0): first.reshape(3, 1, 1, 1), (1, 0, 0): second.reshape(3, 1, 1, 1)
    })  # fmt: skip
    np.testing.assert_allclose(result.ravel(), [10, 20, (30 + 4 * 50) / 5, 60, 70], rtol=1e-6)


@given(plan=plans(), classes=st.integers(1, 3), floor=floors, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=120)
def test_equals_sums_over_the_whole_volume(plan: OverlapPlan, classes: int, floor: float, seed: int) -> None:
    spans = gaussian_spans(plan)
    scores = random_scores(spans, classes)
    result = blended(plan.shape, spans, scores, floor=floor, seed=seed)
    np.testing.assert_allclose(result, naive(plan.shape, spans, scores, floor=floor), atol=2e-5)


@given(case=irregular(), classes=st.integers(1, 3), floor=floors, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=200)
def test_any_windows_blend_and_voxels_without_one_are_zero(
    case: tuple[Triple, Spans], classes: int, floor: float, seed: int
) -> None:
    shape, spans = case
    scores = random_scores(spans, classes)
    result = blended(shape, spans, scores, floor=floor, seed=seed)
    np.testing.assert_allclose(result, naive(shape, spans, scores, floor=floor), atol=2e-5)


@given(plan=plans(), floor=floors, data=st.data())
@settings(deadline=None, max_examples=80)
def test_the_share_of_a_window_is_its_weight_over_a_brute_force_total(
    plan: OverlapPlan, floor: float, data: st.DataObject
) -> None:
    spans = gaussian_spans(plan)
    one = data.draw(st.sampled_from(windows(spans)))
    scores = {index: np.full_like(s, index == one) for index, s in random_scores(spans, 1).items()}
    share = blended(plan.shape, spans, scores, floor=floor)
    np.testing.assert_allclose(share, naive(plan.shape, spans, scores, floor=floor), rtol=1e-5, atol=1e-12)


@given(plan=plans(), floor=floors)
@settings(deadline=None, max_examples=80)
def test_constant_scores_come_back_constant(plan: OverlapPlan, floor: float) -> None:
    spans = gaussian_spans(plan)
    constant = np.float32([0.25, -3, 7])
    scores = {index: np.broadcast_to(constant, s.shape) for index, s in random_scores(spans, 3).items()}
    result = blended(plan.shape, spans, scores, floor=floor)
    np.testing.assert_allclose(result, np.broadcast_to(constant, result.shape), rtol=2e-6)


def test_narrow_weights_do_not_vanish() -> None:
    plan = OverlapPlan(shape=(30, 30, 30), patch_size=(20, 20, 20), overlap=0.25, multiple=1)
    spans = gaussian_spans(plan, 0.01)
    scores = {index: np.full_like(s, 1e-3) for index, s in random_scores(spans, 1).items()}
    np.testing.assert_allclose(blended(plan.shape, spans, scores), 1e-3, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_scores_may_have_another_float_type(dtype: type) -> None:
    plan = OverlapPlan(shape=(9, 7, 5), patch_size=(4, 4, 4), overlap=0.5, multiple=2)
    spans = gaussian_spans(plan)
    scores = {index: s.astype(dtype) for index, s in random_scores(spans, 2).items()}
    np.testing.assert_allclose(blended(plan.shape, spans, scores), naive(plan.shape, spans, scores), atol=2e-5)


# ---- memory


def test_the_slab_is_as_deep_as_the_longest_window_however_long_the_volume() -> None:
    for length in (8, 9, 100, 10_000):
        plan = OverlapPlan(shape=(length, 12, 20), patch_size=(8, 8, 8), overlap=0.5, multiple=4)
        assert Blender(plan.shape, gaussian_spans(plan), classes=3).slab.nbytes == 8 * 12 * 20 * 3 * 4


@pytest.mark.parametrize("floor", [0.0, MONAI_FLOOR])
def test_peak_memory_does_not_grow_with_the_volume(floor: float) -> None:
    def peak(length: int) -> int:
        plan = OverlapPlan(shape=(length, 60, 60), patch_size=(16, 32, 32), overlap=0.5, multiple=4)
        spans = gaussian_spans(plan)
        patch = np.ones((16, 32, 32, 4), np.float32)
        tracemalloc.start()
        blender = Blender(plan.shape, spans, classes=4, floor=floor)
        for index in windows(spans):
            blender.add(index, patch)
            for _ in blender.finished():
                pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(400) < 1.1 * peak(48)


def test_finished_rows_come_in_batches_that_may_be_taken_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = OverlapPlan(shape=(11, 3, 4), patch_size=(4, 4, 4), overlap=0.25, multiple=1)
    spans = gaussian_spans(plan)
    scores = random_scores(spans, 2)
    monkeypatch.setattr(blend, "BATCH_BYTES", 2 * 3 * 4 * 2 * 4)  # two rows
    blender = Blender(plan.shape, spans, classes=2)
    taken = []
    for index in windows(spans):
        blender.add(index, scores[index])
        taken.append(next(blender.finished()))
        taken += blender.finished()
    assert max(len(rows) for _, rows in taken) == 2
    result = np.concatenate([rows for _, rows in taken])
    np.testing.assert_allclose(result, naive(plan.shape, spans, scores), atol=2e-5)


# ---- order


def test_windows_out_of_order_are_refused_and_change_nothing() -> None:
    plan = OverlapPlan(shape=(10, 6, 4), patch_size=(4, 4, 4), overlap=0.25, multiple=1)
    spans = gaussian_spans(plan)
    scores = random_scores(spans, 1)
    blender = Blender(plan.shape, spans, classes=1)

    def refused(index: Triple, message: str) -> None:
        with pytest.raises(Vol3dError, match=message):
            blender.add(index, scores.get(index, np.zeros((1, 1, 1, 1))))

    def missing() -> None:
        with pytest.raises(Vol3dError, match="Windows are missing"):
            blender.close()

    missing()
    refused((1, 0, 0), "too early: layer 0 of 3 has 0 of 2")
    refused((3, 0, 0), "no window")
    refused((0, 0, -1), "no window")
    with pytest.raises(Vol3dError, match=r"must be \(4, 4, 4, 1\); received \(4, 4, 4, 2\)"):
        blender.add((0, 0, 0), np.zeros((4, 4, 4, 2)))
    blender.add((0, 1, 0), scores[0, 1, 0])
    refused((0, 1, 0), "twice")
    refused((1, 0, 0), "too early: layer 0 of 3 has 1 of 2")
    assert not list(blender.finished())
    blender.add((0, 0, 0), scores[0, 0, 0])
    refused((2, 0, 0), "too early")
    refused((1, 0, 0), "rows 0 to 3 wait to be taken")
    taken = list(blender.finished())
    blender.add((1, 0, 0), scores[1, 0, 0])
    refused((0, 0, 0), "too late")
    missing()
    blender.add((1, 1, 0), scores[1, 1, 0])
    taken += blender.finished()
    missing()
    blender.add((2, 0, 0), scores[2, 0, 0])
    blender.add((2, 1, 0), scores[2, 1, 0])
    taken += blender.close()
    assert not list(blender.finished())
    result = np.concatenate([rows for _, rows in taken])
    np.testing.assert_allclose(result, naive(plan.shape, spans, scores), atol=2e-5)


@pytest.mark.parametrize(
    ("bounds", "weights", "message"),
    [
        ([(0, 4), (2, 9)], None, "must lie in 0 to 8"),
        ([(-1, 4)], None, "must lie in 0 to 8"),
        ([(0, 4)], [1, 1, 1], "a weight per voxel"),
        ([(0, 2)], [1, 0], "above 0"),
        ([(0, 2)], [1, math.nan], "above 0"),
        ([(3, 5), (2, 4)], None, "ordered by their start"),
    ],
)
def test_spans_that_do_not_fit_are_refused(bounds: list, weights: list | None, message: str) -> None:
    z = [Span(start=a, stop=b, weights=np.float32(weights or [1] * (b - a))) for a, b in bounds]
    one = [Span(start=0, stop=1, weights=np.ones(1, np.float32))]
    with pytest.raises(Vol3dError, match=message):
        Blender((8, 1, 1), (z, one, one), classes=1)


# ---- MONAI


def ours(
    volume: np.ndarray, plan: OverlapPlan, predict: Callable[[np.ndarray], np.ndarray], floor: float
) -> np.ndarray:
    scores = {
        index: predict(volume[tile.patch.slices])
        for index, tile in zip(windows(gaussian_spans(plan)), plan, strict=True)
    }
    return blended(plan.shape, gaussian_spans(plan), scores, floor=floor)


def as_published(
    volume: np.ndarray, roi: Triple, overlap: float, predict: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Blend as MONAI 1.6 does: dense_patch_slices, compute_importance_map and sliding_window_inference in NumPy."""
    importance = np.ones(1, np.float32)
    for axis, edge in enumerate(roi):
        at = np.arange(-(edge - 1) / 2, (edge - 1) / 2 + 1, dtype=np.float32)
        line = np.exp(at**2 / (-2 * (0.125 * edge) ** 2))
        importance = importance[..., None] * line if axis else line
    importance = np.maximum(importance, max(importance.min(), 1e-3))
    starts = []
    for length, edge in zip(volume.shape, roi, strict=True):
        interval = edge if edge == length else max(1, int(edge * (1 - overlap)))
        count = 1 + next(d for d in range(length) if d * interval + edge >= length)
        starts.append([min(i * interval, length - edge) for i in range(count)])
    summed: np.ndarray | float = 0.0
    total = np.zeros((*volume.shape, 1), np.float32)
    for start in product(*starts):
        at = tuple(slice(s, s + edge) for s, edge in zip(start, roi, strict=True))
        scores = predict(volume[at])
        if isinstance(summed, float):
            summed = np.zeros((*volume.shape, scores.shape[-1]), np.float32)
        summed[at] += importance[..., None] * scores
        total[at] += importance[..., None]
    return summed / total


def fields(roi: Triple) -> np.ndarray:
    """Give a linear predictor that sees where in its window a voxel lies: one factor per voxel and class."""
    return np.random.default_rng(1).normal(size=(*roi, 3)).astype(np.float32)


MONAI_CASES = [
    ((33, 40, 29), (16, 16, 16), 0.25),
    ((33, 40, 29), (16, 16, 16), 0.5),
    ((40, 24, 31), (24, 24, 8), 0.75),
    ((20, 13, 9), (4, 5, 3), 0.25),
    ((17, 17, 17), (7, 7, 7), 0.6),
    ((50, 60, 55), (48, 32, 32), 0.0),
]


@pytest.mark.parametrize(("shape", "roi", "overlap"), MONAI_CASES)
def test_with_its_floor_the_blend_is_that_of_monai(shape: Triple, roi: Triple, overlap: float) -> None:
    volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    factors = fields(roi)
    plan = OverlapPlan(shape=shape, patch_size=roi, overlap=overlap, multiple=1)

    def predict(patch: np.ndarray) -> np.ndarray:
        return patch[..., None] * factors

    result = as_published(volume, roi, overlap, predict)
    np.testing.assert_allclose(ours(volume, plan, predict, MONAI_FLOOR), result, atol=1e-5)


def test_without_the_floor_the_blend_is_not_that_of_monai() -> None:
    # No product of three weights is equal to the floored map: towards the corners of a window MONAI's is flat.
    volume = np.random.default_rng(0).normal(size=(33, 40, 29)).astype(np.float32)
    factors = fields((16, 16, 16))
    plan = OverlapPlan(shape=volume.shape, patch_size=(16, 16, 16), overlap=0.25, multiple=1)
    bare = ours(volume, plan, lambda patch: patch[..., None] * factors, 0.0)
    floored = as_published(volume, (16, 16, 16), 0.25, lambda patch: patch[..., None] * factors)
    assert abs(bare - floored).max() > 0.1


def test_equals_sliding_window_inference() -> None:
    inferers = pytest.importorskip("monai.inferers")
    torch = pytest.importorskip("torch")
    for shape, roi, overlap in MONAI_CASES:
        volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        factors = fields(roi)
        plan = OverlapPlan(shape=shape, patch_size=roi, overlap=overlap, multiple=1)
        result = ours(volume, plan, lambda patch, factors=factors: patch[..., None] * factors, MONAI_FLOOR)
        planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(factors, -1, 0)))
        theirs = inferers.sliding_window_inference(
            torch.from_numpy(volume)[None, None], roi, 2, lambda batch, planes=planes: batch * planes,
            overlap=overlap, mode="gaussian",
        )  # fmt: skip
        np.testing.assert_allclose(result, np.moveaxis(theirs[0].numpy(), 0, -1), atol=1e-4)
