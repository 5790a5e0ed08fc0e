"""Windows are ranges, presets are the field's, and only a CT is called a CT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.sliced import Moved
from napari_vol3d.core.windows import (
    OPENING,
    PRESETS,
    Window,
    histogram,
    looks_like_ct,
    percentile_window,
    survey,
    surveying,
    thinned,
)
from napari_vol3d.io.registry import read_volume

RNG = np.random.default_rng(0)
CTS = ("scans/3DCT_lung_baseline.mha", "scans/example_ct_sm.nii.gz", "dicom/ct_head")


def other_scans(data: Path) -> list[Path]:
    """All that can be read of the real data but the CTs, some of what is many."""
    found = [path for path in sorted((data / "scans").rglob("*")) if path.is_file()]
    found += sorted((data / "microscopy").rglob("*.tif*"))
    found += [data / "dicom" / "hippocrop", data / "dicom" / "t1post_oblique", data / "dicom" / "transfer_syntaxes"]
    found += sorted((data / "hippocampus" / "images").glob("*.gz"))[:8]
    return [path for path in found if path.relative_to(data).as_posix() not in CTS]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1000.0, 3000.0), (1e-6, 2e-6), (-5.0, -4.5)])
def test_level_and_width_lead_back_to_the_ends(low: float, high: float) -> None:
    window = Window(low, high)
    assert Window.around(window.level, window.width).limits == pytest.approx((low, high))


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (np.nan, 1.0), (0.0, np.inf)])
def test_what_is_no_range_is_no_window(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="a window from low to high"):
        Window(low, high)


@pytest.mark.parametrize("width", [0.0, -5.0, 1e-30])
@pytest.mark.parametrize("level", [0.0, 1e9, -300.0])
def test_a_width_can_always_be_told_apart_in_float32_where_the_level_is_not_0(level: float, width: float) -> None:
    window = Window.around(level, width)
    assert window.low < window.high
    if level:
        assert np.float32(window.low) < np.float32(window.high)


def test_integers_keep_a_width_of_one() -> None:
    assert Window.around(40, 0.001, least=1.0).limits == (39.5, 40.5)


def test_presets_are_those_of_the_field() -> None:
    assert PRESETS["brain"].limits == (0.0, 80.0)
    assert PRESETS["lung"].limits == (-1350.0, 150.0)
    assert PRESETS["stroke"].width < PRESETS["brain"].width
    assert next(iter(PRESETS)) == OPENING
    assert PRESETS[OPENING].limits == (-150.0, 250.0)


@pytest.mark.parametrize("name", CTS)
def test_cts_are_known(shared_data: Path, name: str) -> None:
    volume = read_volume(shared_data / name)
    assert looks_like_ct(thinned(volume.data), anatomical=volume.geometry.anatomical)


def test_nothing_else_is_called_a_ct(shared_data: Path) -> None:
    seen, called = 0, []
    for path in other_scans(shared_data):
        try:
            volume = read_volume(path)
        except Vol3dError:
            continue
        seen += 1
        if looks_like_ct(thinned(volume.data), anatomical=True):  # even if they were a patient's
            called.append(path.name)
    assert seen > 35
    assert not called


def test_what_only_has_the_range_of_a_ct_is_none() -> None:
    ct = np.concatenate([np.full(500, -1000), RNG.integers(-100, 200, 500)]).astype(float)
    assert looks_like_ct(ct, anatomical=True)
    assert not looks_like_ct(ct, anatomical=False)
    assert not looks_like_ct(ct + 0.25, anatomical=True)
    assert not looks_like_ct(ct + 1024, anatomical=True)
    assert not looks_like_ct(np.append(ct, -4000.0), anatomical=True)
    assert not looks_like_ct(np.append(ct, np.full(50, 20000.0)), anatomical=True)
    assert not looks_like_ct(RNG.integers(-3000, 3000, 10_000).astype(float), anatomical=True)  # a phase image
    assert not looks_like_ct(np.zeros(0), anatomical=True)


@pytest.mark.parametrize("seed", range(5))
def test_a_histogram_counts_what_lies_in_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sample = rng.normal(10.0 ** rng.integers(-3, 5), 10.0 ** rng.integers(-2, 4), 20_000)
    found = histogram(sample)
    inside = ((sample >= found.low) & (sample <= found.high)).sum()
    assert np.expm1(found.counts).sum() == pytest.approx(inside)
    assert inside > 0.998 * sample.size
    assert len(found.counts) == 256


@pytest.mark.parametrize("most", [3, 255, 256, 300, 5000])
def test_whole_numbers_leave_no_gaps(most: int) -> None:
    found = histogram(np.repeat(np.arange(most + 1), 4).astype(float))
    assert (found.counts > 0).all()
    assert len(found.counts) <= 256
    assert found.low < 0.01 * most < 0.99 * most < found.high


def test_one_glaring_voxel_does_not_squeeze_the_rest() -> None:
    sample = np.append(RNG.normal(100, 10, 50_000), 1e6)
    assert histogram(sample).high < 200
    assert percentile_window(sample).high < 150


@pytest.mark.parametrize(
    "data",
    [
        np.full((4, 5, 6), 7, np.uint8), np.full((4, 5, 6), np.nan, np.float32), np.zeros((0, 5, 6), np.int16),
        np.full((4, 5, 6), 1e20), np.ones((4, 5, 6), bool), np.arange(20).reshape(4, 5),
        np.arange(240).reshape(2, 4, 5, 6), np.full((3, 3, 3), np.inf),
    ],
    ids=["constant", "nan", "empty", "huge", "bool", "image", "series", "infinite"],
)  # fmt: skip
def test_everything_has_levels(data: Any) -> None:
    found = survey(data, anatomical=True)
    assert found.stretched.low < found.stretched.high
    assert found.full.low <= found.stretched.low
    assert not found.ct
    assert found.histogram.counts.size


def test_the_full_range_is_that_of_all_voxels() -> None:
    data = RNG.integers(0, 100, (120, 120, 120)).astype(np.int16)
    data[1, 1, 1], data[3, 3, 3] = -7, 9000  # between those of the sample
    found = survey(data, anatomical=True)
    assert found.full.limits == (-7.0, 9000.0)
    assert found.whole
    assert found.stretched.high < 100


def test_lazy_voxels_give_the_levels_of_an_array() -> None:
    data = RNG.normal(0, 1, (20, 30, 40)).astype(np.float32)
    lazy, whole = survey(Moved(data.T, (2, 1, 0)), anatomical=False), survey(data, anatomical=False)
    assert lazy.stretched == whole.stretched
    assert np.array_equal(lazy.histogram.counts, whole.histogram.counts)
    assert not lazy.whole


def test_of_what_is_large_some_planes_are_looked_at() -> None:
    data = np.zeros((64, 10, 10), np.int16)
    data[1] = 1000  # not among the sixteen
    assert thinned(data, most=data.nbytes).max() == 1000
    assert thinned(data, most=data.nbytes - 1).max() == 0


def test_the_verb_can_be_stopped_before_it_reads() -> None:
    verb = surveying(np.zeros((3, 3, 3)), anatomical=False)
    assert isinstance(next(verb), Progress)
    with pytest.raises(StopIteration) as end:
        next(verb)
    assert end.value.value.full.low == 0.0
