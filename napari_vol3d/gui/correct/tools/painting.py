"""What all brushes share: their size and shape, and a stroke that is drawn piece by piece and becomes one step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QShortcut, QWidget

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.brush import Dab, erase, on_slice, paint, stroke, stroke_in_slice
from napari_vol3d.correct.limits import FREE, Held
from napari_vol3d.correct.naming import LETTERS, name_class
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.brisk import redraw_box
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import MouseTool, Place, Task
from napari_vol3d.gui.correct.tools.brush_size import BrushSize

BALL, DISC = range(2)
LIGHTEST = 0.1  # of the size, of a pen that hardly touches


class PaintingTool(MouseTool):
    """A brush; with Ctrl held at the press, or with a pen turned round, it erases."""

    erases = False  # whatever the keys

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.size_form, self.shape, self.by_pressure = BrushSize(), QComboBox(), QCheckBox("harder is larger")
        self.shape.addItems(["ball through the slices", "disc in this slice"])
        self.shape.setToolTip("A ball in mm, on voxels of any shape, or only its cut with the slice that is shown")
        self.by_pressure.setToolTip("The pressure of a pen sets the size, up to the one chosen here")
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setVerticalSpacing(4)
        for words, editor in (("Size", self.size_form), ("Shape", self.shape), ("Pen", self.by_pressure)):
            self.form.addRow(words, editor)
        for signal in (self.size_form.valueChanged, self.shape.currentIndexChanged, self.by_pressure.toggled):
            signal.connect(self._changed)
        self._keys: list[QShortcut] = []
        self._task: Task | None = None  # while a stroke is drawn
        self._record: Record | None = None  # that it is drawn in: others may be chosen before it ends
        self._erasing = False
        self._last: Place | None = None
        self._drawn: Box | None = None

    def begun(self, desk: Desk) -> None:
        """Fit the labels, and hear the keys of napari's brush."""
        super().begun(desk)
        desk.recordChanged.connect(self._fit)
        self._fit()
        for key, slot in ((Qt.Key.Key_BracketLeft, self._smaller), (Qt.Key.Key_BracketRight, self._larger)):
            shortcut = QShortcut(QKeySequence(key), desk.viewer.window._qt_window)
            shortcut.activated.connect(slot)
            self._keys.append(shortcut)

    def ended(self) -> None:
        """Leave the keys to napari."""
        if self.desk is not None:
            self.desk.recordChanged.disconnect(self._fit)
        for shortcut in self._keys:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._keys.clear()
        super().ended()

    def radius(self) -> float | None:
        """Give half of the size."""
        return self.size_form.value() / 2

    def press(self, place: Place) -> None:
        """Begin with a dab."""
        self._task = task = None if self.desk is None else self.desk.task(place.view)
        self._last, self._drawn = None, None
        if task is None:
            return
        self._record = None if self.desk is None else self.desk.record
        self._erasing = self.erases or place.erasing or task.class_id == 0
        self._refuse_locked(task)
        self._draw([place], task)

    def drag(self, places: Sequence[Place]) -> None:
        """Sweep the brush on."""
        if self._task is not None:
            self._draw(places, self._task)

    def release(self) -> None:
        """Make one step of all that was drawn."""
        task, self._task, self._last = self._task, None, None
        record, self._record = self._record, None
        if task is None or record is None:
            return
        if self._drawn is None:
            self._say_why(task)
        else:
            record.finish(self._name(task, self._drawn))

    def cancel(self) -> None:
        """Put back what was drawn."""
        self._task = self._last = None
        record, self._record = self._record, None
        if record is not None:
            record.abandon()

    def hover(self, place: Place | None) -> None:
        """Know what is under the mouse; None where it has left."""

    def covered(self, dab: Dab, task: Task) -> Dab:
        """Give what the brush takes of the voxels that it covers."""
        return dab

    def held(self, task: Task) -> Held:
        """Give what stays."""
        return task.held

    def deed(self, task: Task) -> str:
        """Give what the stroke does, for the list of edits."""
        return "Erase" if self._erasing else f"Paint {name_class(task.class_id, task.names)}"

    def _draw(self, places: Sequence[Place], task: Task) -> None:
        record = self._record
        if record is None:
            return
        for way in self._ways(places):
            edit = self._edit(self.covered(self._dab(way, task), task), task)
            if edit is not None:
                record.draw(edit)
                self._drawn = edit.box if self._drawn is None else self._drawn.joined(edit.box)
                self._show(edit, way[-1].view, record)

    def _show(self, edit: Edit, view: View, record: Record) -> None:
        """Show a piece in the view that is painted in at once; the others follow a few times a second."""
        twin = view.shows(record.layer)
        if isinstance(twin, Labels) and twin is not record.layer:
            redraw_box(twin, edit.box, record.frame)

    def _edit(self, dab: Dab, task: Task) -> Edit | None:
        if not dab.box.size:
            return None
        if self._erasing:
            return erase(task.labels, dab, **self.held(task))
        return paint(task.labels, dab, class_id=task.class_id, **self.held(task))

    def _dab(self, way: Sequence[Place], task: Task) -> Dab:
        """Cover a way on one slice; on the middle of the slice, or thick ones would be missed."""
        place, (z, y, x) = way[-1], task.labels.shape
        points = on_slice([one.voxel for one in way], axis=place.axis, index=place.index)
        radius = self.size_form.value() / 2 * (max(place.pressure, LIGHTEST) if self.by_pressure.isChecked() else 1.0)
        if self.shape.currentIndex() == DISC:
            return stroke_in_slice(points, radius, spacing=task.spacing, shape=(z, y, x), axis=place.axis)
        return stroke(points, radius, spacing=task.spacing, shape=(z, y, x))

    def _ways(self, places: Sequence[Place]) -> Iterator[list[Place]]:
        """Give the pieces of a way that are drawn at once: on one slice, and where it counts with one pressure."""
        pieces = self.by_pressure.isChecked()
        for slice_, group in itertools.groupby(places, key=_slice_of):
            last, way = self._last, list(group)
            self._last = way[-1]
            if last is not None and _slice_of(last) == slice_:
                way.insert(0, last)
            if pieces and len(way) > 1:
                yield from ([first, second] for first, second in itertools.pairwise(way))
            else:
                yield way

    def _name(self, task: Task, drawn: Box) -> str:
        first, last = drawn.start[task.axis], drawn.stop[task.axis] - 1
        where = LETTERS[task.axis] + (f" {first}" if first == last else f" {first}-{last}")
        return f"{self.deed(task)}, {where}"

    def _refuse_locked(self, task: Task) -> None:
        limits = task.held.get("limits", FREE)
        if not self._erasing and not limits.takes(task.class_id):
            name = name_class(task.class_id, task.names)
            raise Vol3dError(f"{name} is locked.", hint="Unlock it in the list of classes, or choose another class.")

    def _say_why(self, task: Task) -> None:
        """Tell a person whose stroke changed nothing that limits may be why."""
        if task.held.get("limits", FREE) != FREE and self.desk is not None:
            self.desk.say("Nothing changed here: see the limits and the locked classes.")

    def _fit(self) -> None:
        record = None if self.desk is None else self.desk.record
        if record is not None:
            self.size_form.fit(record.spacing, record.unit)

    def _smaller(self) -> None:
        self.size_form.step(-1)

    def _larger(self) -> None:
        self.size_form.step(1)

    def _changed(self, *_: object) -> None:
        self.optionsChanged.emit()


def _slice_of(place: Place) -> tuple[int, int]:
    return place.axis, place.index
