"""Frames lie on the voxels of a grid to a tenth of a voxel, or not on it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry
from napari_vol3d.io.dicom.frames import frames_of, own_grid, places_on

PATH = Path("seg.dcm")
SHAPE = (5, 7, 4)  # held


def frames(positions, turned=(1, 0, 0, 0, 1, 0), *, size=(7, 4), **measures):
    group, image = Dataset(), Dataset()
    group.PixelSpacing = [2.0, 3.0]
    image.Rows, image.Columns = size
    for name, value in measures.items():
        setattr(group, name, value)
    return frames_of(image, positions, turned, group)


GEOMETRY = Geometry(affine=np.array([[0, 0, -3, 9.0], [0, -2, 0, 5], [4, 0, 0, -2], [0, 0, 0, 1]]), anatomical=True)


def test_a_frame_is_seen_on_its_plane():
    places = places_on(frames([(-9, -5, -2 + 4 * k) for k in (3, 0)]), GEOMETRY, SHAPE)
    held = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    for index, k in enumerate((3, 0)):
        np.testing.assert_array_equal(places.view(held, index, (4, 7)), held[k])


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3), 2)))
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, -1)])
def test_frames_may_run_along_any_two_axes(axes, signs):
    """With a grid of 1 mm; each voxel holds its own world position, so that the view must show where it is."""
    shape = (5, 6, 7)
    grid = Geometry(affine=GEOMETRY.affine @ np.diag([1 / 4, 1 / 2, 1 / 3, 1]), anatomical=True)
    world = np.stack(np.indices(shape), axis=-1) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    columns, rows = (sign * grid.affine[:3, axis] for axis, sign in zip(axes, signs, strict=True))
    corner = [0, 0, 0]
    for axis, sign in zip(axes, signs, strict=True):
        corner[axis] = 0 if sign > 0 else shape[axis] - 1
    first = grid.affine[:3] @ [*corner, 1]
    size = (shape[axes[1]], shape[axes[0]])
    group, image = Dataset(), Dataset()
    group.PixelSpacing, (image.Rows, image.Columns) = [1, 1], size
    lps = np.array([-1, -1, 1])
    made = frames_of(image, [first * lps], [*(columns * lps), *(rows * lps)], group)
    held = world.view([("x", float), ("y", float), ("z", float)])[..., 0]
    view = places_on(made, grid, shape).view(held, 0, size[::-1])
    assert view.shape == size
    for row, column in itertools.product(range(size[0]), range(size[1])):
        np.testing.assert_allclose(list(view[row, column].item()), first + column * columns + row * rows, atol=1e-9)


@pytest.mark.parametrize(
    ("position", "fits"),
    [((-9, -5, -2), True), ((-9, -5, -1.65), True), ((-9, -5, -1.5), False), ((-9, -5, -6), False),
     ((-8.8, -5, -2), True), ((-8.6, -5, -2), False), ((-6, -5, -2), False), ((-9, -5, 18), False)],
)  # fmt: skip
def test_frames_off_the_voxels_or_beyond_the_grid_do_not_fit(position, fits):
    assert (places_on(frames([position]), GEOMETRY, SHAPE) is not None) == fits


def test_turned_or_scaled_frames_do_not_fit():
    assert places_on(frames([(-9, -5, -2)], (0.9986, 0.0523, 0, -0.0523, 0.9986, 0)), GEOMETRY, SHAPE) is None
    assert places_on(frames([(-9, -5, -2)], PixelSpacing=[2.0, 3.2]), GEOMETRY, SHAPE) is None
    assert places_on(frames([(-9, -5, -2)], size=(2, 2)), GEOMETRY, SHAPE) is not None


@pytest.mark.parametrize(
    ("levels", "stated", "step", "count"),
    [((0, 4, 8), None, 4, 3), ((8, 0, 20), 2, 2, 11), ((0, 4, 8), 3, 4, 3), ((8, 4, 20), 0, 4, 5), ((0, 0), 5, 5, 1)],
)
def test_planes_span_a_regular_grid(levels, stated, step, count):
    positions = [(-9, -5, level) for level in levels]
    made = frames(positions, SpacingBetweenSlices=stated)
    geometry, shape = own_grid(PATH, made, {"format": "x"})
    assert shape == (count, 7, 4)
    assert geometry.spacing == (step, 2, 3)
    assert geometry.anatomical
    assert geometry.stored.header == {"format": "x"}
    assert places_on(made, geometry, shape) is not None


def test_planes_that_no_distance_fits_are_refused():
    for levels in ((8, 0, 20), (0, 4, 8.2)):
        with pytest.raises(FileProblem, match="Irregular planes"):
            own_grid(PATH, frames([(-9, -5, level) for level in levels]), {})
    with pytest.raises(FileProblem, match="Tilted planes"):
        own_grid(PATH, frames([(-9, -5 + level / 5, level) for level in (0, 4, 8)]), {})


def test_a_single_plane_is_as_thick_as_it_says():
    assert own_grid(PATH, frames([(0, 0, 0)], SliceThickness=6), {})[0].spacing == (6, 2, 3)
    with pytest.raises(FileProblem, match="no known distance"):
        own_grid(PATH, frames([(0, 0, 0)]), {})


@pytest.mark.parametrize(
    "fields",
    [{"PixelSpacing": [0, 1]}, {"PixelSpacing": [1]}, {"turned": (1, 0, 0, 1, 0, 0)}, {"turned": (1, 0, 0, 0, 5, 0)},
     {"turned": (1, 0, 0, 0, 1)}, {"PixelSpacing": [float("inf"), 1]}],
)  # fmt: skip
def test_places_that_are_none_are_refused(fields):
    with pytest.raises((ValueError, TypeError)):
        frames([(0, 0, 0)], **fields)
