"""Registration finds a motion that is known, on real scans, and says why where it can't."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.onto import Onto
from napari_vol3d.core.volume import Affine, Geometry, Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.pipeline.register import Registration, moved_by, register
from tests.builders import finish


@pytest.fixture(scope="module")
def head(shared_data: Path) -> Volume:
    return read_volume(shared_data / "scans" / "chris_t1.nii.gz")


def run(fixed: Volume, moving: Volume) -> Registration:
    return finish(register(fixed, moving))[1]


def motion(degrees: tuple[float, float, float], shift: tuple[float, float, float]) -> Affine:
    """Turn about x, then y, then z, about the world's origin, and shift."""
    matrix = np.eye(4)
    for axis, angle in enumerate(np.radians(degrees)):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(4)
        turn[[a, a, b, b], [a, b, a, b]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        matrix = turn @ matrix
    matrix[:3, 3] = shift
    return matrix


def moved(volume: Volume, matrix: Affine) -> Volume:
    return replace(volume, geometry=moved_by(matrix, volume.geometry))


def furthest(found: Affine, meant: Affine, volume: Volume) -> float:
    """Largest distance between where the corners of a volume come to lie and where they should, in mm."""
    corners = [volume.geometry.affine @ (*c, 1) for c in itertools.product(*((0, n - 1) for n in volume.shape))]
    return float(np.linalg.norm((found - meant) @ np.transpose(corners), axis=0).max())


def test_a_scan_that_was_moved_by_its_header_is_moved_back(head: Volume) -> None:
    matrix = motion((6, -4, 11), (8, -5, 10))
    away = moved(head, matrix)
    found = run(head, away)
    assert furthest(found.matrix, np.linalg.inv(matrix), away) < min(head.geometry.spacing)
    assert found.after > found.before > 0
    assert found.degrees == pytest.approx(replace(found, matrix=matrix).degrees, abs=0.1)


def test_a_scan_on_another_oblique_grid_is_moved_back(head: Volume) -> None:
    turned = moved(head, motion((10, 5, -8), (3, 4, -6)))
    grid = Geometry(affine=turned.geometry.affine @ np.diag((1.6, 1.5, 1.7, 1)), unit="mm", anatomical=True)
    shape = (118, 170, 110)
    voxels = np.asarray(Onto(head, grid, shape))  # other voxels, of the same head at the same place
    matrix = motion((-5, 3, 7), (-6, 9, 4))
    away = moved(Volume(data=voxels, geometry=grid), matrix)
    found = run(head, away)
    assert furthest(found.matrix, np.linalg.inv(matrix), away) < max(head.geometry.spacing)


def test_another_contrast_of_the_same_head_is_moved_back(shared_data: Path) -> None:
    folder = shared_data / "scans" / "ms_patient19"
    t1, flair = (read_volume(next(folder.glob(f"*{name}*"))) for name in ("T1_N4", "FLAIR_N4"))
    matrix = motion((4, -6, 8), (7, -9, 5))
    away = moved(flair, matrix)
    found = run(t1, away)
    assert furthest(found.matrix, np.linalg.inv(matrix), away) < min(t1.geometry.spacing)


def test_scans_that_lie_apart_begin_with_their_middles_together(head: Volume) -> None:
    matrix = motion((0, 0, 5), (400, -300, 200))
    away = moved(head, matrix)
    found = run(head, away)
    assert found.before == 0
    assert furthest(found.matrix, np.linalg.inv(matrix), away) < min(head.geometry.spacing)
    assert found.shift > 400


def test_micrometres_are_registered_as_lengths(shared_data: Path) -> None:
    cells = read_volume(shared_data / "microscopy" / "c5image.tif")
    cells = replace(cells, geometry=Geometry.from_spacing((2.0, 1.0, 1.0), unit="um"))
    matrix = motion((0, 0, 4), (0.003, -0.004, 0.002))
    away = moved(cells, matrix)
    found = run(cells, away)
    assert furthest(found.matrix, np.linalg.inv(matrix), Volume(
        data=away.data, geometry=replace(away.geometry, affine=np.diag((1e-3, 1e-3, 1e-3, 1)) @ away.geometry.affine)
    )) < 1e-3  # fmt: skip


def test_the_same_scans_give_the_same_motion(head: Volume) -> None:
    small = head.cropped(Box(start=(60, 90, 60), stop=(120, 150, 120)))
    away = moved(small, motion((2, 3, 4), (2, 1, 3)))
    np.testing.assert_array_equal(run(small, away).matrix, run(small, away).matrix)


def test_closing_ends_the_search(head: Volume) -> None:
    verb = register(head, moved(head, motion((6, -4, 11), (8, -5, 10))))
    assert next(verb).phase == "Reading the scans"
    assert next(verb).phase == "Registering"
    assert "registration" in {thread.name for thread in threading.enumerate()}
    verb.close()
    assert "registration" not in {thread.name for thread in threading.enumerate()}


def test_what_cannot_be_registered_says_why() -> None:
    rng = np.random.default_rng(1)
    patient = Geometry(affine=np.diag((1.0, 1, 1, 1)), anatomical=True)
    scan = Volume(data=rng.random((12, 12, 12)), geometry=patient, name="scan")
    flat = scan.with_data(np.full((12, 12, 12), 3), name="flat")
    thin = scan.with_data(rng.random((2, 12, 12)), name="thin")
    series = scan.with_data(rng.random((12, 12, 12, 5)), name="series", timed=True)
    cells = replace(scan, geometry=Geometry.from_spacing((1, 1, 1), unit="um"), name="cells")
    bare = replace(scan, geometry=Geometry.from_spacing((1, 1, 1), unit="pixel"), name="bare")
    for other, words in (
        (flat, "flat: it is 3 everywhere"), (thin, "thin has 2 voxels"), (series, "series has channels or time"),
        (cells, "patient's axes are known of cells"), (bare, "voxel size of bare is not known"),
    ):  # fmt: skip
        with pytest.raises(ScanMismatch, match=words):
            run(scan, other)
