"""Registering one image onto another: the button, how far it is, what was found, and the file for it."""

from __future__ import annotations

import re
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from napari import Viewer
from napari.layers import Image, Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Affine
from napari_vol3d.gui.jobs import Job, report
from napari_vol3d.gui.layers import source_of
from napari_vol3d.gui.panels.compare import add_quietly
from napari_vol3d.gui.panels.pair_choice import PairChoice
from napari_vol3d.gui.panels.registered import registered_layer, shown_moment, words_of
from napari_vol3d.io.transforms import write_transform
from napari_vol3d.pipeline.register import Registration, register

NO_IMAGES = "Choose two images above, as A and B"
REGISTER_TIP = "Find the motion that lays B onto A, and show B there; the file and its layer stay as they are"
KIND = "ITK transform (*.tfm)"


class RegisterBox(QWidget):
    """Joins the chosen pair with the verb `register`.

    Attributes
    ----------
    job : Job or None
        The last run.
    """

    def __init__(self, viewer: Viewer, choice: PairChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._choice = viewer, choice
        self.job: Job | None = None
        self._pair: tuple[Image, Image] | None = None  # of the last run
        self._motions: WeakKeyDictionary[Layer, Affine] = WeakKeyDictionary()  # of layers from where their files lie
        self._found: Layer | None = None
        self.button, self.cancel = QPushButton("Register B onto A"), QPushButton("Cancel")
        self.cancel.setToolTip("Stop; nothing is changed")
        self.bar, self.said = QProgressBar(), QLabel()
        self.save = QPushButton("Save transform ...")
        self.save.setToolTip("Write the motion as an ITK transform, which 3D Slicer, ANTs and SimpleITK read")
        self._arrange()
        self.button.clicked.connect(self.start)
        self.cancel.clicked.connect(self.stop)
        self.save.clicked.connect(self._save)
        choice.valueChanged.connect(self._follow)
        self._follow()

    def start(self) -> None:
        """Register what is chosen."""
        pair = self._chosen()
        if pair is None or (self.job is not None and self.job.running):
            return
        try:
            fixed, moving = (shown_moment(self._viewer, layer) for layer in pair)
        except Vol3dError as problem:
            report(problem)
            return
        self._pair = pair
        self.job = Job(register(fixed, moving), name="Registering", parent=self)
        self.job.progressed.connect(self._on_progress)
        self.job.succeeded.connect(self._on_found)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(self._on_cancelled)
        self.job.ended.connect(self._follow)
        self.said.setText("")
        self.job.start()
        self._follow()

    def stop(self) -> None:
        """Stop the search."""
        if self.job is not None:
            self.job.stop()

    def let_go(self) -> None:
        """Stop, and follow nothing."""
        self.stop()
        self._choice.valueChanged.disconnect(self._follow)

    def write(self, path: Path) -> None:
        """Write the motion of the layer that was made last."""
        if self._found is None:
            return
        try:
            write_transform(path, self._motions[self._found])
        except Vol3dError as problem:
            report(problem)
        else:
            self.said.setText(f"Saved {path.name} in {path.parent}")

    def _arrange(self) -> None:
        self.said.setWordWrap(True)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # names of files may be long
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.button, 1)
        row.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        for widget in (self.bar, self.said, self.save):
            layout.addWidget(widget)

    def _chosen(self) -> tuple[Image, Image] | None:
        pair = self._choice.value()
        return pair if pair is not None and all(isinstance(layer, Image) for layer in pair) else None

    def _follow(self) -> None:
        running, pair = self.job is not None and self.job.running, self._chosen()
        self.button.setEnabled(pair is not None and not running)
        why = "A search is in progress; cancel it or wait" if running else NO_IMAGES
        self.button.setToolTip(REGISTER_TIP if self.button.isEnabled() else why)
        self.cancel.setVisible(running)
        self.bar.setVisible(running)
        self.said.setVisible(bool(self.said.text()))
        self.save.setVisible(self._found is not None and self._found in self._viewer.layers)

    def _on_progress(self, progress: Progress) -> None:
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)

    def _on_failed(self, problem: Vol3dError) -> None:
        self.said.setText(str(problem))

    def _on_cancelled(self) -> None:
        self.said.setText("Cancelled; nothing was changed.")

    def _on_found(self, found: Registration) -> None:
        """Show the image where it was moved to, above the one it was made of, which is hidden."""
        if self._pair is None or not all(layer in self._viewer.layers for layer in self._pair):
            self.said.setText("An image was taken away meanwhile: nothing was registered.")
            return
        fixed, moving = self._pair
        words = words_of(found, moving.name, fixed.name)
        if found.after > found.before:
            try:
                layer, note = registered_layer(self._viewer, moving, found.matrix, fixed)
            except Vol3dError as problem:
                report(problem)
                return
            self._show(layer, found.matrix @ self._motions.get(moving, np.eye(4)))
            words = f"{words} {note}".strip()
        self.said.setText(words)

    def _show(self, layer: Image, motion: Affine) -> None:
        fixed, moving = self._pair or (layer, layer)
        self._found, self._motions[layer] = layer, motion
        add_quietly(self._viewer, layer, above=moving)
        self._choice.setValue((fixed, layer))  # first: layers that were compared are given back as they were before
        fixed.visible, moving.visible = True, False

    def _save(self) -> None:
        if self._pair is None:
            return
        fixed, moving = self._pair
        source = source_of(moving)
        name = re.sub(r"[^\w.() -]+", "_", f"{moving.name} onto {fixed.name}.tfm")
        proposed = str(source.parent / name) if source is not None else name
        chosen, _ = QFileDialog.getSaveFileName(self, "Save transform", proposed, KIND)
        if chosen:
            self.write(Path(chosen if chosen.lower().endswith((".tfm", ".txt")) else f"{chosen}.tfm"))
