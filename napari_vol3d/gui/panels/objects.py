"""The objects of the labels under correction: found, listed, gone to, deleted, given to other classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari.layers import Labels
from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.object_table import Ints
from napari_vol3d.gui.bench.under import geometry_under
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.forms.class_model import ClassRow
from napari_vol3d.gui.forms.object_model import NONE, Listed
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.label_looks import give_name, names_in
from napari_vol3d.gui.panels.class_color import ClassColor
from napari_vol3d.gui.panels.object_change import ObjectChange
from napari_vol3d.gui.panels.object_looks import look_of, recolor, toggle
from napari_vol3d.gui.panels.object_saving import ask_and_save
from napari_vol3d.gui.panels.object_search import FoundObjects, ObjectSearch
from napari_vol3d.gui.panels.objects_ui import NO_LABELS, ObjectsUi

SOON_MS = 300  # after the last change
AT_ONCE = 1.0  # seconds: what took less is found anew without being asked for
FEW_VOXELS = 1 << 24  # take less than that, mostly
CHANGED = "The labels have changed. Find objects again."
ASK = "Press Find objects to list what hangs together."


class ObjectsPanel(QWidget):
    """Joins the table of objects with the labels that are chosen.

    Objects are looked for when that takes no time, else when a person asks for it; until then the table says that it
    is of before, objects can be gone to, and none can be changed.
    """

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._record: Record | None = None
        self._found: FoundObjects | None = None
        self._stale = False
        self._ours: tuple[Record, int] | None = None  # where the history stands after a change of ours
        self._saving: Job | None = None
        self._events: list[tuple[Any, Any]] = []
        self.ui = ObjectsUi()
        self.search, self.change, self.color = ObjectSearch(self), ObjectChange(self), ClassColor(self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self._find_quickly)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.ui)
        self._connect()
        self._show_state()
        self._follow_record()

    def let_go(self) -> None:
        """Let go of the desk and the viewer; whatever is looked for stops."""
        self._soon.stop()
        self._attach(None)
        for signal, slot in self._signals():
            signal.disconnect(slot)
        self.search.stop()
        self.change.let_go()
        self.color.let_go()

    @property
    def found(self) -> FoundObjects | None:
        """What is listed."""
        return self._found

    @property
    def stale(self) -> bool:
        """Whether the labels have changed since."""
        return self._stale

    def find(self, *_: object) -> None:
        """Look for the objects of the labels as they are now."""
        record = self._record
        if record is None:
            return
        self._soon.stop()
        image = self._desk.image
        name = "" if image is None else image.name
        self._stale = False  # a change from now on makes it so again
        self.search.look(record, geometry_under(record.layer), values=self._desk.values(), image=name)

    def showEvent(self, event: QShowEvent) -> None:
        """Find what has changed while nobody looked."""
        super().showEvent(event)
        self._soon.start()

    # ---- following --------------------------------------------------------------------------------------------------

    def _signals(self) -> tuple[tuple[Any, Any], ...]:
        return (
            (self._desk.recordChanged, self._follow_record), (self._desk.changed, self._follow_history),
            (self._desk.viewer.dims.events.current_step, self._follow_frame),
        )  # fmt: skip

    def _connect(self) -> None:
        ui, objects = self.ui, self.ui.list
        for signal, slot in (
            *self._signals(), (ui.find.clicked, self.find), (ui.cancel.clicked, self._cancel),
            (ui.save.clicked, self._save), (self.search.found, self._take), (self.search.failed, self._tell_problem),
            (self.search.progressed, ui.show_progress), (self.search.busyChanged, self._show_state),
            (self.change.ready, self._apply), (self.change.said, self._desk.say), (self.color.chosen, self._recolor),
            (objects.jumpAsked, self._go), (objects.deleteAsked, self._delete), (objects.moveAsked, self._move),
            (objects.hideAsked, self._hide), (objects.recolorAsked, self._ask_color),
            (objects.renameAsked, self._rename),
        ):  # fmt: skip
            signal.connect(slot)

    def _follow_record(self) -> None:
        record = self._desk.record
        if record is self._record:
            return
        self.search.stop()
        self.color.let_go()
        self._attach(record)
        self._found, self._stale = None, False
        self.ui.list.set_listed(None)
        self._show_looks()
        self._show_state()
        self._soon.start()

    def _attach(self, record: Record | None) -> None:
        for event, slot in self._events:
            event.disconnect(slot)
        self._record, self._events = record, []
        if record is not None:
            events = record.layer.events
            self._events = [
                (events.features, self._show_looks), (events.colormap, self._show_looks),
                (events.selected_label, self._show_state),
            ]  # fmt: skip
        for event, slot in self._events:
            event.connect(slot)

    def _follow_history(self) -> None:
        record = self._record
        if record is None or (self._found is None and not self.search.busy):
            self._soon.start()
            return
        if self._ours == (record, record.history.at):
            return  # the table is changed as the labels were
        self._stale, self._ours = True, None
        self._show_state()
        self._soon.start()

    def _follow_frame(self, event: object = None) -> None:
        if self._found is not None and self._record is not None and self._record.frame != self._found.frame:
            self._stale = True
            self._show_state()
            self._soon.start()

    def _find_quickly(self) -> None:
        """Look for objects without being asked to, where that takes no time."""
        record, found = self._record, self._found
        if record is None or not self.isVisible() or (found is not None and not self._stale):
            return
        quick = found.seconds < AT_ONCE if found is not None else record.labels.size <= FEW_VOXELS
        if quick and not record.drawing:
            self.find()

    # ---- showing ----------------------------------------------------------------------------------------------------

    def _take(self, found: FoundObjects) -> None:
        if found.record is not self._record:
            return
        self._found = found
        self._list()
        self._show_state()
        if self._stale:  # painted on meanwhile
            self._soon.start()

    def _list(self) -> None:
        found = self._found
        if found is not None:
            self._show_looks()
            self.ui.list.set_listed(Listed(table=found.table, geometry=found.geometry, image=found.image))

    def _show_looks(self, event: object = None) -> None:
        self.ui.list.set_looks(self._look, {} if self._record is None else names_in(self._record.layer))
        self._show_state()

    def _look(self, class_id: int) -> ClassRow:
        if self._record is None:
            return ClassRow(id=class_id, name=f"class {class_id}", color="#808080")
        return look_of(self._record.layer, class_id)

    def _show_state(self, event: object = None) -> None:
        record, busy = self._record, self.search.busy
        self.ui.show_state(labels=record is not None, objects=self._found is not None, busy=busy)
        target = 0 if record is None else int(record.layer.selected_label)
        name = "" if record is None or not target else record.name_of(target)
        stale = CHANGED if self._stale else ""
        self.ui.list.set_target(name, why_not=stale)
        self.ui.say("" if busy else NO_LABELS if record is None else ASK if self._found is None else stale)

    def _tell_problem(self, problem: Vol3dError) -> None:
        self._desk.say(str(problem))

    def _cancel(self, *_: object) -> None:
        self._stale = True  # nobody knows
        self.search.stop()
        self._show_state()

    # ---- doing ------------------------------------------------------------------------------------------------------

    def _go(self, row: int) -> None:
        found = self._found
        if found is None:
            return
        layer = found.record.layer
        leading = (found.frame,) * (layer.ndim - 3)
        world = tuple(float(v) for v in layer.data_to_world((*leading, *found.table.inner[row].tolist())))
        here = tuple(self._desk.bench.point)  # along axes that the labels lack one stays where one is
        self._desk.bench.go_to((*here[: len(here) - len(world)], *world))

    def _delete(self, rows: Ints) -> None:
        self._give(rows, 0)

    def _move(self, rows: Ints) -> None:
        if self._record is not None and self._record.layer.selected_label:
            self._give(rows, int(self._record.layer.selected_label))

    def _give(self, rows: Ints, into: int) -> None:
        if self._found is not None and len(rows) and not self._stale:
            self.change.give(self._found, rows, into)

    def _apply(self, found: FoundObjects, rows: Ints, into: int, edit: Edit) -> None:
        record = found.record
        if record.frame != found.frame:
            self._desk.say(CHANGED)
            return
        self._ours = record, record.history.at + 1
        try:
            record.do(edit)
        except Vol3dError as problem:
            self._desk.say(str(problem))
            return
        finally:
            self._ours = None
        self._desk.say(f"{edit.name}: {int(found.table.voxels[rows].sum()):,} voxels changed.")
        if found is self._found and not self._stale:
            self._list_without(found, rows, into)

    def _list_without(self, found: FoundObjects, rows: Ints, into: int) -> None:
        """List what is left: what was deleted touches nothing; what another class got may now hang together with it."""
        if into:
            self._stale = True
            self._soon.start()
        else:
            self._found = replace(found, table=found.table.without(rows))
            self._list()
        self._show_state()

    def _hide(self, class_id: int) -> None:
        if self._record is not None:
            toggle(self._record.layer, class_id, self._present())

    def _rename(self, class_id: int, name: str) -> None:
        if self._record is not None:
            give_name(self._record.layer, class_id, name)

    def _ask_color(self, class_id: int) -> None:
        if self._record is not None:
            shown = self._look(class_id)
            self.color.ask(self._record.layer, class_id, name=shown.name, color=shown.color)

    def _recolor(self, layer: Labels, class_id: int, color: str) -> None:
        recolor(layer, class_id, color, self._present())

    def _present(self) -> Ints:
        return NONE if self._found is None else self._found.table.class_id

    def _save(self, *_: object) -> None:
        listed = self.ui.list.model.listed
        # One after the other: two savings to one file could end in the older one.
        if self._found is not None and listed is not None and (self._saving is None or not self._saving.running):
            self._saving = ask_and_save(self, self._found, listed, self.ui.list.rows(), self._desk.say)
