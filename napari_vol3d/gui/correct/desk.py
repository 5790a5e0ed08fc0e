"""What is corrected in one viewer: the labels that are chosen, the limits of all tools, the tool in hand.

layer -> Record (shadow, history, Book) -> Ledger (journal)
mouse -> Hand -> MouseTool -> Record.draw ... Record.finish
Apply -> Tool.plan(Task) -> a thread -> Edit -> Record.do
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.edits import Edit
from napari_vol3d.correct.limits import Held, Limits
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.book import Book
from napari_vol3d.gui.correct.capture import Capture
from napari_vol3d.gui.correct.correctable import made_unsigned, why_not
from napari_vol3d.gui.correct.kept import keep, resumed
from napari_vol3d.gui.correct.ledger import Enter, Ledger, enter_alone
from napari_vol3d.gui.correct.looking import box_in_view, cut_axis, on_grid, slice_index, voxel_at
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Task, Tool
from napari_vol3d.gui.label_looks import names_in
from napari_vol3d.gui.layers import finest, is_preview, source_of
from napari_vol3d.gui.overlay import Overlay

Range = tuple[float, float]


class Desk(QObject):
    """Puts every labels layer that is chosen under correction, and keeps it there until it is taken away.

    Attributes
    ----------
    viewer : Viewer
    bench : Bench
    view : View
        The one that the mouse was in last.
    why_none : str
        Why the labels that are chosen can't be corrected.
    """

    recordChanged = Signal()
    changed = Signal()
    toolChanged = Signal()
    limitsChanged = Signal()
    said = Signal(str)
    applyAsked = Signal()

    def __init__(self, viewer: napari.Viewer, bench: Bench) -> None:
        super().__init__()
        self.viewer, self.bench, self.why_none = viewer, bench, ""
        self.view: View = bench.views[0]
        self._records: dict[Labels, tuple[Record, Capture]] = {}
        self._ledgers: dict[Path, Ledger] = {}
        self._overlays: dict[Labels, Overlay] = {}
        self._record: Record | None = None
        self._tool: Tool | None = None
        self._inside: frozenset[int] | None = None
        self._intensity: Range | None = None
        layers = viewer.layers
        self._signals = (
            (layers.selection.events.active, self._follow), (layers.events.removed, self._removed),
            (bench.changed, self._views_changed),
        )  # fmt: skip
        for signal, slot in self._signals:
            signal.connect(slot)
        self._follow()

    def let_go(self) -> None:
        """Leave the viewer; all that was corrected is written."""
        for signal, slot in self._signals:
            signal.disconnect(slot)
        self.choose(None)
        for layer in list(self._records):
            self._drop(layer)
        for ledger in self._ledgers.values():
            ledger.close()
        self._ledgers.clear()
        self._overlays.clear()
        del self.view  # whoever holds the desk shall not hold napari's canvas

    # ---- labels -----------------------------------------------------------------------------------------------------

    @property
    def record(self) -> Record | None:
        """Of the labels that are chosen, else of those that were chosen last."""
        return self._record

    def record_of(self, layer: Layer) -> Record | None:
        """Give the record of a layer that is under correction."""
        entry = self._records.get(layer) if isinstance(layer, Labels) else None
        return None if entry is None else entry[0]

    @property
    def records(self) -> tuple[Record, ...]:
        """All that are under correction."""
        return tuple(record for record, _ in self._records.values())

    @property
    def ledgers(self) -> tuple[Ledger, ...]:
        """The journals that are written."""
        return tuple(self._ledgers.values())

    def ledger_of(self, path: Path, enter: Enter = enter_alone) -> Ledger:
        """Give the ledger of a journal; `enter` opens it, where it is not open yet."""
        if path not in self._ledgers:
            self._ledgers[path] = Ledger(path, self, enter=enter)
        return self._ledgers[path]

    def take(self, layer: Labels) -> Record:
        """Put a layer under correction."""
        found = self.record_of(layer)
        if found is not None:
            return found
        known = resumed(self.viewer, layer, self.ledger_of)
        return self.adopt(self._begun(layer) if known is None else known)

    def adopt(self, record: Record) -> Record:
        """Have a record that was made elsewhere, from a journal."""
        record.setParent(self)
        capture = Capture(self.bench, record)
        capture.reshaped.connect(self._reshaped)
        self._records[record.layer] = record, capture
        record.changed.connect(self._on_changed)
        record.locksChanged.connect(self.limitsChanged)
        overlay = self._overlays.get(record.layer)
        if overlay is not None:
            self._join(overlay, record)
        self._follow()
        return record

    def follow_run(self, overlay: Overlay) -> None:
        """Know of a prediction that begins to fill a layer: what it writes is no correction."""
        self._overlays = {overlay.layer: overlay}  # one runs at a time
        record = self.record_of(overlay.layer)
        if record is not None:
            self._join(overlay, record)

    # ---- limits -----------------------------------------------------------------------------------------------------

    @property
    def inside(self) -> frozenset[int] | None:
        """Only voxels of these classes change; None: of any."""
        return self._inside

    @inside.setter
    def inside(self, class_ids: frozenset[int] | None) -> None:
        if class_ids != self._inside:
            self._inside = class_ids
            self.limitsChanged.emit()

    @property
    def intensity(self) -> Range | None:
        """Only voxels change whose value lies in this range."""
        return self._intensity

    @intensity.setter
    def intensity(self, limits: Range | None) -> None:
        if limits != self._intensity:
            self._intensity = limits
            self.limitsChanged.emit()

    @property
    def limits(self) -> Limits:
        """All of them."""
        locked = frozenset() if self._record is None else self._record.locked
        return Limits(inside=self._inside, locked=locked, intensity=self._intensity)

    @property
    def image(self) -> Image | None:
        """The scan on the grid of the labels, the topmost that is seen; None where there is none."""
        return None if self._record is None else self._scan_under(self._record.layer)

    def values(self) -> Any:
        """Give the voxels (Z, Y, X) of the scan, in memory or lazy, of the time point shown; None without a scan."""
        image, record = self.image, self._record
        if image is None or record is None:
            return None
        return finest(image) if image.ndim == 3 else finest(image)[record.frame]

    # ---- tools ------------------------------------------------------------------------------------------------------

    @property
    def tool(self) -> Tool | None:
        """The tool in hand."""
        return self._tool

    def choose(self, tool: Tool | None) -> None:
        """Take a tool in hand, or (None) put it down."""
        if tool is self._tool:
            return
        if self._tool is not None:
            self._tool.ended()
        self._tool = tool
        if tool is not None:
            tool.begun(self)
        self.toolChanged.emit()

    def task(self, view: View | None = None) -> Task | None:
        """Say what a tool would work on now; None without labels."""
        record = self._record
        if record is None:
            return None
        shown = view if view is not None else self.view
        axis = cut_axis(shown)
        held = Held(limits=self.limits)
        values = self.values()
        if values is not None:
            held["image"] = values
        return Task(
            labels=record.labels, class_id=int(record.layer.selected_label), names=names_in(record.layer),
            spacing=record.spacing, unit=record.unit, axis=axis, index=slice_index(shown, record),
            point=voxel_at(record, self.bench.point), in_view=box_in_view(shown, record), held=held,
            corrected=record.corrected,
        )  # fmt: skip

    def do(self, edit: Edit, *, by_model: bool = False) -> None:
        """Apply an edit to the labels that are chosen, where there are some."""
        if self._record is not None:
            self._record.do(edit, by_model=by_model)

    def say(self, sentence: str) -> None:
        """Show one sentence."""
        self.said.emit(sentence)

    # ---- within -----------------------------------------------------------------------------------------------------

    def _follow(self, event: object = None) -> None:
        active = self.viewer.layers.selection.active
        if isinstance(active, Labels) and not is_preview(active):
            # Where they can't be corrected nothing else is: a stroke would go into labels that nobody looks at.
            self._set(self._taken(active))
        elif self._record is None and self._records:
            self._set(next(iter(self._records.values()))[0])

    def _begun(self, layer: Labels) -> Record:
        scan = self._scan_under(layer)
        return Record(self.viewer, layer, Book(layer, self.ledger_of, scan=None if scan is None else source_of(scan)))

    def _taken(self, layer: Labels) -> Record | None:
        """Give the record of labels; None, and why, where they can't be corrected."""
        found, why = self.record_of(layer), why_not(layer)
        if found is None and not why and not made_unsigned(layer):
            why = f"{layer.name} can't be corrected: some of its ids are negative. Relabel them first."
        if why != self.why_none:
            self.why_none = why
            self.recordChanged.emit()
            self.say(why)
        return found if found is not None or why else self.take(layer)

    def _scan_under(self, labels: Labels) -> Image | None:
        fitting = [layer for layer in self.viewer.layers if on_grid(layer, labels)]
        seen = [layer for layer in fitting if layer.visible]
        return (seen or fitting or [None])[-1]

    def _set(self, record: Record | None) -> None:
        if record is not self._record:
            self._record = record
            self.recordChanged.emit()
            self.changed.emit()

    def _removed(self, event: Any) -> None:
        if event.value in self._records:
            self._drop(event.value)
        self._overlays.pop(event.value, None)

    def _drop(self, layer: Labels) -> None:
        record, capture = self._records.pop(layer)
        capture.let_go()
        record.let_go()
        record.book.let_go()
        keep(record)
        if record is self._record:
            self._set(self.records[-1] if self._records else None)
        record.deleteLater()

    def _reshaped(self) -> None:
        """Begin anew with labels that were exchanged for others, in the same layer."""
        for layer in [each for each, (record, _) in self._records.items() if each.data.shape != record.shadow.shape]:
            self._drop(layer)
        self._follow()

    def _views_changed(self) -> None:
        if self.view not in self.bench.views:
            self.view = self.bench.views[0]

    def _on_changed(self) -> None:
        if self.sender() is self._record:
            self.changed.emit()

    def _join(self, overlay: Overlay, record: Record) -> None:
        overlay.guard = lambda: record.touched.mask
        overlay.wrote.connect(record.absorb)
