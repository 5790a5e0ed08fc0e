"""Thick slices: what NumPy gives of the same slices, in every view; labels stay those of the middle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.slab import Projection, Slab, Slabs
from tests.gui.bench.conftest import FLAT, SHAPE, SPACING, at, click, opened, slice_of, view_of

FUNCTIONS: dict[Projection, Any] = {"max": np.max, "mean": np.mean, "min": np.min}


@pytest.fixture
def slabs(viewer: Viewer, views: Bench, labels: Labels) -> Iterator[Slabs]:
    """Slabs in an open bench, with a scan and labels that differ from slice to slice."""
    labels.data = np.random.default_rng(2).integers(0, 9, SHAPE).astype(np.uint16)
    made = Slabs(viewer)
    views.furnish(made.add)
    opened(views)
    yield made
    made.let_go()


def middle(scan: Image, bench: Bench, axis: int) -> int:
    return round(scan.world_to_data(bench.point)[axis])


def expected(scan: Image, bench: Bench, axis: int, slab: Slab) -> NDArray[Any]:
    """Project the whole number of slices that is nearest to the thickness, around the crosshair's."""
    slices = max(1, round(slab.thickness / SPACING[axis]))
    first = middle(scan, bench, axis) - (slices - 1) // 2
    span = np.arange(max(first, 0), min(first + slices, SHAPE[axis]))
    return np.asarray(FUNCTIONS[slab.projection](np.take(scan.data, span, axis=axis), axis=axis))


def assert_thick(scan: Image, bench: Bench, slab: Slab) -> None:
    for axis, plane in enumerate(FLAT):
        np.testing.assert_allclose(slice_of(scan, view_of(bench, plane)), expected(scan, bench, axis, slab), rtol=1e-6)


def assert_thin(layer: Image | Labels, scan: Image, bench: Bench) -> None:
    for axis, plane in enumerate(FLAT):
        wanted = np.take(layer.data, middle(scan, bench, axis), axis=axis)
        np.testing.assert_array_equal(slice_of(layer, view_of(bench, plane)), wanted)


@pytest.mark.parametrize("projection", FUNCTIONS)
def test_a_slab_is_what_numpy_gives(
    views: Bench, scan: Image, labels: Labels, slabs: Slabs, projection: Projection
) -> None:
    """Points on slices, between them and at the ends; thicknesses from less than a slice to more than the scan."""
    rng = np.random.default_rng(3)
    ends = np.asarray(SHAPE) - 1
    for thickness in (0.5, 5.0, 7.7, 10.0, 200.0):
        slabs.slab = slab = Slab(projection=projection, thickness=thickness)
        for index in (*rng.integers(0, ends, (2, 3)), *rng.uniform(0, ends, (4, 3)), (0, 0, 0), ends):
            views.go_to(scan.data_to_world(index))
            assert_thick(scan, views, slab)
            assert_thin(labels, scan, views)
    slabs.slab = Slab()
    assert_thin(scan, scan, views)


def test_a_slab_follows_mouse_and_wheel(qtbot: Any, views: Bench, scan: Image, slabs: Slabs) -> None:
    """A click puts the crosshair between slices as a rule."""
    slabs.slab = slab = Slab(projection="max", thickness=8.0)
    axial = view_of(views, Plane.AXIAL)
    click(qtbot, axial, scan.data_to_world((7, 11.4, 20.6)))
    assert axial.to_world((at(axial, views.point).x(), at(axial, views.point).y())) == pytest.approx(views.point, abs=1)
    assert_thick(scan, views, slab)
    for view in map(view_of, [views] * 3, FLAT):
        views.turn(view, 2)
        assert_thick(scan, views, slab)


def test_turning_slices_leaves_the_margins(views: Bench, scan: Image, slabs: Slabs) -> None:
    """napari would slice again for each change of them; only a crosshair between two slices needs others."""
    slabs.slab = slab = Slab(projection="mean", thickness=9.0)
    coronal = view_of(views, Plane.CORONAL)
    views.go_to(scan.data_to_world((5, 9, 7)))
    changed: list[Any] = []
    coronal.model.dims.events.margin_left.connect(changed.append)
    for _ in range(4):
        views.turn(coronal, 3)
        assert_thick(scan, views, slab)
    assert not changed


def test_images_and_views_that_come_are_thick(viewer: Viewer, views: Bench, scan: Image, slabs: Slabs) -> None:
    """A window of its own, and a view that is turned."""
    slabs.slab = slab = Slab(projection="min", thickness=12.0)
    second = viewer.add_image(scan.data[::-1], scale=scan.scale, translate=scan.translate, units=scan.units)
    assert_thick(second, views, slab)
    assert views.arrangement is not None
    views.arrangement.open_window(Plane.SAGITTAL)
    np.testing.assert_array_equal(slice_of(second, views.views[-1]), expected(second, views, 2, slab))
    views.views[0].set_plane(Plane.CORONAL)
    np.testing.assert_array_equal(slice_of(second, views.views[0]), expected(second, views, 1, slab))


def test_the_volume_has_no_margins(viewer: Viewer, views: Bench, scan: Image, slabs: Slabs) -> None:
    """Neither has napari's own view in 3D."""
    slabs.slab = Slab(projection="max", thickness=20.0)
    assert not any(view_of(views, Plane.VOLUME).model.dims.margin_left)
    assert viewer.dims.margin_left[0] > 0
    viewer.dims.ndisplay = 3
    assert not any((*viewer.dims.margin_left, *viewer.dims.margin_right))


def test_who_lets_go_leaves_thin_slices(viewer: Viewer, views: Bench, scan: Image) -> None:
    """In napari's own view; new images are no concern of ours then."""
    slabs = Slabs(viewer)
    views.furnish(slabs.add)
    slabs.slab = Slab(projection="max", thickness=20.0)
    assert str(viewer.add_image(scan.data, name="thick").projection_mode) == str(scan.projection_mode) == "max"
    slabs.let_go()
    assert str(scan.projection_mode) == "mean"  # napari's own default, which nobody has changed
    assert not any((*viewer.dims.margin_left, *viewer.dims.margin_right))
    slabs.slab = Slab(projection="max")
    assert str(viewer.add_image(scan.data, name="thin").projection_mode) != "max"


@pytest.mark.parametrize(
    ("thickness", "step", "margins"),
    [(10, 2.5, (2.5, 5.0)), (7.5, 2.5, (2.5, 2.5)), (1, 2.5, (0, 0)), (10, 0, (0, 0)), (3, 1, (1, 1))],
)
def test_margins_are_whole_slices(thickness: float, step: float, margins: tuple[float, float]) -> None:
    """The slice itself counts; a point past its middle does not move the ends."""
    slab = Slab(projection="mean", thickness=thickness)
    assert slab.margins(step) == margins
    if step:
        before, behind = slab.margins(step, 0.3)
        assert (before - 0.3, behind + 0.3) == pytest.approx(margins)
    assert Slab(thickness=thickness).margins(step, 0.3) == (0, 0)
