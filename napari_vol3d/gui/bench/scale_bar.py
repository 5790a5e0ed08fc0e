"""napari's scale bar in every view, not only in its own."""

from __future__ import annotations

from napari_vol3d.gui.bench.view import View


class ScaleBar:
    """Shows the scale bar of one view until it lets go."""

    def __init__(self, view: View) -> None:
        self._bar = view.model.canvas.overlays.scale_bar
        self._before = bool(self._bar.visible)
        self._bar.visible = True

    def let_go(self) -> None:
        """Leave it as it was."""
        self._bar.visible = self._before
