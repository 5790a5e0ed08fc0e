"""Form: what few cards say: a crop before the network, what is done to its labels."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QLabel, QLineEdit, QSpinBox, QWidget

from napari_vol3d.gui.forms.range_box import RangeBox
from napari_vol3d.gui.forms.rows import small_form
from napari_vol3d.gui.panels.segment_words import BAD_COLOR
from napari_vol3d.models.card import ForegroundCrop, PostProcessing
from napari_vol3d.models.draft import CardDraft

KNOWN = "Grey values"
KNOWN_TIP = (
    "of the scans that the model knows, as stored. A scan that plainly has others is told of before Run, when they are "
    "not measured and mapped, or one of the two is CT. Both empty: not known"
)
WRONG = f"<span style='color:{BAD_COLOR}'>! {KNOWN}</span>"


class CardExtras(QWidget):
    """Edits some fields of a draft; `value` gives them by name."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.description, self.authors = QLineEdit(), QLineEdit()
        self.authors.setToolTip("With semicolons between")
        self.known, self.range = QLabel(KNOWN), RangeBox(KNOWN_TIP)
        self.crop = QCheckBox("to what is bright")
        self.crop.setToolTip("The network sees the box around what is brighter than a share of the highest value")
        self.above, self.padding = QDoubleSpinBox(), QSpinBox()
        self.above.setRange(0, 0.99)
        self.above.setSingleStep(0.05)
        self.above.setToolTip("Share of the highest value, once intensities are mapped")
        self.padding.setRange(0, 512)
        self.padding.setSuffix(" voxels")
        self.padding.setToolTip("Added on each side of the box, as far as there are any")
        self.largest = QCheckBox("largest piece only")
        self.largest.setToolTip(PostProcessing.model_fields["largest_component"].description or "")
        self.holes = QCheckBox("fill holes")
        self.holes.setToolTip(PostProcessing.model_fields["fill_holes"].description or "")
        self.least = QSpinBox()
        self.least.setRange(0, 1_000_000)
        self.least.setSuffix(" voxels")
        self.least.setToolTip(PostProcessing.model_fields["min_voxels"].description or "")
        self.halo = QSpinBox()
        self.halo.setRange(0, 256)
        self.halo.setSuffix(" voxels")
        self.halo.setToolTip("Context that a tile computes and throws away")
        self._lay_out()
        self._connect()
        self._follow()

    def value(self) -> dict[str, Any]:
        """Give the fields."""
        crop = ForegroundCrop(above=self.above.value(), padding=self.padding.value())
        return {
            "description": self.description.text().strip(), "intensity_range": self.range.value(),
            "authors": tuple(filter(None, (name.strip() for name in self.authors.text().split(";")))),
            "crop": crop if self.crop.isChecked() else None, "halo": self.halo.value(),
            "post": PostProcessing(
                largest_component=self.largest.isChecked(), min_voxels=self.least.value(),
                fill_holes=self.holes.isChecked(),
            ),
        }  # fmt: skip

    def setValue(self, draft: CardDraft) -> None:
        """Show these fields of a draft."""
        crop, post = draft.crop or ForegroundCrop(), draft.post or PostProcessing()
        self.description.setText(draft.description)
        self.description.setCursorPosition(0)
        self.authors.setText("; ".join(draft.authors))
        self.range.setValue(draft.intensity_range)
        self.crop.setChecked(draft.crop is not None)
        self.above.setValue(crop.above)
        self.padding.setValue(crop.padding)
        self.largest.setChecked(post.largest_component)
        self.least.setValue(post.min_voxels)
        self.holes.setChecked(post.fill_holes)
        self.halo.setValue(draft.halo or 0)
        self._follow()

    def refusal(self) -> str:
        """Say why these are no fields of a card; "" where they are."""
        why = self.range.refusal()
        return f"{KNOWN}: {why}" if why else ""

    def _connect(self) -> None:
        for signal in (
            self.description.textEdited, self.authors.textEdited, self.range.valueChanged,
            self.crop.toggled, self.above.valueChanged, self.padding.valueChanged, self.largest.toggled,
            self.holes.toggled, self.least.valueChanged, self.halo.valueChanged,
        ):  # fmt: skip
            signal.connect(self._changed)

    def _changed(self, *_: object) -> None:
        self._follow()
        self.valueChanged.emit()

    def _follow(self) -> None:
        for box in (self.above, self.padding):
            box.setEnabled(self.crop.isChecked())
        why = self.refusal()
        self.known.setText(WRONG if why else KNOWN)
        self.known.setToolTip(why)

    def _lay_out(self) -> None:
        form = small_form(self)
        for words, field in (
            ("About", self.description), ("Authors", self.authors), (self.known, self.range),
            ("Crop", self.crop), ("brighter than", self.above), ("margin", self.padding),
            ("Afterwards", self.largest), ("", self.holes), ("pieces from", self.least), ("Context", self.halo),
        ):  # fmt: skip
            form.addRow(words, field)
