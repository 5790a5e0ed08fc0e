"""Away and back again, in a real window."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtWidgets import QApplication, QWidget

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.placing import placed_like
from napari_vol3d.gui.review.place import go_to_place, place_now
from tests.gui.bench.conftest import FLAT, SHAPE, add, settle, view_of

Change = Callable[[Viewer, Bench, Labels], None]


@pytest.fixture
def views(viewer: Viewer) -> Iterator[Bench]:
    """The bench of a viewer, closed."""
    made = Bench(viewer, QWidget())
    yield made
    made.let_go()
    QApplication.processEvents()


@pytest.fixture
def scan(viewer: Viewer) -> Image:
    """An anisotropic patient volume that lies off the origin."""
    return show(viewer, SHAPE, (31.0, 57.0, -12.0))


@pytest.fixture
def labels(viewer: Viewer, scan: Image) -> Labels:
    """Empty labels on the scan."""
    return viewer.add_labels(np.zeros(SHAPE, np.uint8), name="labels", **placed_like(scan))


def show(viewer: Viewer, shape: tuple[int, ...], origin: tuple[float, float, float]) -> Image:
    affine = np.diag([-1.1, -0.8, 2.5, 1.0])[:, [2, 1, 0, 3]]
    affine[:3, 3] = origin
    data = np.random.default_rng(5).integers(0, 900, shape).astype(np.int16)
    return add(viewer, Volume(data=data, geometry=Geometry(affine=affine, anatomical=True), name="scan"))


def at_rest(qtbot: Any, viewer: Viewer, bench: Bench) -> None:
    """Wait until Qt has laid out and drawn, and the crosshair has come to rest in napari's own view."""
    settle()
    qtbot.waitUntil(lambda: np.allclose(viewer.dims.point, bench.point))
    settle()


def stored(place: dict[str, Any]) -> dict[str, Any]:
    """As it comes back from the project's file."""
    return json.loads(json.dumps(place, allow_nan=False))


def assert_same(now: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The same to the last digit but for what goes through OpenGL's camera, in single precision or as a quaternion."""
    plain = [{name: value for name, value in place.items() if name != "views"} for place in (now, wanted)]
    assert plain[0] == plain[1]
    assert now["views"].keys() == wanted["views"].keys()
    for name, camera in wanted["views"].items():
        for part, value in camera.items():
            assert now["views"][name][part] == pytest.approx(value, rel=1e-6, abs=1e-6), (name, part)


def far_away(viewer: Viewer, bench: Bench, labels: Labels) -> None:
    """Four views, at another place, another zoom, another class."""
    bench.show_only(None)
    bench.go_to(labels.data_to_world((20, 5, 7)))
    view_of(bench, Plane.CORONAL).model.scene.camera.zoom = 11.5
    view_of(bench, Plane.AXIAL).model.scene.camera.center = (0.0, -31.0, -9.0)
    view_of(bench, Plane.SAGITTAL).model.scene.camera.center = (0.0, 2.0, -29.0)
    volume = view_of(bench, Plane.VOLUME).model.scene.camera
    volume.zoom, volume.angles = 5.5, (10.0, 20.0, 30.0)
    labels.selected_label = 3


def one_large(viewer: Viewer, bench: Bench, labels: Labels) -> None:
    bench.show_only(Plane.SAGITTAL)
    bench.go_to(labels.data_to_world((3, 30, 20)))
    view_of(bench, Plane.SAGITTAL).model.scene.camera.zoom = 21.0


def all_of_it(viewer: Viewer, bench: Bench, labels: Labels) -> None:
    """As it is when the bench was opened: fitted."""
    bench.show_only(None)
    bench.fit()


def alone_and_turned(viewer: Viewer, bench: Bench, labels: Labels) -> None:
    """napari's own view, coronal, the scan pushed out of the middle."""
    bench.close()
    viewer.dims.order = (1, 0, 2)
    viewer.dims.point = labels.data_to_world((9, 11, 13))
    viewer.scene.camera.zoom, viewer.scene.camera.center = 3.25, (0.0, 100.0, 100.0)


def alone_in_3d(viewer: Viewer, bench: Bench, labels: Labels) -> None:
    bench.close()
    viewer.dims.ndisplay = 3
    viewer.scene.camera.zoom, viewer.scene.camera.angles = 7.0, (-40.0, 15.0, 100.0)
    labels.selected_label = 2


def turned_in_four(viewer: Viewer, bench: Bench, labels: Labels) -> None:
    """napari's keys turn its own view while the four are there."""
    bench.show_only(None)
    viewer.dims.order = (2, 0, 1)
    viewer.dims.ndisplay = 3


CHANGES = (far_away, one_large, all_of_it, alone_and_turned, alone_in_3d, turned_in_four)


@pytest.mark.parametrize("there", CHANGES)
def test_away_and_back(qtbot: Any, viewer: Viewer, views: Bench, labels: Labels, there: Change) -> None:
    """Slice, crosshair, zoom and centre of every view, which views there are, class and tool; from anywhere else."""
    there(viewer, views, labels)
    at_rest(qtbot, viewer, views)
    wanted = stored(place_now(viewer, views, "BallBrush"))
    first = CHANGES.index(there)
    for number in (first + 1, first + 3):  # all pairs would take minutes
        CHANGES[number % len(CHANGES)](viewer, views, labels)
        at_rest(qtbot, viewer, views)
        assert place_now(viewer, views, "BallBrush") != wanted
        assert go_to_place(viewer, views, wanted) == "BallBrush"
        at_rest(qtbot, viewer, views)
        assert_same(place_now(viewer, views, "BallBrush"), wanted)
        for view in views.views:
            if view.plane in FLAT and view.native.isVisible():
                assert view.model.dims.point[view.plane.value] == pytest.approx(views.point[view.plane.value])


def test_back_in_a_window_that_was_just_opened(qtbot: Any, viewer: Viewer, views: Bench, labels: Labels) -> None:
    """As on the next day; also where nothing is laid out yet, and the window is of another size."""
    far_away(viewer, views, labels)
    at_rest(qtbot, viewer, views)
    wanted = stored(place_now(viewer, views))
    views.close()
    viewer.window.resize(1000, 700)
    assert go_to_place(viewer, views, wanted) == ""
    at_rest(qtbot, viewer, views)
    assert_same(place_now(viewer, views), wanted)
    viewer.window.resize(1280, 800)
    at_rest(qtbot, viewer, views)
    assert_same(place_now(viewer, views), wanted)


def test_back_just_after_the_window_got_another_size(
    qtbot: Any, viewer: Viewer, views: Bench, labels: Labels
) -> None:
    """A fit that waits for Qt to lay out does not undo it."""
    far_away(viewer, views, labels)
    at_rest(qtbot, viewer, views)
    wanted = stored(place_now(viewer, views))
    views.fit()
    at_rest(qtbot, viewer, views)
    viewer.window.resize(1100, 700)
    assert views._framing._again.isActive()  # or nothing is tested
    go_to_place(viewer, views, wanted)
    at_rest(qtbot, viewer, views)
    assert_same(place_now(viewer, views), wanted)


def test_views_stay_linked(qtbot: Any, viewer: Viewer, views: Bench, labels: Labels) -> None:
    """After the way back they zoom together as before."""
    far_away(viewer, views, labels)
    at_rest(qtbot, viewer, views)
    go_to_place(viewer, views, place_now(viewer, views))
    view_of(views, Plane.AXIAL).model.scene.camera.zoom = 4.0
    assert [view_of(views, plane).model.scene.camera.zoom for plane in FLAT] == pytest.approx([4.0] * 3)


@pytest.mark.parametrize("place", [
    {}, {"what a newer version writes": [1, 2]}, {"point": ["a"], "order": [0, 0, 1], "ndisplay": 7},
    {"views": {"OWN": {"zoom": 0, "center": [0, 1, 2]}}}, {"views": {"OWN": {"zoom": 2.0}}}, {"views": 5},
    {"point": [1.0, float("nan"), 2.0], "four": "perhaps", "large": "OBLIQUE", "class_id": 300},
    {"point": [], "order": [1, 0], "views": {"TILTED": {"zoom": 2.0, "center": [0, 1, 2]}}, "class_id": -1},
    {"order": None, "tool": None, "point": None},
])  # fmt: skip
def test_what_makes_no_sense_is_passed_over(
    qtbot: Any, viewer: Viewer, views: Bench, labels: Labels, place: dict[str, Any]
) -> None:
    """Nothing changes but what does make sense."""
    all_of_it(viewer, views, labels)
    at_rest(qtbot, viewer, views)
    before = place_now(viewer, views)
    assert go_to_place(viewer, views, place) == ""
    at_rest(qtbot, viewer, views)
    assert_same(place_now(viewer, views), before)


def test_the_rest_of_an_old_place_counts(qtbot: Any, viewer: Viewer, views: Bench, labels: Labels) -> None:
    """One key that makes no sense does not spoil the others."""
    point = labels.data_to_world((4, 8, 12))
    assert go_to_place(viewer, views, {"point": [*map(float, point)], "ndisplay": "?", "tool": "Eraser"}) == "Eraser"
    assert views.point == pytest.approx(point)
    assert viewer.dims.point == pytest.approx(point)


def test_another_scan_takes_what_it_can(qtbot: Any, viewer: Viewer, views: Bench, labels: Labels) -> None:
    """What lies outside of it is brought to its edge, and no view looks beside it."""
    far_away(viewer, views, labels)
    view_of(views, Plane.AXIAL).model.scene.camera.center = (0.0, 500.0, -500.0)
    at_rest(qtbot, viewer, views)
    wanted = stored(place_now(viewer, views))
    viewer.layers.clear()
    show(viewer, (5, 6, 7), (400.0, -300.0, 200.0))
    at_rest(qtbot, viewer, views)
    go_to_place(viewer, views, wanted)
    at_rest(qtbot, viewer, views)
    ranges = viewer.dims.range
    assert all(r.start <= value <= r.stop for value, r in zip(views.point, ranges, strict=True))
    for plane in FLAT:
        camera, shown = view_of(views, plane).model.scene.camera, view_of(views, plane).model.dims.displayed
        for value, axis in zip(camera.center[-2:], shown, strict=True):
            assert ranges[axis].start - 1e-6 <= value <= ranges[axis].stop + 1e-6
        assert camera.zoom == pytest.approx(11.5)


def test_a_series_keeps_its_time_point(qtbot: Any, viewer: Viewer, views: Bench) -> None:
    """A place in time and space comes back; one of a scan without time leaves the time point alone."""
    viewer.add_image(np.zeros((4, 5, 6, 7), np.uint8))
    views.open()
    viewer.dims.set_current_step(0, 2)
    views.go_to((2.0, 3.0, 1.0, 5.0))
    at_rest(qtbot, viewer, views)
    wanted = stored(place_now(viewer, views))
    views.go_to((1.0, 0.0, 0.0, 0.0))
    at_rest(qtbot, viewer, views)
    go_to_place(viewer, views, {"point": [4.0, 4.0, 4.0]})
    assert views.point == (1.0, 4.0, 4.0, 4.0)
    go_to_place(viewer, views, wanted)
    at_rest(qtbot, viewer, views)
    assert_same(place_now(viewer, views), wanted)
    assert views.point == (2.0, 3.0, 1.0, 5.0)


def test_the_class_is_that_of_the_chosen_labels(viewer: Viewer, views: Bench, labels: Labels) -> None:
    """Or of the topmost, where none are chosen; without labels there is none."""
    top = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="top")
    top.selected_label, labels.selected_label = 5, 9
    viewer.layers.selection.active = labels
    assert place_now(viewer, views)["class_id"] == 9
    viewer.layers.selection.active = viewer.layers[0]
    assert place_now(viewer, views)["class_id"] == 5
    go_to_place(viewer, views, {"class_id": 7})
    assert (top.selected_label, labels.selected_label) == (7, 9)
    viewer.layers.remove(top)
    viewer.layers.remove(labels)
    assert place_now(viewer, views)["class_id"] is None
