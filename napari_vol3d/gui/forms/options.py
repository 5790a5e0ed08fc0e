"""Form for the settings that most people never touch."""

from __future__ import annotations

from typing import Any, get_args

from qtpy.QtCore import QLocale, Signal
from qtpy.QtGui import QDoubleValidator
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QLineEdit, QSpinBox, QWidget

from napari_vol3d.pipeline.settings import SegmentSettings

FROM_CARD = -1


class OptionsForm(QWidget):
    """Edits `SegmentSettings`; titles, choices and tooltips come from there."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.device = _choice("device")
        self.precision = _choice("precision")
        self.memory = QDoubleSpinBox()
        self.memory.setRange(0.1, 512)
        self.memory.setSingleStep(0.5)
        self.memory.setSuffix(" GB")
        self.context = _choice("context")
        self.halo = QSpinBox()
        self.halo.setRange(FROM_CARD, 256)
        self.halo.setSpecialValueText("as context says")
        self.halo.setSuffix(" voxels")
        self.scheme = _choice("scheme")
        self.skip_below = QLineEdit()
        self.skip_below.setPlaceholderText("empty: skip nothing")
        self.skip_below.setValidator(_number())
        self.mirror = QCheckBox("average of mirrored")
        self.probabilities = QCheckBox("a layer per class")
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(4)
        self._rows: dict[str, QWidget] = {
            "device": self.device, "precision": self.precision, "memory_gb": self.memory,
            "context": self.context, "halo": self.halo, "scheme": self.scheme, "skip_below": self.skip_below,
            "mirror": self.mirror,
            "probabilities": self.probabilities,
        }  # fmt: skip
        for name, editor in self._rows.items():
            field = SegmentSettings.model_fields[name]
            editor.setToolTip(field.description or "")
            layout.addRow(field.title or name, editor)
        self.setValue(SegmentSettings())
        for signal in (
            self.device.currentIndexChanged, self.precision.currentIndexChanged, self.memory.valueChanged,
            self.context.currentIndexChanged, self.halo.valueChanged, self.scheme.currentIndexChanged,
            self.skip_below.textChanged, self.mirror.toggled, self.probabilities.toggled,
        ):  # fmt: skip
            signal.connect(self._changed)

    def value(self, **others: Any) -> SegmentSettings:
        """Give the settings; `others` are those that are edited elsewhere."""
        return SegmentSettings.model_validate(
            {
                "device": self.device.currentText(), "precision": self.precision.currentText(),
                "memory_gb": self.memory.value(),
                "context": self.context.currentText(), "scheme": self.scheme.currentText(),
                "halo": None if self.halo.value() == FROM_CARD else self.halo.value(),
                # What can't be read as a number yet, a lone minus for instance, skips nothing.
                "skip_below": float(self.skip_below.text()) if self.skip_below.hasAcceptableInput() else None,
                "mirror": self.mirror.isChecked(), "probabilities": self.probabilities.isChecked(), **others,
            }
        )  # fmt: skip

    def setValue(self, settings: SegmentSettings) -> None:
        """Show these settings."""
        self.device.setCurrentText(settings.device)
        self.precision.setCurrentText(settings.precision)
        self.memory.setValue(settings.memory_gb)
        self.context.setCurrentText(settings.context)
        self.halo.setValue(FROM_CARD if settings.halo is None else settings.halo)
        self.scheme.setCurrentText(settings.scheme)
        self.skip_below.setText("" if settings.skip_below is None else f"{settings.skip_below:g}")
        self.mirror.setChecked(settings.mirror)
        self.probabilities.setChecked(settings.probabilities)

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()


def _choice(name: str) -> QComboBox:
    """Make a box of the values that a setting may have."""
    box = QComboBox()
    box.addItems(get_args(SegmentSettings.model_fields[name].annotation))
    return box


def _number() -> QDoubleValidator:
    validator = QDoubleValidator()
    validator.setNotation(QDoubleValidator.Notation.StandardNotation)
    validator.setLocale(QLocale.c())  # the text is read by Python, whatever the desktop's comma is
    return validator
