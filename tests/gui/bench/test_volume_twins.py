"""The 3D view has the viewer's layers, small; unmirrored; it works while it is seen and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.components import ViewerModel
from napari.layers import Image, Surface
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.renderer import budget_of
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.bench.volume_twins import VolumeTwins
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.io.registry import read_volume
from tests.gui.bench.room3d import ball, volume_view, wait

SHAPE = (20, 24, 30)


@pytest.fixture
def model(qapp: Any) -> ViewerModel:
    """What a viewer is without its window; the last test has the window too."""
    return ViewerModel()


@pytest.fixture
def view(qapp: Any) -> Iterator[View]:
    with volume_view() as made:
        yield made


@pytest.fixture
def twins(model: ViewerModel, view: View) -> Iterator[VolumeTwins]:
    made = VolumeTwins(view, model)
    yield made
    made.let_go()


def show(qtbot: Any, view: View, twins: VolumeTwins) -> None:
    view.qt_viewer.show()
    qtbot.waitExposed(view.qt_viewer)
    wait(qtbot, twins)


def names(view: View) -> list[str]:
    return [layer.name for layer in view.model.layers]


def add(model: ViewerModel, path: Path, *, as_labels: bool) -> Any:
    data, keywords, kind = to_layer(read_volume(path), as_labels=as_labels)
    return getattr(model, f"add_{kind}")(data, **keywords)


def test_the_list_is_followed(model: ViewerModel, view: View, twins: VolumeTwins) -> None:
    image = model.add_image(np.zeros(SHAPE), name="image")
    model.add_points(np.zeros((3, 3)), name="points")
    model.add_shapes(np.array([[0.0, 0], [1, 1]]), shape_type="line", name="shapes")
    model.add_image(np.zeros((*SHAPE, 3), np.uint8), rgb=True, name="colours")
    model.add_image(np.zeros((5, 6)), name="flat")
    model.add_labels(np.zeros(SHAPE, np.uint8), name="labels")
    model.add_image(np.zeros(SHAPE), name="second")
    assert names(view) == ["image", "labels", "second"]
    model.layers.move(0, 7)
    assert names(view) == ["labels", "second", "image"]
    image.name = "first"
    model.layers.reverse()
    assert names(view) == ["first", "second", "labels"]
    model.layers.remove("second")
    model.layers.remove("points")
    assert names(view) == ["first", "labels"]
    assert view.shows(image) is view.model.layers[0]
    assert view.model.layers.selection.active is None
    model.layers.clear()
    assert not view.model.layers
    assert not view.twins


def test_layers_that_were_there_before_are_shown(qtbot: Any, model: ViewerModel, view: View) -> None:
    model.add_image(np.zeros(SHAPE), name="image")
    made = VolumeTwins(view, model)
    assert names(view) == ["image"]
    made.let_go()
    assert not view.model.layers


def test_hidden_it_rests_and_shown_it_catches_up(
    qtbot: Any, model: ViewerModel, view: View, twins: VolumeTwins
) -> None:
    image = model.add_image(np.ones(SHAPE, np.float32), contrast_limits=(0, 1))
    labels = model.add_labels(ball(SHAPE, (10, 12, 15), 6).astype(np.uint8))
    QApplication.processEvents()
    assert not twins.busy
    assert not np.any(view.shows(image).data)
    assert len(view.shows(labels).faces) == 1
    show(qtbot, view, twins)
    assert np.all(view.shows(image).data == 1)
    before = len(view.shows(labels).faces)
    assert before > 100
    view.qt_viewer.hide()
    labels.data[...] = 0
    labels.refresh()
    QApplication.processEvents()
    assert not twins.busy
    assert len(view.shows(labels).faces) == before
    show(qtbot, view, twins)
    assert len(view.shows(labels).faces) == 1


def test_nothing_is_mirrored(qtbot: Any, model: ViewerModel, view: View, twins: VolumeTwins) -> None:
    """Of axes x, y, z of a right hand, on the screen: right, down, and away from the person."""
    image = model.add_image(np.zeros(SHAPE))
    show(qtbot, view, twins)
    to_canvas = view.node_of(image).transforms.get_transform("visual", "canvas")
    ends = [to_canvas.map((*point, 1)) for point in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))]
    corner, *along = [end[:3] / end[3] for end in ends]
    right_down_away = np.linalg.det([end - corner for end in along])
    assert right_down_away > 0


def test_a_patient_is_seen_from_the_front_head_up(
    qtbot: Any, model: ViewerModel, view: View, twins: VolumeTwins, shared_data: Path
) -> None:
    image = add(model, shared_data / "scans" / "chris_t1.nii.gz", as_labels=False)
    show(qtbot, view, twins)
    to_canvas = view.node_of(image).transforms.get_transform("visual", "canvas")
    ends = [to_canvas.map((*point, 1)) for point in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))]
    corner, left, posterior, superior = [end[:3] / end[3] for end in ends]
    assert superior[1] < corner[1]  # pixels are counted downwards
    assert left[0] > corner[0]
    assert posterior[2] > corner[2]
    step = view.node_of(image).relative_step_size
    assert step == budget_of(view).step


def test_a_real_scan_with_many_classes_is_drawn_within_its_budget(
    qtbot: Any, model: ViewerModel, view: View, twins: VolumeTwins, shared_data: Path
) -> None:
    image = add(model, shared_data / "scans" / "example_ct_sm.nii.gz", as_labels=False)
    labels = add(model, shared_data / "scans" / "example_seg.nii.gz", as_labels=True)
    show(qtbot, view, twins)
    budget = budget_of(view)
    coarse, meshes = view.shows(image), view.shows(labels)
    assert isinstance(coarse, Image)
    assert np.size(coarse.data) <= budget.voxels
    assert isinstance(meshes, Surface)
    assert 20_000 < len(meshes.faces) <= budget.triangles
    twins.set_point(tuple(np.mean(image.extent.world, axis=0)))
    picture = view.qt_viewer.screenshot(flash=False)[..., :3]
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 200
    wanted = {tuple(np.round(labels.get_color(i), 2)) for i in np.unique(labels.data) if i}
    assert {tuple(color) for color in np.round(np.unique(meshes.vertex_colors, axis=0), 2)} == wanted


def test_nothing_runs_on_when_it_lets_go(qtbot: Any, model: ViewerModel, view: View, twins: VolumeTwins) -> None:
    labels = model.add_labels(ball((90, 90, 90), (45, 45, 45), 40).astype(np.uint8))
    signals = (labels.events.set_data, labels.events.colormap, labels.events.paint, model.dims.events.point)
    view.qt_viewer.show()
    qtbot.waitExposed(view.qt_viewer)
    qtbot.waitUntil(lambda: twins.busy)
    counts = [len(signal.callbacks) for signal in signals]
    twins.let_go()
    assert not twins.busy
    assert not view.model.layers
    assert all(len(signal.callbacks) < count for signal, count in zip(signals, counts, strict=True))


def test_labels_that_go_while_they_are_worked_on_are_borne(
    qtbot: Any, model: ViewerModel, view: View, twins: VolumeTwins
) -> None:
    model.add_labels(ball((90, 90, 90), (45, 45, 45), 40).astype(np.uint8))
    view.qt_viewer.show()
    qtbot.waitExposed(view.qt_viewer)
    qtbot.waitUntil(lambda: twins.busy)
    model.layers.clear()
    image = model.add_image(np.ones(SHAPE, np.float32), contrast_limits=(0, 1))
    wait(qtbot, twins)
    assert np.all(view.shows(image).data == 1)


def test_beside_a_window_it_leaves_nothing(qtbot: Any, viewer: Viewer) -> None:
    labels = viewer.add_labels(ball(SHAPE, (10, 12, 15), 6).astype(np.uint8))
    with volume_view() as view:
        twins = VolumeTwins(view, viewer)
        show(qtbot, view, twins)
        before = len(view.shows(labels).faces)
        labels.data_setitem(np.nonzero(ball(SHAPE, (10, 12, 15), 9)), 1)
        qtbot.waitUntil(lambda: len(view.shows(labels).faces) > before, timeout=20_000)
        twins.let_go()
