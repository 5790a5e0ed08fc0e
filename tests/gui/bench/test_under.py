"""What lies under a point: the layer a person sees on top, and the voxel napari shows there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_vol3d.core.sliced import Sliced
from napari_vol3d.core.volume import Geometry
from napari_vol3d.gui.bench.under import (
    finest,
    geometry_under,
    index_at,
    length_unit,
    read_box,
    read_voxel,
    top_image,
    top_labels,
    true_place,
)

VOXELS = np.random.default_rng(4).integers(0, 999, (9, 11, 13)).astype(np.int16)
PLACED: dict[str, Any] = {"scale": (3.0, 1.5, 0.5), "translate": (-7.0, 4.0, 20.0), "units": ("mm",) * 3}


class Watched(Sliced):
    """Lazy voxels that note how many were read."""

    def __init__(self) -> None:
        super().__init__(VOXELS.shape, VOXELS.dtype)
        self.read: list[int] = []

    def _part(self, spans: tuple[slice, ...]) -> np.ndarray:
        part = VOXELS[spans]
        self.read.append(part.size)
        return part


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


def test_hidden_layers_are_passed_over_and_colours_where_grey_is_asked(viewer: ViewerModel) -> None:
    assert top_image(viewer) is None
    assert top_labels(viewer) is None
    below = viewer.add_image(VOXELS)
    coloured = viewer.add_image(np.zeros((9, 11, 13, 3), np.uint8), rgb=True)
    labels = [viewer.add_labels(np.zeros((9, 11, 13), np.uint8)) for _ in range(2)]
    assert top_image(viewer) is coloured
    assert top_image(viewer, grey=True) is below
    assert top_labels(viewer) is labels[1]
    coloured.visible = labels[1].visible = False
    assert top_image(viewer) is below
    assert top_labels(viewer) is labels[0]


def test_the_voxel_is_the_one_that_napari_shows_also_between_two(viewer: ViewerModel) -> None:
    layer = viewer.add_image(VOXELS, **PLACED)
    rng = np.random.default_rng(0)
    voxels = rng.uniform((-0.49, -0.49, -0.49), np.array(VOXELS.shape) - 0.51, (100, 3))
    for held in (*voxels, (2.5, 3.5, 4.5), (3.5, 6.5, 7.5)):
        point = layer.data_to_world(held)
        viewer.dims.point = point
        index = index_at(layer, point)
        assert index is not None
        assert read_voxel(layer, index) == layer.get_value(point, world=True)


def test_beside_the_layer_there_is_no_voxel(viewer: ViewerModel) -> None:
    layer = viewer.add_image(VOXELS, **PLACED)
    for held in ((-0.6, 3, 3), (8.6, 3, 3), (3, 10.6, 3), (3, 3, 12.6), (3, 3, -1)):
        assert index_at(layer, layer.data_to_world(held)) is None
    assert index_at(layer, (0.0, 0.0)) is None


def test_points_of_more_axes_and_series_find_their_voxel(viewer: ViewerModel) -> None:
    series = viewer.add_image(np.stack([VOXELS, VOXELS + 1000]), scale=(1, *PLACED["scale"]))
    still = viewer.add_image(VOXELS, **PLACED)
    assert index_at(series, (1.0, 6.0, 3.0, 2.0)) == (1, 2, 2, 4)
    assert index_at(still, (1.0, *still.data_to_world((2, 3, 4)))) == (2, 3, 4)


def test_of_several_levels_the_finest_is_read(viewer: ViewerModel) -> None:
    layer = viewer.add_image([VOXELS, VOXELS[::2, ::2, ::2]], multiscale=True)
    assert finest(layer).shape == VOXELS.shape
    assert read_voxel(layer, (3, 5, 7)) == VOXELS[3, 5, 7]


def test_of_lazy_voxels_only_what_is_asked_for_is_read(viewer: ViewerModel) -> None:
    lazy = Watched()
    layer = viewer.add_image(lazy, contrast_limits=(0, 999))
    lazy.read.clear()
    assert read_voxel(layer, (4, 5, 6)) == VOXELS[4, 5, 6]
    np.testing.assert_array_equal(read_box(layer, (4, 2, 3), (5, 8, 9)), VOXELS[4:5, 2:8, 3:9])
    assert lazy.read == [1, 6 * 6]


def test_a_layer_of_another_plug_in_lies_where_its_transform_says(viewer: ViewerModel) -> None:
    layer = viewer.add_image(VOXELS, **PLACED)
    found = true_place(viewer, layer, layer.data_to_world((2, 3, 4)))
    assert found is not None
    np.testing.assert_allclose(found[0], (4 * 0.5 + 20, 3 * 1.5 + 4, 2 * 3 - 7))
    assert isinstance(found[1], Geometry)
    assert found[1].unit == geometry_under(layer).unit == "mm"
    assert not found[1].anatomical
    assert true_place(viewer, viewer.add_image(VOXELS[0]), (0, 0)) is None  # a flat image lies in no patient
    assert true_place(ViewerModel(), None, (0, 0)) is None


@pytest.mark.parametrize(("unit", "told", "factor"), [
    ("mm", "mm", 1), ("um", "µm", 1), ("nm", "µm", 1e-3), ("cm", "mm", 10), ("pixel", "voxels", 1),
])  # fmt: skip
def test_lengths_are_told_in_the_unit_of_the_field(viewer: ViewerModel, unit: str, told: str, factor: float) -> None:
    viewer.add_image(VOXELS, units=(unit,) * 3)
    found = length_unit(viewer)
    assert found[0] == told
    assert found[1] == pytest.approx(factor)
