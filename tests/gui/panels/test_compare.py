"""Comparing two layers in all views: over each other, in turns, at a line, and with the time point before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QWidget

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.panels.compare import NO_PAIR, CompareBox

SHAPE = (40, 40, 40)


@pytest.fixture
def make(viewer: Viewer, qtbot: Any, request: Any) -> Callable[[], tuple[CompareBox, Bench]]:
    """Make box and bench; what a test holds of them is gone before napari counts what is left of its windows."""

    def made() -> tuple[CompareBox, Bench]:
        foot = QWidget()
        qtbot.addWidget(foot)
        bench = Bench(viewer, foot)
        request.addfinalizer(bench.let_go)
        box = CompareBox(viewer, bench)
        qtbot.addWidget(box)
        request.addfinalizer(box.let_go)
        return box, bench

    return made


@pytest.fixture
def two(viewer: Viewer) -> tuple[Image, Image]:
    red, green = (viewer.add_image(np.ones(SHAPE, np.uint8), colormap=color, contrast_limits=(0, 1), name=color)
                  for color in ("red", "green"))  # fmt: skip
    return red, green


def click(qtbot: Any, button: Any) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def shown(layers: tuple[Layer, ...]) -> list[bool]:
    return [layer.visible for layer in layers]


def test_without_a_pair_the_buttons_say_why(viewer: Viewer, make: Any) -> None:
    box, _ = make()
    for button in (box.overlay, box.blink, box.swipe):
        assert not button.isEnabled()
        assert button.toolTip() == NO_PAIR
    viewer.add_image(np.zeros(SHAPE))
    viewer.add_image(np.zeros(SHAPE))
    assert box.overlay.isEnabled()
    assert not box.before.isEnabled()
    assert box.before.toolTip() == "A has no time points"


def test_overlay_lays_b_over_a(viewer: Viewer, two: tuple[Image, Image], make: Any, qtbot: Any) -> None:
    box, _ = make()
    red, green = two
    box.choice.setValue((green, red))
    red.visible = False
    click(qtbot, box.overlay)
    assert [layer.name for layer in viewer.layers] == ["green", "red"]
    assert shown(two) == [True, True]
    assert (green.opacity, red.opacity) == (1, 0.5)


def test_swipe_divides_every_flat_view(viewer: Viewer, two: tuple[Image, Image], make: Any, qtbot: Any) -> None:
    box, bench = make()
    box.choice.setValue(two)
    click(qtbot, box.swipe)
    bench.open()
    QApplication.processEvents()
    for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL):
        view = bench.view(plane)
        assert view is not None
        picture = view.qt_viewer.screenshot(flash=False)
        row = picture[picture.shape[0] // 3, :, :3].astype(int)
        middle = len(row) // 2
        assert row[middle - 20, 0] > 200 > row[middle - 20, 1], plane
        assert row[middle + 20, 1] > 200 > row[middle + 20, 0], plane
    click(qtbot, box.swipe)
    assert not box.swipe.isChecked()
    picture = bench.view(Plane.CORONAL).qt_viewer.screenshot(flash=False)
    assert picture[picture.shape[0] // 3, picture.shape[1] // 2 - 20, 0] < 100
    bench.close()


def test_one_way_of_comparing_ends_the_other(viewer: Viewer, two: tuple[Image, Image], make: Any, qtbot: Any) -> None:
    box, _ = make()
    two[1].visible = False
    click(qtbot, box.swipe)
    assert shown(two) == [True, True]
    click(qtbot, box.blink)
    assert not box.swipe.isChecked()
    assert shown(two) == [True, False]
    click(qtbot, box.swipe)
    assert not box.blink.isChecked()
    click(qtbot, box.swipe)
    assert shown(two) == [True, False]


def test_a_pair_that_goes_leaves_no_button_pressed(
    viewer: Viewer, two: tuple[Image, Image], make: Any, qtbot: Any
) -> None:
    box, _ = make()
    click(qtbot, box.swipe)
    viewer.layers.remove(two[0])
    assert not box.swipe.isChecked()
    assert not box.swipe.isEnabled()


def test_the_time_before_follows_the_slider(viewer: Viewer, make: Any, qtbot: Any) -> None:
    data = np.arange(4, dtype=np.uint8) * np.ones((6, 7, 8, 1), np.uint8)
    volume = Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)), name="series", timed=True)
    voxels, keywords, _ = to_layer(volume, as_labels=False)
    series = viewer.add_image(voxels, **keywords)
    box, _ = make()
    viewer.layers.selection = {series}
    click(qtbot, box.before)
    first, before = box.choice.value()
    assert first is series
    assert not before.visible
    assert viewer.layers.selection.active is series
    before.visible = True
    for time in (3, 1):
        viewer.dims.set_current_step(0, time)
        assert before.get_value((time, 2, 3, 3)) == time - 1
    click(qtbot, box.before)
    assert len(viewer.layers) == 2
