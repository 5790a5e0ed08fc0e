"""The 3D surfaces of labels enclose the classes, wear their colours, and follow what a person paints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_vol3d.gui.bench import surfaces as module
from napari_vol3d.gui.bench.lying import spacing_of
from napari_vol3d.gui.bench.surfaces import ClassMeshes
from tests.gui.bench.room3d import ball, small, wait
from tests.gui.bench.test_lying import PLACES

SHAPE = (24, 30, 40)
ORANGE, BLUE = (0.9, 0.6, 0.0, 1.0), (0.3, 0.7, 0.9, 1.0)
Make = Callable[..., ClassMeshes]


@pytest.fixture
def viewer(qapp: Any) -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def layer(viewer: ViewerModel) -> Labels:
    data = ball(SHAPE, (11, 14, 10), 6).astype(np.uint8) + 2 * ball(SHAPE, (12, 15, 28), 8).astype(np.uint8)
    return viewer.add_labels(data, scale=(2, 1, 1), translate=(5, 6, 7), colormap=colors(ORANGE, BLUE), name="labels")


@pytest.fixture
def make(viewer: ViewerModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(module, "EDIT_MS", 40)
    made: list[ClassMeshes] = []

    def one(layer: Labels) -> ClassMeshes:
        made.append(ClassMeshes(layer, viewer.dims, small))
        made[-1].latest.wake()
        return made[-1]

    yield one
    for twin in made:
        twin.let_go()


def colors(*classes: Any) -> DirectLabelColormap:
    color_dict: dict[Any, Any] = {None: "transparent", 0: "transparent"}
    return DirectLabelColormap(color_dict=color_dict | dict(enumerate(classes, start=1)))


def enclosed(twin: Any, color: Any) -> float:
    """Volume inside the triangles of one colour, in the world."""
    vertices = np.asarray([twin.data_to_world(point) for point in twin.vertices])
    mine = np.isclose(twin.vertex_colors, color, atol=1e-3).all(axis=1)
    faces = twin.faces[mine[twin.faces[:, 0]]]
    if not len(faces):
        return 0.0
    a, b, c = ((vertices - vertices.mean(axis=0))[faces[:, k]] for k in range(3))
    return abs(float((a * np.cross(b, c)).sum() / 6))


def middle(twin: Any, color: Any) -> Any:
    mine = np.isclose(twin.vertex_colors, color, atol=1e-3).all(axis=1)
    return twin.data_to_world(twin.vertices[mine].mean(axis=0))


def volume(layer: Labels, class_id: int) -> float:
    return float((np.asarray(layer.data) == class_id).sum() * np.prod(layer.scale))


def test_each_class_has_its_volume_colour_and_place(qtbot: Any, layer: Labels, make: Make) -> None:
    made = make(layer)
    wait(qtbot, made.latest)
    for class_id, color, centre in ((1, ORANGE, (11, 14, 10)), (2, BLUE, (12, 15, 28))):
        assert enclosed(made.twin, color) == pytest.approx(volume(layer, class_id), rel=0.03)
        np.testing.assert_allclose(middle(made.twin, color), layer.data_to_world(centre), atol=0.6)


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
@pytest.mark.parametrize("place", PLACES)
def test_it_lies_where_the_layer_lies(qtbot: Any, viewer: ViewerModel, make: Make, place: dict[str, Any]) -> None:
    layer = viewer.add_labels(ball(SHAPE, (11, 14, 10), 6).astype(np.uint8), colormap=colors(ORANGE), **place)
    made = make(layer)
    wait(qtbot, made.latest)
    for move in (0, 20):
        layer.translate = np.add(layer.translate, move)
        wanted = layer.data_to_world((11, 14, 10))
        np.testing.assert_allclose(middle(made.twin, ORANGE), wanted, atol=0.3 * max(spacing_of(layer)))


def test_colours_and_eyes_need_no_new_surfaces(qtbot: Any, layer: Labels, make: Make) -> None:
    made = make(layer)
    wait(qtbot, made.latest)
    begun: list[Any] = []
    made.latest.found.connect(begun.append)
    made.latest.ask()
    qtbot.waitUntil(lambda: len(begun) == 1)
    layer.colormap = colors((1, 0, 0, 1), (0, 0, 1, 0))  # the second is hidden
    qtbot.waitUntil(lambda: enclosed(made.twin, (1, 0, 0, 1)) > 0)
    assert enclosed(made.twin, (1, 0, 0, 1)) == pytest.approx(volume(layer, 1), rel=0.03)
    assert not np.isclose(made.twin.vertex_colors[:, 2], 1).any()
    layer.colormap = colors((1, 0, 0, 0.5), BLUE)
    qtbot.waitUntil(lambda: enclosed(made.twin, BLUE) > 0)
    # what is opaque comes first, so that it shows through
    assert made.twin.vertex_colors[made.twin.faces[0, 0], 3] == 1
    assert made.twin.vertex_colors[made.twin.faces[-1, 0], 3] == 0.5
    layer.selected_label, layer.show_selected_label = 2, True
    qtbot.waitUntil(lambda: enclosed(made.twin, (1, 0, 0, 0.5)) == 0)
    assert enclosed(made.twin, BLUE) > 0
    wait(qtbot, made.latest)
    assert all(surfaces is begun[0][0] for surfaces, _ in begun)


def test_all_hidden_nothing_is_seen(qtbot: Any, layer: Labels, make: Make) -> None:
    made = make(layer)
    wait(qtbot, made.latest)
    layer.colormap = colors((1, 0, 0, 0), (0, 0, 1, 0))
    qtbot.waitUntil(lambda: len(made.twin.faces) == 1)
    assert (made.twin.vertex_colors == 0).all()
    layer.visible = False
    assert not made.twin.visible
    layer.visible = True
    assert made.twin.visible


def test_edits_of_all_kinds_are_followed(qtbot: Any, viewer: ViewerModel, layer: Labels, make: Make) -> None:
    made = make(layer)
    wait(qtbot, made.latest)
    small_one = enclosed(made.twin, ORANGE)
    layer.data_setitem(np.nonzero(ball(SHAPE, (11, 14, 10), 8)), 1)  # as the brush does
    assert made.latest.busy
    wait(qtbot, made.latest)
    large = enclosed(made.twin, ORANGE)
    assert large > 2 * small_one
    layer.undo()
    wait(qtbot, made.latest)
    assert enclosed(made.twin, ORANGE) == pytest.approx(small_one)
    layer.data[...] = 0  # as a tool of ours does
    layer.refresh()
    wait(qtbot, made.latest)
    assert enclosed(made.twin, ORANGE) == 0
    layer.data = ball(SHAPE, (11, 14, 10), 8).astype(np.uint8)
    wait(qtbot, made.latest)
    assert enclosed(made.twin, ORANGE) == pytest.approx(large, rel=0.05)


def test_another_slice_is_no_edit(qtbot: Any, viewer: ViewerModel, layer: Labels, make: Make) -> None:
    made = make(layer)
    wait(qtbot, made.latest)
    viewer.dims.set_point(0, 21.0)
    viewer.dims.set_point(0, 23.0)
    assert not made.latest.busy


def test_a_refresh_that_changed_nothing_leaves_the_surfaces_alone(qtbot: Any, layer: Labels, make: Make) -> None:
    made = make(layer)
    wait(qtbot, made.latest)
    faces = made.twin.faces
    layer.refresh()
    assert made.latest.busy
    wait(qtbot, made.latest)
    assert made.twin.faces is faces


def test_the_shown_time_point_has_the_surfaces(qtbot: Any, viewer: ViewerModel, make: Make) -> None:
    data = np.zeros((3, *SHAPE), np.uint8)
    data[1], data[2] = ball(SHAPE, (11, 14, 10), 6), ball(SHAPE, (11, 14, 20), 9)
    layer = viewer.add_labels(data, colormap=colors(ORANGE))
    viewer.dims.set_point(0, 1)
    made = make(layer)
    wait(qtbot, made.latest)
    assert enclosed(made.twin, ORANGE) == pytest.approx(data[1].sum(), rel=0.03)
    viewer.dims.set_point(0, 2)
    wait(qtbot, made.latest)
    assert enclosed(made.twin, ORANGE) == pytest.approx(data[2].sum(), rel=0.03)


def test_a_very_large_volume_is_thinned_and_stays_in_place(
    qtbot: Any, layer: Labels, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_VOXELS", layer.data.size // 4)
    made = make(layer)
    wait(qtbot, made.latest)
    assert enclosed(made.twin, BLUE) == pytest.approx(volume(layer, 2), rel=0.15)
    np.testing.assert_allclose(middle(made.twin, BLUE), layer.data_to_world((12, 15, 28)), atol=1)


def test_empty_labels_are_borne(qtbot: Any, viewer: ViewerModel, make: Make) -> None:
    layer = viewer.add_labels(np.zeros(SHAPE, np.uint8))
    made = make(layer)
    wait(qtbot, made.latest)
    assert len(made.twin.faces) == 1
    np.testing.assert_allclose(np.ptp(made.twin.vertices, axis=0), SHAPE)
