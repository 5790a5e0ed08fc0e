"""A model of several channels: one layer for each, on whatever grids, and a run over all of them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.models.store import user_models
from tests.builders import write_model
from tests.gui.conftest import RUN_MS

WAIT_MS = 20_000
MAKE = """
import sys
from pathlib import Path

import keras
import numpy as np

given = keras.Input((None, None, None, 2))
layer = keras.layers.Conv3D(2, 1, use_bias=False)
network = keras.Model(given, layer(given))
layer.set_weights([np.array([[1.0, 0.0], [0.0, 1.0]], np.float32).reshape(1, 1, 1, 2, 2)])
network.save(sys.argv[1])
"""


class Saved:
    """A network as `write_model` wants one, made by a process of its own: TensorFlow and OpenGL abort each other."""

    def save(self, path: Any) -> None:
        subprocess.run([sys.executable, "-c", MAKE, str(path)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def pair_folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("models")
    classes = (LabelClass(id=5, name="second", color="#ff0000"),)
    wanted = {"channels": ("T1", "FLAIR"), "intensity": IntensityScheme(kind="none"), "multiple": 1}
    write_model(folder / "pair", Saved(), name="pair", input=wanted, output={"classes": classes})
    return folder


@pytest.fixture
def models(pair_folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOL3D_MODELS", str(pair_folder))
    assert user_models() == pair_folder


def add(viewer: Viewer, data: Any, name: str, edge: float = 1.0, start: float = 0.0) -> Image:
    return viewer.add_image(data, name=name, scale=(edge,) * 3, translate=(start,) * 3, units=("mm",) * 3)


def test_each_channel_is_chosen_by_its_name_and_all_are_run_over(
    models: None, qtbot: Any, bench: Workbench, viewer: Viewer
) -> None:
    panel = bench.segment
    panel.reload_models("pair")
    one, other = np.full((12, 12, 12), 10, np.uint8), np.zeros((6, 6, 6), np.uint8)
    one[0, 0, 0], other[3:], other[:, :, 5] = 9, 200, 7
    add(viewer, one, "case_T1")
    qtbot.waitUntil(lambda: "Choose the image for FLAIR" in panel.ui.status.text(), timeout=WAIT_MS)
    assert panel.ui.channels.isVisibleTo(panel)
    assert not panel.ui.run.isEnabled()
    add(viewer, other, "case_FLAIR", edge=2.0, start=0.5)
    panel.ui.pick_scan(viewer.layers["case_T1"])
    qtbot.waitUntil(panel.ui.run.isEnabled, timeout=RUN_MS)
    assert [layer.name for layer in panel.ui.channels.value() if layer] == ["case_T1", "case_FLAIR"]
    qtbot.mouseClick(panel.ui.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.job is not None and not panel.job.running, timeout=RUN_MS)
    (labels,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert labels.data.shape == one.shape
    assert (labels.data[7:, :, :8] == 5).all()
    assert not labels.data[:5].any()


def test_of_two_cases_the_scans_own_images_are_chosen(
    models: None, qtbot: Any, bench: Workbench, viewer: Viewer
) -> None:
    """The voxels of two people on one grid fit each other: only names tell that they are two."""
    panel, form = bench.segment, bench.segment.ui.channels
    panel.reload_models("pair")
    noise = np.random.default_rng(0).integers(0, 200, (4, 12, 12, 12)).astype(np.uint8)
    names = ("p1_T1", "p1_FLAIR", "p2_T1", "p2_FLAIR")
    one, other, third, last = (add(viewer, data, name) for data, name in zip(noise, names, strict=True))

    def held(scan: Image) -> list[str]:
        panel.ui.pick_scan(scan)
        panel.update_plan()
        return [layer.name for layer in form.value() if layer is not None]

    for scan, meant in ((one, ["p1_T1", "p1_FLAIR"]), (last, ["p2_T1", "p2_FLAIR"]), (other, ["p1_T1", "p1_FLAIR"])):
        assert held(scan) == meant
    form.choices[1].setValue(third)
    form.choices[1].activated.emit(0)  # by hand, for the first case
    assert held(one) == ["p1_T1", "p2_T1"]
    assert held(last) == ["p2_T1", "p2_FLAIR"]
    viewer.layers.remove(third)
    assert held(last) == ["p2_FLAIR"]


def test_a_model_of_one_channel_asks_for_none(qtbot: Any, bench: Workbench, viewer: Viewer) -> None:
    add(viewer, np.random.default_rng(0).normal(100, 20, (16, 24, 20)).astype(np.float32), "scan")
    qtbot.waitUntil(lambda: "tile" in bench.segment.ui.plan_line.text(), timeout=WAIT_MS)
    assert not bench.segment.ui.channels.isVisibleTo(bench.segment)


@pytest.mark.parametrize(
    ("voxels", "words"),
    [(np.zeros((16, 24, 20)), "Every voxel of the scan is 0"), (np.indices((16, 24, 20))[0] // 6, "label map")],
)
def test_grey_levels_that_say_nothing_are_told(
    qtbot: Any, bench: Workbench, viewer: Viewer, voxels: Any, words: str
) -> None:
    add(viewer, voxels.astype(np.uint8), "scan")
    qtbot.waitUntil(lambda: words in bench.segment.ui.warning.text(), timeout=WAIT_MS)
