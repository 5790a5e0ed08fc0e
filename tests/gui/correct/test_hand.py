"""While a tool for the mouse is in hand the left button is the tool's, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QLineEdit, QSpinBox

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.bench.window_drag import WindowDrag
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import MouseTool, Place, Tool
from tests.gui.bench.conftest import FLAT, opened, settle, view_of, wheel
from tests.gui.correct.mousing import NONE, drag, go_to, move, pen, pixel_of, press, release, with_hands, world_of

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
MIDDLE = (12, 20, 16)
START, STOP = (200.0, 150.0), (260.0, 190.0)


class Noting(MouseTool):
    """Notes what it is told."""

    reach = 3.0
    problem = ""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, list[Place]]] = []

    @property
    def names(self) -> list[str]:
        """What was called."""
        return [name for name, _ in self.calls]

    def press(self, place: Place) -> None:
        self.calls.append(("press", [place]))
        if self.problem:
            raise Vol3dError(self.problem)

    def drag(self, places: Sequence[Place]) -> None:
        self.calls.append(("drag", list(places)))

    def release(self) -> None:
        self.calls.append(("release", []))

    def cancel(self) -> None:
        self.calls.append(("cancel", []))

    def radius(self) -> float | None:
        return self.reach


@pytest.fixture
def tool(desk: Desk, record: Record) -> Iterator[Noting]:
    """In hand."""
    made = Noting()
    desk.choose(made)
    settle()  # before it is drawn napari's camera does not move
    yield made
    desk.choose(None)
    made.calls.clear()  # places hold their views
    made.deleteLater()


def camera(view: View) -> tuple[Any, ...]:
    """Zoom and centre."""
    return view.model.scene.camera.zoom, view.model.scene.camera.center


def test_places_are_true_in_every_view_and_the_view_stays(
    views: Bench, desk: Desk, record: Record, tool: Noting
) -> None:
    with_hands(opened(views), desk)
    go_to(views, record, MIDDLE)
    for plane in FLAT:
        view, tool.calls = view_of(views, plane), []
        before, point = camera(view), views.point
        wanted = list(MIDDLE)
        wanted[(plane.value + 1) % 3] += 4
        pixels = [pixel_of(view, record, voxel) for voxel in (MIDDLE, (wanted[0], wanted[1], wanted[2]))]
        drag(view, pixels)
        assert tool.names == ["press", "drag", "release"]
        for (_, places), pixel in zip(tool.calls, pixels, strict=False):
            (place,) = places
            np.testing.assert_allclose(place.voxel, record.to_voxel(world_of(view, pixel)))
            assert (place.axis, place.index, place.erasing) == (plane.value, MIDDLE[plane.value], False)
            assert place.view is view
        assert (camera(view), views.point, desk.view) == (before, point, view)


def test_moves_of_one_burst_are_one_call(views: Bench, desk: Desk, record: Record, tool: Noting) -> None:
    (view,) = with_hands(views, desk)
    press(view, START)
    for step in range(1, 8):
        move(view, (START[0] + 5 * step, START[1]))
    assert tool.names == ["press"]
    QApplication.processEvents()
    assert tool.names == ["press", "drag"]
    assert [place.pixel[0] for place in tool.calls[1][1]] == [START[0] + 5 * step for step in range(1, 8)]
    move(view, STOP)
    release(view, STOP)  # what still waits comes before the end
    assert tool.names == ["press", "drag", "drag", "release"]


def test_the_rest_of_the_mouse_is_others(
    qtbot: Any, viewer: Viewer, views: Bench, desk: Desk, record: Record, tool: Noting
) -> None:
    opened(views)
    view = view_of(views, Plane.AXIAL)
    window = WindowDrag(view, lambda: viewer.layers["scan"])
    with_hands(views, desk)
    go_to(views, record, MIDDLE)
    limits = viewer.layers["scan"].contrast_limits
    press(view, START, button=Qt.MouseButton.RightButton)
    move(view, STOP, held=Qt.MouseButton.RightButton)
    release(view, STOP, button=Qt.MouseButton.RightButton)
    assert viewer.layers["scan"].contrast_limits != limits
    window.let_go()
    z = views.point[0]
    wheel(view, 1)
    assert views.point[0] != z
    before = views.point
    drag(view, [START, STOP], SHIFT)
    assert views.point[1:] != before[1:]
    assert not tool.calls
    drag(view, [START, STOP], CTRL)
    assert all(place.erasing for _, places in tool.calls for place in places)
    assert tool.names == ["press", "drag", "release"]


def test_space_pans(qtbot: Any, views: Bench, desk: Desk, record: Record, tool: Noting) -> None:
    (view,) = with_hands(views, desk)
    before = camera(view)
    qtbot.keyPress(view.native, Qt.Key.Key_Space)
    drag(view, [START, STOP, STOP])
    assert camera(view) != before
    qtbot.keyRelease(view.native, Qt.Key.Key_Space)
    assert not tool.calls
    before = camera(view)
    drag(view, [START, STOP])
    assert tool.names == ["press", "drag", "release"]
    assert camera(view) == before


def test_escape_cancels_and_the_button_stays_ours(
    qtbot: Any, views: Bench, desk: Desk, record: Record, tool: Noting
) -> None:
    (view,) = with_hands(views, desk)
    before = camera(view)
    press(view, START)
    move(view, STOP)
    qtbot.keyClick(view.native, Qt.Key.Key_Escape)
    assert tool.names == ["press", "cancel"]
    move(view, START)
    release(view, START)
    assert tool.names == ["press", "cancel"]
    assert camera(view) == before
    drag(view, [START, STOP])
    assert tool.names[2:] == ["press", "drag", "release"]


def test_losing_the_mouse_cancels(views: Bench, desk: Desk, record: Record, tool: Noting) -> None:
    (view,) = with_hands(views, desk)
    press(view, START)
    QApplication.sendEvent(view.native, QEvent(QEvent.Type.WindowDeactivate))
    assert tool.names == ["press", "cancel"]
    release(view, START)
    press(view, START)
    move(view, STOP, held=NONE)  # the release went elsewhere
    assert tool.names == ["press", "cancel"] * 2
    release(view, STOP)
    press(view, START)
    desk.choose(None)
    release(view, START)
    assert tool.names == ["press", "cancel"] * 3


def test_in_3d_the_mouse_turns_and_it_is_said_once(
    viewer: Viewer, views: Bench, desk: Desk, record: Record, tool: Noting
) -> None:
    (view,) = with_hands(views, desk)
    said: list[str] = []
    desk.said.connect(said.append)
    viewer.dims.ndisplay = 3
    settle()
    for _ in range(2):
        press(view, START)
        release(view, START)
    assert not tool.calls
    assert len(said) == 1
    assert "2D" in said[0]


def test_hidden_or_missing_labels_are_said(
    viewer: Viewer, views: Bench, desk: Desk, record: Record, tool: Noting
) -> None:
    (view,) = with_hands(views, desk)
    said: list[str] = []
    desk.said.connect(said.append)
    record.layer.visible = False
    before = camera(view)
    drag(view, [START, STOP])
    viewer.layers.remove(record.layer)
    drag(view, [START, STOP])
    assert not tool.calls
    assert camera(view) == before
    assert ["hidden" in said[0], "no labels" in said[1]] == [True, True]


def test_what_does_not_go_is_said_and_ends_the_stroke(views: Bench, desk: Desk, record: Record, tool: Noting) -> None:
    (view,) = with_hands(views, desk)
    said: list[str] = []
    desk.said.connect(said.append)
    tool.problem = "This does not go."
    drag(view, [START, STOP])
    assert tool.names == ["press", "cancel"]
    assert said == ["This does not go."]


def test_without_a_tool_for_the_mouse_all_is_napari(
    views: Bench, desk: Desk, record: Record, tool: Noting
) -> None:
    (view,) = with_hands(views, desk)
    other = Tool()
    for chosen in (None, other):
        desk.choose(chosen)
        before = camera(view)
        drag(view, [START, STOP, STOP])
        assert camera(view) != before
    assert not tool.calls
    desk.choose(None)
    other.deleteLater()


def test_a_pen_draws_once_with_its_pressure(views: Bench, desk: Desk, record: Record, tool: Noting) -> None:
    (view,) = with_hands(views, desk)
    before = camera(view)
    assert not pen(view, QEvent.Type.TabletMove, START, pressure=0.0)  # it hovers
    assert pen(view, QEvent.Type.TabletPress, START, pressure=0.25)
    press(view, START)  # as some systems send beside it
    for step in range(1, 6):
        assert pen(view, QEvent.Type.TabletMove, (START[0] + 7.5 * step, START[1]), pressure=0.5)
        move(view, (START[0] + 7.5 * step, START[1]))
    release(view, START)
    assert pen(view, QEvent.Type.TabletRelease, (START[0] + 37.5, START[1]))
    settle()
    assert tool.names == ["press", "drag", "release"]
    places = [place for _, found in tool.calls for place in found]
    assert [place.pixel[0] for place in places] == [START[0] + 7.5 * step for step in range(6)]
    assert [place.pressure for place in places] == pytest.approx([0.25, *[0.5] * 5], abs=0.01)
    assert not any(place.erasing for place in places)
    assert camera(view) == before
    drag(view, [START, STOP])  # the mouse is its own again
    assert tool.names[3:] == ["press", "drag", "release"]


def test_the_other_end_of_a_pen_erases(views: Bench, desk: Desk, record: Record, tool: Noting) -> None:
    ((view, hand),) = with_hands(views, desk).items()
    pen(view, QEvent.Type.TabletPress, START, eraser=True)
    pen(view, QEvent.Type.TabletMove, STOP, eraser=True)
    settle()
    assert hand.ring.look is not None
    assert hand.ring.look.dashed
    pen(view, QEvent.Type.TabletRelease, STOP, eraser=True)
    assert [place.erasing for _, found in tool.calls for place in found] == [True, True]


def test_the_ring_has_the_reach_and_the_color(views: Bench, desk: Desk, record: Record, tool: Noting) -> None:
    ((view, hand),) = with_hands(views, desk).items()
    assert not hand.ring.shown
    record.layer.selected_label = 2
    move(view, START, held=NONE)
    ring = hand.ring
    assert (ring.shown, ring.pixel) == (True, START)
    edge = np.subtract(pixel_of(view, record, (12, 20, 16)), pixel_of(view, record, (12, 20, 26)))
    assert ring.radius == pytest.approx(tool.reach / (10 * record.spacing[2]) * np.linalg.norm(edge))
    before = ring.radius
    view.model.scene.camera.zoom *= 2
    assert ring.radius == pytest.approx(2 * before)
    painting = ring.look
    move(view, START, CTRL, NONE)
    assert ring.look != painting
    tool.reach = 6.0
    tool.optionsChanged.emit()
    assert ring.radius == pytest.approx(4 * before)
    QApplication.sendEvent(view.native, QEvent(QEvent.Type.Leave))
    assert not ring.shown
    move(view, START, held=NONE)
    desk.choose(None)
    assert not ring.shown


def test_the_canvas_takes_the_keys_but_not_from_who_types(
    qtbot: Any, viewer: Viewer, views: Bench, desk: Desk, record: Record, tool: Noting
) -> None:
    (view,) = with_hands(views, desk)
    edit = QLineEdit(viewer.window._qt_window)
    edit.show()
    viewer.window.activate()
    edit.setFocus()
    qtbot.waitUntil(edit.hasFocus)
    QApplication.sendEvent(view.native, QEvent(QEvent.Type.Enter))
    assert edit.hasFocus()
    edit.clearFocus()
    QApplication.sendEvent(view.native, QEvent(QEvent.Type.Enter))
    assert view.native.hasFocus()
    edit.deleteLater()


def test_a_number_of_the_tool_is_taken_when_the_mouse_comes_to_use_it(
    qtbot: Any, viewer: Viewer, views: Bench, desk: Desk, record: Record, tool: Noting
) -> None:
    (view,) = with_hands(views, desk)
    tool.setParent(viewer.window._qt_window)
    box = QSpinBox(tool)
    box.setKeyboardTracking(False)
    tool.show()
    viewer.window.activate()
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    box.selectAll()
    qtbot.keyClicks(box, "7")
    QApplication.sendEvent(view.native, QEvent(QEvent.Type.Enter))
    assert view.native.hasFocus()
    assert box.value() == 7


def test_escape_without_a_stroke_puts_the_tool_down(
    qtbot: Any, viewer: Viewer, views: Bench, desk: Desk, record: Record, tool: Noting
) -> None:
    """As it does with a ruler."""
    (view,) = with_hands(views, desk)
    assert desk.tool is tool
    qtbot.keyClick(view.native, Qt.Key.Key_Escape)
    assert desk.tool is None
