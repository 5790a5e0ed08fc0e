"""Landmarks of real scans: the same place in every view, in the read-out, and under the brush."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from numpy.typing import NDArray

from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.readout import describe
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.placing import placed_like
from napari_vol3d.gui.space import in_space, reference_of
from napari_vol3d.io.registry import read_volume
from tests.gui.bench.conftest import FLAT, add, click, drag, opened, settle, slice_of, view_of

SCANS = {
    "aligned": "scans/chris_t1.nii.gz",
    "anisotropic": "scans/brain1_image.nrrd",
    "oblique": "scans/MR_Gd.nii.gz",
    "oblique DICOM": "dicom/t1post_oblique",
}


def volume_of(shared_data: Path, kind: str) -> Volume:
    """Read one of the scans."""
    path = shared_data / SCANS[kind]
    return read_volume(path if path.exists() else next(path.parent.glob(f"{path.stem.split('_')[0]}_*")))


def landmark(volume: Volume) -> tuple[int, int, int]:
    """Give the voxel (z, y, x) of a landmark: an eye's or a vessel's, bright and off the middle in every axis."""
    inner = np.asarray(volume.data)[tuple(slice(n // 5, n // 2 - 1) for n in volume.shape)]
    z, y, x = np.unravel_index(int(inner.argmax()), inner.shape)
    return tuple(int(at) + n // 5 for at, n in zip((z, y, x), volume.shape, strict=True))  # type: ignore[return-value]


@pytest.mark.parametrize("kind", SCANS)
@pytest.mark.parametrize("plane", FLAT)
def test_a_click_on_a_landmark_finds_it_in_the_other_views(
    qtbot: Any, views: Bench, shared_data: Path, kind: str, plane: Plane
) -> None:
    """Within half a voxel, along every axis; and the read-out says where in the patient that is."""
    volume = volume_of(shared_data, kind)
    index = landmark(volume)
    layer = add(views.viewer, volume)
    opened(views)
    view = view_of(views, plane)
    target = layer.data_to_world(index)
    along = list(views.point)
    along[plane.value] = target[plane.value]  # a person has turned to the slice, and sees the landmark
    views.go_to(along)
    down, right = view.shown
    view.model.scene.camera.zoom = 2.5 / min(volume.geometry.spacing)  # a mouse can't point finer than a pixel
    view.model.scene.camera.center = (0, target[down], target[right])
    settle()
    view.model.scene.camera.center = (0, target[down] + 7, target[right] - 11)  # not in the middle
    settle()
    click(qtbot, view, target)
    found = np.asarray(layer.world_to_data(views.point))
    assert np.abs(found - index).max() <= 0.5
    for other in FLAT:
        expected = np.take(np.asarray(volume.data), index[other.value], axis=other.value)
        np.testing.assert_array_equal(slice_of(layer, view_of(views, other)), expected)
    place = describe(views.viewer, layer.data_to_world(index)).place
    assert place == pytest.approx((volume.geometry.affine @ (*index, 1))[:3], abs=1e-3)


@pytest.mark.parametrize("kind", SCANS)
def test_a_coronal_stroke_lands_where_it_was_drawn(qtbot: Any, views: Bench, shared_data: Path, kind: str) -> None:
    """A brush of one voxel, dragged along z through the landmark: that line of voxels, and no other."""
    volume = volume_of(shared_data, kind)
    z, y, x = landmark(volume)
    layer = add(views.viewer, volume)
    labels = views.viewer.add_labels(np.zeros(volume.shape, np.uint8), **placed_like(layer))
    opened(views)
    labels.mode, labels.brush_size, labels.selected_label = "paint", 1, 5
    coronal = view_of(views, Plane.CORONAL)
    coronal.model.scene.camera.zoom = 12 / min(volume.geometry.spacing)  # a voxel has 12 pixels at least
    views.go_to(layer.data_to_world((z, y, x)))
    coronal.model.scene.camera.center = (0, *np.asarray(views.point)[[0, 2]])
    settle()
    drag(qtbot, coronal, layer.data_to_world((z - 2, y, x)), layer.data_to_world((z + 2, y, x)))
    assert np.argwhere(labels.data).tolist() == [[at, y, x] for at in range(z - 2, z + 3)]
    assert set(np.unique(labels.data)) == {0, 5}


def marked(path: Path, out: Path, world: NDArray[np.float64], spread: float) -> Path:
    """Copy a NIfTI file, dark but for a blob around a point of the world (x, y, z)."""
    image = nib.Nifti1Image.from_filename(path)
    grid = np.indices(image.shape).reshape(3, -1)
    places = nib.affines.apply_affine(image.affine, grid.T)
    blob = 200 * np.exp(-0.5 * ((places - world) ** 2).sum(axis=1) / spread**2)
    nib.Nifti1Image(blob.reshape(image.shape).astype(np.float32), image.affine).to_filename(out)
    return out


def bright(view: View) -> tuple[float, float]:
    """Give where on the canvas the blob is, as pixels (x, y)."""
    picture = view.qt_viewer.screenshot(flash=False)[..., :3].astype(float).mean(axis=-1)
    picture[picture < 40] = 0
    rows, columns = np.indices(picture.shape)
    ratio = picture.shape[1] / view.native.width()
    return (
        float((columns * picture).sum() / picture.sum() / ratio), float((rows * picture).sum() / picture.sum() / ratio),
    )  # fmt: skip


def test_a_landmark_of_two_scans_of_one_patient_coincides(
    viewer: Viewer, views: Bench, shared_data: Path, tmp_path: Path
) -> None:
    """chris_PD has other slices, 8.6 degrees oblique: in each view it lies on chris_t1 within half a voxel."""
    t1 = nib.Nifti1Image.from_filename(shared_data / "scans" / "chris_t1.nii.gz")
    world = nib.affines.apply_affine(t1.affine, (np.asarray(t1.shape) // 2 + (12, -9, 5)).astype(float))
    first = read_volume(marked(shared_data / "scans/chris_t1.nii.gz", tmp_path / "t1.nii.gz", world, 3.0))
    second = read_volume(marked(shared_data / "scans/chris_PD.nii.gz", tmp_path / "pd.nii.gz", world, 3.0))
    layers: list[Image] = [add(viewer, first)]
    shown = in_space(second, reference_of(viewer), as_labels=False)
    data, keywords, _ = to_layer(shown.volume, as_labels=False, frame=shown.frame)
    layers.append(viewer.add_image(data, **keywords))
    opened(views).crosshair = False
    for layer in layers:
        layer.contrast_limits = (0, 200)
    for bar in (view.model.canvas.overlays.scale_bar for view in views.views):
        bar.visible = False
    index = np.linalg.solve(first.geometry.affine, (*world, 1))[:3]
    views.go_to(layers[0].data_to_world(index))
    views.view(Plane.AXIAL).model.scene.camera.zoom = 6.0  # type: ignore[union-attr]
    for plane in FLAT:
        view = view_of(views, plane)
        down, right = view.shown
        view.model.scene.camera.center = (0, views.point[down], views.point[right])
    settle()
    half = 0.5 * min(first.geometry.spacing) * 6.0  # pixels
    for plane in FLAT:
        view = view_of(views, plane)
        found = []
        for layer in layers:
            for other in layers:
                other.visible = other is layer
            settle()
            found.append(bright(view))
        assert np.abs(np.subtract(*found)).max() <= half
        assert np.abs(np.subtract(found[0], view.to_pixel(views.point))).max() <= half
