"""The small copy of an image that the 3D view shows."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import numpy as np
from napari.components import Dims
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_vol3d.core.box import Triple
from napari_vol3d.core.coarse import KEPT, block_for, coarsened, level_for
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.bench.latest import Latest
from napari_vol3d.gui.bench.lying import PLACED_BY, affine_of, common, shown_at, spacing_of
from napari_vol3d.gui.bench.renderer import Budget
from napari_vol3d.gui.layers import finest

LOOKS = (
    "contrast_limits_range", "contrast_limits", "gamma", "colormap", "visible", "opacity", "rendering", "attenuation",
    "iso_threshold", "interpolation3d", "name",
)  # fmt: skip
# In front of surfaces an image would hide them; so it leaves the depth alone, and what is above it stays seen.
BLENDING = {"opaque": "translucent_no_depth", "translucent": "translucent_no_depth"}
SLIDER_MS = 300  # a person who runs through time points sees the one where they stop
Coarse: TypeAlias = tuple[NDArray[Any], NDArray[np.float64]]  # voxels, and those of the layer in each, along z, y, x


class CoarseImage(QObject):
    """Makes the twin of an Image layer for a 3D view and keeps it like the layer; asleep until it is woken.

    Parameters
    ----------
    layer : Image
        The viewer's, with three axes or more.
    dims : Dims
        The viewer's, whose sliders choose the time point and the channel.
    budget : callable
        Gives what the view can draw, once the view has been shown.

    Attributes
    ----------
    twin : Image
        Empty at first, and as large as the layer.
    """

    def __init__(self, layer: Image, dims: Dims, budget: Callable[[], Budget], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layer, self._dims, self._budget = layer, dims, budget
        self._at = shown_at(layer, dims)
        shape = finest(layer).shape[-3:]
        self._steps = np.asarray(shape, np.float64) / 2
        self.twin = Image(
            np.zeros((2, 2, 2), _dtype(layer)), affine=self._affine(), blending=self._blending(),
            contrast_limits=layer.contrast_limits, **common(layer),
        )  # fmt: skip
        self.latest = Latest(self._verb, f"Preparing {layer.name} in 3D", self)
        self.latest.found.connect(self._take)
        self._connections = [
            *((getattr(layer.events, name), self._look) for name in LOOKS),
            *((getattr(layer.events, name), self._place) for name in PLACED_BY),
            (layer.events.blending, self._blend), (layer.events.data, self._renew), (dims.events.point, self._turn),
        ]  # fmt: skip
        for signal, slot in self._connections:
            signal.connect(slot)
        for name in LOOKS:
            setattr(self.twin, name, getattr(layer, name))
        self.latest.ask()

    def let_go(self) -> None:
        """Part the twin from its layer."""
        self.latest.let_go()
        for signal, slot in self._connections:
            signal.disconnect(slot)

    def _look(self, event: Any) -> None:
        setattr(self.twin, event.type, getattr(self._layer, event.type))

    def _blend(self, event: Any) -> None:
        self.twin.blending = self._blending()

    def _blending(self) -> str:
        return BLENDING.get(str(self._layer.blending), str(self._layer.blending))

    def _place(self, event: Any = None) -> None:
        self.twin.units = common(self._layer)["units"]
        self.twin.affine = self._affine()

    def _affine(self) -> NDArray[np.float64]:
        return affine_of(self._layer, (self._steps - 1) / 2, self._steps)

    def _renew(self, event: Any) -> None:
        if self._layer.ndim >= 3:  # of what has lost an axis there is nothing to see in space
            self.latest.ask()

    def _turn(self, event: Any) -> None:
        if shown_at(self._layer, self._dims) != self._at:
            self._at = shown_at(self._layer, self._dims)
            self.latest.ask(SLIDER_MS)

    def _verb(self) -> Generator[Progress, None, Coarse]:
        layer, most = self._layer, self._budget().voxels
        self._at = shown_at(layer, self._dims)
        levels = list(layer.data) if layer.multiscale else [layer.data]
        data = levels[level_for([level.shape for level in levels], most)]
        shape = data.shape[-3:]
        factors = np.divide(levels[0].shape[-3:], shape)
        return _coarse(data, block_for(shape, spacing_of(layer, factors), most), self._at, factors)

    def _take(self, coarse: Coarse) -> None:
        voxels, self._steps = coarse
        self.twin.data = voxels
        self._place()


def _coarse(
    data: Any, block: Triple, at: tuple[int, ...], factors: NDArray[np.float64]
) -> Generator[Progress, None, Coarse]:
    voxels = yield from coarsened(data, block, at=at)
    return voxels, factors * block


def _dtype(layer: Image) -> np.dtype[Any]:
    dtype = np.dtype(finest(layer).dtype)
    return dtype if dtype in KEPT else np.dtype(np.float32)
