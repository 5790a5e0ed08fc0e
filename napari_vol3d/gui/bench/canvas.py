"""The canvas of a view of ours: napari's own widget around a model of ours."""

from __future__ import annotations

from collections.abc import Callable

from napari.components import ViewerModel
from napari.qt import QtViewer
from qtpy.QtGui import QDropEvent


class Canvas(QtViewer):
    """A canvas that gives what is dropped on it to the viewer.

    Parameters
    ----------
    model : ViewerModel
    drop : callable
        Takes the event.
    """

    def __init__(self, model: ViewerModel, drop: Callable[[QDropEvent], None]) -> None:
        self._drop = drop
        super().__init__(model)

    def dropEvent(self, event: QDropEvent) -> None:
        """Let the viewer open it; the layer comes back here as a twin."""
        self._drop(event)
