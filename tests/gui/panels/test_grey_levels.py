"""The panel follows the chosen image, changes its contrast limits, and never its voxels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.sliced import Moved
from napari_vol3d.core.windows import PRESETS
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.bench.window_drag import WindowDrag
from napari_vol3d.gui.layers import probability_layers, to_layer, to_volume
from napari_vol3d.gui.panels.grey_levels import NO_IMAGE, GreyLevels, chosen_image, turned
from napari_vol3d.io.registry import read_volume

RNG = np.random.default_rng(0)


@pytest.fixture
def panel(viewer: Viewer) -> Iterator[GreyLevels]:
    found = GreyLevels(viewer)
    viewer.window.add_dock_widget(found, area="right")
    QApplication.processEvents()
    yield found
    found.let_go()


def grey(name: str = "grey", scale: float = 1.0) -> Image:
    return Image(RNG.normal(100, 20, (10, 30, 40)).astype(np.float32) * scale, name=name)


def choose(panel: GreyLevels, start: str) -> None:
    box = panel.form.preset
    index = next(k for k in range(box.count()) if box.itemText(k).startswith(start))
    box.setCurrentIndex(index)
    box.activated.emit(index)


def test_a_preset_on_a_real_ct_gives_exactly_its_limits(viewer: Viewer, panel: GreyLevels, shared_data: Path) -> None:
    data, keywords, _ = to_layer(read_volume(shared_data / "dicom" / "ct_head"), as_labels=False)
    layer = viewer.add_image(data, **keywords)
    voxels = hashlib.sha256(np.ascontiguousarray(layer.data).tobytes()).digest()
    assert tuple(layer.contrast_limits) == PRESETS["soft tissue"].limits  # as a CT opens
    assert panel.line.text().endswith(" - CT")
    for name in ("brain", "lung", "bone"):
        choose(panel, name)
        assert tuple(layer.contrast_limits) == PRESETS[name].limits
    choose(panel, "full range")
    assert tuple(layer.contrast_limits) == (-1024, 782)
    assert panel.form.level.suffix() == " HU"
    assert hashlib.sha256(np.ascontiguousarray(layer.data).tobytes()).digest() == voxels


def test_without_an_image_it_says_so(viewer: Viewer, panel: GreyLevels) -> None:
    for _ in range(2):
        assert panel.line.text() == NO_IMAGE
        assert not panel.form.isVisible()
        assert panel.image() is None
        layer = viewer.add_layer(grey())
        assert panel.image() is layer
        assert panel.form.isVisible()
        viewer.layers.remove(layer)


def test_it_follows_what_is_chosen(viewer: Viewer, panel: GreyLevels) -> None:
    low, high = viewer.add_layer(grey("low")), viewer.add_layer(grey("high", 1000))
    assert panel.line.text() == "high"
    viewer.layers.selection.active = low
    assert panel.line.text() == "low"
    assert panel.form.value() == tuple(low.contrast_limits)
    low.name = "lower"
    assert panel.line.text() == "lower"
    panel.form.setValue((1, 2))
    assert tuple(low.contrast_limits) == (1, 2) != tuple(high.contrast_limits)
    viewer.add_labels(np.zeros((10, 30, 40), np.uint8))
    assert panel.image() is high  # the uppermost that is seen
    high.visible = False
    assert panel.image() is low
    high.visible = True
    assert panel.image() is high


def test_colours_and_probabilities_are_not_chosen(viewer: Viewer, panel: GreyLevels) -> None:
    layer = viewer.add_layer(grey())
    scan = to_volume(layer)
    classes = [LabelClass(id=1, name="a", color="#ff0000")]
    probability = probability_layers(np.zeros((1, 10, 30, 40), np.uint8), scan, classes, like=layer)[0]
    viewer.add_image(np.zeros((30, 40, 3), np.uint8), rgb=True, name="colours")
    viewer.add_layer(probability)
    probability.visible = True
    viewer.layers.selection.clear()
    assert chosen_image(viewer.layers) is layer
    viewer.layers.selection.active = viewer.layers["colours"]
    assert panel.image() is layer
    viewer.layers.selection.active = probability  # chosen by hand it is
    assert panel.image() is probability


def test_what_others_change_is_shown(viewer: Viewer, panel: GreyLevels) -> None:
    layer = viewer.add_layer(grey())
    layer.contrast_limits = (10, 30)
    assert panel.form.value() == (10, 30)
    assert (panel.form.level.value(), panel.form.width.value()) == (20, 20)
    layer.colormap = "red"
    assert tuple(panel.form.histogram._ramp[-1]) == pytest.approx((1, 0, 0, 1))


def test_other_voxels_are_looked_at_anew(viewer: Viewer, panel: GreyLevels) -> None:
    layer = viewer.add_layer(grey())
    layer.data = np.asarray(layer.data) + 5000
    assert panel.form.histogram.auto is not None
    assert panel.form.histogram.auto.low > 4500


def test_a_lazy_scan_does_not_hold_the_window_up(qtbot: Any, viewer: Viewer, panel: GreyLevels) -> None:
    layer = viewer.add_image(Moved(np.asarray(grey().data).T, (2, 1, 0)), contrast_limits=(0, 1))
    assert "looking" in panel.line.text()
    assert panel.form.histogram.auto is None
    qtbot.waitUntil(lambda: panel.form.histogram.auto is not None, timeout=20_000)
    assert panel.line.text() == layer.name


def test_inverting_turns_the_ramp_and_back(viewer: Viewer, panel: GreyLevels) -> None:
    layer = viewer.add_layer(grey())
    for name in ("gray", "viridis", "red"):
        layer.colormap = name
        colors = np.asarray(layer.colormap.map(np.linspace(0, 1, 5)))
        assert not panel.invert.isChecked()
        panel.invert.click()
        assert np.allclose(layer.colormap.map(np.linspace(0, 1, 5)), colors[::-1], atol=0.01)
        assert panel.invert.isChecked()
        panel.invert.click()
        assert layer.colormap is AVAILABLE_COLORMAPS[name]
        assert not panel.invert.isChecked()


def test_steps_of_a_ramp_are_turned_too() -> None:
    colors = [[0, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    steps = Colormap(colors, controls=[0, 0.2, 0.5, 1], interpolation="zero", name="s")
    found = turned(steps)
    assert found.name == "s_r"
    assert np.allclose(found.controls, [0, 0.5, 0.8, 1])
    assert np.allclose(found.colors[0], 1)


def test_a_drag_on_the_canvas_reaches_the_panel(viewer: Viewer, panel: GreyLevels) -> None:
    layer = viewer.add_layer(grey())
    drag = WindowDrag(View(viewer, viewer.window._qt_viewer), panel.image)
    native = viewer.window._qt_viewer.canvas.native
    before, zoom = panel.form.width.value(), viewer.scene.camera.zoom
    start, right, none = QPointF(native.rect().center()), Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
    for kind, by, button, buttons in (
        (QEvent.Type.MouseButtonPress, 0, right, right), (QEvent.Type.MouseMove, 60, none, right),
        (QEvent.Type.MouseButtonRelease, 60, right, none),
    ):  # fmt: skip
        at = start + QPointF(by, 0)
        place, keys = QPointF(native.mapToGlobal(at.toPoint())), Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(native, QMouseEvent(kind, at, place, button, buttons, keys))
    drag.let_go()
    assert panel.form.width.value() > before
    assert panel.form.value() == tuple(layer.contrast_limits)
    assert viewer.scene.camera.zoom == zoom


def test_it_lets_go_and_fits_the_dock(viewer: Viewer) -> None:
    panel = GreyLevels(viewer)
    layer = viewer.add_layer(grey("a scan with a name that is far longer than any dock is wide, " * 4))
    assert panel.minimumSizeHint().width() <= 320
    panel.let_go()
    shown = panel.form.value()
    layer.contrast_limits = (-7, 7)
    viewer.layers.remove(layer)
    viewer.add_layer(grey())
    assert panel.form.value() == shown
    assert panel.image() is None
    panel.close()
    panel.deleteLater()
