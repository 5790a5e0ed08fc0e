"""The region is the part of the scan that the person sees or draws, in voxels of the scan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.gui.layers import to_volume
from napari_vol3d.gui.region import BOX_LAYER, drawn_region, focus_on, region_in_view, sliced_axis, start_drawing
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.store import find_model
from tests.gui.conftest import stroke

SHAPE = (60, 80, 100)
PLACED = {"scale": (2.0, 1.0, 0.5), "translate": (-30.0, 10.0, 5.0), "units": ("mm",) * 3}
ORDERS = [(0, 1, 2), (1, 0, 2), (2, 0, 1)]
NAMES = ["axial", "coronal", "sagittal"]


@pytest.fixture
def card() -> ModelCard:
    """The bundled model's card, whose field of view is 46 x 58 x 43 mm."""
    return find_model("hippocampus-t1").card


@pytest.fixture
def boundless(card: ModelCard) -> ModelCard:
    """A card that names no field of view."""
    return card.model_copy(update={"input": card.input.model_copy(update={"field_of_view": None})})


def make(**placed: Any) -> tuple[ViewerModel, Image]:
    viewer = ViewerModel()
    return viewer, viewer.add_image(np.zeros(SHAPE, np.uint8), name="scan", **placed)


def draw(viewer: Any, scan: Image, *rectangles: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    """Draw rectangles between two scan voxels, as the mouse would: four corners in the shapes' own coordinates."""
    shapes = start_drawing(viewer, scan)
    for first, last in rectangles:
        flat = next(axis for axis in range(3) if first[axis] == last[axis])
        one, two = (axis for axis in range(3) if axis != flat)
        corners = []
        for a, b in ((first, first), (first, last), (last, last), (last, first)):
            corner = [0.0] * 3
            corner[flat], corner[one], corner[two] = first[flat], a[one], b[two]
            corners.append(shapes.world_to_data(scan.data_to_world(corner)))
        shapes.add_rectangles(np.array(corners))


# ---- drawn ---------------------------------------------------------------------------------------------------------


def test_nothing_drawn_is_told_with_a_way_on(card: ModelCard) -> None:
    viewer, scan = make()
    with pytest.raises(ScanMismatch, match="No box") as caught:
        drawn_region(viewer, scan, to_volume(scan), card)
    assert "Draw" in caught.value.hint
    start_drawing(viewer, scan)
    with pytest.raises(ScanMismatch, match="No box"):
        drawn_region(viewer, scan, to_volume(scan), card)


@pytest.mark.parametrize("placed", [{}, PLACED], ids=["plain", "placed"])
def test_one_rectangle_goes_through_the_whole_scan(boundless: ModelCard, placed: dict[str, Any]) -> None:
    viewer, scan = make(**placed)
    draw(viewer, scan, ((20, 10, 30), (20, 39, 69)))
    assert drawn_region(viewer, scan, to_volume(scan), boundless) == Box(start=(0, 10, 30), stop=(60, 40, 70))


def test_one_rectangle_is_as_deep_as_the_models_field_of_view(card: ModelCard) -> None:
    viewer, scan = make(**PLACED)
    draw(viewer, scan, ((30, 10, 30), (30, 39, 69)))
    found = drawn_region(viewer, scan, to_volume(scan), card)
    assert (found.start[1:], found.stop[1:]) == ((10, 30), (40, 70))
    assert found.centre[0] == 30
    depth = found.shape[0] * 2.0
    assert 46 <= depth <= 46 + 2 * 2.0  # mm, whole slices


def test_two_rectangles_on_two_slices_give_the_depth(card: ModelCard) -> None:
    viewer, scan = make(**PLACED)
    draw(viewer, scan, ((12, 10, 30), (12, 39, 60)), ((25, 20, 35), (25, 49, 69)))
    assert drawn_region(viewer, scan, to_volume(scan), card) == Box(start=(12, 10, 30), stop=(26, 50, 70))


@pytest.mark.parametrize(("first", "last"), [((7, 30, 9), (29, 30, 49)), ((7, 9, 30), (29, 49, 30))])
def test_a_rectangle_in_another_view_is_deep_along_that_axis(boundless: ModelCard, first: Any, last: Any) -> None:
    viewer, scan = make(**PLACED)
    draw(viewer, scan, (first, last))
    flat = next(axis for axis in range(3) if first[axis] == last[axis])
    found = drawn_region(viewer, scan, to_volume(scan), boundless)
    for axis in range(3):
        expected = (0, SHAPE[axis]) if axis == flat else (first[axis], last[axis] + 1)
        assert (found.start[axis], found.stop[axis]) == expected


def test_what_hangs_over_is_cut_off(boundless: ModelCard) -> None:
    viewer, scan = make(**PLACED)
    draw(viewer, scan, ((20, -15, -3), (20, 39, 500)))
    assert drawn_region(viewer, scan, to_volume(scan), boundless) == Box(start=(0, 0, 0), stop=(60, 40, 100))


def test_beside_the_scan_there_is_nothing(boundless: ModelCard) -> None:
    viewer, scan = make()
    draw(viewer, scan, ((20, -15, -30), (20, -5, -10)))
    assert drawn_region(viewer, scan, to_volume(scan), boundless).size == 0


def test_a_box_drawn_on_one_scan_fits_another_on_the_same_place(boundless: ModelCard) -> None:
    viewer, scan = make()
    coarse = viewer.add_image(np.zeros((30, 40, 50), np.uint8), scale=(2, 2, 2), translate=(0.5, 0.5, 0.5))
    draw(viewer, scan, ((20, 10, 30), (20, 39, 69)))
    found = drawn_region(viewer, coarse, to_volume(coarse), boundless)
    assert found == Box(start=(0, 5, 15), stop=(30, 20, 35))


def test_drawing_again_uses_the_same_layer() -> None:
    viewer, scan = make()
    shapes = start_drawing(viewer, scan)
    viewer.layers.selection.active = scan
    assert start_drawing(viewer, scan) is shapes
    assert viewer.layers.selection.active is shapes
    assert shapes.mode == "add_rectangle"
    assert [layer.name for layer in viewer.layers] == ["scan", BOX_LAYER]


def test_the_box_layer_keeps_the_unit_of_the_view() -> None:
    viewer, scan = make(**PLACED)
    start_drawing(viewer, scan)
    assert viewer.layers.extent.units is not None
    assert {str(unit) for unit in viewer.layers.extent.units} == {"millimeter"}


# ---- in view -------------------------------------------------------------------------------------------------------


def look(viewer: Viewer, order: tuple[int, int, int], zoom: float, at: tuple[float, ...]) -> None:
    """Look at a world point, closely."""
    viewer.dims.order = order
    for axis in range(3):
        viewer.dims.set_point(axis, at[axis])
    viewer.scene.camera.zoom = zoom
    viewer.scene.camera.center = (0, at[order[1]], at[order[2]])
    QApplication.processEvents()


@pytest.fixture
def window(viewer: Viewer) -> tuple[Viewer, Image]:
    return viewer, viewer.add_image(np.zeros(SHAPE, np.uint8), name="scan", **PLACED)


@pytest.mark.parametrize("order", ORDERS, ids=NAMES)
def test_from_afar_the_whole_scan_is_in_view(window: Any, boundless: ModelCard, order: Any) -> None:
    viewer, scan = window
    look(viewer, order, 0.5, scan.data_to_world((30, 40, 50)))
    assert region_in_view(viewer, scan, to_volume(scan), boundless) == Box.of(SHAPE)


@pytest.mark.parametrize("order", ORDERS, ids=NAMES)
def test_close_up_the_region_is_what_the_canvas_shows(window: Any, card: ModelCard, order: Any) -> None:
    viewer, scan = window
    voxel = (30, 40, 50)
    look(viewer, order, 40.0, scan.data_to_world(voxel))
    canvas = viewer.window._qt_viewer.canvas.native
    found = region_in_view(viewer, scan, to_volume(scan), card)
    for axis, pixels in ((order[1], canvas.height()), (order[2], canvas.width())):
        seen = pixels / 40.0 / PLACED["scale"][axis]
        low, high = voxel[axis] - seen / 2, voxel[axis] + seen / 2
        assert found.start[axis] == pytest.approx(max(0, low), abs=1.5)
        assert found.stop[axis] == pytest.approx(min(SHAPE[axis], high + 1), abs=1.5)
    held = order[0]
    reach = card.input.field_of_view[held] / PLACED["scale"][held] / 2  # type: ignore[index]
    assert found.start[held] == pytest.approx(max(0, voxel[held] - reach), abs=1)
    assert found.stop[held] == pytest.approx(min(SHAPE[held], voxel[held] + reach + 1), abs=1)


@pytest.mark.parametrize("order", ORDERS, ids=NAMES)
def test_the_focus_is_the_voxel_in_the_middle_of_the_canvas(window: Any, order: Any) -> None:
    viewer, scan = window
    voxel = (12, 61, 33)
    look(viewer, order, 20.0, scan.data_to_world(voxel))
    focus = focus_on(viewer, scan)
    np.testing.assert_allclose(focus.point, voxel, atol=0.51)
    assert sliced_axis(viewer) == focus.axis == order[0]


def test_in_3d_everything_is_in_view(card: ModelCard) -> None:
    viewer, scan = make(**PLACED)
    viewer.dims.ndisplay = 3
    assert region_in_view(viewer, scan, to_volume(scan), card) == Box.of(SHAPE)


def test_a_scan_out_of_view_gives_no_more_than_its_nearest_edge(window: Any, boundless: ModelCard) -> None:
    viewer, scan = window
    look(viewer, (0, 1, 2), 40.0, scan.data_to_world((30, 400, 500)))
    found = region_in_view(viewer, scan, to_volume(scan), boundless)
    assert found.shape[1:] == (1, 1)  # napari clips what it shows to the layer's last voxel


def test_drawing_with_the_mouse_gives_the_box(qtbot: Any, window: Any, boundless: ModelCard) -> None:
    viewer, scan = window
    centre = scan.data_to_world((30, 40, 50))
    look(viewer, (0, 1, 2), 10.0, centre)
    start_drawing(viewer, scan)
    (y1, x1), (y2, x2) = (scan.data_to_world(voxel)[1:] for voxel in ((30, 25, 20), (30, 50, 70)))
    stroke(qtbot, viewer, (y1, x1), (y2, x2))
    found = drawn_region(viewer, scan, to_volume(scan), boundless)
    np.testing.assert_allclose(found.start, (0, 25, 20), atol=1)
    np.testing.assert_allclose(found.stop, (60, 51, 71), atol=1)
