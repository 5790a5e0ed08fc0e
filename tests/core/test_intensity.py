from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_vol3d.core import intensity
from napari_vol3d.core.intensity import IntensityMap, IntensityScheme, measure_intensity


@pytest.fixture
def scan() -> np.ndarray:
    return np.random.default_rng(4).gamma(2.0, 400.0, (12, 14, 16)).astype(np.float32)


def mapped(scan: np.ndarray, **scheme: object) -> np.ndarray:
    return measure_intensity(scan, IntensityScheme(**scheme)).apply(scan)


def test_zscore_is_what_numpy_says(scan: np.ndarray) -> None:
    low, high = np.percentile(scan, (0.5, 99.5))
    clipped = np.clip(scan.astype(float), low, high)
    assert mapped(scan) == pytest.approx((clipped - clipped.mean()) / clipped.std(), abs=1e-5)


def test_minmax_quantile_window_and_none(scan: np.ndarray) -> None:
    found = mapped(scan, kind="minmax")
    assert (found.min(), found.max()) == (0.0, pytest.approx(1.0))
    found = mapped(scan, kind="quantile", lower=5, upper=95)
    low, high = np.percentile(scan, (5, 95))
    assert found == pytest.approx((scan - low) / (high - low), abs=1e-5)  # not clipped
    found = mapped(scan, kind="window", lower=200.0, upper=600.0)
    assert found == pytest.approx((np.clip(scan, 200, 600) - 200) / 400, abs=1e-6)
    assert np.array_equal(mapped(scan, kind="none"), scan)


def test_nonzero_leaves_air_out_of_the_statistics(scan: np.ndarray) -> None:
    padded = np.pad(scan, 6)
    assert measure_intensity(padded, IntensityScheme(over="nonzero")) == measure_intensity(scan, IntensityScheme())
    assert measure_intensity(padded, IntensityScheme()) != measure_intensity(scan, IntensityScheme())
    empty = np.zeros((3, 3, 3))
    assert np.array_equal(mapped(empty, over="nonzero"), empty)


@pytest.mark.parametrize("kind", intensity.SCHEMES)
def test_a_constant_volume_gives_numbers(kind: str) -> None:
    found = mapped(np.full((4, 4, 4), 7, np.int16), kind=kind)
    assert np.isfinite(found).all()
    if kind in ("zscore", "minmax", "quantile"):
        assert not found.any()


@pytest.mark.parametrize("width", [1e-30, 1e-39, 1e-44])
@pytest.mark.parametrize("kind", ["zscore", "minmax", "quantile"])
def test_hardly_any_contrast_gives_numbers(kind: str, width: float) -> None:
    scan = np.zeros((3, 4, 5), np.float32)
    scan[1] = width
    found = mapped(scan, kind=kind)
    assert np.isfinite(found).all()
    assert found.any() == (width > 1e-38)  # below, it counts as constant


@pytest.mark.parametrize("kind", ["zscore", "minmax", "quantile"])
def test_not_finite_voxels_count_for_nothing_and_become_numbers(scan: np.ndarray, kind: str) -> None:
    broken = scan.copy()
    broken[0, 0, :3] = (np.nan, np.inf, -np.inf)
    whole = np.isfinite(broken)
    scheme = IntensityScheme(kind=kind)
    assert measure_intensity(broken, scheme) == measure_intensity(broken[whole].reshape(-1, 1, 1), scheme)
    assert np.isfinite(mapped(broken, kind=kind)).all()


@pytest.mark.parametrize("kind", ["zscore", "minmax", "quantile", "none"])
def test_a_volume_of_nothing_but_nan_gives_numbers(kind: str) -> None:
    assert np.isfinite(mapped(np.full((3, 3, 3), np.nan, np.float32), kind=kind)).all()


@given(
    scan=hnp.arrays(np.float32, (3, 4, 5), elements=st.integers(-10_000, 10_000).map(float)),
    kind=st.sampled_from(["zscore", "minmax", "quantile"]),
    factor=st.sampled_from([0.5, 2.0, 1024.0]),
)
@settings(deadline=None, max_examples=80)
def test_mapping_keeps_order_and_ignores_the_scanner_gain(scan: np.ndarray, kind: str, factor: float) -> None:
    first = mapped(scan, kind=kind)
    order = np.argsort(scan, axis=None)
    assert (np.diff(first.reshape(-1)[order]) >= 0).all()
    assert mapped(scan * np.float32(factor), kind=kind) == pytest.approx(first, rel=1e-3, abs=1e-3)


def test_a_large_volume_is_measured_on_a_regular_subset(monkeypatch: pytest.MonkeyPatch, scan: np.ndarray) -> None:
    whole = measure_intensity(scan, IntensityScheme())
    monkeypatch.setattr(intensity, "HISTOGRAM_SAMPLES", 900)
    subset = measure_intensity(scan, IntensityScheme())
    assert subset == measure_intensity(scan.reshape(len(scan), -1)[:, ::3, None], IntensityScheme())
    read: list[int] = []

    class Planes:
        shape = scan.shape

        def __getitem__(self, z: int) -> np.ndarray:
            read.append(z)
            return scan[z]

    monkeypatch.setattr(intensity, "HISTOGRAM_PLANES", 4)
    assert measure_intensity(Planes(), IntensityScheme()).shift == pytest.approx(whole.shift, rel=0.1)
    assert read == [0, 3, 6, 9]  # a volume that is larger than memory is not read as a whole
    assert subset.shift == pytest.approx(whole.shift, rel=0.1)
    assert subset.scale == pytest.approx(whole.scale, rel=0.1)


@pytest.mark.parametrize("kind", ["zscore", "minmax", "quantile", "maximum", "none"])
def test_one_map_after_another_is_one_map(kind):
    values = np.random.default_rng(0).gamma(2, 50, (9, 10, 11)) - 20
    first = IntensityMap(low=0.0, high=150.0, shift=-5.0, scale=1.7)
    second = measure_intensity(first.apply(values), IntensityScheme(kind=kind, lower=5, upper=95))
    expected = second.apply(first.apply(values))
    np.testing.assert_allclose(first.then(second).apply(values), expected, rtol=1e-4, atol=1e-4)


def test_what_is_mapped_to_nothing_stays_nothing():
    flat = IntensityMap(low=3.0, high=3.0, shift=3.0, scale=0.0)
    assert not flat.then(IntensityMap(low=0.0, high=1.0, shift=0.0, scale=2.0)).apply(np.arange(9.0)).any()
