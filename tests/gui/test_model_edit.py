"""In a real window: a card is edited in the tab Models, Segment shows it at once, and the next run goes by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from napari import Viewer
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.forms.class_table import ID, NAME
from napari_vol3d.gui.panels.models import EDIT, LIST
from napari_vol3d.gui.workbench import MINIMUM_WIDTH, Workbench
from napari_vol3d.models.library import add_model
from napari_vol3d.models.record import guesses_in, keep_guesses
from napari_vol3d.models.store import Model, find_model, list_models
from tests.gui.conftest import PLUGIN, drop, press_segment
from tests.gui.panels.test_editing import type_in_cell, type_over

LEFT = Qt.MouseButton.LeftButton
LOOK_MS = 30_000


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Model:
    """A person's model, some of whose card was guessed."""
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    bundled = list_models()[0]
    model = add_model(bundled.weights, bundled.card.model_copy(update={"name": "mine", "title": "Mine"}))
    keep_guesses(model.card, ("classes",))
    return model


def begin(qtbot: Any, bench: Workbench, model: Model) -> None:
    qtbot.mouseClick(bench.segment.ui.models, LEFT)
    bench.models().ui.list.setValue(str(model.folder))
    qtbot.mouseClick(bench.models().ui.edit, LEFT)
    assert bench.models().pages.currentIndex() == EDIT
    QApplication.processEvents()


def ids(viewer: Viewer) -> set[int]:
    labels = [layer for layer in viewer.layers if isinstance(layer, Labels)][-1]
    return set(np.unique(labels.data).tolist()) - {0}


def test_segment_shows_a_saved_card_at_once_and_goes_by_it(
    qtbot: Any, viewer: Viewer, bench: Workbench, own: Model
) -> None:
    viewer.open_sample(PLUGIN, "hippocampus")
    bench.segment.choose_model("mine")
    press_segment(qtbot, bench)
    assert ids(viewer) == {1, 2}
    engine = {process.pid for process in psutil.Process().children()}
    begin(qtbot, bench, own)
    panel = bench.models().editing
    assert "guess" in panel.ui.form._labels["classes"].text()
    table = panel.ui.form.classes
    type_in_cell(qtbot, table, (0, NAME), "head & <neck>")
    type_in_cell(qtbot, table, (0, ID), "5")
    assert "figures" in panel.ui.loses.text()  # they were of the old ids
    assert bench.minimumSizeHint().width() <= MINIMUM_WIDTH
    qtbot.mouseClick(panel.ui.save, LEFT)
    models = bench.models()
    assert models.pages.currentIndex() == LIST
    assert models.model is not None
    assert models.model.folder == own.folder
    assert "head & <neck>" in models.ui.card.toPlainText()
    assert not models.ui.guesses.isVisible()
    assert models.ui.said.text() == "Saved the card of Mine 1.0"
    assert bench.segment.model == models.model
    qtbot.waitUntil(lambda: "head &amp; &lt;neck&gt;" in bench.segment.ui.model_line.text(), timeout=LOOK_MS)
    bench.show_tab(bench.segment)
    press_segment(qtbot, bench)
    assert ids(viewer) == {2, 5}
    assert engine == {process.pid for process in psutil.Process().children()}  # it is the engine that ran before


def test_what_is_a_guess_is_told_and_cancel_leads_back(qtbot: Any, bench: Workbench, own: Model) -> None:
    begin(qtbot, bench, own)
    qtbot.mouseClick(bench.models().editing.ui.cancel, LEFT)
    assert bench.models().pages.currentIndex() == LIST
    assert "classes" in bench.models().ui.guesses.text()
    assert bench.models().ui.guesses.isVisible()
    assert guesses_in(find_model("mine").card) == ("classes",)


def test_a_dropped_model_waits_for_what_is_typed(
    qtbot: Any, viewer: Viewer, bench: Workbench, own: Model, shared_data: Path
) -> None:
    begin(qtbot, bench, own)
    panel = bench.models().editing
    type_over(qtbot, panel.ui.form.title, "Typed")
    drop(viewer, shared_data / "models" / "refuse" / "weights_only_2d.hdf5")
    assert bench.models().pages.currentIndex() == EDIT
    assert "drop weights_only_2d.hdf5 again" in panel.ui.waits.text()
    qtbot.mouseClick(panel.ui.save, LEFT)
    assert find_model("mine").card.title == "Typed"
