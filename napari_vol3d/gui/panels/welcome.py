"""What the dock shows when there is no scan: how to get one, and nothing else."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget


class WelcomePanel(QWidget):
    """Two buttons, and a quiet third for who has many scans; the signals say which was pressed."""

    openRequested = Signal()
    sampleRequested = Signal()
    reviewRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        text = QLabel("Drop a scan or a model on the window, or")
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.open = QPushButton("Open a scan")
        self.open.setToolTip("NIfTI, DICOM, NRRD, MetaImage, TIFF and more; a folder of slices, or a model, is dropped")
        self.sample = QPushButton("Try the sample")
        self.sample.setToolTip("The average of many hippocampus scans, which the bundled model knows")
        self.review = QPushButton("Review many scans ...")
        self.review.setFlat(True)
        self.review.setToolTip("A worklist: the next scan is predicted and loaded while you correct one")
        note = QLabel("For research use only; not a medical device.")
        note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        note.setEnabled(False)
        note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        for widget in (text, self.open, self.sample, self.review):
            layout.addWidget(widget)
        layout.addStretch(2)
        layout.addWidget(note)
        for button in (self.open, self.sample):
            button.setMinimumHeight(36)
        self.open.clicked.connect(self.openRequested)
        self.sample.clicked.connect(self.sampleRequested)
        self.review.clicked.connect(self.reviewRequested)
