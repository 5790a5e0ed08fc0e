"""A smooth surface is closed, smoother than the voxels' own, and encloses as much as they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from skimage.measure import marching_cubes

from napari_vol3d.core import smooth_surface as module
from napari_vol3d.core.box import Triple
from napari_vol3d.core.smooth_surface import Mesh, share_of, smooth_surface
from napari_vol3d.core.volume import Spacing
from napari_vol3d.io.registry import read_volume
from tests.builders import finish

ONE: Spacing = (1.0, 1.0, 1.0)


def ball(radius: float, size: int = 40) -> Any:
    index = np.indices((size,) * 3) - (size - 1) / 2
    return (index**2).sum(axis=0) <= radius**2


def of_trimesh(mesh: Mesh) -> Any:
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)


def plain(mask: Any) -> Any:
    vertices, faces, _, _ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.49)
    return trimesh.Trimesh(vertices, faces, process=False)


def hippocampus(shared_data: Path) -> Any:
    path = sorted((shared_data / "hippocampus" / "labels").glob("*.nii.gz"))[0]
    return np.asarray(read_volume(path).data)


@pytest.mark.parametrize("spacing", [ONE, (3.0, 1.0, 0.5)])
@pytest.mark.parametrize("block", [(1, 1, 1), (2, 2, 2), (1, 3, 4)])
@pytest.mark.parametrize("radius", [3.5, 8.0, 15.0])
def test_a_ball_encloses_its_voxels(radius: float, block: Triple, spacing: Spacing) -> None:
    mask = ball(radius)
    mesh = finish(smooth_surface(mask, spacing, block=block))[1]
    assert of_trimesh(mesh).is_watertight
    assert abs(mesh.volume) == pytest.approx(mask.sum() * np.prod(spacing), rel=0.03)
    np.testing.assert_allclose(of_trimesh(mesh).center_mass, np.multiply(spacing, 19.5), atol=0.6 * max(spacing))


def test_a_ball_has_no_stairs() -> None:
    mesh = finish(smooth_surface(ball(15), ONE))[1]
    away = np.linalg.norm(mesh.vertices - 19.5, axis=1)
    stairs = np.linalg.norm(plain(ball(15)).vertices - 20.5, axis=1)
    assert away.std() < 0.7 * stairs.std()
    assert of_trimesh(mesh).face_adjacency_angles.mean() < 0.6 * plain(ball(15)).face_adjacency_angles.mean()


@pytest.mark.parametrize("class_id", [1, 2])
@pytest.mark.parametrize("block", [(1, 1, 1), (2, 2, 2)])
def test_a_real_hippocampus_keeps_its_volume_and_loses_its_stairs(
    shared_data: Path, class_id: int, block: Triple
) -> None:
    mask = hippocampus(shared_data) == class_id
    mesh = finish(smooth_surface(mask, ONE, block=block))[1]
    assert abs(mesh.volume) == pytest.approx(mask.sum(), rel=0.03)
    assert of_trimesh(mesh).is_watertight
    if block == (1, 1, 1):
        assert of_trimesh(mesh).face_adjacency_angles.mean() < 0.8 * plain(mask).face_adjacency_angles.mean()


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("block", [(1, 1, 1), (2, 2, 3), (4, 5, 5)])
def test_whatever_the_voxels_it_is_closed(share: float, block: Triple) -> None:
    mask = np.random.default_rng(int(share * 100)).random((16, 17, 15)) < share  # touches the faces and itself
    mesh = of_trimesh(finish(smooth_surface(mask, ONE, block=block))[1])
    assert mesh.is_watertight
    assert mesh.is_winding_consistent


def test_slabs_make_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.random.default_rng(3).random((20, 12, 11)) < 0.4
    whole = finish(smooth_surface(mask, ONE, block=(1, 2, 2)))[1]
    monkeypatch.setattr(module, "SLAB", 60)  # a plane or two at a time
    cut = finish(smooth_surface(mask, ONE, block=(1, 2, 2)))[1]
    assert len(cut.faces) == len(whole.faces)
    np.testing.assert_allclose(
        sorted(map(tuple, np.round(cut.vertices, 3))), sorted(map(tuple, np.round(whole.vertices, 3))), atol=2e-3
    )


@pytest.mark.parametrize("block", [(1, 1, 1), (3, 3, 3)])
def test_a_sheet_of_one_voxel_is_not_lost(block: Triple) -> None:
    mask = np.zeros((30, 30, 30), bool)
    mask[14] = True
    mesh = finish(smooth_surface(mask, ONE, block=block))[1]
    assert abs(mesh.volume) == pytest.approx(mask.sum(), rel=0.1)
    assert np.ptp(mesh.vertices[:, 1]) > 27


def test_it_lies_where_the_mask_lies() -> None:
    mask = np.ones((4, 6, 8), bool)
    mesh = finish(smooth_surface(mask, (2.0, 1.0, 0.5), start=(10, 20, 30)))[1]
    np.testing.assert_allclose(mesh.vertices.min(axis=0), np.multiply((9.5, 19.5, 29.5), (2, 1, 0.5)), atol=0.8)
    np.testing.assert_allclose(mesh.vertices.max(axis=0), np.multiply((13.5, 25.5, 37.5), (2, 1, 0.5)), atol=0.8)


def test_an_empty_mask_has_no_triangle() -> None:
    mesh = finish(smooth_surface(np.zeros((3, 3, 3), bool), ONE))[1]
    assert len(mesh.faces) == 0
    assert mesh.volume == 0


def test_the_share_of_a_block_counts_what_lies_beyond_the_end_as_empty() -> None:
    np.testing.assert_allclose(share_of(np.ones((3, 2, 2), bool), (2, 2, 2)).ravel(), (1, 0.5))
