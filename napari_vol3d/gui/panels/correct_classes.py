"""The classes in the Correct tab: the list of the Read tab, with locks."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtCore import QObject

from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.tools.free_ids import free_ids
from napari_vol3d.gui.label_looks import give_name, names_in
from napari_vol3d.gui.panels.classes import ClassesPanel
from napari_vol3d.gui.panels.correct_ui import CorrectUi


class CorrectClasses(QObject):
    """Shows what the other list shows, passes on what is asked there, and locks."""

    def __init__(self, desk: Desk, classes: ClassesPanel, ui: CorrectUi) -> None:
        super().__init__(ui)
        self._desk, self._classes, self._ui = desk, classes, ui
        mine, theirs = ui.classes, classes.ui.list
        for signal, other in (
            (mine.valueChanged, theirs.valueChanged), (mine.toggled, theirs.toggled), (mine.renamed, theirs.renamed),
            (mine.colorAsked, theirs.colorAsked), (mine.isolateAsked, theirs.isolateAsked),
            (mine.jumpAsked, theirs.jumpAsked),
        ):  # fmt: skip
            signal.connect(other)
        mine.lockAsked.connect(self._lock)
        ui.new_class.clicked.connect(self._begin_class)
        for followed in (classes.listed, desk.limitsChanged, desk.recordChanged):
            followed.connect(self._list)
        self._list()

    def let_go(self) -> None:
        """Stop following."""
        for signal in (self._classes.listed, self._desk.limitsChanged, self._desk.recordChanged):
            signal.disconnect(self._list)

    def _list(self) -> None:
        record = self._desk.record
        shown = self._classes.layer
        if record is None or shown is None or record.layer is not shown:
            self._ui.classes.set_rows(())
            self._ui.corrected.clear()
            return
        locked = record.locked
        rows = [replace(row, locked=row.id in locked) for row in self._classes.ui.list.model.rows]
        self._ui.classes.set_rows(rows)
        self._ui.classes.setValue(int(shown.selected_label))
        self._ui.limits.set_classes({row.id: row.name for row in rows})
        count = len(locked)
        said = f"{count} class is locked" if count == 1 else f"{count} classes are locked"
        self._ui.corrected.setText(said if count else "")

    def _lock(self, class_id: int) -> None:
        record = self._desk.record
        if record is not None:
            record.locked = record.locked ^ {class_id}

    def _begin_class(self) -> None:
        record = self._desk.record
        if record is None:
            return
        known = {row.id for row in self._ui.classes.model.rows} | set(names_in(record.layer))
        new = next(free_ids(record.layer.data, known), None)
        if new is None:
            self._ui.say("These labels hold no more classes: save them, and open them again as uint16 or uint32.")
            return
        give_name(record.layer, new, f"class {new}")
        record.layer.selected_label = new
