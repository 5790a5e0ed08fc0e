"""Opens images in the window that was chosen for them last, a CT in the usual one, and remembers what is chosen."""

from __future__ import annotations

import numpy as np
from napari import Viewer
from napari.layers import Image, Layer
from napari.utils.events import Event
from qtpy.QtCore import QObject, QTimer

from napari_vol3d.core.windows import OPENING, PRESETS, Window
from napari_vol3d.gui.layers import origin_of
from napari_vol3d.gui.panels.grey_memory import keep_windows, key_of, read_windows
from napari_vol3d.gui.panels.grey_survey import GreySurvey

AFTER_MS = 2000  # after the last change: a drag is hundreds of them


class GreyKeeper(QObject):
    """Watches the images of a viewer; `let_go` writes what is not written yet."""

    def __init__(self, viewer: Viewer, survey: GreySurvey, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._survey = viewer, survey
        self._known = read_windows()
        self._changed: dict[str, Window] = {}
        self._keys: dict[Image, str | None] = {}
        self._waiting: set[Image] = set()  # whose levels decide in which window they open
        self._opening = False
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.setInterval(AFTER_MS)
        self._clock.timeout.connect(self.write)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        survey.changed.connect(self._on_levels)
        for layer in viewer.layers:
            self._watch(layer)

    def write(self) -> None:
        """Write what was chosen since the last time."""
        self._clock.stop()
        if self._changed:
            changed, self._changed = self._changed, {}
            keep_windows(changed)

    def let_go(self) -> None:
        """Let go of the viewer."""
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        for layer in list(self._keys):
            self._leave(layer)
        self.write()

    def _on_inserted(self, event: Event) -> None:
        layer = event.value
        if self._watch(layer):
            window = self._chosen(layer)
            if window is not None:
                self._waiting.discard(layer)
                self._open(layer, window)

    def _on_removed(self, event: Event) -> None:
        if event.value in self._keys:
            self._leave(event.value)

    def _watch(self, layer: Layer) -> bool:
        """Begin to follow a layer; False where it shows no grey levels of a scan."""
        origin = origin_of(layer)
        if not isinstance(layer, Image) or layer.rgb or (origin is not None and origin.probability):
            return False
        self._keys[layer] = key_of(layer)
        layer.events.contrast_limits.connect(self._on_changed)
        if origin is not None:
            self._waiting.add(layer)
            self._on_levels(layer)
        return True

    def _leave(self, layer: Image) -> None:
        layer.events.contrast_limits.disconnect(self._on_changed)
        del self._keys[layer]
        self._waiting.discard(layer)

    def _on_changed(self, event: Event) -> None:
        key = self._keys.get(event.source)
        if key is not None and not self._opening:
            window = Window(*(float(limit) for limit in event.source.contrast_limits))
            self._known.pop(key, None)
            self._known[key] = self._changed[key] = window
            self._clock.start()

    def _on_levels(self, layer: Image) -> None:
        """Open a layer of ours by its levels, unless somebody has changed its window already."""
        levels = self._survey.of(layer) if layer in self._waiting else None
        if levels is None:
            return
        self._waiting.discard(layer)
        window = self._chosen(layer) or (PRESETS[OPENING] if levels.ct else None)
        if window is not None and np.allclose(layer.contrast_limits, levels.stretched.limits):
            self._open(layer, window)

    def _chosen(self, layer: Image) -> Window | None:
        """Give the window that a person has chosen for a layer's scan."""
        return self._known.get(self._keys[layer] or "")

    def _open(self, layer: Image, window: Window) -> None:
        self._opening = True
        layer.contrast_limits = window.limits
        self._opening = False

