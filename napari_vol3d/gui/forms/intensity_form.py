"""Form: what is done with grey levels before a network sees them."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.gui.forms.rows import narrow

WORDS = {
    "zscore": "Mean 0, deviation 1 (z-score)",
    "minmax": "Lowest 0, highest 1",
    "quantile": "Two percentiles to 0 and 1",
    "window": "Two fixed values to 0 and 1",
    "maximum": "Divided by the highest",
    "none": "As stored",
}
KINDS = tuple(WORDS)
BETWEEN = {"zscore": "cut at percentiles", "quantile": "percentiles", "window": "values"}
PERCENTS = (0.0, 100.0)
VALUES = (-1e6, 1e6)
USUAL = {"zscore": (0.5, 99.5), "quantile": (5.0, 95.0), "window": (0.0, 255.0)}
TIP = "Measured over the whole scan; a network that was trained otherwise finds nothing, or nonsense"


class IntensityForm(QWidget):
    """The scheme in words, with the two numbers that some schemes have."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = narrow(QComboBox())
        self.kind.addItems(WORDS.values())
        self.kind.setToolTip(TIP)
        self.words, self.to = QLabel(), QLabel("to")
        self.lower, self.upper = QDoubleSpinBox(), QDoubleSpinBox()
        self.lower.setToolTip("Becomes 0; for mean and standard deviation: what is darker is cut")
        self.upper.setToolTip("Becomes 1; for mean and standard deviation: what is brighter is cut")
        self.nonzero = QCheckBox("exact zeros do not count")
        self.nonzero.setToolTip("Where air, or what was masked away, is stored as 0")
        self._lay_out()
        self.setValue(IntensityScheme())
        self.kind.currentIndexChanged.connect(self._choose)
        for signal in (self.lower.valueChanged, self.upper.valueChanged, self.nonzero.toggled):
            signal.connect(self._changed)

    def value(self) -> IntensityScheme:
        """Give the scheme."""
        kind = KINDS[self.kind.currentIndex()]
        over = "nonzero" if self.nonzero.isChecked() and kind not in ("none", "window") else "all"
        if kind not in BETWEEN:
            return IntensityScheme(kind=kind, over=over)  # type: ignore[arg-type]
        return IntensityScheme(
            kind=kind, lower=self.lower.value(), upper=self.upper.value(), over=over  # type: ignore[arg-type]
        )  # fmt: skip

    def setValue(self, scheme: IntensityScheme) -> None:
        """Show this scheme."""
        self.kind.setCurrentIndex(KINDS.index(scheme.kind))
        self._show(scheme.kind, (scheme.lower, scheme.upper))
        self.nonzero.setChecked(scheme.over == "nonzero")

    def refusal(self) -> str:
        """Say why this is no scheme; "" where it is one."""
        scheme = self.value()
        backwards = scheme.kind in BETWEEN and not scheme.lower < scheme.upper
        return "Intensities: the lower limit lies above the upper one." if backwards else ""

    def _choose(self, *_: object) -> None:
        kind = KINDS[self.kind.currentIndex()]
        self._show(kind, USUAL.get(kind, (0.0, 1.0)))
        self._changed()

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()

    def _show(self, kind: str, limits: tuple[float, float]) -> None:
        self.words.setText(BETWEEN.get(kind, ""))
        lowest, highest = VALUES if kind == "window" else PERCENTS
        for box, limit in ((self.lower, limits[0]), (self.upper, limits[1])):
            before = box.blockSignals(True)
            box.setRange(lowest, highest)
            box.setValue(limit)
            box.blockSignals(before)
        for widget in (self.words, self.lower, self.to, self.upper):
            widget.setVisible(kind in BETWEEN)
        self.nonzero.setVisible(kind not in ("none", "window"))

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(3)
        for widget in (self.lower, self.to, self.upper):
            row.addWidget(widget, 0 if widget is self.to else 1)
        for box in (self.lower, self.upper):
            box.setMinimumWidth(56)
            box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)  # the dock is narrow
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.kind)
        column.addWidget(self.words)
        column.addLayout(row)
        column.addWidget(self.nonzero)
