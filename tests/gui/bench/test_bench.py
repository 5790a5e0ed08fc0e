"""The bench: which views there are, what is in them, which way they run; and napari as it was when it lets go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from qtpy.QtWidgets import QWidget

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from tests.gui.bench.conftest import FLAT, SPACING, opened, settle, view_of

ALL = [Plane.AXIAL, Plane.SAGITTAL, Plane.CORONAL, Plane.VOLUME]


class Note:
    """A piece that notes where it is."""

    def __init__(self, view: View, there: list[View]) -> None:
        self._view, self._there = view, there
        there.append(view)

    def let_go(self) -> None:
        """Be gone."""
        self._there.remove(self._view)


def ways(bench: Bench) -> dict[Plane, tuple[str, str]]:
    """Give the way in which the axes of the cut views run on the screen."""
    flat = (view for view in bench.views if view.plane is not Plane.VOLUME)
    return {view.plane: tuple(map(str, view.model.scene.camera.orientation2d)) for view in flat}


def test_it_opens_and_closes(qtbot: Any, viewer: Viewer, views: Bench, scan: Image) -> None:
    """One view, four, one; each change is told, and what is open already does not open again."""
    assert [view.model for view in views.views] == [viewer]
    assert not views.is_open
    with qtbot.waitSignal(views.changed):
        views.open()
    settle()
    assert [view.plane for view in views.views] == ALL
    assert views.is_open
    with qtbot.assertNotEmitted(views.changed):
        views.open()
    with qtbot.waitSignal(views.changed):
        views.close()
    settle()
    assert [view.model for view in views.views] == [viewer]
    with qtbot.assertNotEmitted(views.changed):
        views.close()


def test_large_views_open_the_bench(views: Bench, scan: Image) -> None:
    """By one command."""
    views.show_only(Plane.SAGITTAL)
    settle()
    assert [view.plane for view in views.views if view.native.isVisible()] == [Plane.SAGITTAL]


def test_it_opens_where_napari_was_in_3d(viewer: Viewer, views: Bench, scan: Image) -> None:
    """napari's own view is the axial one."""
    viewer.dims.ndisplay = 3
    opened(views)
    assert viewer.dims.ndisplay == 2
    assert views.views[0].plane is Plane.AXIAL


def test_a_piece_is_put_into_each_view(views: Bench, scan: Image) -> None:
    """Into those that are there, those that come, and those in windows; it goes with its view."""
    there: list[View] = []
    views.furnish(lambda view: Note(view, there))
    assert there == list(views.views)
    opened(views)
    assert set(there) == set(views.views)
    assert views.arrangement is not None
    window = views.arrangement.open_window(Plane.AXIAL)
    assert set(there) == set(views.views)
    assert len(there) == 5
    window.close()
    assert set(there) == set(views.views)
    late: list[View] = []
    views.furnish(lambda view: Note(view, late))
    assert late == list(views.views)
    views.close()
    assert there == late == list(views.views)
    views.let_go()
    assert not there + late


def test_what_one_has_put_into_the_views_is_taken_out_and_the_rest_stays(views: Bench, scan: Image) -> None:
    there: list[View] = []
    others: list[View] = []

    def furnish(view: View) -> Note:
        return Note(view, there)

    views.furnish(furnish)
    views.furnish(lambda view: Note(view, others))
    opened(views)
    assert set(there) == set(others) == set(views.views)
    views.strip(furnish)
    assert not there
    assert set(others) == set(views.views)
    views.close()
    opened(views)
    assert not there
    assert set(others) == set(views.views)


@pytest.mark.parametrize("plane", FLAT)
def test_a_view_is_turned_by_its_slices(qtbot: Any, views: Bench, scan: Image, plane: Plane) -> None:
    """As many as are asked for, along the axis across it."""
    opened(views)
    before = views.point
    with qtbot.waitSignal(views.moved):
        views.turn(view_of(views, plane), -2)
    moved = np.subtract(views.point, before)
    wanted = np.zeros(3)
    wanted[plane.value] = -2 * SPACING[plane.value]
    np.testing.assert_allclose(moved, wanted, atol=1e-6)


def test_the_neurological_view_mirrors_axial_and_coronal_only(views: Bench, scan: Image) -> None:
    """Head up and nose left in either."""
    opened(views)
    radiological = {Plane.AXIAL: ("down", "right"), Plane.CORONAL: ("up", "right"), Plane.SAGITTAL: ("up", "right")}
    assert ways(views) == radiological
    views.neurological = True
    assert ways(views) == {
        Plane.AXIAL: ("down", "left"), Plane.CORONAL: ("up", "left"), Plane.SAGITTAL: radiological[Plane.SAGITTAL],
    }  # fmt: skip
    assert view_of(views, Plane.AXIAL).letters[:2] == ("L", "R")
    assert view_of(views, Plane.CORONAL).letters[:2] == ("L", "R")
    views.neurological = False
    assert ways(views) == radiological


def test_what_is_no_patient_has_no_sides(viewer: Viewer, views: Bench) -> None:
    """Cells run as napari shows them, whatever was chosen; a patient that comes later has them."""
    viewer.add_image(np.zeros((5, 6, 7)))
    opened(views).neurological = True
    assert set(ways(views).values()) == {("down", "right")}


def test_sides_follow_the_layers(viewer: Viewer, views: Bench, scan: Image) -> None:
    """With the patient go the sides."""
    opened(views).neurological = True
    viewer.layers.remove(scan)
    viewer.add_image(np.zeros((5, 6, 7)))
    assert set(ways(views).values()) == {("down", "right")}


def test_a_closed_bench_keeps_the_sides(viewer: Viewer, views: Bench, scan: Image) -> None:
    """And gives them back when they are no longer wanted: nobody shall take left for right."""
    views.neurological = True
    assert ways(views) == {Plane.AXIAL: ("down", "left")}
    opened(views)
    views.close()
    assert ways(views) == {Plane.AXIAL: ("down", "left")}
    views.neurological = False
    assert ways(views) == {Plane.AXIAL: ("down", "right")}
    opened(views).neurological = True
    views.close()
    views.let_go()
    assert tuple(map(str, viewer.scene.camera.orientation2d)) == ("down", "right")


def test_napari_s_view_runs_as_it_did_before(viewer: Viewer, views: Bench, scan: Image) -> None:
    """What a person has turned round in napari is so again; in the bench, the field's way counts."""
    viewer.scene.camera.orientation2d = ("up", "right")
    opened(views)
    assert ways(views)[Plane.AXIAL] == ("down", "right")
    views.views[0].set_plane(Plane.CORONAL)
    assert ways(views)[Plane.CORONAL] == ("up", "right")
    views.close()
    assert tuple(map(str, viewer.scene.camera.orientation2d)) == ("up", "right")
    viewer.add_image(scan.data)
    assert tuple(map(str, viewer.scene.camera.orientation2d)) == ("up", "right")


def test_the_crosshair_can_be_hidden(views: Bench, scan: Image) -> None:
    """In all views, and in those that come."""
    opened(views).crosshair = False
    assert views.arrangement is not None
    views.arrangement.open_window(Plane.CORONAL)
    lines = [crosshair._line for crosshair, _ in views._hands.values()]
    assert not any(line.visible for line in lines)
    views.crosshair = True
    assert [line.visible for line in lines] == [view.plane is not Plane.VOLUME for view in views._hands]


def test_nothing_listens_after_letting_go(viewer: Viewer, scan: Image, views: Bench) -> None:
    """The viewer's events have as many listeners as before another bench was there."""
    signals = (
        viewer.layers.events.inserted, viewer.layers.events.removed, viewer.layers.events.removing,
        viewer.dims.events.order, viewer.dims.events.point, viewer.events.reset_view, viewer.scene.camera.events.zoom,
    )  # fmt: skip
    views.let_go()
    before = [len(signal.callbacks) for signal in signals]
    again = opened(Bench(viewer, QWidget()))
    assert all(len(signal.callbacks) > count for signal, count in zip(signals, before, strict=True))
    again.let_go()
    settle()
    assert [len(signal.callbacks) for signal in signals] == before
