"""Form: the grey levels from black to white, by histogram, by level and width, and by name."""

from __future__ import annotations

import math

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.core.windows import PRESETS, Levels, Window
from napari_vol3d.gui.forms.histogram import HistogramForm

FARTHEST = 1e12  # grey level that can be typed
STRETCHED, FULL = "0.5 - 99.5 %", "full range"
OWN = "own"  # shown where no name fits


class WindowForm(QWidget):
    """Edits a window; three ways to say the same.

    Attributes
    ----------
    histogram : HistogramForm
    level, width : QDoubleSpinBox
    preset : QComboBox
    names : QHBoxLayout
        The row of the preset, with room for more.
    """

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._window = Window(0.0, 1.0)
        self._levels: Levels | None = None
        self._showing = False
        self.histogram = HistogramForm()
        self.level = _number("Grey level that is shown half bright: a higher level makes the image darker")
        self.width = _number("Grey levels between black and white: a wider window shows less contrast")
        self.width.setMinimum(0.0)
        self.preset = QComboBox()
        self.preset.setToolTip("Usual windows; those of CT are in Hounsfield units")
        self.preset.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.preset.setMinimumContentsLength(14)
        self.names = QHBoxLayout()
        self._lay_out()
        self.histogram.valueChanged.connect(self._on_dragged)
        self.level.valueChanged.connect(self._on_level)
        self.width.valueChanged.connect(self._on_width)
        self.preset.activated.connect(self._on_preset)
        self.show_levels(None)

    def value(self) -> tuple[float, float]:
        """Give the grey levels that are black and white."""
        return self._window.limits

    def setValue(self, limits: tuple[float, float]) -> None:
        """Show these grey levels as black and white."""
        window = Window(float(limits[0]), float(limits[1]))
        if window != self._window:
            self._window = window
            self._show()
            self.valueChanged.emit()

    def show_levels(self, levels: Levels | None) -> None:
        """Offer what fits these levels; None where they are not known yet."""
        self._levels = levels
        self.histogram.auto = None if levels is None else levels.stretched
        self.histogram.show_histogram(None if levels is None else levels.histogram)
        self._scale(levels)
        self.preset.clear()
        self.preset.addItem(OWN)
        for name, window in offered(levels).items():
            self.preset.addItem(name, window)
        self._show()

    def _show(self) -> None:
        """Show the window in all three ways."""
        self._showing = True
        self.histogram.setValue(self._window.limits)
        self.level.setValue(self._window.level)
        self.width.setValue(self._window.width)
        names = [k for k in range(1, self.preset.count()) if _same(self.preset.itemData(k), self._window)]
        self.preset.setCurrentIndex(names[0] if names else 0)
        self._showing = False

    def _on_dragged(self) -> None:
        if not self._showing:
            self.setValue(self.histogram.value())

    def _on_level(self, level: float) -> None:
        if not self._showing:  # the width is not taken from its box, which rounds
            self.setValue(Window.around(level, self._window.width).limits)

    def _on_width(self, width: float) -> None:
        if not self._showing:
            self.setValue(Window.around(self._window.level, width, least=10.0**-self.width.decimals()).limits)

    def _on_preset(self, index: int) -> None:
        window = self.preset.itemData(index)
        if window is not None:
            self.setValue(window.limits)
        self._show()

    def _scale(self, levels: Levels | None) -> None:
        """Give the numbers the unit, the decimals and the step that fit the grey levels."""
        size = math.log10(levels.full.width) if levels is not None else 0.0
        decimals = 0 if levels is not None and levels.whole and size >= 1 else min(max(3 - math.floor(size), 0), 9)
        self._showing = True  # rounding is no change
        for box in (self.level, self.width):
            box.setSuffix(" HU" if levels is not None and levels.ct else "")
            box.setDecimals(decimals)
            box.setSingleStep(max(10.0**-decimals, 10.0 ** math.floor(size - 1.5)))
        self._showing = False

    def _lay_out(self) -> None:
        rows = QGridLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        for column, (name, box) in enumerate((("Level", self.level), ("Width", self.width))):
            label = QLabel(name)
            label.setBuddy(box)
            rows.addWidget(label, 0, 2 * column)
            rows.addWidget(box, 0, 2 * column + 1)
            rows.setColumnStretch(2 * column + 1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.histogram)
        layout.addLayout(rows)
        self.names.addWidget(self.preset, 1)
        layout.addLayout(self.names)


def offered(levels: Levels | None) -> dict[str, Window]:
    """Give the windows to choose from by what is shown of them; those of CT come first where it is one."""
    ct = levels is not None and levels.ct
    fixed = {f"{name}{'' if ct else ' (CT)'}  {w.level:g} / {w.width:g} HU": w for name, w in PRESETS.items()}
    own = {} if levels is None else {STRETCHED: levels.stretched, FULL: levels.full}
    return {**fixed, **own} if ct else {**own, **fixed}


def _same(one: Window, other: Window) -> bool:
    close = 1e-6 * max(one.width, other.width)
    return abs(one.low - other.low) <= close and abs(one.high - other.high) <= close


def _number(tip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(-FARTHEST, FARTHEST)
    box.setKeyboardTracking(False)  # a number is taken when it is complete
    box.setToolTip(tip)
    box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)  # room for "-1350 HU"; keys and wheel step
    box.setMinimumWidth(70)  # Qt would make room for all digits of the range
    return box
