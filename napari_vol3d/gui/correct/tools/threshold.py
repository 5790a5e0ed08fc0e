"""A brush that keeps to a range of intensities, and to what hangs together with its middle."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from qtpy.QtCore import QSignalBlocker, QTimer
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QWidget

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.brush import Dab, connected_in_range
from napari_vol3d.correct.naming import name_class
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.tool import Place, Task
from napari_vol3d.gui.correct.tools.marking import inside, voxel_of
from napari_vol3d.gui.correct.tools.painting import PaintingTool

CLICKED, FIXED = range(2)
TOLERANCE = 0.1  # of the contrast that the image is shown with
MOST = 1e9
EACH_MS = 80  # between looks at the value under the mouse, which may lie in a file
Range = tuple[float, float]


class ThresholdBrush(PaintingTool):
    """Paints only voxels in the range that are connected, inside the brush, to its middle line."""

    title: ClassVar[str] = "Threshold"
    key: ClassVar[str] = "T"
    tip: ClassVar[str] = "Paint only what is as bright as the voxel you click on, or lies in a range"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.way = QComboBox()
        self.way.addItems(["like the clicked voxel", "between two values"])
        self.way.setToolTip("Which intensities are painted; the limits of all tools hold too")
        self.tolerance, self.low, self.high = _number(), _number(), _number()
        self.tolerance.setPrefix("± ")
        self.tolerance.setMinimum(0)
        self.tolerance.setToolTip("How far a voxel may be from the clicked one, in the image's own unit")
        self.low.setToolTip("The lowest intensity that is painted")
        self.high.setToolTip("The highest intensity that is painted")
        self._ends = QWidget()
        row = QHBoxLayout(self._ends)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.low)
        row.addWidget(self.high)
        self.said = QLabel()
        self.said.setWordWrap(True)
        for words, editor in (("Paint", self.way), ("Within", self.tolerance), ("From, to", self._ends)):
            self.form.addRow(words, editor)
        self.form.addRow(self.said)
        self._range: Range | None = None  # of the stroke
        self._voxel: Triple | None = None  # at the mouse
        self._under: float | None = None  # its value
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(EACH_MS)
        self._timer.timeout.connect(self._look)
        self._fits: Any = None  # the image that the numbers were made for
        self.way.currentIndexChanged.connect(self._choose_way)
        for box in (self.tolerance, self.low, self.high):
            box.valueChanged.connect(self._on_number)
        self._show_rows()

    def begun(self, desk: Desk) -> None:
        """Begin with numbers that fit the image."""
        super().begun(desk)
        self._fit_image()

    def ended(self) -> None:
        """Let go of the image."""
        self._fits = self._voxel = None
        self._timer.stop()
        super().ended()

    def press(self, place: Place) -> None:
        """Begin, with the value of the voxel that was clicked."""
        self._fit_image()
        value = self._value(voxel_of(place))
        if value is None:
            raise Vol3dError("The threshold brush needs a scan.", hint="Open the one that these labels lie on.")
        self._range = self._range_at(value)
        super().press(place)

    def hover(self, place: Place | None) -> None:
        """Tell the value under the mouse, and what a click would paint."""
        self._voxel = None if place is None else voxel_of(place)
        if not self._timer.isActive():
            self._timer.start()

    def covered(self, dab: Dab, task: Task) -> Dab:
        """Keep what lies in the range and hangs together with the middle of the brush."""
        if self._range is None or not dab.box.size:
            return dab
        return connected_in_range(dab, task.held["image"], intensity=self._range)

    def _range_at(self, value: float) -> Range:
        if self.way.currentIndex() == FIXED:
            return self.low.value(), self.high.value()
        return value - self.tolerance.value(), value + self.tolerance.value()

    def _look(self) -> None:
        self._under = None if self._voxel is None else self._value(self._voxel)
        self._say()

    def _value(self, voxel: Triple) -> float | None:
        values = None if self.desk is None else self.desk.values()
        if values is None or not inside(voxel, values.shape):
            return None
        z, y, x = voxel
        return float(np.asarray(values[z : z + 1, y : y + 1, x : x + 1]).item())

    def deed(self, task: Task) -> str:
        """Say that not all under the brush is meant."""
        return "Erase by threshold" if self._erasing else f"Paint {name_class(task.class_id, task.names)} by threshold"

    def _fit_image(self) -> None:
        """Fit another image: a tenth of its contrast around a value, and the range that is shown."""
        image = None if self.desk is None else self.desk.image
        if image is None or image is self._fits:
            return
        self._fits = image
        low, high = (float(limit) for limit in image.contrast_limits)
        whole = image.dtype.kind in "iu"
        decimals = 0 if whole else int(max(0, 3 - np.floor(np.log10(max(high - low, 1e-6)))))
        for box, value in ((self.tolerance, TOLERANCE * (high - low)), (self.low, (low + high) / 2), (self.high, high)):
            with QSignalBlocker(box):
                box.setDecimals(decimals)
                box.setValue(max(value, 1.0) if whole and box is self.tolerance else value)
        self._say()

    def _choose_way(self) -> None:
        self._show_rows()
        self._on_number()

    def _show_rows(self) -> None:
        """Show what counts for the chosen way."""
        fixed = self.way.currentIndex() == FIXED
        for editor, shown in ((self.tolerance, not fixed), (self._ends, fixed)):
            editor.setVisible(shown)
            self.form.labelForField(editor).setVisible(shown)

    def _on_number(self, *_: object) -> None:
        self._say()
        self._changed()

    def _say(self) -> None:
        if self._under is None:
            self.said.setText("Point at the scan to see its value.")
            return
        low, high = self._range_at(self._under)
        outside = "" if low <= self._under <= high else ": outside"
        self.said.setText(f"{self._under:.5g} under the mouse{outside}; paints {low:.5g} to {high:.5g}.")


def _number() -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(-MOST, MOST)
    box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.setKeyboardTracking(False)
    return box
