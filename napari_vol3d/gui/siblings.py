"""A drop of many slices is one scan: napari asks for each file of a series, and the first one opens them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from napari import Viewer
from napari.layers import Image
from napari.utils.notifications import show_info
from qtpy.QtCore import QObject

from napari_vol3d.gui.layers import origin_of
from napari_vol3d.io.series import series_of

TOGETHER_S = 3.0  # files of one drop follow each other faster


@dataclass(slots=True)
class _Opening:
    """A series that opens, or did just now: it may also have been refused, or not wanted after all."""

    paths: set[Path] = field(default_factory=set)
    last: float = 0.0
    going_on: bool = True


class Siblings(QObject):
    """Tells the first file of a series from those that come with it; one a window."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._openings: dict[tuple[Path, str], _Opening] = {}

    def opens(self, path: Path) -> bool:
        """Whether a file has to be read, rather than come with its series; then `ended` must be told."""
        series = series_of(path)
        if series is None:
            return True
        known = self._openings.get(series)
        if known is not None and (known.going_on or self._together(known, path)):
            known.paths.add(path)
            known.last = monotonic()
            return False
        self._openings[series] = _Opening(paths={path})
        return True

    def ended(self, path: Path) -> None:
        """Note that the series of a file that `opens` is in the viewer, or never will be."""
        for known in self._openings.values():
            if path in known.paths:
                known.going_on, known.last = False, monotonic()

    @staticmethod
    def _together(known: _Opening, path: Path) -> bool:
        """Whether a file comes in the same drop, which has no file twice: twice is a second try."""
        return path not in known.paths and monotonic() - known.last < TOGETHER_S


def siblings_of(viewer: Viewer) -> Siblings:
    """Give the window's memory of what it opens."""
    window = viewer.window._qt_window
    found: Siblings | None = window.findChild(Siblings)
    return Siblings(window) if found is None else found


def opened_with(viewer: Viewer, path: Path) -> bool:
    """Say so, and give True, where a slice is in the viewer already, with its series."""
    for layer in viewer.layers:
        origin = origin_of(layer) if isinstance(layer, Image) else None
        if origin is not None and str(path) in origin.geometry.stored.header.get("files", ()):
            show_info(f"{path.name} is a slice of {layer.name}, which is open.")
            return True
    return False
