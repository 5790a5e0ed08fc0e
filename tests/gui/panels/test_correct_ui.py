"""Each state of the work has its look; what does not work at the moment is off and says why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import LayerList
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLabel

from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.correct.correctable import can_correct
from napari_vol3d.gui.forms.class_model import LOCK, ClassRow
from napari_vol3d.gui.forms.tool_grid import ToolEntry
from napari_vol3d.gui.panels.correct_ui import NEW_CLASS, NO_LABELS, NO_PREVIEW, NO_TOOL, PREVIEW, CorrectUi

TOOLS = [ToolEntry(name=name, title=name, tip=f"What {name} does") for name in ("Brush", "Smooth")]


@pytest.fixture
def layers() -> LayerList:
    return LayerList([Image(np.zeros((3, 4, 5)), name="scan")])


@pytest.fixture
def ui(qtbot: Any, layers: LayerList) -> CorrectUi:
    ui = CorrectUi(layers, can_correct, TOOLS)
    qtbot.addWidget(ui)
    ui.show()
    return ui


def test_only_labels_that_can_be_corrected_are_offered(ui: CorrectUi, layers: LayerList) -> None:
    assert ui.labels.value() is None
    layers.append(Labels(np.zeros((3, 4, 5), np.uint8), name="mine"))
    layers.append(Labels(np.zeros((4, 5), np.uint8), name="flat"))
    assert [ui.labels.itemText(k) for k in range(ui.labels.count())] == ["mine"]


def test_without_labels_all_is_off_and_the_way_on_is_said(ui: CorrectUi) -> None:
    ui.show_labels(there=False)
    for part in (ui.tools, ui.limits, ui.new_class, ui.classes, ui.history):
        assert not part.isEnabled()
        assert part.toolTip() == NO_LABELS
    assert {button.toolTip() for button in ui.tools.buttons.values()} == {NO_LABELS}
    assert ui.hint.text() == NO_LABELS
    ui.show_labels(there=True)
    for part in (ui.tools, ui.limits, ui.new_class, ui.classes, ui.history):
        assert part.isEnabled()
        assert part.toolTip() != NO_LABELS
    assert ui.new_class.toolTip() == NEW_CLASS
    assert ui.tools.buttons["Smooth"].toolTip() == "What Smooth does"
    assert ui.hint.text() == NO_TOOL


def test_apply_is_offered_for_a_tool_that_has_something_to_apply(ui: CorrectUi) -> None:
    for has_plan, chosen in ((False, False), (False, True), (True, True)):
        ui.show_tool(has_plan=has_plan, chosen=chosen)
        assert ui.apply.isVisible() == ui.preview.isVisible() == ui.cancel.isVisible() == has_plan
        assert ui.hint.isVisible() != chosen


def test_a_tool_without_a_preview_offers_none_and_says_why(ui: CorrectUi) -> None:
    ui.show_tool(has_plan=True, chosen=True, previews=False)
    assert not ui.preview.isEnabled()
    assert ui.preview.toolTip() == NO_PREVIEW
    ui.show_tool(has_plan=True, chosen=True)
    assert ui.preview.isEnabled()
    assert ui.preview.toolTip() == PREVIEW


def test_what_is_computed_can_be_given_up_and_shows_how_far_it_is(ui: CorrectUi) -> None:
    ui.show_tool(has_plan=True, chosen=True)
    assert not ui.cancel.isEnabled()
    assert ui.cancel.toolTip() == "Nothing is being computed"
    assert not ui.bar.isVisible()
    ui.show_busy(True)
    assert ui.cancel.isEnabled()
    assert ui.bar.isVisible()
    ui.show_progress(Progress(phase="Smoothing"))
    assert ui.said.text() == "Smoothing ..."
    assert ui.bar.maximum() == 0  # nobody knows how long
    ui.show_progress(Progress(phase="Smoothing", done=3, total=4, seconds=36.0))
    assert (ui.bar.value(), ui.bar.maximum()) == (3, 4)
    assert ui.said.text() == "Smoothing, 12 s left"
    ui.show_busy(False)
    assert not ui.cancel.isEnabled()
    assert not ui.bar.isVisible()


def test_a_sentence_moves_nothing_away_under_the_mouse(ui: CorrectUi) -> None:
    QApplication.processEvents()
    place = ui.history.pos()
    ui.say("Nothing would change.")
    QApplication.processEvents()
    assert ui.said.isVisible()
    assert ui.history.pos() == place
    ui.say("")
    ui.classes.set_rows([ClassRow(id=i, name=f"part {i}", color="#e69f00") for i in range(1, 9)])
    QApplication.processEvents()
    assert ui.history.pos() == place


@pytest.mark.parametrize("folded", [False, True])
def test_a_section_stands_below_the_others_and_is_folded_as_asked(ui: CorrectUi, folded: bool) -> None:
    first, second = QLabel("first"), QLabel("second")
    sections = [ui.add_section(part.text(), part, folded=folded) for part in (first, second)]
    ui.resize(320, 1200)
    QApplication.processEvents()
    assert [section.isExpanded() for section in sections] == [not folded] * 2
    assert (sections[0].content().height() == 0) == folded
    assert ui.history.y() < sections[0].y() < sections[1].y()


def test_classes_have_locks_and_all_fits_the_dock(ui: CorrectUi) -> None:
    assert not ui.classes.view.isColumnHidden(LOCK)
    ui.show_tool(has_plan=True, chosen=False)
    ui.show_labels(there=False)
    ui.say("A sentence that is much longer than the dock is wide, as names of classes and of files may well be.")
    assert ui.minimumSizeHint().width() <= 320
    assert ui.hint.wordWrap()
    assert ui.hint.textFormat() != Qt.TextFormat.RichText  # a name of a class may look like HTML
