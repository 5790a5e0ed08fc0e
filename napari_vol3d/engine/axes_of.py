"""In which order a network takes its axes: read off the first layer that knows an order, through what turns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from napari_vol3d.engine.anatomy import keras_name
from napari_vol3d.engine.layout import FIRST, LAST, TURNS, turn_of
from napari_vol3d.engine.replay import replay

WANTED = {"channels_first": FIRST, "channels_last": LAST}
BY_SLICE = {"channels_first": "nzcyx", "channels_last": LAST}  # of a layer that is called for each slice


@dataclass(frozen=True, slots=True)
class _Axes:
    """Which axis of the input each axis of a tensor is; empty where that is lost."""

    places: tuple[int, ...]


class _Found(Exception):
    """Ends the walk."""

    def __init__(self, order: str) -> None:
        super().__init__(order)
        self.order = order


def order_of(network: keras.Model) -> str:
    """Give the letters of a network's input axes: "nzyxc" or "nczyx"; "nzyx" where a channel goes without saying."""
    order = LAST
    try:
        replay(network, [_Axes(tuple(range(len(tensor.shape)))) for tensor in network.inputs], _follow)
    except _Found as found:
        order = found.order if found.order in (FIRST, LAST) else LAST
    return order.replace("c", "") if len(network.inputs[0].shape) == 4 else order


def _follow(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: Any) -> Any:
    """Say where the axes of the results come from; it ends at a layer that knows which it wants."""
    found = [each.places for each in keras.tree.flatten((args, kwargs)) if isinstance(each, _Axes)]
    places = found[0] if found else ()
    wanted = WANTED.get(str(getattr(layer, "data_format", None)))
    if keras_name(layer) == "TimeDistributed":
        wanted = BY_SLICE.get(str(getattr(layer.layer, "data_format", None)))
    if wanted and len(places) == 5:
        letters = dict(zip(places, wanted, strict=True))
        raise _Found("".join(letters[axis] for axis in range(5)))
    if wanted:
        raise _Found(wanted)
    if keras_name(layer) in TURNS and places:
        places = tuple(places[axis] for axis in turn_of(layer, len(places)))
    return [_Axes(places if len(result.shape) == len(places) else ()) for result in node.outputs]
