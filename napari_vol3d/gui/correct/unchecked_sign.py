"""A sign on a slice that was filled by interpolation and that nobody has confirmed: a bar and words at the edge."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject
from vispy.scene.visuals import Line

from napari_vol3d.gui.bench.glass import IN_FRONT, Writing
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.unchecked import Unchecked

WORDS = "interpolated, not checked"
COLOR = "#ff9f40"  # a warning's; no colour of a class or of an orientation letter
SIZE = 9  # points
WIDTH = 5  # pixels, of the bar
PLACE = (9.0, 36.0)  # from the upper left corner: under the letter at the middle of the edge, also in a narrow view


class UncheckedSign(QObject):
    """A piece of a view.

    Parameters
    ----------
    view : View
    desk : Desk
    unchecked : Unchecked
        Knows which slices.
    """

    def __init__(self, view: View, desk: Desk, unchecked: Unchecked) -> None:
        super().__init__()
        self._view, self._desk, self._unchecked = view, desk, unchecked
        self._bar = Line(method="gl", width=WIDTH, color=COLOR, parent=view.glass)
        self._bar.order, self._bar.visible = IN_FRONT - 7, False
        self._bar.set_gl_state("translucent", depth_test=False)
        self.writing = Writing(view, size=SIZE, color=COLOR, anchor=("left", "center"))
        unchecked.changed.connect(self.refresh)
        for event in self._events():
            event.connect(self._on_event)
        self.refresh()

    def refresh(self) -> None:
        """Show the sign where the slice that is shown wants it."""
        shown = self._unchecked.is_shown(self._view)
        self._bar.visible = shown
        self.writing.write((WORDS,) if shown else (), (PLACE,) if shown else ())
        if shown:
            width = self._view.native.width()
            self._bar.set_data(pos=[(0.0, WIDTH / 2), (float(width), WIDTH / 2)])

    @property
    def words(self) -> tuple[str, ...]:
        """What is shown."""
        return self.writing.words

    def let_go(self) -> None:
        """Take it off the canvas."""
        self._unchecked.changed.disconnect(self.refresh)
        for event in self._events():
            event.disconnect(self._on_event)
        self.writing.let_go()
        self._bar.parent = None

    def _on_event(self, event: object) -> None:
        self.refresh()

    def _events(self) -> tuple[Any, ...]:
        dims = self._view.model.dims.events
        return dims.point, dims.order, dims.ndisplay, self._view.qt_viewer.canvas.events.resize
