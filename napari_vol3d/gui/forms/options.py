"""Form for the settings that most people never touch."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QSpinBox, QWidget

from napari_vol3d.pipeline.settings import SegmentSettings

FROM_CARD = -1


class OptionsForm(QWidget):
    """Edits `SegmentSettings`; titles and tooltips come from there."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.device = QComboBox()
        self.device.addItems(["auto", "cpu", "gpu"])
        self.memory = QDoubleSpinBox()
        self.memory.setRange(0.1, 512)
        self.memory.setSingleStep(0.5)
        self.memory.setSuffix(" GB")
        self.halo = QSpinBox()
        self.halo.setRange(FROM_CARD, 256)
        self.halo.setSpecialValueText("the model's")
        self.halo.setSuffix(" voxels")
        self.probabilities = QCheckBox("a layer each")
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._rows = {
            "device": self.device, "memory_gb": self.memory, "halo": self.halo, "probabilities": self.probabilities,
        }  # fmt: skip
        for name, editor in self._rows.items():
            field = SegmentSettings.model_fields[name]
            editor.setToolTip(field.description or "")
            layout.addRow(field.title or name, editor)
        self.setValue(SegmentSettings())
        self.device.currentIndexChanged.connect(self._changed)
        self.memory.valueChanged.connect(self._changed)
        self.halo.valueChanged.connect(self._changed)
        self.probabilities.toggled.connect(self._changed)

    def value(self, **others: Any) -> SegmentSettings:
        """Give the settings; `others` are those that are edited elsewhere."""
        return SegmentSettings(
            device=self.device.currentText(),  # type: ignore[arg-type]
            memory_gb=self.memory.value(),
            halo=None if self.halo.value() == FROM_CARD else self.halo.value(),
            probabilities=self.probabilities.isChecked(),
            **others,
        )

    def setValue(self, settings: SegmentSettings) -> None:
        """Show these settings."""
        self.device.setCurrentText(settings.device)
        self.memory.setValue(settings.memory_gb)
        self.halo.setValue(FROM_CARD if settings.halo is None else settings.halo)
        self.probabilities.setChecked(settings.probabilities)

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()
