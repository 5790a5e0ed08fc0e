"""A model comes in page by page, by clicks, with the real gate and a real engine; what is given up leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import psutil
import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.panels.adding import AddingPanel
from napari_vol3d.gui.panels.adding_ui import AGAIN, CARD, LOOK, TRUST, WAIT
from napari_vol3d.models.record import guesses_in
from napari_vol3d.models.store import Model, list_models
from napari_vol3d.models.trust import is_trusted

LEFT = Qt.MouseButton.LeftButton
LOOK_MS, RUN_MS = 30_000, 120_000  # TensorFlow wakes up on a busy machine


@pytest.fixture(autouse=True)
def own_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def network(shared_data: Path) -> Path:
    return shared_data / "models" / "meshnet_t1_gwm" / "model5_gw_ae_64patch.keras"


@pytest.fixture
def panel(qtbot: Any) -> Iterator[AddingPanel]:
    panel = AddingPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 800)
    panel.show()
    yield panel
    job = panel.job
    panel.let_go()
    if job is not None:
        qtbot.waitUntil(lambda: not job.running, timeout=RUN_MS)
    qtbot.waitUntil(lambda: not psutil.Process().children(), timeout=RUN_MS)  # of one that was given up before, too


def page(qtbot: Any, panel: AddingPanel, place: int, timeout: int = LOOK_MS) -> None:
    qtbot.waitUntil(lambda: panel.ui.currentIndex() == place, timeout=timeout)


def test_a_network_is_looked_at_trusted_looked_into_and_added(
    qtbot: Any, panel: AddingPanel, network: Path, own_models: Path
) -> None:
    panel.begin(network)
    page(qtbot, panel, LOOK)
    assert "Conv3D 10" in panel.ui.about.toPlainText()
    assert panel.ui.warning.text().startswith("A model is a program")
    assert panel.ui.trust.text() == TRUST
    assert panel.source is not None
    source = panel.source
    assert not is_trusted(source.sha256)
    assert not psutil.Process().children()  # nothing has been run
    qtbot.mouseClick(panel.ui.trust, LEFT)
    assert panel.ui.currentIndex() == WAIT
    page(qtbot, panel, CARD, RUN_MS)
    assert is_trusted(source.sha256)
    assert "takes any size" in panel.ui.changes.toPlainText()
    assert panel.ui.minimumSizeHint().width() <= 320
    assert panel.adoption is not None
    weights = panel.adoption.weights
    panel.ui.form.title.selectAll()
    qtbot.keyClicks(panel.ui.form.title, "Grey and white")
    (own_models / "grey-and-white-1.0").mkdir()  # by somebody else, meanwhile
    qtbot.mouseClick(panel.ui.add, LEFT)
    assert "is there already" in panel.ui.refused.text()
    panel.ui.form.version.selectAll()
    qtbot.keyClicks(panel.ui.form.version, "1.1")
    assert not panel.ui.refused.isVisible()
    with qtbot.waitSignal(panel.added) as told:
        qtbot.mouseClick(panel.ui.add, LEFT)
    (model,) = told.args
    assert isinstance(model, Model)
    assert model.folder == own_models / "grey-and-white-1.1"
    assert model in list_models()
    assert not weights.parent.exists()
    assert set(guesses_in(model.card)) >= {"channels", "intensity", "classes"}
    assert "title" not in guesses_in(model.card)  # it was typed


def test_what_is_trusted_is_not_asked_about_again(qtbot: Any, panel: AddingPanel, network: Path) -> None:
    panel.begin(network)
    page(qtbot, panel, LOOK)
    qtbot.mouseClick(panel.ui.trust, LEFT)
    qtbot.mouseClick(panel.ui.cancel, LEFT)
    page(qtbot, panel, LOOK, RUN_MS)
    assert panel.ui.trust.text() == AGAIN
    qtbot.waitUntil(lambda: not psutil.Process().children(), timeout=LOOK_MS)
    with qtbot.waitSignal(panel.left):
        qtbot.mouseClick(panel.ui.back, LEFT)
    panel.begin(network)
    qtbot.waitUntil(lambda: panel.source is not None, timeout=LOOK_MS)
    page(qtbot, panel, CARD, RUN_MS)
    assert panel.adoption is not None
    weights = panel.adoption.weights
    with qtbot.waitSignal(panel.left):
        qtbot.mouseClick(panel.ui.leave, LEFT)
    assert not weights.parent.exists()
    assert len(list_models()) == len([model for model in list_models() if model.origin == "bundled"])


@pytest.mark.parametrize(
    ("name", "word"), [("refuse/weights_only_2d.hdf5", "dimensions"), ("meshnet_t1_gwm/LICENSE", "LICENSE")]
)
def test_what_is_no_network_is_one_sentence(
    qtbot: Any, panel: AddingPanel, shared_data: Path, name: str, word: str
) -> None:
    panel.begin(shared_data / "models" / name)
    page(qtbot, panel, LOOK)
    assert word in panel.ui.problem.text()
    assert "Traceback" not in panel.ui.problem.text()
    assert not panel.ui.trust.isVisible()
    assert not panel.ui.warning.isVisible()
    with qtbot.waitSignal(panel.left):
        qtbot.mouseClick(panel.ui.back, LEFT)


def test_what_does_not_label_voxels_is_one_sentence(qtbot: Any, panel: AddingPanel, shared_data: Path) -> None:
    panel.begin(shared_data / "models" / "refuse" / "classifier_64.h5")
    page(qtbot, panel, LOOK)
    qtbot.mouseClick(panel.ui.trust, LEFT)
    qtbot.waitUntil(lambda: bool(panel.ui.problem.text()), timeout=RUN_MS)
    assert "1 number a scan" in panel.ui.problem.text()
    assert panel.ui.currentIndex() == LOOK
    assert not panel.ui.trust.isVisible()  # another look would end so, too
    assert not panel.busy


def test_weights_without_a_model_are_not_looked_into(qtbot: Any, panel: AddingPanel, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "net.weights.h5", "w") as file:  # as Keras 3 writes them
        file.create_group("layers/conv3d/vars")["0"] = np.zeros((3, 3, 3, 1, 8), np.float32)
        file.create_group("vars")
    panel.begin(tmp_path / "net.weights.h5")
    page(qtbot, panel, LOOK)
    assert "Weights without a model" in panel.ui.problem.text()
    assert not panel.ui.trust.isVisible()
    assert not panel.ui.warning.isVisible()
    assert not panel.busy


def test_what_is_dropped_meanwhile_is_named_until_this_one_is_done(
    qtbot: Any, panel: AddingPanel, network: Path
) -> None:
    panel.begin(network)
    assert panel.busy
    panel.decline(Path("b.keras"))
    page(qtbot, panel, LOOK)
    panel.decline(Path("c.keras"))
    assert panel.busy
    assert panel.waits.text().startswith("One at a time: drop b.keras, c.keras again")
    assert network.name in panel.ui.about.toPlainText()
    qtbot.mouseClick(panel.ui.back, LEFT)
    assert not panel.busy
    assert not panel.waits.isVisible()


def test_another_file_takes_the_place_of_the_first(
    qtbot: Any, panel: AddingPanel, network: Path, shared_data: Path
) -> None:
    left = []
    panel.left.connect(lambda: left.append(1))
    panel.begin(network)
    panel.begin(shared_data / "models" / "keras2_lesion_patch48" / "t2_ax_lesion.h5")
    page(qtbot, panel, LOOK)
    assert "t2_ax_lesion.h5" in panel.ui.about.toPlainText()
    assert not left


def test_letting_go_while_it_is_looked_into_leaves_no_process(
    qtbot: Any, panel: AddingPanel, network: Path
) -> None:
    panel.begin(network)
    page(qtbot, panel, LOOK)
    qtbot.mouseClick(panel.ui.trust, LEFT)
    qtbot.waitUntil(lambda: bool(psutil.Process().children()), timeout=LOOK_MS)
    panel.let_go()
    qtbot.waitUntil(lambda: not psutil.Process().children(), timeout=LOOK_MS)
