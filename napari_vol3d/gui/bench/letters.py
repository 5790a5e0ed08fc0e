"""Which side of the patient is where: a letter at the middle of each edge of a slice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_vol3d.gui.bench.glass import Writing
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View

SIZE = 11  # points
COLOR = "#ffd54f"  # no colour of a class, and seen on black as on white
FROM_EDGE = 14  # pixels
SCALE_BAR = 185  # pixels from the right edge that napari's may take


class Letters:
    """R, L, A, P, S and I at the edges of one view, while a patient is shown in slices.

    Parameters
    ----------
    view : View
    anatomical : callable
        Whether the scan on the canvas is a patient's.
    """

    def __init__(self, view: View, anatomical: Callable[[], bool]) -> None:
        self._view, self._anatomical = view, anatomical
        self.writing = Writing(view, size=SIZE, color=COLOR)
        for event in self._events():
            event.connect(self.refresh)
        self.refresh()

    def refresh(self, event: object = None) -> None:
        """Show the letters of what the view shows now."""
        if not self._has_sides():
            self.writing.write((), ())
            return
        size = self._view.native.size()
        width, height = size.width(), size.height()
        below = max(min(width / 2, width - SCALE_BAR), FROM_EDGE)  # beside the scale bar of a narrow view
        places = (
            (FROM_EDGE, height / 2), (width - FROM_EDGE, height / 2), (width / 2, FROM_EDGE),
            (below, height - FROM_EDGE),
        )  # fmt: skip
        self.writing.write(self._view.letters, places)

    def let_go(self) -> None:
        """Let go of the view."""
        for event in self._events():
            event.disconnect(self.refresh)
        self.writing.let_go()

    def _has_sides(self) -> bool:
        dims = self._view.model.dims
        # A person may put the time on an axis of the screen.
        in_space = dims.ndim >= 3 and min(dims.order[-2:]) >= dims.ndim - 3
        return in_space and dims.ndisplay == 2 and self._view.plane is not Plane.VOLUME and self._anatomical()

    def _events(self) -> tuple[Any, ...]:
        model = self._view.model
        return (
            model.dims.events.order, model.dims.events.ndisplay, model.dims.events.ndim,
            model.scene.camera.events.orientation, model.layers.events.inserted, model.layers.events.removed,
            self._view.qt_viewer.canvas.events.resize,
        )  # fmt: skip
