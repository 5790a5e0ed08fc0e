"""Intensities are measured plane by plane, however large the scan is, and are those of the whole."""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from skimage.transform import resize

from napari_vol3d.core.box import Box
from napari_vol3d.core.conform import conformed_levels
from napari_vol3d.core.intensity import HISTOGRAM_PLANES, HISTOGRAM_SAMPLES, IntensityScheme, measure_intensity
from napari_vol3d.core.resample import GridMap
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.card import Conform, ForegroundCrop
from napari_vol3d.pipeline.measure import find_bright, measure_scan, measure_staged
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.stage import stage, stage_grid
from tests.builders import make_card

SCHEMES = [
    IntensityScheme(), IntensityScheme(kind="minmax"), IntensityScheme(over="nonzero"),
    IntensityScheme(kind="quantile", lower=1, upper=99),
]  # fmt: skip


class CountedReads:
    """Lazy voxels, any number of them: value by place, and a note of every read."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.dtype, self.ndim = shape, np.dtype(np.uint16), len(shape)
        self.reads: list[tuple[int, ...]] = []

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        spans = [part.indices(n)[:2] for part, n in zip(index, self.shape, strict=False)]
        spans += [(0, n) for n in self.shape[len(spans) :]]
        self.reads.append(tuple(b - a for a, b in spans))
        places = np.ix_(*(np.arange(a, b, dtype=np.uint32) * (7 + 4 * axis) for axis, (a, b) in enumerate(spans)))
        return (sum(places) % 1009).astype(np.uint16)


def scan(data) -> Volume:
    return Volume(data=data, geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))


def card(scheme: IntensityScheme, channels=("image",)):
    return make_card(Path("model.keras"), sha256="0" * 64, input={"intensity": scheme, "channels": channels})


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_small_scan_is_measured_whole_and_read_once(scheme):
    lazy = CountedReads((9, 30, 20))
    held = lazy[(slice(None),) * 3]
    lazy.reads.clear()
    assert measure_scan(scan(lazy), card(scheme)) == (measure_intensity(held, scheme),)
    assert lazy.reads == [(1, 30, 20)] * 9


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_large_scan_is_never_read_whole(scheme):
    shape = (700, 300, 256)
    lazy = CountedReads(shape)
    tracemalloc.start()
    try:
        (found,) = measure_scan(scan(lazy), card(scheme))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(read == (1, 300, 256) for read in lazy.reads)
    assert 32 <= len(lazy.reads) <= HISTOGRAM_PLANES
    # The samples, as float64, and the copies that a percentile takes; the scan would be 430 MB as such.
    assert peak < 6 * 8 * HISTOGRAM_SAMPLES < 8 * math.prod(shape)
    assert np.isfinite([found.shift, found.scale]).all()
    assert found.scale > 0
    low, high = (0 - found.shift) * found.scale, (1008 - found.shift) * found.scale
    assert low == pytest.approx({"minmax": 0, "quantile": 0}.get(scheme.kind, -math.sqrt(3)), abs=0.05)
    assert high == pytest.approx({"minmax": 1, "quantile": 1}.get(scheme.kind, math.sqrt(3)), abs=0.05)


@pytest.mark.parametrize("scheme", [IntensityScheme(kind="none"), IntensityScheme(kind="window", lower=0, upper=500)])
def test_what_needs_no_statistics_reads_nothing(scheme):
    lazy = CountedReads((70, 300, 256))
    measure_scan(scan(lazy), card(scheme))
    assert lazy.reads == []


def test_each_channel_has_a_map_of_its_own():
    data = np.random.default_rng(0).normal((10, 500), (2, 90), (12, 10, 8, 2)).astype(np.float32)
    scheme = IntensityScheme()
    found = measure_scan(scan(data), card(scheme, ("a", "b")))
    assert found == tuple(measure_intensity(data[..., c], scheme) for c in range(2))
    assert found[0] != found[1]


def test_a_part_of_a_lazy_scan_is_measured_alone():
    """A region that is all of a model's world: nothing outside it is read, and nothing before it is measured."""
    lazy = CountedReads((60, 50, 40))
    whole = lazy[(slice(None),) * 3]
    lazy.reads.clear()
    box = Box(start=(20, 10, 5), stop=(27, 40, 30))
    part = scan(lazy).cropped(box)
    assert lazy.reads == []
    assert measure_scan(part, card(IntensityScheme())) == (measure_intensity(whole[box.slices], IntensityScheme()),)
    assert lazy.reads == [(1, 30, 25)] * 7


def noisy(shape=(20, 30, 24), seed=0):
    return np.random.default_rng(seed).gamma(2, 60, shape).astype(np.float32)


def brain_card(scheme, **given):
    return make_card(Path("model.keras"), sha256="0" * 64, input={"intensity": scheme, **given})


@pytest.mark.parametrize("shape", [(10, 15, 12), (10, 40, 24)])
def test_a_stretched_scan_is_measured_as_it_is_stretched(shape):
    """scikit-image makes the same of it, and what is measured there is measured here."""
    data = noisy()
    card = brain_card(IntensityScheme(kind="maximum"), resize_to=shape)
    staged = stage(scan(data), card, SegmentSettings())
    grid = stage_grid(staged, staged.world, card, SegmentSettings())
    (found,) = measure_scan(scan(data), card, grid=grid)
    stretched = resize(data, shape, order=1, mode="edge", anti_aliasing=True)
    assert found.scale == pytest.approx(1 / stretched.max(), rel=1e-3)
    assert found.scale > 1.1 / data.max()


def test_extremes_are_those_of_the_whole_scan():
    """The subset that percentiles are taken of misses a voxel; what a publisher divides by does not."""
    data = np.zeros((300, 200, 200), np.uint8)
    data[1, 1, 1] = 200
    card = brain_card(IntensityScheme(kind="minmax"), conform=Conform())
    (found,) = measure_scan(scan(data), card)
    assert found.scale == pytest.approx(1 / (conformed_levels(data).high))


def test_conformed_levels_come_before_the_scheme():
    data = noisy()
    scheme = IntensityScheme(kind="quantile", lower=5, upper=95)
    (found,) = measure_scan(scan(data), brain_card(scheme, conform=Conform()))
    levels = conformed_levels(data).apply(data)
    low, high = np.percentile(levels, (5, 95))
    np.testing.assert_allclose(found.apply(data), (levels - low) / (high - low), rtol=1e-4, atol=1e-4)


def test_padding_counts_in_the_networks_voxels():
    data = np.zeros((20, 30, 24), np.float32)
    data[10, 10:12, 12] = 1
    grid = GridMap(scan_shape=(20, 30, 24), model_shape=(40, 30, 8), ratio=(2.0, 1.0, 1 / 3))
    maps = measure_scan(scan(data), brain_card(IntensityScheme(kind="maximum")))
    found = find_bright(scan(data), maps, ForegroundCrop(above=0.5, padding=3), grid=grid)
    assert found == Box(start=(8, 7, 3), stop=(13, 15, 22))


def test_the_bright_part_is_found_on_the_stage():
    data = np.zeros((20, 30, 24), np.float32)
    bright = Box(start=(4, 5, 6), stop=(9, 20, 10))
    data[bright.slices] = 1
    affine = np.array([[0, 0, -1.0, 0], [0, -1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
    head = Volume(data=data, geometry=Geometry(affine=affine, anatomical=True))
    scheme, crop = IntensityScheme(kind="minmax"), ForegroundCrop()
    card = brain_card(scheme, orientation="RAS", conform=Conform(edge=40), crop=crop)
    staged = stage(head, card, SegmentSettings())
    grid = stage_grid(staged, staged.world, card, SegmentSettings())
    assert staged.back(measure_staged(staged, staged.world, grid, card)[1]) == bright
