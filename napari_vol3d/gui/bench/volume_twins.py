"""The layers of the 3D view: small copies of the viewer's images and surfaces of its labels, never whole volumes."""

from __future__ import annotations

from typing import Any, TypeAlias

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QEvent, QObject
from vispy.scene import Node

from napari_vol3d.gui.bench.coarse_images import CoarseImage
from napari_vol3d.gui.bench.headlight import Headlight
from napari_vol3d.gui.bench.renderer import Budget, budget_of
from napari_vol3d.gui.bench.surfaces import ClassMeshes
from napari_vol3d.gui.bench.view import View, World
from napari_vol3d.gui.bench.volume_cross import VolumeCross
from napari_vol3d.gui.layers import is_preview

Twin: TypeAlias = CoarseImage | ClassMeshes
# x, y and z rise like thumb, forefinger and middle finger of a right hand, as a patient's axes do: in napari's own way,
# with z towards the person, the heart would be on the right.
UNMIRRORED = ("away", "down", "right")
# Down to the feet, away to the back, to the patient's right: face to face with the person, a little from the side.
LOOKING, UPWARDS = (-0.35, 0.9, -0.45), (1.0, 0.0, 0.0)


class VolumeTwins(QObject):
    """Keeps a 3D view's layers in step with the viewer's until it lets go; while nobody sees it, it rests.

    Layers that are neither images nor labels, images in colours and what has fewer than three axes are left out.

    Parameters
    ----------
    view : View
        With a model of its own, empty, in 3D.
    viewer : ViewerModel
        The viewer, whose layers are shown.
    """

    def __init__(self, view: View, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view, self._viewer = view, viewer
        self._known: Budget | None = None
        self._twins: dict[Layer, Twin] = {}
        self.cross = VolumeCross(view, self)
        self._light = Headlight(view, self._lit)
        events = viewer.layers.events
        self._connections = [
            (events.inserted, self._inserted), (events.removed, self._removed), (events.moved, self._order),
            (events.reordered, self._order),
        ]  # fmt: skip
        for signal, slot in self._connections:
            signal.connect(slot)
        view.native.installEventFilter(self)
        for layer in viewer.layers:
            self._add(layer)
        if view.native.isVisible():
            self._wake()

    @property
    def busy(self) -> bool:
        """Whether something is being made, or will be soon."""
        return any(twin.latest.busy for twin in self._twins.values())

    def let_go(self) -> None:
        """Part all twins from their layers, and take them out of the view; nothing runs on."""
        self._view.native.removeEventFilter(self)
        for signal, slot in self._connections:
            signal.disconnect(slot)
        for layer in list(self._twins):
            self._remove(layer)
        self._light.let_go()
        self.cross.let_go()

    def set_point(self, point: World) -> None:
        """Show the crosshair at a point of the world, whose last three are z, y, x."""
        self.cross.set_point(point)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Work while the view is seen, rest while it is not."""
        if event.type() == QEvent.Type.Show:
            self._wake()
        elif event.type() == QEvent.Type.Hide:
            self._sleep()
        return False

    def _wake(self) -> None:
        for twin in self._twins.values():
            twin.latest.wake()

    def _sleep(self) -> None:
        for twin in self._twins.values():
            twin.latest.sleep()

    def _budget(self) -> Budget:
        """Ask once, when the view is on the screen: before, it has no renderer."""
        if self._known is None:
            self._known = budget_of(self._view)
            self.cross.software = self._known.software
            for layer in self._twins:
                self._set_step(layer)
        return self._known

    def _inserted(self, event: Any) -> None:
        self._add(event.value)
        self._order()

    def _removed(self, event: Any) -> None:
        self._remove(event.value)

    def _add(self, layer: Layer) -> None:
        if layer in self._twins or not _is_shown(layer):
            return
        made = (ClassMeshes if isinstance(layer, Labels) else CoarseImage)(layer, self._viewer.dims, self._budget, self)
        self._twins[layer] = made
        self._view.twins[layer] = made.twin
        model, first = self._view.model, not self._view.model.layers
        model.layers.append(made.twin)
        model.layers.selection.clear()  # napari would look for the triangle under the mouse at each of its moves
        if first:  # napari has just reset its camera
            model.scene.camera.orientation = UNMIRRORED
            model.scene.camera.set_view_direction(LOOKING, UPWARDS)
        if isinstance(layer, Labels):  # napari shines its own light on new triangles
            made.twin.events.set_data.connect(self._light.shine, position="last")
            self._light.shine()
        self._set_step(layer)
        if self._view.native.isVisible():
            made.latest.wake()

    def _remove(self, layer: Layer) -> None:
        made = self._twins.pop(layer, None)
        if made is not None:
            made.let_go()
            if isinstance(layer, Labels):
                made.twin.events.set_data.disconnect(self._light.shine)
            self._view.model.layers.remove(self._view.twins.pop(layer))
            made.setParent(None)

    def _order(self, event: Any = None) -> None:
        self._view.order_twins(self._viewer.layers)

    def _lit(self) -> list[Node | None]:
        return [self._view.node_of(layer) for layer in self._twins if isinstance(layer, Labels)]

    def _set_step(self, layer: Layer) -> None:
        node = self._view.node_of(layer)
        if isinstance(layer, Image) and node is not None and self._known is not None:
            node.relative_step_size = self._known.step


def _is_shown(layer: Layer) -> bool:
    if is_preview(layer):  # surfaces of it would come after it is gone
        return False
    return layer.ndim >= 3 and (isinstance(layer, Labels) or (isinstance(layer, Image) and not layer.rgb))
