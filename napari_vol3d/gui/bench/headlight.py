"""The light on surfaces in the 3D view: from behind the person who looks, a little from above and the left."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from vispy.scene import Node

from napari_vol3d.gui.bench.view import View


class Headlight:
    """Turns with the camera.

    napari's own light is behind the surfaces in a view that is not mirrored: vispy turns the normals by the way in
    which triangles run on the screen, and napari's camera mirrors the world unless its orientation is changed.

    Parameters
    ----------
    view : View
    nodes : callable
        Gives what is lit: visuals of meshes.
    """

    def __init__(self, view: View, nodes: Callable[[], Iterable[Node | None]]) -> None:
        self._camera, self._nodes = view.model.scene.camera, nodes
        # After napari's own slots, which shine their light.
        self._camera.events.view_direction.connect(self.shine, position="last")

    def let_go(self) -> None:
        """Leave the light as it is."""
        self._camera.events.view_direction.disconnect(self.shine)

    def shine(self, event: object = None) -> None:
        """Light all surfaces anew."""
        view, up = (np.asarray(way)[::-1] for way in (self._camera.view_direction, self._camera.up_direction))
        back = up - 2 * view + np.cross(up, view)
        travels = back if self._camera.handedness == "right" else -back
        for node in self._nodes():
            if node is not None and node.shading_filter is not None:
                node.shading_filter.light_dir = travels
