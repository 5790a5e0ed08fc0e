"""The panel for several images: how each looks, two against each other, one laid onto another, channels together."""

from __future__ import annotations

from napari import Viewer
from qtpy.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.panels.companions import channels_of, has_channels
from napari_vol3d.gui.panels.compare import CompareBox, add_quietly
from napari_vol3d.gui.panels.image_list import ImageList
from napari_vol3d.gui.panels.register_box import RegisterBox

CHANNELS_TIP = "Show each channel of the chosen image as a layer of its own colour; they add up to one picture"
NO_CHANNELS = "The chosen image has one channel"


class ImagesPanel(QWidget):
    """Joins the images of a viewer with all that is done with several of them.

    Attributes
    ----------
    images : ImageList
    compare : CompareBox
    register : RegisterBox
    """

    def __init__(self, viewer: Viewer, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.images = ImageList(viewer.layers)
        self.channels = QPushButton("Channels together")
        self.compare = CompareBox(viewer, bench)
        self.register = RegisterBox(viewer, self.compare.choice)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.images, self.channels, _rule(), QLabel("Compare"), self.compare, self.register):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.images.valueChanged.connect(self._follow)
        self.channels.clicked.connect(self._show_channels)
        self._follow()

    def let_go(self) -> None:
        """Let go of the viewer, with its layers as they were before they were compared."""
        self.register.let_go()
        self.compare.let_go()
        self.images.let_go()

    def _follow(self) -> None:
        layer = self.images.value()
        several = layer is not None and has_channels(layer)
        self.channels.setEnabled(several)
        self.channels.setToolTip(CHANNELS_TIP if several else NO_CHANNELS)

    def _show_channels(self) -> None:
        layer = self.images.value()
        if layer is None or not has_channels(layer):
            return
        below = layer
        for channel in channels_of(layer):
            add_quietly(self._viewer, channel, above=below)
            below = channel
        layer.visible = False
        self._viewer.layers.selection.active = below


def _rule() -> QFrame:
    rule = QFrame()
    rule.setFrameShape(QFrame.Shape.HLine)
    return rule
