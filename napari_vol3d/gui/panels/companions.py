"""Layers that show another layer's voxels in another way, read where they are looked at: no voxel is copied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from numpy.typing import NDArray

from napari_vol3d.core.sliced import Sliced, taken
from napari_vol3d.gui.layers import CHANNEL, KEY, TIME, contrast_limits, finest, origin_of
from napari_vol3d.gui.placing import placed_like

COLORS = ("green", "magenta", "cyan", "yellow", "red", "blue")  # of channels, as microscopists choose them


class Earlier(Sliced):
    """A series in which every time point is the one before; before the first there is nothing.

    Parameters
    ----------
    data : array, shape (T, ...)
    nothing : float or int
        The value of voxels before the first time point.
    """

    def __init__(self, data: Any, nothing: Any) -> None:
        super().__init__(data.shape, data.dtype)
        self.data, self._nothing = data, np.clip(nothing, *_range(self.dtype)).astype(self.dtype)

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        times = range(spans[0].start, spans[0].stop, spans[0].step)
        return np.concatenate([self._moment(time - 1, spans[1:]) for time in times])

    def _moment(self, time: int, spans: tuple[slice, ...]) -> NDArray[Any]:
        if time < 0:
            return np.full((1, *(len(range(s.start, s.stop, s.step)) for s in spans)), self._nothing)
        return np.asarray(self.data[(slice(time, time + 1), *spans)])


def has_time(layer: Layer) -> bool:
    """Whether a layer of ours shows a time series."""
    return _leading(layer)[:1] == (TIME,)


def has_channels(layer: Layer) -> bool:
    """Whether a layer of ours shows several channels, of which the slider chooses one."""
    return isinstance(layer, Image) and CHANNEL in _leading(layer)


def previous_of(layer: Image | Labels) -> Image | Labels:
    """Make the hidden layer that shows, of a time series, the time point before the one that is shown."""
    keywords: dict[str, Any] = {
        "name": f"{layer.name} (previous time)", "visible": False, "metadata": dict(layer.metadata),
        "colormap": layer.colormap, "opacity": layer.opacity, **placed_like(layer, leading=_leading(layer)),
    }  # fmt: skip
    if isinstance(layer, Labels):
        earlier = Labels(Earlier(finest(layer), 0), features=layer.features, **keywords)
        earlier.editable = False
        return earlier
    low, high = layer.contrast_limits
    return Image(Earlier(finest(layer), low), contrast_limits=(low, high), gamma=layer.gamma, **keywords)


def channels_of(layer: Image) -> list[Image]:
    """Make one layer a channel, each in a colour, which add up to one picture."""
    origin, leading = origin_of(layer), _leading(layer)
    if origin is None or CHANNEL not in leading:
        raise ValueError(f"a layer with channels was expected; received {layer.name}")
    axis, rest = leading.index(CHANNEL), tuple(name for name in leading if name != CHANNEL)
    alone = replace(origin, channels=())
    placed, layers = placed_like(layer, leading=rest), []
    for index, name in enumerate(origin.channels):
        data = taken(finest(layer), axis, index)
        layers.append(
            Image(
                data, name=f"{layer.name} {name}", colormap=COLORS[index % len(COLORS)], blending="additive",
                contrast_limits=contrast_limits(data), metadata={KEY: alone}, **placed,
            )
        )  # fmt: skip
    return layers


def _leading(layer: Layer) -> tuple[str, ...]:
    origin = origin_of(layer)
    return origin.leading if origin is not None and layer.ndim == 3 + len(origin.leading) else ()



def _range(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype) if dtype.kind == "f" else None
    return (0, 1) if limits is None else (limits.min, limits.max)
