"""A model that is dropped on a real window is looked at in the dock, comes in by clicks, and is used next."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import psutil
import pytest
from napari import Viewer
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.gui import hooks
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.model_drop import open_model
from napari_vol3d.gui.panels.adding_ui import CARD, LOOK
from napari_vol3d.gui.panels.models import ADD, ModelsPanel
from napari_vol3d.gui.workbench import MINIMUM_WIDTH, Workbench
from tests.builders import phantom, save_nifti
from tests.gui.conftest import PLUGIN, RUN_MS, drop

LEFT = Qt.MouseButton.LeftButton
LOOK_MS = 30_000


@pytest.fixture(autouse=True)
def own_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def network(shared_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(shared_data / "models" / "meshnet_t1_gwm" / "model5_gw_ae_64patch.keras", tmp_path))


def looked_at(qtbot: Any, bench: Workbench) -> ModelsPanel:
    assert bench.modelling is not None
    panel = bench.modelling
    assert panel.pages.currentIndex() == ADD
    qtbot.waitUntil(lambda: panel.adding.ui.currentIndex() == LOOK, timeout=LOOK_MS)
    return panel


def come_in(qtbot: Any, panel: ModelsPanel) -> None:
    qtbot.mouseClick(panel.adding.ui.trust, LEFT)
    qtbot.waitUntil(lambda: panel.adding.ui.currentIndex() == CARD, timeout=RUN_MS)
    qtbot.mouseClick(panel.adding.ui.add, LEFT)


def is_seen(bench: Workbench, widget: QWidget) -> bool:
    return widget.isVisible() and bench.isVisible()


def test_a_dropped_network_is_looked_at_and_listed(
    qtbot: Any, viewer: Viewer, bench: Workbench, network: Path
) -> None:
    drop(viewer, network)
    panel = looked_at(qtbot, bench)
    assert is_seen(bench, panel)
    assert not viewer.layers
    come_in(qtbot, panel)
    assert panel.model is not None
    assert panel.model.card.title == "model5 gw ae 64patch"
    assert is_seen(bench, panel)  # there is no scan to go on with
    assert bench.segment.model == panel.model
    qtbot.waitUntil(lambda: not psutil.Process().children(), timeout=LOOK_MS)
    assert bench.minimumSizeHint().width() <= MINIMUM_WIDTH


def test_with_a_scan_it_is_segmented_next(
    qtbot: Any, viewer: Viewer, bench: Workbench, network: Path
) -> None:
    viewer.open_sample(PLUGIN, "hippocampus")
    qtbot.mouseClick(bench.segment.ui.models, LEFT)
    assert is_seen(bench, bench.models())
    drop(viewer, network)
    come_in(qtbot, looked_at(qtbot, bench))
    assert is_seen(bench, bench.segment)
    assert bench.segment.model is not None
    assert bench.segment.model.card.name == "model5-gw-ae-64patch"
    qtbot.waitUntil(lambda: "class 1" in bench.segment.ui.model_line.text(), timeout=LOOK_MS)


def test_the_dock_opens_for_a_folder_and_closing_it_stops_all(
    qtbot: Any, viewer: Viewer, shared_data: Path
) -> None:
    open_drops_here()
    drop(viewer, shared_data / "models" / "meshnet_t1_gwm" / "tfjs")
    bench = next(one for one in viewer.window.dock_widgets.values() if isinstance(one, Workbench))
    panel = looked_at(qtbot, bench)
    assert "TensorFlow.js" in panel.adding.ui.about.toPlainText()
    qtbot.mouseClick(panel.adding.ui.trust, LEFT)
    qtbot.waitUntil(lambda: bool(psutil.Process().children()), timeout=LOOK_MS)
    bench.let_go()
    qtbot.waitUntil(lambda: not psutil.Process().children(), timeout=LOOK_MS)


def test_a_refused_network_is_a_sentence_in_the_page(
    qtbot: Any, viewer: Viewer, bench: Workbench, shared_data: Path
) -> None:
    notification_manager.records.clear()
    drop(viewer, shared_data / "models" / "refuse" / "weights_only_2d.hdf5")
    panel = looked_at(qtbot, bench)
    assert "dimensions" in panel.adding.ui.problem.text()
    assert not notification_manager.records
    assert not viewer.layers


def test_a_scan_in_hdf5_is_still_a_scan(viewer: Viewer, bench: Workbench, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["raw"] = phantom()[0]
    drop(viewer, tmp_path / "scan.h5")
    (layer,) = viewer.layers
    np.testing.assert_array_equal(layer.data, phantom()[0])
    assert bench.modelling is None


def test_what_is_neither_is_left_to_others(tmp_path: Path) -> None:
    for name, text in (("a.json", "{}"), ("a.yaml", "a: 1"), ("a.zip", "PK"), ("a.txt", "x")):
        (tmp_path / name).write_text(text)
        assert hooks.get_reader(str(tmp_path / name)) is None
    scan = save_nifti(tmp_path / "a.nii.gz", phantom()[0])
    assert hooks.get_reader(str(scan)) is hooks.read


def test_without_a_window_it_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "net.keras").touch()
    assert hooks.get_reader(str(tmp_path / "net.keras")) is open_model
    with pytest.raises(FileProblem, match=r"net\.keras is a model"):
        open_model(str(tmp_path / "net.keras"))


def test_a_folder_of_several_models_gets_the_gates_sentence(
    qtbot: Any, viewer: Viewer, bench: Workbench, tmp_path: Path
) -> None:
    folder = tmp_path / "nets"
    folder.mkdir()
    for name in ("a.keras", "b.keras"):
        (folder / name).touch()
    drop(viewer, folder)
    panel = looked_at(qtbot, bench)
    assert "Choose one of its files: a.keras, b.keras" in panel.adding.ui.problem.text()
    assert not panel.adding.ui.trust.isVisible()


def test_of_two_that_are_dropped_one_is_taken_and_the_other_is_named(
    qtbot: Any, viewer: Viewer, bench: Workbench, network: Path
) -> None:
    other = Path(shutil.copy(network, network.with_name("b.keras")))
    drop(viewer, network, other)
    panel = looked_at(qtbot, bench)
    assert network.name in panel.adding.ui.about.toPlainText()
    assert "One at a time: drop b.keras again" in panel.adding.waits.text()
    assert hooks.get_reader([str(network), str(other)]) is open_model  # as one stack


@pytest.mark.parametrize(
    ("names", "ours"),
    [(("a.keras",), True), (("net.onnx", "read.me"), True), (("a.txt", "b.png"), False), ((), False)],
)
def test_a_folder_without_models_is_left_to_others(tmp_path: Path, names: tuple[str, ...], ours: bool) -> None:
    folder = tmp_path / "it"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    assert hooks.get_reader(str(folder)) is (open_model if ours else None)


def test_a_series_with_a_model_beside_it_is_still_a_series(tmp_path: Path) -> None:
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "net.keras").touch()
    assert hooks.get_reader(str(tmp_path)) is hooks.read
