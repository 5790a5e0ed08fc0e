"""While a layer goes: the OpenGL context of the canvas that it was drawn on is the current one.

napari frees at once what the layer held on the graphics card, in whichever context is current then. The names of what
is held there are numbers, and windows do not share theirs: in the context of another window napari would free what
that one draws with, which ends in an empty canvas or a crash.
"""

from __future__ import annotations

from vispy.scene import SceneCanvas

from napari_vol3d.gui.bench.view import View


class Current:
    """Sees to that for one view, until it lets go.

    Parameters
    ----------
    view : View
    home : SceneCanvas
        napari's own canvas, which is the current one between: of several layers that go together napari frees what
        they held when all are gone from all views.
    """

    def __init__(self, view: View, home: SceneCanvas) -> None:
        self._view, self._home = view, home
        view.model.layers.events.removing.connect(self._enter)
        view.model.layers.events.removed.connect(self._leave)  # napari's own listeners come before any others

    def let_go(self) -> None:
        """Leave it to napari."""
        self._view.model.layers.events.removing.disconnect(self._enter)
        self._view.model.layers.events.removed.disconnect(self._leave)

    def _enter(self, event: object = None) -> None:
        canvas: SceneCanvas = self._view.qt_viewer.canvas._scene_canvas
        # One that was never drawn has no context yet, and will share that of its window.
        (canvas if self._view.native.isValid() else self._home).set_current()

    def _leave(self, event: object = None) -> None:
        self._home.set_current()
