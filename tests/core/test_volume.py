from __future__ import annotations

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.volume import Geometry, StoredGrid, Volume
from napari_vol3d.io.registry import write_labels
from tests.core.watched import Watched

GRIDS = [
    StoredGrid(axes=axes, flips=flips) for axes in permutations(range(3)) for flips in product((False, True), repeat=3)
]
ORIENTATIONS = ["".join(p) for axes in permutations(("RL", "AP", "SI")) for p in product(*axes)]


def rotated(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def held_geometry(file_affine: np.ndarray, grid: StoredGrid, stored_shape: tuple[int, ...]) -> Geometry:
    """Follow the definition: where does each held voxel lie, asked of the file's own index."""
    stored_index = np.stack(np.meshgrid(*map(np.arange, stored_shape), indexing="ij"), axis=-1)
    held_index = grid.to_held(stored_index)
    world = nib.affines.apply_affine(file_affine, held_index)
    affine = np.eye(4)
    affine[:3, 3] = world[0, 0, 0]
    for held, step in enumerate((world[1, 0, 0], world[0, 1, 0], world[0, 0, 1])):
        affine[:3, held] = step - world[0, 0, 0]
    return Geometry(affine=affine, anatomical=True, stored=grid)


@pytest.mark.parametrize("grid", GRIDS, ids=lambda g: f"{g.axes}{[int(f) for f in g.flips]}")
@pytest.mark.parametrize("extra", [(), (2,)], ids=["3-D", "channels"])
def test_held_and_stored_are_inverse(grid: StoredGrid, extra: tuple[int, ...]) -> None:
    stored = np.arange(2 * 3 * 4 * int(np.prod(extra))).reshape((2, 3, 4, *extra))
    held = grid.to_held(stored)
    assert held.shape == tuple(stored.shape[axis] for axis in grid.axes) + extra
    assert np.array_equal(grid.to_stored(held), stored)
    assert np.shares_memory(held, stored)  # a view: a volume of gigabytes is not copied to turn it


@pytest.mark.parametrize("code", ORIENTATIONS)
@pytest.mark.parametrize("turn", [0.0, 17.0])
def test_orientation_letters_are_those_of_the_file(code: str, turn: float) -> None:
    """All 48 ways in which a file's axes can run, straight and oblique, against nibabel."""
    signed = nib.orientations.inv_ornt_aff(
        nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(code)),
        (2, 3, 4),
    )
    affine = nib.affines.from_matvec(rotated(turn) @ signed[:3, :3] * 1.5, (3.0, -5.0, 7.0))
    assert "".join(nib.aff2axcodes(affine)) == code
    for grid in GRIDS[:: 1 if turn == 0 else 5]:
        geometry = held_geometry(affine, grid, (2, 3, 4))
        assert geometry.orientation == code
        assert geometry.oblique == (turn != 0)


@given(
    spacing=st.tuples(*[st.floats(0.01, 50)] * 3), turn=st.floats(-90, 90),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_spacing_and_direction_derive_from_the_affine(spacing: tuple, turn: float, origin: tuple) -> None:
    straight = Geometry.from_spacing(spacing, origin=origin)
    assert straight.spacing == pytest.approx(spacing)
    assert straight.origin == pytest.approx(origin[::-1])
    affine = nib.affines.from_matvec(rotated(turn), (0, 0, 0)) @ straight.affine
    turned = Geometry(affine=affine)
    assert turned.spacing == pytest.approx(spacing)
    assert turned.direction * turned.spacing == pytest.approx(affine[:3, :3])
    assert np.linalg.norm(turned.direction, axis=0) == pytest.approx(np.ones(3))


def test_a_volume_without_orientation_has_no_letters_and_lies_along_the_axes() -> None:
    geometry = Geometry.from_spacing((2.0, 0.65, 0.5), unit="um")
    assert geometry.orientation == ""
    assert not geometry.oblique
    assert geometry.affine @ (1, 0, 0, 1) == pytest.approx((0, 0, 2.0, 1))
    assert geometry.affine @ (0, 0, 1, 1) == pytest.approx((0.5, 0, 0, 1))


def test_oblique_begins_where_float32_headers_end() -> None:
    for degrees, oblique in ((0.01, False), (0.5, True), (8.6, True)):
        affine = nib.affines.from_matvec(rotated(degrees), (0, 0, 0))
        assert Geometry(affine=affine).oblique == oblique


def test_matching_grids_agree_to_a_thousandth_of_a_voxel() -> None:
    geometry = Geometry.from_spacing((1.0, 1.0, 1.0), origin=(10.0, 20.0, 30.0))
    assert geometry.matches(Geometry.from_spacing((1.0, 1.0, 1.0), origin=(10.0, 20.0, 30.0005)))
    assert not geometry.matches(Geometry.from_spacing((1.0, 1.0, 1.0), origin=(10.0, 20.0, 30.5)))
    assert not geometry.matches(Geometry.from_spacing((1.0, 1.0, 1.1), origin=(10.0, 20.0, 30.0)))
    assert not geometry.matches(Geometry.from_spacing((1.0, 1.0, 1.0), unit="um", origin=(10.0, 20.0, 30.0)))


def test_a_volume_reads_clipped_boxes_and_knows_its_extent() -> None:
    data = np.arange(4 * 5 * 6 * 2).reshape(4, 5, 6, 2)
    volume = Volume(data=data, geometry=Geometry.from_spacing((2.0, 1.0, 0.5)))
    assert volume.shape == (4, 5, 6)
    assert volume.extent == (8.0, 5.0, 3.0)
    assert np.array_equal(volume.read(Box(start=(-2, 1, 3), stop=(2, 9, 5))), data[0:2, 1:5, 3:5])
    assert volume.read(Box(start=(7, 0, 0), stop=(9, 2, 2))).size == 0


def test_a_cropped_volume_stays_at_its_place_in_the_world() -> None:
    affine = nib.affines.from_matvec(rotated(20) * (0.5, 1.0, 2.0), (1.0, 2.0, 3.0))
    data = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    volume = Volume(data=data, geometry=Geometry(affine=affine), name="scan")
    part = volume.cropped(Box(start=(1, 2, 3), stop=(3, 5, 6)))
    assert part.data[0, 0, 0] == data[1, 2, 3]
    assert part.geometry.affine @ (0, 0, 0, 1) == pytest.approx(affine @ (1, 2, 3, 1))
    assert part.name == "scan"
    other = volume.with_data(data > 3, is_labels=True)
    assert other.geometry is volume.geometry
    assert other.is_labels


def test_a_time_series_gives_its_frames():
    data = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    series = Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)), timed=True)
    assert (series.shape, series.frames) == ((2, 3, 4), 5)
    one = series.frame(3)
    assert (one.timed, one.frames) == (False, 1)
    np.testing.assert_array_equal(one.data, data[..., 3])
    assert one.frame(0) is one
    lazy = series.with_data(_Sliced(data)).frame(2)
    np.testing.assert_array_equal(lazy.data[:, 1:2], data[:, 1:2, :, 2])
    np.testing.assert_array_equal(np.asarray(lazy.data), data[..., 2])
    part = lazy.cropped(Box(start=(0, 1, 1), stop=(2, 3, 3)))
    np.testing.assert_array_equal(part.data[:, :, :], data[:, 1:3, 1:3, 2])


@pytest.mark.parametrize("extra", [(), (2,)], ids=["3-D", "channels"])
@pytest.mark.parametrize("index", [..., 1, (-1, 0), (..., 1), (slice(None, None, -1), 1), (slice(0, 0),), ()])
def test_a_window_on_lazy_voxels_is_looked_at_as_an_array_is(extra: tuple[int, ...], index: object) -> None:
    data = np.arange(4 * 5 * 6 * int(np.prod(extra))).reshape(4, 5, 6, *extra)
    volume = Volume(data=Watched(data), geometry=Geometry.from_spacing((1, 1, 1)))
    part, meant = volume.cropped(Box(start=(1, 2, 3), stop=(3, 5, 6))).data, data[1:3, 2:5, 3:6]
    assert volume.data.read == 0  # nothing is read before it is looked at
    assert (part.ndim, part.shape, part.dtype) == (meant.ndim, meant.shape, meant.dtype)
    np.testing.assert_array_equal(part[index], meant[index])
    np.testing.assert_array_equal(np.asarray(part), meant)


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("extension", [".nii.gz", ".seg.nrrd", ".tif", ".ome.zarr", ".csv", ".stl", ".obj"])
def test_a_part_of_lazy_labels_is_saved_as_the_part_of_an_array_is(tmp_path, extension: str, timed: bool) -> None:
    data = np.zeros((8, 9, 10), np.uint8)
    data[2:6, 3:7, 4:8] = 1
    geometry, box = Geometry.from_spacing((1, 1, 1)), Box(start=(1, 2, 3), stop=(7, 9, 10))
    held = Volume(data=data, geometry=geometry, is_labels=True).cropped(box)
    lazy = Volume(data=Watched(np.stack([data] * 2, axis=-1) if timed else data), geometry=geometry, is_labels=True,
                  timed=timed).frame(1).cropped(box)  # fmt: skip
    lazily, at_once = [], []
    for name, part, content in (("lazy", lazy, lazily), ("held", held, at_once)):
        (tmp_path / name).mkdir()
        content += _content(write_labels(tmp_path / name / f"a{extension}", part))
    assert lazily == at_once


def _content(path):
    files = sorted(one for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file())
    return [(one.name, one.read_bytes()) for one in files]


class _Sliced:
    def __init__(self, data):
        self._data, self.shape, self.dtype = data, data.shape, data.dtype

    def __getitem__(self, index):
        return self._data[index]
