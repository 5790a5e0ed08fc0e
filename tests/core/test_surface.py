"""A surface is closed, its front is outside, and it encloses what the voxels hold, however the grid lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import trimesh

from napari_vol3d.core.box import Box
from napari_vol3d.core.regions import find_regions
from napari_vol3d.core.surface import Surface, surface_of
from napari_vol3d.core.volume import Geometry, Volume
from tests.core.watched import geometry

OBLIQUE = geometry(17, (1.5, 0.7, 0.9))


def tilted() -> Geometry:
    affine = OBLIQUE.affine.copy()
    affine[:3, 0] += 0.4 * affine[:3, 1]  # a gantry that leans
    return Geometry(affine=affine, anatomical=True)


def mirrored() -> Geometry:
    return Geometry(affine=OBLIQUE.affine @ np.diag([1, 1, -1, 1]), anatomical=True)


def surface(mask: Any, where: Geometry) -> Surface:
    labels = Volume(data=mask.astype(np.uint8) * 5, geometry=where)
    return surface_of(labels, 5, find_regions(labels.data)[5].box)


def of_trimesh(found: Surface) -> Any:
    return trimesh.Trimesh(found.vertices, found.faces, process=False)


@pytest.mark.parametrize("where", [OBLIQUE, tilted(), mirrored(), Geometry.from_spacing((2.0, 1.0, 0.5))])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
def test_whatever_the_voxels_the_surface_is_closed_and_faces_outwards(where: Geometry, share: float) -> None:
    mask = np.random.default_rng(int(share * 100)).random((11, 12, 10)) < share  # touches the faces, edges and itself
    found = surface(mask, where)
    mesh = of_trimesh(found)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    assert found.volume == pytest.approx(mesh.volume)
    assert mesh.area_faces.min() > 0


@pytest.mark.parametrize("where", [OBLIQUE, mirrored(), tilted()])
def test_a_ball_encloses_its_voxels_to_two_percent(where: Geometry) -> None:
    shape = (24, 48, 40)
    index = np.indices(shape).reshape(3, -1)
    world = where.affine[:3, :3] @ index + where.affine[:3, 3:]
    centre = where.affine[:3, :3] @ ((np.array(shape) - 1) / 2) + where.affine[:3, 3]
    ball = (np.linalg.norm(world - centre[:, None], axis=0) <= 10).reshape(shape)
    found = surface(ball, where)
    voxels = ball.sum() * abs(np.linalg.det(where.affine[:3, :3]))
    assert found.volume == pytest.approx(voxels, rel=0.02)
    np.testing.assert_allclose(of_trimesh(found).center_mass, centre, atol=0.1)
    assert np.abs(np.linalg.norm(found.vertices - centre, axis=1) - 10).max() < 1.5  # a voxel's diagonal is 1.9


def test_a_block_reaches_from_face_to_face() -> None:
    mask = np.zeros((6, 7, 8), bool)
    mask[2:5, 1:6, 0:4] = True
    found = surface(mask, Geometry.from_spacing((3.0, 2.0, 1.0)))
    np.testing.assert_allclose(found.vertices.min(axis=0), (-0.5, 1, 4.5))  # x, y, z
    np.testing.assert_allclose(found.vertices.max(axis=0), (3.5, 11, 13.5))


def test_other_classes_are_not_part_of_it_and_only_the_box_is_read() -> None:
    data = np.zeros((6, 7, 8), np.uint8)
    data[1:3, 1:3, 1:3], data[3:5, 1:3, 1:3] = 1, 2
    labels = Volume(data=data, geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    alone = surface_of(labels.with_data(data * (data == 1)), 1, Box.of(labels.shape))
    found = surface_of(labels, 1, find_regions(data)[1].box)
    assert sorted(map(tuple, found.vertices)) == sorted(map(tuple, alone.vertices))
