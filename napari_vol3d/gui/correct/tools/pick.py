"""Pick a class from the canvas."""

from __future__ import annotations

from typing import ClassVar

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_vol3d.gui.correct.tool import MouseTool, Place, Tool
from napari_vol3d.gui.correct.tools.marking import inside, voxel_of


class PickClass(MouseTool):
    """A click chooses the class under the mouse; then the tool before is in hand again.

    Attributes
    ----------
    before : Tool or None
        Comes back after the click; `Hand` says which it was.
    """

    title: ClassVar[str] = "Pick class"
    key: ClassVar[str] = "Q"
    tip: ClassVar[str] = "Click on a class to paint with it; then the tool you had comes back"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.before: Tool | None = None
        self._chosen = False
        said = QLabel("Click on the class to paint with.")
        said.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(said)

    def press(self, place: Place) -> None:
        """Choose what is here."""
        self._chosen = False
        desk = self.desk
        record = None if desk is None else desk.record
        if desk is None or record is None:
            return
        voxel = voxel_of(place)
        class_id = int(record.labels[voxel]) if inside(voxel, record.labels.shape) else 0
        if class_id == 0:
            desk.say("There is no class here: click on one.")
            return
        self._chosen = True
        record.layer.selected_label = class_id
        desk.say(f"{record.name_of(class_id)} is chosen.")

    def release(self) -> None:
        """Give the hand back to the tool before, if something was chosen."""
        chosen, self._chosen = self._chosen, False
        if chosen and self.desk is not None:
            self.desk.choose(self.before)

    def cancel(self) -> None:
        """Keep the tool; what was chosen stays."""
        self._chosen = False
