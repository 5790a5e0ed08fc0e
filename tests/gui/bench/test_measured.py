"""Measurements are true lengths, angles and grey levels, whatever the scan's spacing, units and axes."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_vol3d.core.measure import in_ellipse
from napari_vol3d.core.onto import Onto
from napari_vol3d.core.sliced import Sliced
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.bench.measured import HEADS, as_csv, as_text, ellipse_in, measured
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.space import in_space, reference_of
from napari_vol3d.io.registry import read_volume

VOXELS = np.random.default_rng(4).normal(40, 5, (9, 31, 43)).astype(np.float32)
PLACED: dict[str, Any] = {"scale": (3.0, 1.5, 0.5), "translate": (-7.0, 4.0, 20.0), "units": ("mm",) * 3}


def add(viewer: ViewerModel, volume: Volume) -> Any:
    """Put a volume into a viewer, as the reader does."""
    shown = in_space(volume, reference_of(viewer), as_labels=False)
    data, keywords, _ = to_layer(shown.volume, as_labels=False, frame=shown.frame)
    return viewer.add_image(data, **keywords)


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.mark.parametrize("name", ["chris_t1", "chris_PD", "MR_Gd"])
def test_a_ruler_between_voxels_is_as_long_as_in_the_file(viewer: ViewerModel, shared_data: Path, name: str) -> None:
    path = shared_data / "scans" / f"{name}.nii.gz"
    layer = add(viewer, read_volume(path))
    affine = nib.load(path).affine  # type: ignore[attr-defined]
    ends = [(20, 30, 40), (20, 90, 71)]
    found = measured(viewer, "ruler", tuple(layer.data_to_world(end) for end in ends), axis=0)
    assert found.places
    assert (found.space, found.unit) == ("RAS", "mm")
    index = [np.linalg.solve(affine, (*place, 1))[:3] for place in found.places]
    np.testing.assert_allclose(index, np.round(index), atol=1e-3)
    assert found.value == pytest.approx(np.linalg.norm(affine[:3, :3] @ np.subtract(*np.round(index))), abs=1e-3)
    assert found.text == f"{found.value:.1f} mm"


def test_an_angle_is_that_of_the_canvas(viewer: ViewerModel) -> None:
    viewer.add_image(VOXELS, **PLACED)
    found = measured(viewer, "angle", ((0, 0, 10), (0, 0, 0), (0, 10, 10)), axis=0, view="Axial")
    assert found.value == pytest.approx(45)
    assert (found.text, found.unit) == ("45.0°", "deg")


@pytest.mark.parametrize(("unit", "text"), [("um", "5.0 µm"), ("cm", "50.0 mm"), ("pixel", "5.0 voxels")])
def test_lengths_have_the_unit_of_the_field(viewer: ViewerModel, unit: str, text: str) -> None:
    viewer.add_image(VOXELS, units=(unit,) * 3)
    assert measured(viewer, "ruler", ((0, 0, 0), (0, 3, 4)), axis=0).text == text


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_grey_levels_are_those_of_a_mask_made_by_hand(viewer: ViewerModel, axis: int) -> None:
    layer = viewer.add_image(VOXELS, **PLACED)
    first, last = np.array((2.0, 6.2, 9.7)), np.array((6.3, 22.4, 35.1))
    first[axis] = last[axis] = 4
    found = ellipse_in(layer, layer.data_to_world(first), layer.data_to_world(last), axis)
    assert found is not None
    one, other = (a for a in range(3) if a != axis)
    plane = VOXELS.take(4, axis)
    down, across = np.ogrid[: plane.shape[0], : plane.shape[1]]
    centre, radii = (first + last) / 2, np.abs(last - first) / 2
    inside = in_ellipse(down, across, (centre[one], centre[other]), (radii[one], radii[other]))
    wanted = plane[inside].astype(float)
    assert found.n == wanted.size > 20
    assert found.mean == pytest.approx(wanted.mean())
    assert found.sd == pytest.approx(wanted.std(ddof=1))
    assert found.area == pytest.approx(wanted.size * PLACED["scale"][one] * PLACED["scale"][other])
    swapped = ellipse_in(layer, layer.data_to_world(last), layer.data_to_world(first), axis)
    assert swapped == found


def test_an_ellipse_over_the_edge_counts_what_there_is(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.ones((9, 31, 43), np.uint8))
    half = ellipse_in(layer, (4, -10.5, 10), (4, 9.5, 30), 0)
    whole = ellipse_in(layer, (4, 5.5, 10), (4, 25.5, 30), 0)
    assert half is not None
    assert whole is not None
    assert half.n == whole.n / 2
    beside = ellipse_in(layer, (4, 100, 100), (4, 120, 120), 0)
    assert beside is not None
    assert beside.n == 0
    assert ellipse_in(layer, (-3, 5, 5), (-3, 20, 20), 0) is None
    assert measured(viewer, "ellipse", ((-3, 5, 5), (-3, 20, 20)), axis=0).text == "no grey levels here"


def test_a_layer_turned_within_the_slice_is_measured_as_it_lies(viewer: ViewerModel) -> None:
    ramp = np.broadcast_to(np.arange(60.0)[:, None], (3, 60, 60))
    turn = np.radians(30)
    rotate = np.eye(3)
    rotate[1:, 1:] = (np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))
    layer = viewer.add_image(ramp, rotate=rotate)
    centre = layer.data_to_world((1, 30, 30))
    first, last = np.subtract(centre, (0, 12, 8)), np.add(centre, (0, 12, 8))
    found = ellipse_in(layer, tuple(first), tuple(last), 0)
    assert found is not None
    assert found.mean == pytest.approx(30, abs=0.3)
    assert found.area == pytest.approx(math.pi * 12 * 8, rel=0.03)


def test_only_the_box_of_the_finest_level_is_read(viewer: ViewerModel) -> None:
    read: list[tuple[int, ...]] = []

    class Watched(Sliced):
        def _part(self, spans: tuple[slice, ...]) -> np.ndarray:
            part = VOXELS[spans]
            read.append(part.shape)
            return part

    layer = viewer.add_image([Watched(VOXELS.shape, VOXELS.dtype), VOXELS[::2, ::2, ::2]], multiscale=True)
    read.clear()
    found = ellipse_in(layer, (3, 10, 20), (3, 16, 32), 0)
    assert read == [(1, 7, 13)]
    assert found is not None
    inside = in_ellipse(*np.ogrid[:31, :43], (13, 26), (3, 6))
    assert found.mean == pytest.approx(VOXELS[3][inside].mean())


def test_of_a_series_the_moment_that_is_shown_is_measured(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.stack([np.full((5, 20, 20), 7), np.full((5, 20, 20), 9)]))
    found = ellipse_in(layer, (1, 2, 3, 3), (1, 2, 15, 15), 0)
    assert found is not None
    assert found.mean == 9


def test_of_a_scan_on_another_grid_what_is_seen_is_measured(viewer: ViewerModel, shared_data: Path) -> None:
    first, second = (add(viewer, read_volume(shared_data / "scans" / f"{n}.nii.gz")) for n in ("chris_t1", "chris_PD"))
    assert isinstance(second.data, Onto)
    ends = tuple(first.data_to_world(end) for end in ((90, 100, 70), (90, 130, 110)))
    found = measured(viewer, "ellipse", ends, axis=0, is_ct=lambda image: image is second)
    assert (found.image, found.unit) == ("chris_PD", "HU")
    inside = in_ellipse(*np.ogrid[:31, :41], (15, 20), (15, 20))
    assert found.value == pytest.approx(second.data[90, 100:131, 70:111][inside].mean())
    assert found.text.startswith(f"mean {found.value:.1f} sd ")
    assert found.text.endswith(" cm²")


def test_the_table_and_the_text_say_everything_once(viewer: ViewerModel) -> None:
    viewer.add_image(VOXELS, name="scan, one\n", **PLACED)
    points = (-1.0, 12.0, 25.0), (-1.0, 24.0, 35.0)
    made = [
        measured(viewer, "ruler", points, axis=0, view="Axial"), measured(viewer, "ellipse", points, axis=0, view="XY"),
        measured(viewer, "angle", (*points, (-1.0, 24.0, 25.0)), axis=0, view="Axial"),
    ]  # fmt: skip
    heads, *rows = csv.reader(io.StringIO(as_csv(made)))
    assert tuple(heads) == HEADS
    assert [len(row) for row in rows] == [len(HEADS)] * 3
    ruler, ellipse, corner = (dict(zip(heads, row, strict=True)) for row in rows)
    assert float(ruler["value"]) == pytest.approx(math.hypot(12, 10))
    assert [float(ruler[head]) for head in ("x1", "y1", "z1", "x2")] == [25, 12, -1, 35]
    assert (ruler["space"], ruler["n"], ruler["x3"]) == ("xyz", "", "")
    found = made[1].statistics
    assert found is not None
    assert (ellipse["image"], int(ellipse["n"]), ellipse["area_unit"]) == ("scan, one", found.n, "mm²")
    assert float(ellipse["sd"]) == pytest.approx(found.sd)
    assert float(corner["z3"]) == -1
    assert as_text(made[:1]) == f"Ruler, Axial: {made[0].text}"
    assert len(as_text(made).splitlines()) >= 3
