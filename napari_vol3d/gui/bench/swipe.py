"""A line through a view: one image left of it, another right of it; the line is dragged with the mouse."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QCursor, QMouseEvent
from vispy.scene import Node
from vispy.scene.visuals import Line, Markers, Text
from vispy.visuals.filters import Clipper

from napari_vol3d.core.say import shortened
from napari_vol3d.gui.bench.pair import Pair
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View

NEAR = 6  # pixels from the line at which the mouse takes it
EDGE = 4  # pixels: the line stays on the canvas, where it can be taken again
FAR = 1e5  # pixels; beyond any canvas
COLOR = (0.35, 0.9, 1.0, 0.95)  # that of no plane, on whose line it may lie
ON_TOP = 1_000_000  # over napari's layers and overlays
NAME_AT, BESIDE = 14, 8  # pixels from the upper edge, and from the line
LETTER, FEWEST = 8.0, 6  # pixels of a letter of a name; letters that are shown in any case


class Swipe(QObject):
    """Shows the first layer of a pair left of a line and the second right of it, while a pair is held.

    What draws the layers is clipped; their voxels and their looks are left alone. Each view has a line of its own.
    In 3D there is none.
    """

    def __init__(self, view: View, pair: Pair) -> None:
        super().__init__()
        self._view, self._pair = view, pair
        self._share = 0.5  # of the canvas, left of the line
        self._dragged = False
        self._cursor: QCursor | None = None  # the canvas's own, while ours is shown
        self._clipped: dict[Layer, tuple[Node, Clipper]] = {}
        self._watched: list[Layer] = []
        self._line, self._grip, self._names = _line(view.glass), _grip(view.glass), _names(view.glass)
        layers = view.model.layers.events
        self._signals = (view.model.dims.events.ndisplay, layers.inserted, layers.removed)
        for signal in self._signals:
            signal.connect(self._follow)
        pair.changed.connect(self._follow)
        view.native.installEventFilter(self)
        self._follow()

    @property
    def at(self) -> float:
        """Where the line is, in pixels from the left edge of the canvas."""
        width = self._view.native.width()
        return float(np.clip(self._share * width, EDGE, max(EDGE, width - EDGE)))

    @property
    def active(self) -> bool:
        """Whether this view is divided now."""
        return bool(self._clipped)

    def let_go(self) -> None:
        """Take the line away and leave the layers whole."""
        self._view.native.removeEventFilter(self)
        self._pair.changed.disconnect(self._follow)
        for signal in self._signals:
            signal.disconnect(self._follow)
        self._release_layers()
        self._point_as_before()
        for node in (self._line, self._grip, *self._names):
            node.parent = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Drag the line; True where neither napari nor the bench shall see the mouse."""
        if not self.active:
            return False
        kind = event.type()
        if kind == QEvent.Type.Resize:
            self._draw()
        elif kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self._dragged = self._is_near(event)
            return self._dragged
        elif kind == QEvent.Type.MouseMove:
            return self._move(event)
        elif kind == QEvent.Type.MouseButtonRelease and self._dragged:
            self._move(event)  # a busy screen may tell of the last moves too late
            self._dragged = False
            return True
        return False

    def _move(self, event: QMouseEvent) -> bool:
        if self._dragged:
            self._share = float(np.clip(event.pos().x() / max(1, self._view.native.width()), 0, 1))
            self._draw()
        elif self._is_near(event) and not event.buttons():
            self._point_sideways()
        else:
            self._point_as_before()
        return self._dragged

    def _is_near(self, event: QMouseEvent) -> bool:
        return abs(event.pos().x() - self.at) <= NEAR

    def _point_sideways(self) -> None:
        if self._cursor is None:
            self._cursor = self._view.native.cursor()
            self._view.native.setCursor(Qt.CursorShape.SplitHCursor)

    def _point_as_before(self) -> None:
        if self._cursor is not None:
            self._view.native.setCursor(self._cursor)
            self._cursor = None

    def _follow(self, event: object = None) -> None:
        """Clip what draws the pair now: napari changes the nodes of a layer, and other layers may be held."""
        self._release_layers()
        held = self._pair.value()
        flat = self._view.plane is not Plane.VOLUME
        shown = [self._view.shows(layer) for layer in held or () if flat and self._view.node_of(layer) is not None]
        if len(shown) == 2:
            for layer in shown:
                layer.events.set_data.connect(self._on_set_data)
                self._watched.append(layer)
            self._clip()
        else:
            self._point_as_before()
            self._dragged = False
        self._draw()

    def _clip(self) -> None:
        to_glass = self._view.glass.transforms.get_transform("framebuffer", "visual")
        for layer in self._pair.value() or ():
            node, clipper = self._view.node_of(layer), Clipper(transform=to_glass)
            if node is None:
                continue
            node.attach(clipper)
            self._clipped[layer] = (node, clipper)

    def _on_set_data(self, event: Any = None) -> None:
        """Clip anew where napari draws a layer with another node, as for a slice that is larger than a texture."""
        if any(self._view.node_of(layer) is not node for layer, (node, _) in self._clipped.items()):
            self._follow()

    def _release_layers(self) -> None:
        for layer in self._watched:
            layer.events.set_data.disconnect(self._on_set_data)
        for node, clipper in self._clipped.values():
            node.detach(clipper)
        self._watched.clear()
        self._clipped.clear()

    def _draw(self) -> None:
        """Put the line, the names and the edges of the two halves where they belong."""
        at, height = self.at, self._view.native.height()
        for node in (self._line, self._grip, *self._names):
            node.visible = self.active
        if not self.active:
            return
        for (_, clipper), left in zip(self._clipped.values(), (-FAR, at), strict=True):
            clipper.bounds = (left, -FAR, FAR + at if left < 0 else FAR, 2 * FAR)
        self._line.set_data(np.array([(at, 0), (at, height)], np.float32))
        self._grip.set_data(
            np.array([(at, height / 2)], np.float32), symbol="diamond", size=14, face_color=COLOR, edge_width=0
        )
        for text, layer, side in zip(self._names, self._clipped, (-1, 1), strict=True):
            room = (at if side < 0 else self._view.native.width() - at) - BESIDE
            text.text = shortened(layer.name, max(FEWEST, int(room / LETTER)))
            text.pos = (at + side * BESIDE, NAME_AT)
        self._view.native.update()


def _line(parent: Node) -> Line:
    return _on_top(Line(np.zeros((2, 2), np.float32), color=COLOR, width=2, method="gl", parent=parent))


def _grip(parent: Node) -> Markers:
    markers = Markers(parent=parent)
    markers.set_data(np.zeros((1, 2), np.float32), size=14)
    return _on_top(markers)


def _names(parent: Node) -> tuple[Text, Text]:
    """Make the names at both sides of the line; each grows away from it."""
    left, right = (Text(" ", color=COLOR, font_size=9, anchor_x=anchor, parent=parent) for anchor in ("right", "left"))
    return _on_top(left), _on_top(right)


def _on_top(node: Node) -> Any:
    node.order = ON_TOP
    node.set_gl_state("translucent", depth_test=False)
    node.visible = False
    return node
