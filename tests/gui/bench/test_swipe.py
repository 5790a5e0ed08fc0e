"""The line divides what is seen, follows the mouse, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Layer
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.pair import Pair
from napari_vol3d.gui.bench.swipe import NEAR, Swipe
from napari_vol3d.gui.bench.view import View
from tests.gui.conftest import move_mouse

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def two(viewer: Viewer) -> tuple[Layer, Layer]:
    """A red image and a green one over it, over the whole canvas."""
    shape = (6, 900, 1600)
    red = viewer.add_image(np.ones(shape, np.uint8), colormap="red", contrast_limits=(0, 1), name="red")
    green = viewer.add_image(np.ones(shape, np.uint8), colormap="green", contrast_limits=(0, 1), name="green")
    viewer.scene.camera.zoom = 2
    return red, green


@pytest.fixture
def pair(viewer: Viewer) -> Iterator[Pair]:
    pair = Pair(viewer.layers)
    yield pair
    pair.let_go()


@pytest.fixture
def divide(viewer: Viewer, two: tuple[Layer, Layer], pair: Pair, request: Any) -> Callable[[], Swipe]:
    """Divide the view; what a test holds of it is gone before napari counts what is left of its windows."""

    def make() -> Swipe:
        swipe = Swipe(View(viewer, viewer.window._qt_viewer), pair)
        request.addfinalizer(swipe.let_go)
        pair.hold(*two)
        return swipe

    return make


def seen(viewer: Viewer, share: float) -> str:
    """Colour of the canvas at a share of its width, a quarter down."""
    QApplication.processEvents()
    picture = viewer.window._qt_viewer.screenshot(flash=False)
    red, green, _ = (int(value) for value in picture[picture.shape[0] // 4, round(share * (picture.shape[1] - 1)), :3])
    return "red" * (red > 200) + "green" * (green > 200)


def drag(qtbot: Any, viewer: Viewer, start: float, stop: float) -> None:
    native = viewer.window._qt_viewer.canvas.native
    y = native.height() // 3
    qtbot.mouseMove(native, QPoint(round(start), y))
    qtbot.mousePress(native, LEFT, pos=QPoint(round(start), y))
    for x in np.linspace(start, stop, 5):
        move_mouse(native, QPoint(round(x), y))
    qtbot.mouseRelease(native, LEFT, pos=QPoint(round(stop), y))


def test_the_first_is_left_and_the_second_right(viewer: Viewer, divide: Callable[[], Swipe], pair: Pair) -> None:
    swipe = divide()
    assert [seen(viewer, share) for share in (0.1, 0.45, 0.55, 0.9)] == ["red", "red", "green", "green"]
    pair.drop()
    assert seen(viewer, 0.1) == "green"
    assert not swipe.active


def test_the_line_is_dragged_and_napari_sees_no_mouse(viewer: Viewer, divide: Callable[[], Swipe], qtbot: Any) -> None:
    swipe, presses = divide(), []
    viewer.mouse_drag_callbacks.append(lambda _, event: presses.append(event.type))
    width = viewer.window._qt_viewer.canvas.native.width()
    drag(qtbot, viewer, swipe.at + NEAR - 1, 0.2 * width)
    assert swipe.at == pytest.approx(0.2 * width, abs=1)
    assert not presses
    assert [seen(viewer, share) for share in (0.1, 0.3, 0.9)] == ["red", "green", "green"]


def test_the_line_is_where_the_mouse_lets_it_go(viewer: Viewer, divide: Callable[[], Swipe], qtbot: Any) -> None:
    swipe, native = divide(), viewer.window._qt_viewer.canvas.native
    qtbot.mousePress(native, LEFT, pos=QPoint(round(swipe.at), 50))
    qtbot.mouseRelease(native, LEFT, pos=QPoint(round(0.7 * native.width()), 60))  # what lies between was not told
    assert swipe.at == pytest.approx(0.7 * native.width(), abs=1)
    move_mouse(native, QPoint(100, 60), Qt.MouseButton.NoButton)
    assert swipe.at == pytest.approx(0.7 * native.width(), abs=1)


def test_away_from_the_line_the_mouse_is_naparis(viewer: Viewer, divide: Callable[[], Swipe], qtbot: Any) -> None:
    swipe, presses = divide(), []
    viewer.mouse_drag_callbacks.append(lambda _, event: presses.append(event.type))
    at = swipe.at
    drag(qtbot, viewer, at + NEAR + 20, at + NEAR + 120)
    assert swipe.at == at
    assert presses == ["mouse_press"]


def test_the_cursor_says_where_the_line_can_be_taken(viewer: Viewer, divide: Callable[[], Swipe], qtbot: Any) -> None:
    swipe = divide()
    native = viewer.window._qt_viewer.canvas.native
    before = native.cursor().shape()
    qtbot.mouseMove(native, QPoint(round(swipe.at) + 1, 50))
    qtbot.waitUntil(lambda: native.cursor().shape() == Qt.CursorShape.SplitHCursor)
    qtbot.mouseMove(native, QPoint(round(swipe.at) + 40, 50))
    qtbot.waitUntil(lambda: native.cursor().shape() == before)


def test_it_holds_on_other_slices_in_other_planes_and_after_3d(viewer: Viewer, divide: Callable[[], Swipe]) -> None:
    swipe = divide()
    viewer.dims.set_current_step(0, 1)
    assert (seen(viewer, 0.3), seen(viewer, 0.7)) == ("red", "green")
    viewer.dims.ndisplay = 3
    assert not swipe.active
    viewer.dims.ndisplay = 2
    viewer.scene.camera.zoom = 2
    assert (seen(viewer, 0.3), seen(viewer, 0.7)) == ("red", "green")


def test_the_line_keeps_its_share_of_a_canvas_that_is_resized(viewer: Viewer, divide: Callable[[], Swipe]) -> None:
    swipe = divide()
    native = viewer.window._qt_viewer.canvas.native
    share = swipe.at / native.width()
    viewer.window.resize(1000, 700)
    QApplication.processEvents()
    assert swipe.at / native.width() == pytest.approx(share, abs=0.01)
    assert (seen(viewer, 0.45), seen(viewer, 0.55)) == ("red", "green")


def test_a_hidden_layer_is_shown_meanwhile(
    viewer: Viewer, two: tuple[Layer, Layer], divide: Callable[[], Swipe], pair: Pair
) -> None:
    divide()
    pair.drop()
    two[0].visible = False
    pair.hold(*two)
    assert (seen(viewer, 0.3), seen(viewer, 0.7)) == ("red", "green")
    pair.drop()
    assert [layer.visible for layer in two] == [False, True]


def test_a_layer_taken_away_ends_it(
    viewer: Viewer, two: tuple[Layer, Layer], divide: Callable[[], Swipe], pair: Pair
) -> None:
    swipe = divide()
    viewer.layers.remove(two[0])
    assert pair.value() is None
    assert not swipe.active
    assert seen(viewer, 0.1) == "green"


def test_letting_go_takes_all_nodes_along(viewer: Viewer, two: tuple[Layer, Layer], pair: Pair) -> None:
    view = View(viewer, viewer.window._qt_viewer)
    before = list(view.glass.children)
    swipe = Swipe(view, pair)
    pair.hold(*two)
    assert len(view.glass.children) > len(before)
    swipe.let_go()
    assert list(view.glass.children) == before
    assert seen(viewer, 0.1) == "green"


def test_labels_are_divided_too(viewer: Viewer, pair: Pair) -> None:
    shape = (4, 900, 1600)
    one, other = (viewer.add_labels(np.full(shape, 1, np.uint8), opacity=1, colormap={None: "black", 1: color})
                  for color in ("red", "lime"))  # fmt: skip
    viewer.scene.camera.zoom = 2
    swipe = Swipe(View(viewer, viewer.window._qt_viewer), pair)
    pair.hold(one, other)
    assert (seen(viewer, 0.3), seen(viewer, 0.7)) == ("red", "green")
    swipe.let_go()
