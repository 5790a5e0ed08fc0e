"""The panel: it offers what fits, says why not, and one click starts exactly what its plan said."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from napari import Viewer
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.panels.segment import SegmentPanel
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.models.library import set_default
from napari_vol3d.models.store import list_models
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.gui.conftest import PLUGIN, RUN_MS, press_segment, stroke

WAIT_MS = 20_000
MM = ("mm",) * 3


@pytest.fixture
def panel(bench: Workbench) -> SegmentPanel:
    return bench.segment


def add_scan(viewer: Viewer, shape: tuple[int, ...] = (16, 24, 20), **given: Any) -> Any:
    """A scan that the bundled model fits, but for what is `given`."""
    data = np.random.default_rng(0).normal(100, 20, shape).astype(np.float32)
    return viewer.add_image(data, **{"name": "scan", "units": MM, **given})


def wait_for_plan(qtbot: Any, panel: SegmentPanel, part: str = "tile") -> str:
    qtbot.waitUntil(lambda: part in panel.ui.plan_line.text(), timeout=WAIT_MS)
    return str(panel.ui.plan_line.text())


def tiles(panel: SegmentPanel) -> int:
    found = re.match(r"(\d+) tile", panel.ui.plan_line.text())
    assert found
    return int(found[1])


def wait_for_refusal(qtbot: Any, panel: SegmentPanel, part: str) -> None:
    """The reason stands in the tooltip and under the button, and a click starts nothing."""
    qtbot.waitUntil(lambda: part in panel.ui.run.toolTip(), timeout=WAIT_MS)
    assert not panel.ui.run.isEnabled()
    assert part in panel.ui.status.text()
    assert panel.ui.plan_line.text() == ""
    qtbot.mouseClick(panel.ui.run, Qt.MouseButton.LeftButton)
    panel.run()
    assert panel.job is None


# ---- why not -------------------------------------------------------------------------------------------------------


def test_without_a_scan_it_says_so(qtbot: Any, panel: SegmentPanel) -> None:
    wait_for_refusal(qtbot, panel, "Open a scan first")


@pytest.mark.parametrize(
    ("shape", "given", "part"),
    [
        ((6, 8, 10, 3), {"rgb": True}, "colours"),
        ((3, 6, 8, 10), {"units": None}, "4 axes"),
    ],
    ids=["rgb", "time"],
)
def test_what_is_no_scan_is_refused_with_the_reason(
    qtbot: Any, panel: SegmentPanel, viewer: Viewer, shape: Any, given: Any, part: str
) -> None:
    viewer.add_image(np.zeros(shape, np.uint8), **given)
    wait_for_refusal(qtbot, panel, part)


def test_two_channels_are_refused_with_the_reason(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    geometry = Geometry.from_spacing((1.0, 1.0, 1.0))
    volume = Volume(data=np.zeros((6, 8, 10, 2), np.uint8), geometry=geometry, channels=("T1", "FLAIR"))
    data, keywords, _ = to_layer(volume, as_labels=False)
    viewer.add_image(data, **keywords)
    wait_for_refusal(qtbot, panel, "2 channel")


def test_without_a_model_it_says_so(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    panel.ui.model.setCurrentIndex(-1)
    add_scan(viewer)
    wait_for_refusal(qtbot, panel, "There is no model")


def test_the_reason_goes_when_a_fitting_scan_comes(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    wait_for_refusal(qtbot, panel, "Open a scan first")
    add_scan(viewer)
    wait_for_plan(qtbot, panel)
    assert panel.ui.run.isEnabled()
    assert panel.ui.status.text() == ""
    viewer.layers.clear()
    wait_for_refusal(qtbot, panel, "Open a scan first")


def test_an_unknown_model_is_refused_with_those_there_are(panel: SegmentPanel) -> None:
    with pytest.raises(ModelProblem, match="nosuch") as caught:
        panel.choose_model("nosuch")
    assert "hippocampus-t1" in caught.value.hint
    panel.choose_model("hippocampus-t1")
    assert panel.model is not None
    assert panel.model.card.name == "hippocampus-t1"


def test_a_model_that_comes_in_is_listed_and_chosen_and_one_that_goes_is_not(
    qtbot: Any, panel: SegmentPanel, viewer: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path))
    bundled = panel.model
    assert bundled is not None
    folder = Path(shutil.copytree(bundled.folder, tmp_path / "other-2.0"))
    card = bundled.card.model_copy(update={"name": "other", "title": "Other", "version": "2.0"})
    (folder / "card.json").write_text(card.model_dump_json())
    panel.reload_models()
    assert panel.model == bundled  # nobody asked for the other
    panel.reload_models(choose=str(folder))
    assert panel.model is not None
    assert panel.model.card == card
    qtbot.waitUntil(lambda: card.citation in panel.ui.model.toolTip())
    shutil.rmtree(folder)
    panel.reload_models()
    assert panel.model == bundled


def test_the_default_is_chosen_at_the_start(viewer: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path))
    bundled = list_models()[0]
    folder = Path(shutil.copytree(bundled.folder, tmp_path / "other-1.0"))
    (folder / "card.json").write_text(bundled.card.model_copy(update={"name": "other"}).model_dump_json())
    set_default("other")
    _, bench = viewer.window.add_plugin_dock_widget(PLUGIN, "Vol3D")
    chosen = bench.segment.model
    bench.let_go()
    assert chosen.card.name == "other"


def test_a_scan_of_another_scale_is_refused_with_a_way_on(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    viewer.open_sample("napari-vol3d", "nuclei")  # micrometres, where the model knows centimetres
    wait_for_refusal(qtbot, panel, "far too small")
    assert "leave resampling off" in panel.ui.status.text()
    panel.ui.resample.click()
    wait_for_plan(qtbot, panel)
    assert panel.ui.run.isEnabled()
    assert "without resampling" in panel.ui.warning.text()


# ---- the plan ------------------------------------------------------------------------------------------------------


def test_less_memory_means_more_tiles(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    add_scan(viewer, (96, 96, 96))
    wait_for_plan(qtbot, panel)
    before = tiles(panel)
    panel.ui.options.memory.setValue(0.2)
    qtbot.waitUntil(lambda: tiles(panel) > before, timeout=WAIT_MS)
    assert panel.settings == SegmentSettings(memory_gb=0.2)
    (size,) = re.findall(r"(\d+) MB", panel.ui.plan_line.text())
    assert int(size) <= 200


def test_an_impossible_memory_budget_is_refused(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    add_scan(viewer, (96, 96, 96))
    panel.ui.options.memory.setValue(0.1)
    panel.ui.options.halo.setValue(200)
    wait_for_refusal(qtbot, panel, "memory budget is too small")


def test_the_plan_names_the_device_when_the_engine_is_awake(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    assert panel._keeper._engine is None  # without a scan there is no process
    add_scan(viewer)
    assert "getting ready" in wait_for_plan(qtbot, panel)
    qtbot.waitUntil(lambda: "getting ready" not in panel.ui.plan_line.text(), timeout=RUN_MS)
    assert panel._keeper.device_name in panel.ui.plan_line.text()
    assert panel._keeper.device_name


def test_resampling_is_asked_only_where_it_matters(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    add_scan(viewer)
    wait_for_plan(qtbot, panel)
    assert not panel.ui.resample.isVisible()
    add_scan(viewer, scale=(3, 1, 1), name="thick")
    qtbot.waitUntil(panel.ui.resample.isVisible, timeout=WAIT_MS)
    assert "3 x 1 x 1" in panel.ui.warning.text()
    panel.ui.resample.click()
    qtbot.waitUntil(lambda: "without resampling" in panel.ui.warning.text(), timeout=WAIT_MS)
    assert not panel.settings.resample


def test_a_scan_larger_than_the_model_knows_is_warned_of(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    add_scan(viewer, (160, 160, 160))
    qtbot.waitUntil(lambda: "Draw a box around the organ" in panel.ui.warning.text(), timeout=WAIT_MS)
    assert panel.ui.run.isEnabled()
    add_scan(viewer, name="small")
    qtbot.waitUntil(lambda: "Draw a box" not in panel.ui.warning.text(), timeout=WAIT_MS)


def test_a_scale_set_later_counts_when_segment_is_pressed(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    layer = add_scan(viewer)
    wait_for_plan(qtbot, panel)
    layer.scale = (3, 1, 1)
    panel.update_plan()  # what `run` does first
    assert panel.ui.resample.isVisible()
    assert "3 x 1 x 1" in panel.ui.warning.text()


# ---- region --------------------------------------------------------------------------------------------------------


def test_a_box_is_asked_for_until_one_is_drawn(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    scan = add_scan(viewer, (160, 160, 160))
    wait_for_plan(qtbot, panel)
    assert "Draw a box" in panel.ui.warning.text()
    qtbot.mouseClick(panel.ui.draw, Qt.MouseButton.LeftButton)
    assert panel.ui.region.currentText() == "Drawn box"
    wait_for_refusal(qtbot, panel, "No box is drawn yet")
    y, x = scan.data_to_world((0, 20, 20))[1:]
    stroke(qtbot, viewer, (y, x), (y + 30, x + 25))
    wait_for_plan(qtbot, panel)
    assert panel.ui.run.isEnabled()
    # What it asked for is done, and how deep the box is can be read.
    assert "Draw a box" not in panel.ui.warning.text()

    def numbers() -> list[int]:
        found = re.match(r"slices (\d+)-(\d+), (\d+) x (\d+) voxels", panel.ui.region_line.text())
        return [int(number) for number in found.groups()] if found else [0] * 4

    # The line follows the rectangle while it grows.
    qtbot.waitUntil(lambda: numbers()[2:] == pytest.approx([31, 26], abs=2), timeout=WAIT_MS)
    assert numbers()[0] < viewer.dims.current_step[0] < numbers()[1]
    # On another scan it may mean nothing; then the whole of that one is offered.
    add_scan(viewer, name="far away", translate=(900, 900, 900))
    qtbot.waitUntil(lambda: not panel.ui.region_line.isVisible(), timeout=WAIT_MS)
    assert panel.ui.region.currentText() == "Whole scan"


def test_what_is_in_view_is_given_up_on_a_scan_out_of_view(
    qtbot: Any, panel: SegmentPanel, viewer: Viewer
) -> None:
    add_scan(viewer)
    panel.ui.region.setCurrentIndex(1)
    wait_for_plan(qtbot, panel)
    add_scan(viewer, name="same place")
    wait_for_plan(qtbot, panel)
    assert panel.ui.region.currentText() == "What is in view"
    add_scan(viewer, name="far away", translate=(900, 900, 900))
    qtbot.waitUntil(lambda: not panel.ui.region_line.isVisible(), timeout=WAIT_MS)
    assert panel.ui.region.currentText() == "Whole scan"
    assert "outside" not in panel.ui.status.text()
    assert panel.ui.run.isEnabled()


def test_what_is_in_view_follows_the_view(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    add_scan(viewer, (160, 160, 160))
    panel.ui.options.memory.setValue(0.2)
    panel.ui.region.setCurrentIndex(1)
    wait_for_plan(qtbot, panel)
    before = tiles(panel)
    viewer.scene.camera.zoom *= 8
    qtbot.waitUntil(lambda: tiles(panel) < before, timeout=WAIT_MS)


def test_panning_changes_what_is_in_view(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    scan = add_scan(viewer, (96, 96, 96))
    panel.ui.region.setCurrentIndex(1)
    viewer.scene.camera.zoom *= 8
    QApplication.processEvents()
    wait_for_plan(qtbot, panel)
    panel._soon.stop()
    viewer.scene.camera.center = (0, *scan.data_to_world((0, 5, 5))[1:])
    QApplication.processEvents()
    assert panel._soon.isActive()


# ---- keys, saving, ending ------------------------------------------------------------------------------------------


def test_tab_reaches_the_run_button_after_scan_and_model(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    add_scan(viewer)
    wait_for_plan(qtbot, panel)
    passed, widget = [], panel.ui.scan
    while widget is not panel.ui.run and len(passed) < 60:
        passed.append(widget)
        widget = widget.nextInFocusChain()
    assert widget is panel.ui.run
    assert panel.ui.model in passed
    assert panel.ui.run.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_saving_is_offered_when_there_are_labels(
    qtbot: Any, panel: SegmentPanel, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def dismiss(parent: Any, title: str, proposed: str, filters: str) -> tuple[str, str]:
        asked.append(proposed)
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", dismiss)
    assert not panel.ui.save.isEnabled()
    assert "no labels" in panel.ui.save.toolTip()
    add_scan(viewer)
    first = viewer.add_labels(np.zeros((16, 24, 20), np.uint8), name="first", units=MM)
    viewer.add_labels(np.zeros((16, 24, 20), np.uint8), name="second", units=MM)
    assert panel.ui.save.isEnabled()
    viewer.layers.selection.active = first
    qtbot.mouseClick(panel.ui.save, Qt.MouseButton.LeftButton)
    viewer.layers.selection.active = viewer.layers["scan"]
    qtbot.mouseClick(panel.ui.save, Qt.MouseButton.LeftButton)
    assert [name.rsplit("/", 1)[-1] for name in asked] == ["first.nii.gz", "second.nii.gz"]
    for name in ("first", "second"):
        viewer.layers.remove(name)
    assert not panel.ui.save.isEnabled()


def test_cancelling_nothing_does_nothing(panel: SegmentPanel) -> None:
    panel.cancel()
    assert panel.job is None


def test_changing_the_device_replaces_the_waiting_engine(qtbot: Any, panel: SegmentPanel, viewer: Viewer) -> None:
    add_scan(viewer)
    wait_for_plan(qtbot, panel)
    first = panel._keeper.get("auto")
    panel.ui.options.device.setCurrentText("cpu")
    qtbot.waitUntil(lambda: not first.alive, timeout=WAIT_MS)
    assert not psutil.pid_exists(first.process.pid)
    assert panel._keeper.get("cpu").alive


def test_a_run_says_what_it_found_and_keeps_probabilities_where_asked(
    qtbot: Any, panel: SegmentPanel, bench: Workbench, viewer: Viewer
) -> None:
    viewer.open_sample("napari-vol3d", "hippocampus")
    scan = viewer.layers[0]
    panel.ui.options.probabilities.setChecked(True)
    wait_for_plan(qtbot, panel)
    press_segment(qtbot, bench)
    labels = viewer.layers.selection.active
    assert isinstance(labels, Labels)
    assert re.search(r"anterior [\d.]+ mL.*posterior [\d.]+ mL", panel.summary)
    for name in ("anterior", "posterior"):
        layer = viewer.layers[f"{scan.name} p({name})"]
        class_id = {"anterior": 1, "posterior": 2}[name]
        # Where a class won, its probability is the largest; with two classes and background, at least a third.
        assert layer.data[labels.data == class_id].min() >= 255 // 3
    assert panel.ui.scan.value() is scan
    # What the run took is what the next estimate is made of.
    assert "about" in panel.ui.plan_line.text()


def test_a_gpu_that_is_not_there_is_said_before_segment_is_pressed(
    qtbot: Any, viewer: Viewer, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    viewer.add_image(np.zeros((8, 16, 16), np.float32))
    panel = bench.segment
    panel.ui.options.device.setCurrentText("gpu")
    qtbot.waitUntil(lambda: "no GPU" in panel.ui.status.text(), timeout=60_000)
    assert not panel.ui.run.isEnabled()
    refused = panel._keeper._engine
    panel.update_plan()
    assert panel._keeper._engine is refused  # no process after the other is started to hear the same
    panel.ui.options.device.setCurrentText("auto")
    qtbot.waitUntil(panel.ui.run.isEnabled, timeout=5000)
