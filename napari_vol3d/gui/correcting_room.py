"""The correcting desk with everything that belongs to it, put together for one viewer.

Loads the database of the journal: import it when there is something to correct or to recover.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import napari
from napari.layers import Labels
from napari.settings import get_plugin_settings
from qtpy.QtCore import QObject, Signal

from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.book import Book
from napari_vol3d.gui.correct.box_frame import BoxFrame
from napari_vol3d.gui.correct.channels import Channels, open_scans
from napari_vol3d.gui.correct.closing import Closing
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.hand import Hand as ToolHand
from napari_vol3d.gui.correct.keys import Hand, keys_of
from napari_vol3d.gui.correct.marks import Marks
from napari_vol3d.gui.correct.recovering import Recovering
from napari_vol3d.gui.correct.shortcuts import REDO, UNDO, Shortcuts
from napari_vol3d.gui.correct.tool import Tool
from napari_vol3d.gui.correct.tools.brush import BallBrush, Eraser
from napari_vol3d.gui.correct.tools.copy import CopyFrom
from napari_vol3d.gui.correct.tools.edges import MoveEdge
from napari_vol3d.gui.correct.tools.fill_between import FillBetween
from napari_vol3d.gui.correct.tools.islands import Islands
from napari_vol3d.gui.correct.tools.painting import PaintingTool
from napari_vol3d.gui.correct.tools.pick import PickClass
from napari_vol3d.gui.correct.tools.predict_here import PredictHere
from napari_vol3d.gui.correct.tools.probability import Probabilities
from napari_vol3d.gui.correct.tools.relabel import Relabel
from napari_vol3d.gui.correct.tools.scissors import Scissors
from napari_vol3d.gui.correct.tools.seeds import GrowFromSeeds
from napari_vol3d.gui.correct.tools.smooth import Smooth
from napari_vol3d.gui.correct.tools.split import SplitObject
from napari_vol3d.gui.correct.tools.threshold import ThresholdBrush
from napari_vol3d.gui.correct.unchecked import Unchecked
from napari_vol3d.gui.correct.unchecked_sign import UncheckedSign
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.forms.key_table import KeyTable
from napari_vol3d.gui.panels.correct import CorrectPanel
from napari_vol3d.gui.panels.objects import ObjectsPanel
from napari_vol3d.gui.panels.segment import SegmentPanel
from napari_vol3d.gui.reading_room import ReadingRoom
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.settings import SegmentSettings

PLUGIN = "napari-vol3d"
OTHER_KEYS = {
    "[  ]": "brush smaller, larger", "Ctrl": "held at the press: erase", UNDO: "undo", REDO: "redo",
    "Return": "apply the tool", "Escape": "give the stroke up; put the tool down",
    "2 3 4": "napari's own brush, polygon, fill",
}  # fmt: skip


class CorrectingRoom(QObject):
    """Desk, tools, panel, keys.

    Attributes
    ----------
    desk : Desk
    panel : CorrectPanel
        The tab.
    recovering : Recovering
    """

    toolTaken = Signal()

    def __init__(
        self, viewer: napari.Viewer, reading: ReadingRoom, segment: SegmentPanel, keeper: EngineKeeper
    ) -> None:  # fmt: skip
        super().__init__()
        self._viewer = viewer = getattr(viewer, "__wrapped__", viewer)
        self._bench, self._segment = reading.bench, segment
        self.desk = Desk(viewer, reading.bench)
        self.unchecked = Unchecked.of(self.desk)
        self._predict = PredictHere(keeper, self._model, self._model_settings, self._channels)
        self.panel = CorrectPanel(self.desk, reading.classes, self._make_tools())
        self.objects = ObjectsPanel(self.desk)
        self.keys = KeyTable()
        self.recovering = Recovering(self.desk, self)
        self._being_saved: dict[Labels, tuple[Book, str | None]] = {}
        self._closing = Closing(viewer, self.desk)
        self._settings = get_plugin_settings(PLUGIN).correcting
        self._shortcuts = Shortcuts(viewer, self._settings.hand)
        self.panel.ui.add_section("Objects", self.objects, folded=True)
        self.panel.ui.add_section("Keys", self.keys, folded=True)
        self._furniture = self._hand, self._unchecked_sign, self._box_frame, self._marks
        for factory in self._furniture:
            reading.bench.furnish(factory)
        self._brushes = [tool for tool in self.panel.tools.values() if isinstance(tool, PaintingTool)]
        self._connect()
        self._show_keys()

    def let_go(self) -> None:
        """Leave the viewer as it was; what was corrected is on the disk."""
        findings = self._segment.findings
        findings.runBegun.disconnect(self.desk.follow_run)
        findings.savingBegun.disconnect(self._saving)
        findings.saved.disconnect(self._saved)
        for factory in self._furniture:  # a view that closes under the mouse would tell the desk that it is looked at
            self._bench.strip(factory)
        self._closing.let_go()
        self.recovering.let_go()
        self._shortcuts.let_go()
        self.objects.let_go()
        self.panel.let_go()
        self.unchecked.let_go()
        self.desk.let_go()

    def _make_tools(self) -> Sequence[Tool]:
        return (
            BallBrush(), Eraser(), ThresholdBrush(), PickClass(), Scissors(), FillBetween(), GrowFromSeeds(), Smooth(),
            MoveEdge(), Islands(), SplitObject(), Relabel(), CopyFrom(),
            self._predict, Probabilities(),
        )  # fmt: skip

    def _connect(self) -> None:
        self._shortcuts.toolAsked.connect(self.panel.take)
        self._shortcuts.undoAsked.connect(self.panel.undo)
        self._shortcuts.redoAsked.connect(self.panel.redo)
        self.panel.toolTaken.connect(self.toolTaken)
        self.keys.valueChanged.connect(self._set_hand)
        for brush in self._brushes:
            brush.size_form.valueChanged.connect(self._share_size)
        findings = self._segment.findings
        findings.runBegun.connect(self.desk.follow_run)
        for saver in (findings, self.panel.keeping):
            saver.savingBegun.connect(self._saving)
            saver.saved.connect(self._saved)

    def _model(self) -> Model | None:
        return self._segment.model

    def _model_settings(self) -> SegmentSettings:
        return self._segment.settings

    def _channels(self) -> Channels:
        ui, form = self._segment.ui, self._segment.ui.channels
        return Channels(
            scan=ui.scan.value(), names=form.names, layers=form.value(), open=open_scans(self._viewer.layers)
        )

    def _saving(self, layer: Labels) -> None:
        """Know what is being saved: a person may correct on meanwhile."""
        record = self.desk.record_of(layer)
        if record is not None:
            record.settle()
            self._being_saved[layer] = record.book, record.history.cursor

    def _saved(self, layer: Labels, path: Path) -> None:
        """Note it in the journal, also of labels that were taken away meanwhile."""
        if layer in self._being_saved:
            book, cursor = self._being_saved.pop(layer)
            book.mark_saved(Path(path), at=cursor)

    def _share_size(self, size: float) -> None:
        """Give all brushes the size of one: who turns to the eraser means to erase as large."""
        for brush in self._brushes:
            if brush.size_form.value() != size:
                brush.size_form.setValue(size)

    def _set_hand(self, hand: Hand) -> None:
        self._settings.hand = hand
        self._shortcuts.set_hand(hand)
        self._show_keys()

    def _show_keys(self) -> None:
        hand = self._settings.hand
        keys = keys_of(hand)
        self.keys.setValue(hand)
        self.keys.set_keys({keys[name]: tool.title for name, tool in self.panel.tools.items()} | OTHER_KEYS)
        self.panel.ui.tools.set_keys(keys)

    def _hand(self, view: View) -> ToolHand:
        return ToolHand(view, self.desk)

    def _box_frame(self, view: View) -> BoxFrame:
        return BoxFrame(view, self._predict)

    def _marks(self, view: View) -> Marks:
        return Marks(view, self.desk)

    def _unchecked_sign(self, view: View) -> UncheckedSign:
        return UncheckedSign(view, self.desk, self.unchecked)
