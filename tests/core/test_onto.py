"""A volume on another grid is what interpolation says it is, wherever and however it is looked at."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_vol3d.core import onto
from napari_vol3d.core.box import Box
from napari_vol3d.core.onto import Onto, share_inside
from napari_vol3d.core.sliced import SOME_PLANES
from napari_vol3d.core.volume import Geometry, Volume
from tests.core.watched import Watched, geometry

SHAPE = (11, 14, 12)


def volume(shape: tuple[int, ...] = SHAPE, dtype: Any = np.float32, at: Geometry | None = None) -> Volume:
    voxels = np.random.default_rng(0).normal(1000, 400, shape)
    voxels[3:6, 4:9, 2:7] += 900
    return Volume(data=voxels.astype(dtype), geometry=at or geometry())


GRID, GRID_SHAPE = geometry(12, (1.1, 1.0, 1.2), (9.0, -19.0, 31.0)), (18, 13, 9)


def with_simpleitk(source: Volume, grid: Geometry, shape: tuple[int, ...], how: int, fill: float) -> np.ndarray:
    """Resample with another library."""
    image = sitk.GetImageFromArray(np.asarray(source.data))
    image.SetSpacing(source.geometry.spacing[::-1])
    image.SetOrigin(source.geometry.origin)
    image.SetDirection(source.geometry.direction[:, ::-1].ravel().tolist())
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in shape[::-1]])
    resampler.SetOutputSpacing(grid.spacing[::-1])
    resampler.SetOutputOrigin(grid.origin)
    resampler.SetOutputDirection(grid.direction[:, ::-1].ravel().tolist())
    resampler.SetInterpolator(how)
    resampler.SetDefaultPixelValue(fill)
    return sitk.GetArrayFromImage(resampler.Execute(image))


def test_images_are_as_simpleitk_interpolates_them_up_to_the_faces() -> None:
    source = volume()
    found = np.asarray(Onto(source, GRID, GRID_SHAPE))
    meant = with_simpleitk(source, GRID, GRID_SHAPE, sitk.sitkLinear, float(source.data.min()))
    assert 0.3 < (meant > source.data.min()).mean() < 0.99  # the grid reaches beyond, and not only there
    np.testing.assert_allclose(found, meant, rtol=1e-4, atol=1e-4 * np.ptp(source.data))


def test_inside_it_is_as_scipy_interpolates() -> None:
    source = volume()
    matrix = np.linalg.inv(source.geometry.affine) @ GRID.affine
    index = np.indices(GRID_SHAPE).reshape(3, -1)
    places = matrix[:3, :3] @ index + matrix[:3, 3:]
    inside = ((places >= 0) & (places <= np.array(SHAPE)[:, None] - 1)).all(axis=0)
    meant = ndimage.map_coordinates(source.data.astype(np.float64), places[:, inside], order=1)
    found = np.asarray(Onto(source, GRID, GRID_SHAPE)).reshape(-1)[inside]
    np.testing.assert_allclose(found, meant, rtol=1e-5, atol=1e-2)


def test_label_maps_take_the_nearest_voxel_and_zero_beyond() -> None:
    ids = np.random.default_rng(1).choice([0, 3, 700], SHAPE).astype(np.uint16)
    source = volume().with_data(ids)
    found = np.asarray(Onto(source, GRID, GRID_SHAPE, nearest=True))
    meant = with_simpleitk(source, GRID, GRID_SHAPE, sitk.sitkNearestNeighbor, 0)
    assert found.dtype == np.uint16
    assert set(np.unique(found)) == {0, 3, 700}
    assert (found != meant).mean() < 0.001  # a place half-way between two voxels may go either way


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, bool, np.float16, np.float64, ">i2"])
def test_the_type_stays_and_integers_are_rounded(dtype: Any) -> None:
    voxels = np.random.default_rng(2).integers(0, 2 if dtype is bool else 200, SHAPE)
    found = np.asarray(Onto(volume().with_data(voxels.astype(dtype)), GRID, GRID_SHAPE))
    exact = np.asarray(Onto(volume().with_data(voxels.astype(np.float64)), GRID, GRID_SHAPE))
    assert found.dtype == dtype
    limit = 0.1 if dtype is np.float16 else 0.5 + 1e-9 if found.dtype.kind in "biu" else 1e-9
    assert np.abs(found.astype(float) - exact).max() <= limit


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, np.int32])
@pytest.mark.parametrize("degrees", [0, 8.6])
def test_on_its_own_grid_a_volume_is_itself_bit_for_bit(dtype: Any, degrees: float) -> None:
    source = volume(dtype=np.float32, at=geometry(degrees, (2.37, 0.8593750, 0.8593750)))
    voxels = (source.data * 0.1).astype(dtype)
    if voxels.dtype.kind == "f":
        voxels[2, 3, 4] = np.nan
    source = source.with_data(voxels)
    found = np.asarray(Onto(source, replace(source.geometry), SHAPE))
    assert found.tobytes() == np.ascontiguousarray(voxels).tobytes()


def test_a_shift_by_whole_voxels_is_a_shift() -> None:
    source = volume(dtype=np.int16)
    box = Box(start=(2, 3, 1), stop=(20, 11, 9))
    found = np.asarray(Onto(source, source.cropped(box).geometry, box.shape))
    np.testing.assert_array_equal(found[:9], source.data[2:, 3:11, 1:9])
    assert (found[9:] == source.data.min()).all()  # beyond: as dark as it gets


HUGE = [2**53 + 1, 2**53 + 3, 2**63 - 1, 12345678901234567]


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, ">u8"])
def test_no_id_is_made_up_however_large(dtype: Any) -> None:
    picked = np.random.default_rng(3).integers(0, len(HUGE), SHAPE)
    source = volume().with_data(np.array(HUGE, dtype)[picked])
    found = np.asarray(Onto(source, GRID, GRID_SHAPE, nearest=True))
    numbered = np.asarray(Onto(volume().with_data((picked + 1).astype(np.uint8)), GRID, GRID_SHAPE, nearest=True))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.array([0, *HUGE], dtype)[numbered])


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, ">i8"])
def test_the_largest_integers_are_shifted_as_they_are_and_stay_in_range(dtype: Any) -> None:
    limits = np.iinfo(dtype)
    voxels = np.random.default_rng(3).choice(np.array([limits.min, limits.max, limits.max - 1], dtype), SHAPE)
    source = volume().with_data(voxels)
    box = Box(start=(2, 3, 1), stop=(9, 11, 9))
    np.testing.assert_array_equal(np.asarray(Onto(source, source.cropped(box).geometry, box.shape)), voxels[box.slices])
    for end in (limits.min, limits.max):
        alike = np.asarray(Onto(volume().with_data(np.full(SHAPE, end, dtype)), GRID, GRID_SHAPE))
        np.testing.assert_allclose(alike.astype(np.float64), float(end), rtol=1e-15)  # not wrapped around
    between = np.asarray(Onto(source, GRID, GRID_SHAPE)).astype(np.float64)
    exact = np.asarray(Onto(source.with_data(voxels.astype(np.float64)), GRID, GRID_SHAPE))
    np.testing.assert_allclose(between, exact, atol=4096)


PARTS = st.one_of(st.slices(9), st.integers(-9, 8), st.builds(slice, st.none(), st.none(), st.sampled_from((-1, 2, 3))))


@settings(deadline=None, max_examples=60)
@given(index=st.lists(PARTS, max_size=3))
def test_a_part_is_that_part_of_the_whole(index: list[Any]) -> None:
    lazy = Onto(volume(), GRID, GRID_SHAPE)
    np.testing.assert_allclose(lazy[tuple(index)], np.asarray(lazy)[tuple(index)], rtol=1e-5, atol=0.01)


@pytest.mark.parametrize("most", [1, 40, 1000])
def test_in_pieces_it_is_the_same(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    lazy = Onto(volume(), GRID, GRID_SHAPE)
    whole = np.asarray(lazy)
    thinned = lazy[1::2, ::3, ::2]
    monkeypatch.setattr(onto, "MOST_VOXELS", most)
    np.testing.assert_allclose(np.asarray(lazy), whole, rtol=1e-5, atol=0.01)
    np.testing.assert_allclose(lazy[1::2, ::3, ::2], thinned, rtol=1e-5, atol=0.01)


def test_channels_and_time_pass_through() -> None:
    source = volume((*SHAPE, 2, 3))
    lazy = Onto(source, GRID, GRID_SHAPE)
    assert lazy.shape == (*GRID_SHAPE, 2, 3)
    for channel, moment in ((0, 0), (1, 2)):
        alone = Onto(source.with_data(source.data[..., channel, moment]), GRID, GRID_SHAPE)
        alone.outside = lazy.outside
        np.testing.assert_array_equal(lazy[..., channel, moment], np.asarray(alone))


def test_a_volume_of_one_slice_has_the_thickness_of_its_voxels() -> None:
    source = volume((1, 14, 12))
    flat = Geometry(affine=source.geometry.affine @ np.diag([0.2, 1, 1, 1]), anatomical=True)
    found = np.asarray(Onto(source, flat, (6, 14, 12)))
    np.testing.assert_allclose(found[:3], np.broadcast_to(source.data, (3, 14, 12)), rtol=1e-6)  # 0, 0.2 and 0.4
    assert (found[3:] == source.data.min()).all()


def test_the_smallest_value_beyond_is_a_finite_one_and_nothing_is_there_far_away() -> None:
    source = volume()
    source.data[0, 0, :2] = np.nan, -np.inf
    far = np.asarray(Onto(source, geometry(12, origin=(1e4, 0, 0)), GRID_SHAPE))
    assert (far == np.sort(source.data[np.isfinite(source.data)])[0]).all()
    assert (np.asarray(Onto(volume().with_data(np.full(SHAPE, np.nan)), GRID, GRID_SHAPE))[0, 0, 0]) == 0


def test_a_slice_of_a_volume_in_a_file_reads_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Watched(np.random.default_rng(0).normal(size=(96, 96, 96)).astype(np.float32))
    source = Volume(data=stored, geometry=geometry(0, (1, 1, 1)))
    grid = geometry(5, (1, 1, 1))
    lazy, in_memory = Onto(source, grid, (96, 96, 96)), Onto(source.with_data(stored.data), grid, (96, 96, 96))
    assert stored.read == SOME_PLANES * 96 * 96  # for the smallest value
    in_memory.outside = lazy.outside
    stored.read = 0
    np.testing.assert_array_equal(lazy[48], in_memory[48])
    assert 0 < stored.read < 20 * 96 * 96
    monkeypatch.setattr(onto, "MOST_VOXELS", 50_000)
    stored.most = 0
    assert lazy[::9, ::9, ::9].shape == (11, 11, 11)
    assert stored.most <= 50_000


def test_a_slice_comes_quickly() -> None:
    source = Volume(data=np.zeros((256, 256, 256), np.int16), geometry=geometry(0, (1, 1, 1)))
    lazy = Onto(source, geometry(8.6, (0.5, 0.5, 0.5)), (512, 512, 512))
    seconds = []
    for k in (200, 256, 300):
        start = time.perf_counter()
        assert lazy[k].shape == (512, 512)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1


@pytest.mark.parametrize(
    ("origin", "share"), [((10.0, -20.0, 30.0), 1.0), ((1e4, 0.0, 0.0), 0.0), ((10.0, -20.0, 43.75), 0.5)]
)
def test_the_share_that_lies_within_a_grid(origin: Any, share: float) -> None:
    assert share_inside(volume(), geometry(origin=origin), SHAPE) == pytest.approx(share, abs=0.05)
