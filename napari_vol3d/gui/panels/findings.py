"""What was found in the chosen scan: the words for it, the way to it, and saving it."""

from __future__ import annotations

from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import QObject, Signal

from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import is_preview
from napari_vol3d.gui.overlay import Overlay
from napari_vol3d.gui.panels.segment_ui import SegmentUi
from napari_vol3d.gui.panels.segment_words import CORRECT
from napari_vol3d.gui.region import go_to_largest
from napari_vol3d.gui.saving import ask_and_save
from napari_vol3d.gui.shelf import Shelf


class Findings(QObject):
    """Keeps the result and the Save button with the scan that is chosen: they never speak of another one."""

    runBegun = Signal(object)  # the Overlay that fills a layer
    found = Signal(object, object)  # the scan's layer, and that of the labels that a run has finished
    correctAsked = Signal()
    savingBegun = Signal(object)  # the labels layer, as it is now
    saved = Signal(object, object)  # the layer, and the file that it is in now

    def __init__(self, viewer: Viewer, ui: SegmentUi, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._ui = viewer, ui
        self._shelf = Shelf(viewer.layers)
        self._scan: Image | None = None
        self._picked: Labels | None = None  # the labels selected since the scan was chosen
        self._offered: Labels | None = None  # what the Save button names
        self._saving: Job | None = None
        self._saved_layer: Labels | None = None
        self._running = False
        ui.scan.valueChanged.connect(self._follow_scan)
        ui.save.clicked.connect(self.save)
        ui.result.linkActivated.connect(self._go)
        for event in (viewer.layers.events.removed, viewer.layers.events.renamed):
            event.connect(self._follow_layers)
        viewer.layers.selection.events.active.connect(self._follow_selection)
        self._follow_scan()
        self._follow_selection()

    def begin(self, scan: Image, labels: Labels, overlay: Overlay) -> None:
        """Note that a run over `scan` fills `labels`; until `show`, the result's place is the run's."""
        self._running = True
        self._shelf.begin(scan, labels)
        self.runBegun.emit(overlay)

    def finish(self, scan: Image, labels: Labels, text: str) -> None:
        """Note what a run found, in words."""
        self._shelf.finish(scan, labels, text)
        self._ui.say("")
        if scan is not self._scan:
            self._picked = None  # the run has selected its labels, but the person is at another scan
            self._ui.say(f"{scan.name} is done. Choose it under Scan to see what was found.")
        self.found.emit(scan, labels)

    def show(self) -> None:
        """Show what the last run found in the chosen scan, and name what Save would save."""
        self._running = False
        self._follow_layers()

    def save(self) -> None:
        """Save the labels that the button names."""
        # One after the other: two savings to one file could end in the older one.
        if self._offered is not None and (self._saving is None or not self._saving.running):
            layer = self._offered
            self._saving = ask_and_save(self._ui, layer, self._ui.say)
            if self._saving is not None:
                self._saved_layer = layer
                self._saving.succeeded.connect(self._on_saved)
                self.savingBegun.emit(layer)

    def _on_saved(self, path: object) -> None:
        self.saved.emit(self._saved_layer, path)

    def let_go(self) -> None:
        """Let go of the viewer."""
        for event in (self._viewer.layers.events.removed, self._viewer.layers.events.renamed):
            event.disconnect(self._follow_layers)
        self._viewer.layers.selection.events.active.disconnect(self._follow_selection)

    def _follow_scan(self) -> None:
        if self._ui.scan.value() is not self._scan:  # not only the list of layers that changed
            self._scan, self._picked = self._ui.scan.value(), None
            self._follow_layers()

    def _follow_selection(self, event: object = None) -> None:
        active = self._viewer.layers.selection.active
        if active is not None and is_preview(active):
            return
        self._picked = active if isinstance(active, Labels) else None
        self._offer()

    def _follow_layers(self, event: object = None) -> None:
        if not self._running:
            found = self._shelf.finding(self._scan)
            self._ui.show_result("" if found is None else found.text)
        self._offer()

    def _offer(self) -> None:
        self._offered = self._shelf.to_save(self._scan, self._picked)
        self._ui.offer_save(None if self._offered is None else self._offered.name)

    def _go(self, link: str) -> None:
        if link == CORRECT:
            self.correctAsked.emit()
            return
        found = self._shelf.finding(self._scan)
        if found is not None:
            go_to_largest(self._viewer, found.labels)
