"""Ball brush and eraser."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from qtpy.QtWidgets import QCheckBox, QWidget

from napari_vol3d.correct.limits import FREE, Held
from napari_vol3d.correct.naming import name_class
from napari_vol3d.gui.correct.tool import Task
from napari_vol3d.gui.correct.tools.painting import PaintingTool


class BallBrush(PaintingTool):
    """Paints with the chosen class."""

    title: ClassVar[str] = "Brush"
    key: ClassVar[str] = "W"
    tip: ClassVar[str] = "Paint a ball in mm, or a disc in the slice; hold Ctrl to erase"


class Eraser(PaintingTool):
    """Makes background of what it covers."""

    title: ClassVar[str] = "Eraser"
    key: ClassVar[str] = "E"
    tip: ClassVar[str] = "Erase with a ball in mm, or a disc in the slice; locked classes stay"
    erases = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.only_chosen = QCheckBox("Only the chosen class")
        self.only_chosen.setToolTip("Other classes under the eraser stay")
        self.only_chosen.toggled.connect(self._changed)
        self.form.addRow("Erase", self.only_chosen)

    def held(self, task: Task) -> Held:
        """Let other classes stay where that is wanted."""
        if not self.only_chosen.isChecked():
            return task.held
        limits = task.held.get("limits", FREE)
        inside = frozenset({task.class_id}) if limits.inside is None else limits.inside & {task.class_id}
        held = task.held.copy()
        held["limits"] = replace(limits, inside=inside)
        return held

    def deed(self, task: Task) -> str:
        """Say whether only one class is erased."""
        chosen = self.only_chosen.isChecked()
        return f"Erase {name_class(task.class_id, task.names)}" if chosen else "Erase"
