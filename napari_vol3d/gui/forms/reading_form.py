"""Form: whom to ask for readings of their own, of how many scans, and how."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QLineEdit, QSpinBox, QWidget

from napari_vol3d.gui.forms.rows import small_form

ALL = 100  # percent
MOST_REPEATS, LARGEST_SEED = 9, 999_999
LEAST_NAME = 60  # pixels
NAME_TIP = "Who is to read; it stands in the project, and reports call this person reader 1, 2, 3 ..."
SHARE_TIP = "Of all scans; drawn at random by the seed, so that two readers with one seed read the same scans"
BLIND_TIP = "They see no score, no status, no prediction and no other reading"
REPEATS_TIP = "How often they read each scan once more, without being told: at least half of the scans lie between"
SEED_TIP = "The same seed gives the same scans and, for the same name, the same order"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingWish:
    """What the form says: `share` is over 0 to 1, `repeats` counts the readings after the first."""

    reader: str
    share: float = 1.0
    blind: bool = True
    repeats: int = 0
    seed: int = 1


class ReadingForm(QWidget):
    """Edits a `ReadingWish`."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reader = QLineEdit()
        self.reader.setPlaceholderText("name or initials")
        self.reader.setMinimumWidth(LEAST_NAME)
        self.share, self.repeats, self.seed = QSpinBox(), QSpinBox(), QSpinBox()
        self.share.setRange(1, ALL)
        self.share.setSuffix(" % of the scans")
        self.repeats.setRange(0, MOST_REPEATS)
        self.repeats.setSpecialValueText("none")
        self.seed.setRange(0, LARGEST_SEED)
        self.blind = QCheckBox("blind")
        layout = small_form(self)
        for title, editor, tip in (
            ("Reader", self.reader, NAME_TIP), ("Share", self.share, SHARE_TIP), ("", self.blind, BLIND_TIP),
            ("Repeats", self.repeats, REPEATS_TIP), ("Seed", self.seed, SEED_TIP),
        ):  # fmt: skip
            editor.setToolTip(tip)
            layout.addRow(title, editor)
        self.setValue(ReadingWish(reader=""))
        for signal in (
            self.reader.textChanged, self.share.valueChanged, self.repeats.valueChanged, self.seed.valueChanged,
            self.blind.toggled,
        ):  # fmt: skip
            signal.connect(self._changed)

    def value(self) -> ReadingWish:
        """Give what is asked for; the name may be empty."""
        return ReadingWish(
            reader=self.reader.text().strip(), share=self.share.value() / ALL, blind=self.blind.isChecked(),
            repeats=self.repeats.value(), seed=self.seed.value(),
        )  # fmt: skip

    def setValue(self, wish: ReadingWish) -> None:
        """Show this."""
        self.reader.setText(wish.reader)
        self.share.setValue(round(wish.share * ALL))
        self.blind.setChecked(wish.blind)
        self.repeats.setValue(wish.repeats)
        self.seed.setValue(wish.seed)

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()


def say_wish(wish: ReadingWish, scans: int) -> str:
    """Say what a wish comes to, of so many scans.

    Examples
    --------
    >>> say_wish(ReadingWish(reader="ann", share=0.5, repeats=1), 24)
    '12 of 24 scans, each 2 times: 24 readings'
    """
    count = max(1, round(wish.share * scans)) if scans else 0
    if not wish.repeats:
        return f"{count} of {scans} scans"
    return f"{count} of {scans} scans, each {wish.repeats + 1} times: {count * (wish.repeats + 1)} readings"
