"""Grey levels of the chosen image: window and level, never the voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer
from napari.components import LayerList
from napari.layers import Image, Layer
from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_vol3d.gui.forms.window import WindowForm
from napari_vol3d.gui.layers import origin_of
from napari_vol3d.gui.panels.grey_keeper import GreyKeeper
from napari_vol3d.gui.panels.grey_survey import GreySurvey

RAMP = np.linspace(0, 1, 33)  # where a colour ramp is looked at
NO_IMAGE = "No image is shown. Open a scan, or select one."
BACKWARDS = "_r"  # ends the name of a ramp that runs backwards, as in Matplotlib


class GreyLevels(QWidget):
    """Shows and changes contrast limits of the image that is chosen, and remembers them by scan.

    Attributes
    ----------
    form : WindowForm
    invert : QCheckBox
    line : QElidingLabel
        Says which image it is.
    """

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._image: Image | None = None
        self._watched: list[Layer] = []
        self._survey = GreySurvey(self)
        self.keeper = GreyKeeper(viewer, self._survey, self)
        self.line = QElidingLabel()
        self.form = WindowForm()
        self.invert = QCheckBox("Invert")
        self.invert.setToolTip("Show dark what is bright, as on film")
        self._lay_out()
        self.form.valueChanged.connect(self._apply)
        self.invert.toggled.connect(self._turn)
        self._survey.changed.connect(self._on_levels)
        viewer.layers.events.inserted.connect(self._follow)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.events.reordered.connect(self._follow)
        viewer.layers.selection.events.active.connect(self._follow)
        self._choose(None)
        self._follow()

    def image(self) -> Image | None:
        """Give the image whose grey levels are shown; None where there is none."""
        return self._image

    def is_ct(self, layer: Image) -> bool:
        """Whether a layer of the viewer looks like CT; no while a thread still looks at it."""
        levels = self._survey.of(layer) if layer in self._viewer.layers else None
        return levels is not None and levels.ct

    def let_go(self) -> None:
        """Let go of the viewer, and write what is to be remembered."""
        layers = self._viewer.layers
        layers.events.inserted.disconnect(self._follow)
        layers.events.removed.disconnect(self._on_removed)
        layers.events.reordered.disconnect(self._follow)
        layers.selection.events.active.disconnect(self._follow)
        for layer in self._watched:
            layer.events.visible.disconnect(self._follow)
        self._watched = []
        self._choose(None)
        self.keeper.let_go()
        self._survey.let_go()

    def _follow(self, event: Any = None) -> None:
        """Show the image that is chosen now."""
        for layer in self._viewer.layers:
            if layer not in self._watched:
                layer.events.visible.connect(self._follow)
                self._watched.append(layer)
        chosen = chosen_image(self._viewer.layers)
        if chosen is not self._image:
            self._choose(chosen)

    def _on_removed(self, event: Any) -> None:
        if event.value in self._watched:
            event.value.events.visible.disconnect(self._follow)
            self._watched.remove(event.value)
        self._follow()
        self._survey.forget(event.value)

    def _choose(self, image: Image | None) -> None:
        for signal, slot in self._signals():
            signal.disconnect(slot)
        self._image = image
        for signal, slot in self._signals():
            signal.connect(slot)
        self.form.setVisible(image is not None)
        self._show_window()
        self._show_ramp()
        self._show_levels()

    def _signals(self) -> tuple[tuple[Any, Any], ...]:
        """Give what the shown image tells, and who listens."""
        if self._image is None:
            return ()
        events = self._image.events
        return (
            (events.contrast_limits, self._show_window), (events.colormap, self._show_ramp),
            (events.name, self._show_line),
        )  # fmt: skip

    def _show_window(self, event: Any = None) -> None:
        if self._image is not None:
            self.form.setValue(tuple(self._image.contrast_limits))

    def _show_ramp(self, event: Any = None) -> None:
        if self._image is not None:
            self.form.histogram.show_ramp([tuple(color) for color in self._image.colormap.map(RAMP)])
            self.invert.blockSignals(True)
            self.invert.setChecked(self._image.colormap.name.endswith(BACKWARDS))
            self.invert.blockSignals(False)

    def _show_levels(self) -> None:
        self.form.show_levels(None if self._image is None else self._survey.of(self._image))
        self._show_line()

    def _show_line(self, event: Any = None) -> None:
        image = self._image
        levels = None if image is None else self._survey.of(image)
        looking = image is not None and levels is None
        end = " - CT" if levels is not None and levels.ct else " - looking at its grey levels ..." if looking else ""
        self.line.setText(NO_IMAGE if image is None else f"{image.name}{end}")
        self.line.setToolTip(self.line.text())

    def _on_levels(self, layer: Image) -> None:
        if layer is self._image:
            self._show_levels()

    def _apply(self) -> None:
        if self._image is not None and tuple(self._image.contrast_limits) != self.form.value():
            self._image.contrast_limits = self.form.value()

    def _turn(self, checked: bool) -> None:
        if self._image is not None:
            self._image.colormap = turned(self._image.colormap)

    def _lay_out(self) -> None:
        self.form.names.addWidget(self.invert)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(self.form)


def chosen_image(layers: LayerList) -> Image | None:
    """Give the image that is selected, else the uppermost that is seen; colours have no grey levels."""
    if _is_grey(layers.selection.active):
        return layers.selection.active
    return next((layer for layer in reversed(layers) if layer.visible and _is_scan(layer)), None)


def turned(colormap: Colormap) -> Colormap:
    """Give a colour ramp that runs the other way; one that was turned becomes itself again."""
    name = colormap.name
    other = name.removesuffix(BACKWARDS) if name.endswith(BACKWARDS) else f"{name}{BACKWARDS}"
    if other in AVAILABLE_COLORMAPS:
        return AVAILABLE_COLORMAPS[other]
    return Colormap(
        colors=colormap.colors[::-1], controls=1 - colormap.controls[::-1], name=other,
        interpolation=colormap.interpolation, nan_color=colormap.nan_color,
        low_color=colormap.high_color, high_color=colormap.low_color,
    )  # fmt: skip


def _is_grey(layer: Layer | None) -> bool:
    return isinstance(layer, Image) and not layer.rgb


def _is_scan(layer: Layer) -> bool:
    origin = origin_of(layer)
    return _is_grey(layer) and not (origin is not None and origin.probability)
