"""Form: where the three axes of a network run to in the patient."""

from __future__ import annotations

from itertools import permutations, product

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_vol3d.gui.forms.rows import narrow
from napari_vol3d.models.card import STORED

AS_SHOWN = "As Vol3D shows it (S, P, L where the file says how the patient lies)"
AS_STORED, TURNED = "As stored in the file (i, j, k), as nibabel's get_fdata()", "Upright: S, P, L"
USUAL = {"LIA": "LIA (FreeSurfer)", "RAS": "RAS (NIfTI)", "LPS": "LPS (DICOM)"}
TIP = (
    "Where the network's first, second and third axis run to: right or left, anterior or posterior, superior or "
    "inferior. Scans are turned so, and labels back. A network that was trained on arrays as nibabel gives them wants "
    "them as stored in the file."
)


def orientations() -> tuple[str, ...]:
    """Give all 48, the usual ones first."""
    every = ("".join(letters) for axes in permutations(("RL", "AP", "SI")) for letters in product(*axes))
    return (*USUAL, *(letters for letters in sorted(every) if letters not in USUAL))


class OrientationBox(QWidget):
    """A choice; the value is whether scans are turned upright, and three letters, "stored", or "".

    As a card's `anatomical` and `orientation`: (False, "") is as the scan is shown, (True, "") is upright.
    """

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = narrow(QComboBox())
        for words, value in ((AS_SHOWN, (False, "")), (AS_STORED, (False, STORED)), (TURNED, (True, ""))):
            self.box.addItem(words, value)
            self.box.setItemData(self.box.count() - 1, words, Qt.ItemDataRole.ToolTipRole)  # the dock is narrow
        for letters in orientations():
            self.box.addItem(USUAL.get(letters, letters), (True, letters))
        self.box.setToolTip(TIP)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.box)
        self.box.currentIndexChanged.connect(self._changed)

    def value(self) -> tuple[bool, str]:
        """Give whether scans are turned, and to which letters."""
        turned, letters = self.box.currentData()
        return turned, letters

    def setValue(self, turned: bool, letters: str) -> None:
        """Show this."""
        wanted = (letters != STORED and (turned or bool(letters)), letters)
        places = range(self.box.count())
        self.box.setCurrentIndex(next((k for k in places if tuple(self.box.itemData(k)) == wanted), 0))

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()
