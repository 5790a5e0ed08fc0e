"""A scan that was moved is shown where it was moved to; its own voxels and the first layer stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari import Viewer
from napari.components import ViewerModel
from napari.layers import Image
from scipy.spatial.transform import Rotation

from napari_vol3d.core.onto import Onto
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.panels.registered import own_volume, registered_layer, shown_moment, words_of
from napari_vol3d.gui.space import in_space, reference_of
from napari_vol3d.io.registry import read_volume
from napari_vol3d.pipeline.register import Registration, moved_by

pytestmark = pytest.mark.usefixtures("qapp")
MOTION = np.eye(4)
MOTION[:3, :3] = Rotation.from_euler("xyz", (5, -8, 20), degrees=True).as_matrix()
MOTION[:3, 3] = (3, -2, 4)


def add(viewer: Viewer | ViewerModel, volume: Volume) -> Image:
    shown = in_space(volume, reference_of(viewer), as_labels=False)
    data, keywords, _ = to_layer(shown.volume, as_labels=False, frame=shown.frame)
    return viewer.add_image(data, **keywords)


def test_a_moved_scan_lies_on_the_fixed_one(shared_data: Path) -> None:
    scan = read_volume(next((shared_data / "hippocampus" / "images").glob("*.nii.gz")))
    viewer = ViewerModel()
    fixed = add(viewer, scan)
    away = add(viewer, replace(scan, geometry=moved_by(np.linalg.inv(MOTION), scan.geometry), name="b"))
    layer, note = registered_layer(viewer, away, MOTION, fixed)
    assert layer.name == "b (registered)"
    assert note == ""  # the axes are the fixed scan's again: nothing is resampled
    np.testing.assert_allclose(layer.data_to_world((3, 4, 5)), fixed.data_to_world((3, 4, 5)), atol=1e-6)
    np.testing.assert_array_equal(np.asarray(layer.data), np.asarray(fixed.data))
    assert own_volume(layer).data is own_volume(away).data
    assert layer.contrast_limits == away.contrast_limits


def test_a_scan_that_stays_oblique_is_computed_on_the_fixed_grid(shared_data: Path) -> None:
    scan = read_volume(next((shared_data / "hippocampus" / "images").glob("*.nii.gz")))
    viewer = ViewerModel()
    fixed, other = add(viewer, scan), add(viewer, replace(scan, name="b"))
    layer, note = registered_layer(viewer, other, MOTION, fixed)
    assert "grid" in note
    meant = Onto(replace(scan, geometry=moved_by(MOTION, scan.geometry)), scan.geometry, scan.shape)
    np.testing.assert_array_equal(np.asarray(layer.data), np.asarray(meant))
    again = own_volume(layer)
    np.testing.assert_allclose(again.geometry.affine, MOTION @ scan.geometry.affine)


def test_cells_are_shown_on_the_grid_of_the_fixed_layer() -> None:
    voxels = np.random.default_rng(0).integers(0, 200, (6, 8, 10), dtype=np.uint8)
    geometry = Geometry.from_spacing((2, 1, 1), unit="um")
    viewer = ViewerModel()
    fixed = add(viewer, Volume(data=voxels, geometry=geometry, name="a"))
    motion = np.eye(4)
    motion[:3, 3] = (0.003, 0, 0.004)  # mm: three voxels along x, two along z
    other = add(viewer, Volume(data=voxels, geometry=geometry, name="b"))
    layer, _ = registered_layer(viewer, other, motion, fixed)
    assert layer.units == fixed.units
    np.testing.assert_allclose(layer.scale, fixed.scale)
    np.testing.assert_array_equal(np.asarray(layer.data)[2:, :, 3:], voxels[:-2, :, :-3])


def test_the_shown_time_point_and_channel_are_registered() -> None:
    data = np.random.default_rng(0).integers(0, 200, (4, 5, 6, 3, 2), dtype=np.uint8)
    geometry = Geometry.from_spacing((1, 1, 1))
    viewer = ViewerModel()
    layer = add(viewer, Volume(data=data, geometry=geometry, channels=("a", "b", "c"), timed=True))
    viewer.dims.set_current_step((0, 1), (1, 2))
    volume = shown_moment(viewer, layer)
    assert not volume.timed
    np.testing.assert_array_equal(np.asarray(volume.data), data[..., 2, 1])


def test_words_say_how_far() -> None:
    found = Registration(matrix=MOTION, before=0.2, after=0.5, seconds=3, centre=(0, 0, 0))
    words = words_of(found, "B", "A")
    assert "5.4 mm" in words
    assert "°" in words
    assert "not moved" in words_of(replace(found, after=0.2), "B", "A")
