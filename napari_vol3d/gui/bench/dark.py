"""A black surround for the scan, also in napari's light theme: white around it blinds for what is dark in it."""

from __future__ import annotations

from napari_vol3d.gui.bench.view import View


class DarkSurround:
    """Makes the canvas of one view black until it lets go."""

    def __init__(self, view: View) -> None:
        self._canvas = view.model.canvas
        self._before = self._canvas.background_color_override
        self._canvas.background_color_override = "black"

    def let_go(self) -> None:
        """Give the canvas the colour that it had."""
        self._canvas.background_color_override = self._before
