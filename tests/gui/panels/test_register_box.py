"""Registering from the window: a real head that was moved comes back, a search can be stopped, a motion is saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog
from scipy.spatial.transform import Rotation

from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.panels.pair_choice import PairChoice
from napari_vol3d.gui.panels.register_box import NO_IMAGES, RegisterBox
from napari_vol3d.gui.space import in_space, reference_of
from napari_vol3d.io.registry import read_volume
from napari_vol3d.io.transforms import read_transform
from napari_vol3d.pipeline.register import moved_by

MOTION = np.eye(4)
MOTION[:3, :3] = Rotation.from_euler("xyz", (3, -4, 9), degrees=True).as_matrix()
MOTION[:3, 3] = (8, -5, 10)
WAIT_MS = 60_000


@pytest.fixture
def make(viewer: Viewer, qtbot: Any) -> Any:
    boxes: list[RegisterBox] = []
    choices: list[PairChoice] = []

    def made() -> tuple[RegisterBox, PairChoice]:
        choices.append(PairChoice(viewer.layers))
        boxes.append(RegisterBox(viewer, choices[-1]))
        for widget in (choices[-1], boxes[-1]):
            qtbot.addWidget(widget)
        return boxes[-1], choices[-1]

    yield made
    for box, choice in zip(boxes, choices, strict=True):
        box.let_go()
        choice.let_go()
        if box.job is not None:
            qtbot.waitUntil(lambda box=box: not box.job.running, timeout=WAIT_MS)


def add(viewer: Viewer, volume: Volume) -> Image:
    shown = in_space(volume, reference_of(viewer), as_labels=False)
    data, keywords, _ = to_layer(shown.volume, as_labels=False, frame=shown.frame)
    return viewer.add_image(data, **keywords)


@pytest.fixture
def heads(viewer: Viewer, shared_data: Path) -> tuple[Image, Image]:
    """A head, and the same moved, which is shown on the grid of the first."""
    head = read_volume(shared_data / "scans" / "chris_t1.nii.gz")
    head = replace(head, name="head")
    return add(viewer, head), add(viewer, replace(head, geometry=moved_by(MOTION, head.geometry), name="moved"))


def test_a_moved_head_comes_back(
    viewer: Viewer, heads: tuple[Image, Image], make: Callable[[], Any], qtbot: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    box, choice = make()
    fixed, away = heads
    viewer.layers.selection.active = fixed
    qtbot.mouseClick(box.button, Qt.MouseButton.LeftButton)
    assert not box.button.isEnabled()
    qtbot.waitUntil(lambda: box.bar.maximum() > 0 and box.bar.value() > 0, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    found = viewer.layers["moved (registered)"]
    assert (fixed.visible, away.visible, found.visible) == (True, False, True)
    assert choice.value() == (fixed, found)
    assert viewer.layers.selection.active is fixed
    difference = np.abs(np.asarray(found.data[80:100]).astype(int) - np.asarray(fixed.data[80:100]))
    assert np.median(difference) <= 2
    assert "mm" in box.said.text()
    assert "°" in box.said.text()
    target = tmp_path / "motion"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.mouseClick(box.save, Qt.MouseButton.LeftButton)
    saved = read_transform(tmp_path / "motion.tfm")
    centre = np.linalg.inv(saved) @ (0, 0, 0, 1)
    np.testing.assert_allclose(centre, MOTION @ (0, 0, 0, 1), atol=1)


def test_a_search_is_stopped(
    viewer: Viewer, heads: tuple[Image, Image], make: Callable[[], Any], qtbot: Any
) -> None:
    box, _ = make()
    qtbot.mouseClick(box.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: box.bar.maximum() > 0 and box.bar.value() > 0, timeout=WAIT_MS)
    qtbot.mouseClick(box.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    assert box.said.text().startswith("Cancelled")
    assert len(viewer.layers) == 2
    assert box.button.isEnabled()


def test_what_cannot_be_registered_is_told(viewer: Viewer, make: Callable[[], Any], qtbot: Any) -> None:
    box, choice = make()
    for _ in range(2):
        viewer.add_labels(np.zeros((8, 8, 8), np.uint8))
    assert choice.value() is not None
    assert not box.button.isEnabled()
    assert box.button.toolTip() == NO_IMAGES
    one, other = (viewer.add_image(np.zeros((8, 8, 8)), name=name, units="mm") for name in ("one", "other"))
    choice.setValue((one, other))
    qtbot.mouseClick(box.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    assert box.said.text().startswith("Nothing can be seen in one")
    assert len(viewer.layers) == 4
