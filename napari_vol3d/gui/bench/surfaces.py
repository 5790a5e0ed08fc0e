"""The surfaces of a Labels layer that the 3D view shows, one for each class."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from napari.components import Dims
from napari.layers import Labels, Surface
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer

from napari_vol3d.core.box import Triple
from napari_vol3d.core.class_surfaces import ClassSurfaces, class_surfaces
from napari_vol3d.core.coarse import block_for, blocks_of, level_for
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.smooth_surface import Mesh
from napari_vol3d.core.volume import Spacing
from napari_vol3d.gui.bench.latest import Latest
from napari_vol3d.gui.bench.lying import PLACED_BY, affine_of, common, shown_at, spacing_of
from napari_vol3d.gui.bench.renderer import Budget
from napari_vol3d.gui.redrawn import Redrawn

EDIT_MS = 1000  # after the last stroke
COLOR_MS = 100  # a person drags in a colour dialog
SLIDER_MS = 300  # a person who runs through time points sees the one where they stop
MOST_VOXELS = 2**27  # of a larger label volume every second voxel or fewer are looked at
SPECK = 1e-3  # voxels
Colored: TypeAlias = tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]  # points, triangles, RGBA


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The voxels of a layer that were looked at: every `thin`th of a level, and the distances that meshes are in."""

    thin: Triple
    first: tuple[float, ...]
    steps: tuple[float, ...]
    spacing: Spacing
    shape: Triple

    def affine(self, layer: Labels) -> NDArray[np.float64]:
        """Give the matrix from points of a mesh to the world, wherever the layer lies now."""
        return affine_of(layer, self.first, np.divide(self.steps, self.spacing))


Found: TypeAlias = tuple[ClassSurfaces, Grid]


class ClassMeshes(QObject):
    """Makes the twin of a Labels layer for a 3D view and keeps it like the layer; asleep until it is woken.

    All classes are in one Surface layer, which stays quick to draw with a hundred of them. The layer's own opacity,
    which lets the scan shine through in the slices, is left out; a class is as opaque as its colour.

    Parameters
    ----------
    layer : Labels
        The viewer's, with three axes or more.
    dims : Dims
        The viewer's, whose sliders choose the time point.
    budget : callable
        Gives what the view can draw, once the view has been shown.

    Attributes
    ----------
    twin : Surface
        Without a triangle at first, and as large as the layer.
    """

    def __init__(self, layer: Labels, dims: Dims, budget: Callable[[], Budget], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layer, self._dims, self._budget = layer, dims, budget
        self._found: ClassSurfaces | None = None
        self._grid, _ = _grid(layer)
        self._redrawn, self._at = Redrawn(dims), shown_at(layer, dims)
        vertices, faces, colors = self._nothing()
        self.twin = Surface(
            (vertices, faces), vertex_colors=colors, shading="smooth", affine=self._grid.affine(layer),
            name=layer.name, visible=layer.visible, **common(layer),
        )  # fmt: skip
        self.latest = Latest(self._verb, f"Making surfaces of {layer.name}", self)
        self.latest.found.connect(self._take)
        self._colors = QTimer(self)
        self._colors.setSingleShot(True)
        self._colors.setInterval(COLOR_MS)
        self._colors.timeout.connect(self._show)
        events = layer.events
        self._connections = [
            *((getattr(events, name), self._place) for name in PLACED_BY),
            (events.colormap, self._recolor), (events.selected_label, self._recolor),
            (events.show_selected_label, self._recolor),
            (events.name, self._look), (events.visible, self._look), (events.data, self._edited),
            (events.paint, self._edited), (events.labels_update, self._edited), (events.set_data, self._refreshed),
            (dims.events.point, self._turn),
        ]  # fmt: skip
        for signal, slot in self._connections:
            signal.connect(slot)
        self.latest.ask()

    def let_go(self) -> None:
        """Part the twin from its layer."""
        self.latest.let_go()
        self._colors.stop()
        for signal, slot in self._connections:
            signal.disconnect(slot)

    def _look(self, event: Any) -> None:
        setattr(self.twin, event.type, getattr(self._layer, event.type))

    def _place(self, event: Any = None) -> None:
        self.twin.units = common(self._layer)["units"]
        self.twin.affine = self._grid.affine(self._layer)

    def _edited(self, event: Any) -> None:
        self.latest.ask(EDIT_MS)

    def _refreshed(self, event: Any) -> None:
        if self._redrawn.in_place():
            self.latest.ask(EDIT_MS)

    def _turn(self, event: Any) -> None:
        if shown_at(self._layer, self._dims) != self._at:
            self._at = shown_at(self._layer, self._dims)
            self.latest.ask(SLIDER_MS)

    def _recolor(self, event: Any) -> None:
        self._colors.start()

    def _verb(self) -> Generator[Progress, None, Found]:
        self._at = shown_at(self._layer, self._dims)
        grid, data = _grid(self._layer)
        return _surfaces(data, self._at, grid, self._budget().triangles, self._found)

    def _take(self, found: Found) -> None:
        surfaces, grid = found
        if surfaces is not self._found:
            self._found, self._grid = surfaces, grid
            self._show()

    def _show(self) -> None:
        """Put the surfaces of the classes that are seen into the twin, opaque ones first: they show through others."""
        self._colors.stop()
        parts = {} if self._found is None else self._found.parts
        colors = {class_id: self._color(class_id) for class_id in parts}
        seen = sorted((i for i in parts if colors[i][3] > 0), key=lambda i: -colors[i][3])
        vertices, faces, of_vertices = self._nothing()
        if seen:
            vertices, faces = _one([parts[i].mesh for i in seen])
            of_vertices = np.repeat([colors[i] for i in seen], [len(parts[i].mesh.vertices) for i in seen], axis=0)
        self.twin.visible = False  # else napari would show the points in the old colours, which are not as many
        self.twin.data = vertices, faces
        self.twin.vertex_colors = of_vertices
        self.twin.affine = self._grid.affine(self._layer)
        self.twin.visible = self._layer.visible

    def _color(self, class_id: int) -> NDArray[np.float32]:
        color = self._layer.get_color(class_id)
        return np.zeros(4, np.float32) if color is None else np.asarray(color, np.float32).reshape(-1)[:4]

    def _nothing(self) -> Colored:
        """Give a triangle that nobody sees, and points at the ends of the volume."""
        index = np.array([(0, 0, 0), (0, SPECK, 0), (0, 0, SPECK), self._grid.shape]) - 0.5
        vertices = (index * self._grid.spacing).astype(np.float32)
        return vertices, np.array([[0, 1, 2]], np.int32), np.zeros((4, 4), np.float32)


def _grid(layer: Labels) -> tuple[Grid, Any]:
    """Choose the voxels to look at, (..., Z, Y, X), and say where they lie."""
    levels = list(layer.data) if layer.multiscale else [layer.data]
    data = levels[level_for([level.shape for level in levels], MOST_VOXELS)]
    factors = np.divide(levels[0].shape[-3:], data.shape[-3:])
    thin = block_for(data.shape[-3:], spacing_of(layer, factors), MOST_VOXELS)
    first = np.add((factors - 1) / 2, [(n - 1) // 2 * factor for n, factor in zip(thin, factors, strict=True)])
    steps = factors * thin
    shape = blocks_of(data.shape[-3:], thin)
    return Grid(thin=thin, first=tuple(first), steps=tuple(steps), spacing=spacing_of(layer, steps), shape=shape), data


def _surfaces(
    data: Any, at: tuple[int, ...], grid: Grid, most: int, before: ClassSurfaces | None
) -> Generator[Progress, None, Found]:
    """Make the surfaces of what is shown; lazy voxels are read once, not for each class."""
    thinned = tuple(slice((n - 1) // 2, None, n) for n in grid.thin)
    voxels = np.asarray(data[(*at, *thinned)])
    surfaces = yield from class_surfaces(voxels, grid.spacing, most=most, before=before)
    return surfaces, grid


def _one(meshes: list[Mesh]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Put meshes together."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts.astype(np.int32), strict=False)]
    return np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces)
