"""The 3D copy of an image is small, lies where the image lies, and looks as it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_vol3d.core.sliced import Sliced
from napari_vol3d.gui.bench.coarse_images import CoarseImage
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.io.registry import read_volume
from tests.gui.bench.room3d import SMALL, ball, brightest, small, wait
from tests.gui.bench.test_lying import PLACES

SHAPE = (37, 64, 50)
Make = Callable[..., CoarseImage]


@pytest.fixture
def viewer(qapp: Any) -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def make(viewer: ViewerModel) -> Iterator[Make]:
    made: list[CoarseImage] = []

    def one(layer: Image) -> CoarseImage:
        made.append(CoarseImage(layer, viewer.dims, small))
        made[-1].latest.wake()
        return made[-1]

    yield one
    for twin in made:
        twin.let_go()


def looks(layer: Image) -> tuple[Any, ...]:
    return (
        tuple(layer.contrast_limits), layer.colormap.name, layer.opacity, layer.rendering, layer.gamma, layer.visible,
        layer.name,
    )  # fmt: skip


def half_a_block(layer: Image, twin: Image) -> float:
    return 0.5 * float(np.linalg.norm(np.asarray(twin.affine.affine_matrix)[:3, :3].sum(axis=1)))


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
@pytest.mark.parametrize("place", PLACES)
def test_a_bright_ball_stays_where_it_is(qtbot: Any, viewer: ViewerModel, make: Make, place: dict[str, Any]) -> None:
    layer = viewer.add_image(ball(SHAPE, (11, 40, 20), 6).astype(np.float32) * 100, **place)
    made = make(layer)
    wait(qtbot, made.latest)
    assert np.size(made.twin.data) <= SMALL.voxels
    away = np.linalg.norm(brightest(made.twin) - brightest(layer))
    assert away < 0.25 * half_a_block(layer, made.twin)


def test_before_it_is_made_it_is_as_large_as_the_layer(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros(SHAPE), scale=(2, 1, 0.5), translate=(5, 6, 7))
    made = CoarseImage(layer, viewer.dims, small)
    extent = made.twin._extent_data_augmented  # with half a voxel at each end
    ends = [made.twin.data_to_world(end) for end in extent]
    np.testing.assert_allclose(ends, [layer.data_to_world(end) for end in layer._extent_data_augmented])
    made.let_go()


def test_of_a_pyramid_the_level_that_is_large_enough_is_read(qtbot: Any, viewer: ViewerModel, make: Make) -> None:
    fine = ball((64, 64, 64), (20, 40, 30), 8).astype(np.float32)
    half = fine.reshape(32, 2, 32, 2, 32, 2).mean(axis=(1, 3, 5))
    quarter = half.reshape(16, 2, 16, 2, 16, 2).mean(axis=(1, 3, 5))
    layer = viewer.add_image([fine, half, quarter], multiscale=True, scale=(3, 1, 2), contrast_limits=(0, 1))
    made = make(layer)
    wait(qtbot, made.latest)
    np.testing.assert_array_equal(made.twin.data, quarter)
    np.testing.assert_allclose(brightest(made.twin), np.multiply((20, 40, 30), (3, 1, 2)), atol=0.3)


def test_the_shown_time_point_is_copied(qtbot: Any, viewer: ViewerModel, make: Make) -> None:
    layer = viewer.add_image(np.stack([np.full((6, 7, 8), k, np.uint8) for k in range(4)]), contrast_limits=(0, 3))
    viewer.dims.set_point(0, 1)
    made = make(layer)
    wait(qtbot, made.latest)
    assert np.unique(made.twin.data) == [1]
    viewer.dims.set_point(0, 3)
    assert made.latest.busy
    wait(qtbot, made.latest)
    assert np.unique(made.twin.data) == [3]
    viewer.dims.set_point(1, 2)  # another slice of the same time point
    assert not made.latest.busy


def test_other_voxels_are_copied_again(qtbot: Any, viewer: ViewerModel, make: Make) -> None:
    layer = viewer.add_image(np.zeros((6, 7, 8), np.uint8), contrast_limits=(0, 9))
    made = make(layer)
    wait(qtbot, made.latest)
    layer.data = np.full((6, 7, 8), 9, np.uint8)
    wait(qtbot, made.latest)
    assert np.unique(made.twin.data) == [9]


def test_it_looks_like_the_layer_now_and_later(qtbot: Any, viewer: ViewerModel, make: Make) -> None:
    layer = viewer.add_image(
        np.arange(6 * 7 * 8).reshape(6, 7, 8).astype(np.float32), contrast_limits=(10, 90), colormap="red", opacity=0.4,
        rendering="attenuated_mip",
    )  # fmt: skip
    made = make(layer)
    twin = made.twin
    assert looks(twin) == looks(layer)
    wait(qtbot, made.latest)
    assert looks(twin) == looks(layer)
    layer.contrast_limits, layer.colormap, layer.opacity, layer.rendering = (20, 40), "green", 0.7, "mip"
    layer.gamma, layer.visible, layer.name = 1.5, False, "another"
    assert looks(twin) == looks(layer)
    layer.translate = (100, 0, 0)
    np.testing.assert_allclose(brightest(twin)[0], brightest(layer)[0], atol=0.5)


def test_an_image_never_hides_the_surfaces_behind_it(viewer: ViewerModel, make: Make) -> None:
    layer = viewer.add_image(np.zeros((6, 7, 8)), blending="translucent")
    twin = make(layer).twin
    assert twin.blending == "translucent_no_depth"
    layer.blending = "additive"
    assert twin.blending == "additive"


def test_voxels_in_a_file_are_read_by_slabs(qtbot: Any, viewer: ViewerModel, make: Make) -> None:
    class Lazy(Sliced):
        def __init__(self) -> None:
            super().__init__((64, 64, 64), np.uint8)
            self.most = 0

        def _part(self, spans: tuple[slice, ...]) -> Any:
            part = np.ones([len(range(s.start, s.stop, s.step)) for s in spans], np.uint8)
            self.most = max(self.most, part.size)
            return part

    lazy = Lazy()
    made = make(viewer.add_image(lazy, contrast_limits=(0, 1)))
    lazy.most = 0
    wait(qtbot, made.latest)
    assert made.twin.data.shape == (16, 16, 16)
    assert lazy.most <= 4 * 64 * 64


def test_a_real_scan_keeps_its_place(qtbot: Any, viewer: ViewerModel, make: Make, shared_data: Path) -> None:
    data, keywords, _ = to_layer(read_volume(shared_data / "scans" / "chris_t1.nii.gz"), as_labels=False)
    layer = viewer.add_image(data, **keywords)
    made = make(layer)
    wait(qtbot, made.latest)
    assert np.linalg.norm(brightest(made.twin) - brightest(layer)) < half_a_block(layer, made.twin)
