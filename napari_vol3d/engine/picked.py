"""Functions that take parts of a tensor, repeat or widen it, as the layers that do the same: those are understood.

What is cut off space becomes a cropping, what is put around it zeros, what is repeated an upsampling. Channels that are
picked, repeated or added as zeros come out of a convolution of one voxel, with ones and zeros for weights.
Each handler gives None where this can't be done: then the function is called as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from napari_vol3d.engine.keras2_functions import hard_sigmoid
from napari_vol3d.engine.layout import FIRST, LAST, Call, Held

if TYPE_CHECKING:
    from napari_vol3d.engine.relaid import Relaid

ALL, NONE = slice(None), ((0, 0), (0, 0), (0, 0))


def mixed(relaid: Relaid, name: str, value: Any, weights: NDArray[Any]) -> Any:
    """Give channels anew: each a sum of the old ones.

    Parameters
    ----------
    value : tensor, shape (batch, z, y, x, channels)
    weights : ndarray, shape (channels, new channels)
    """
    part = layers.Conv3D(weights.shape[1], 1, use_bias=False, name=relaid.free(name))
    result = part(value)
    part.set_weights([np.asarray(weights, np.float32)[None, None, None]])
    return result


def picked(relaid: Relaid, layer: Any, call: Call) -> Held | None:
    """Take x[:, 2:-2, 2:-2, 2:-2, :1] apart."""
    held, key = call.first, call.args[1] if len(call.args) > 1 else call.kwargs.get("key")
    if held.order == "nzyx" and isinstance(key, (list, tuple)) and list(key) in ([Ellipsis, None], [*[ALL] * 4, None]):
        return Held(held.value, LAST, call.shape)
    key = _in_full(key, len(held.shape))
    if key is None or not _is_volume(held) or key[0] != ALL:
        return None
    at = dict(zip(held.order, key, strict=True))
    cuts = [_cut(at[letter], held.shape[held.order.index(letter)]) for letter in "zyx"]
    if None in cuts:
        return None
    z, y, x = (cut for cut in cuts if cut is not None)
    value, one = held.value, at["c"]
    if (z, y, x) != NONE:
        value = layers.Cropping3D((z, y, x), name=relaid.free(layer.name))(value)
    chosen = np.eye(value.shape[-1])[:, slice(one, one + 1 or None) if isinstance(one, int) else one]
    if not np.array_equal(chosen, np.eye(len(chosen))):
        value = mixed(relaid, layer.name, value, chosen)
    return Held(value, held.order.replace("c", "") if isinstance(one, int) else held.order, call.shape)


def _is_volume(held: Held) -> bool:
    return held.order in (LAST, FIRST) and "float" in keras.backend.standardize_dtype(held.value.dtype)


def _in_full(key: Any, rank: int) -> list[Any] | None:
    """Give what is taken along each axis; None where it is more than ranges and numbers."""
    items = list(key) if isinstance(key, (list, tuple)) else [key]
    if any(item is not Ellipsis and not isinstance(item, (int, slice)) for item in items):
        return None
    dots = next((k for k, item in enumerate(items) if item is Ellipsis), len(items))
    behind = items[dots + 1 :]
    return [*items[:dots], *[ALL] * (rank - dots - len(behind)), *behind]


def _cut(item: Any, length: int | None) -> tuple[int, int] | None:
    """Give the voxels that a range leaves out at both ends of an axis; None where they hang on its length."""
    if not isinstance(item, slice) or item.step not in (None, 1):
        return None
    if length is not None:
        start, stop, _ = item.indices(length)
        return start, length - stop
    first, last = item.start or 0, item.stop if item.stop is not None else 0
    return (first, -last) if first >= 0 and (last < 0 or item.stop is None) else None


def split(relaid: Relaid, layer: Any, call: Call) -> list[Held] | None:
    """Take channels apart into several tensors."""
    held, where = call.first, layer.indices_or_sections
    if not _is_volume(held) or held.order[layer.axis] != "c":
        return None
    count = held.value.shape[-1]
    inner = range(0, count, count // where)[1:] if isinstance(where, int) else where
    parts = [np.eye(count)[:, low:high] for low, high in pairwise((0, *inner, count))]
    return [
        Held(mixed(relaid, layer.name, held.value, part), held.order, tuple(result.shape))
        for part, result in zip(parts, call.node.outputs, strict=True)
    ]


def repeated(relaid: Relaid, layer: Any, call: Call) -> Held | None:
    """Repeat each channel, or each voxel along an axis."""
    held, times = call.first, layer.repeats
    if not _is_volume(held) or not isinstance(times, int) or layer.axis is None or layer.axis % 5 == 0:
        return None
    letter = held.order[layer.axis]
    if letter == "c":
        value = mixed(relaid, layer.name, held.value, np.eye(held.value.shape[-1]).repeat(times, axis=1))
    else:
        sizes = tuple(times if letter == axis else 1 for axis in "zyx")
        value = layers.UpSampling3D(sizes, name=relaid.free(layer.name))(held.value)
    return Held(value, held.order, call.shape)


def padded(relaid: Relaid, layer: Any, call: Call) -> Held | None:
    """Put zeros around."""
    held, width = call.first, layer.pad_width
    filled = call.args[1] if len(call.args) > 1 else call.kwargs.get("constant_values")
    if not _is_volume(held) or layer.mode != "constant" or filled not in (None, 0) or len(width) != 5:
        return None
    at = dict(zip(held.order, ((int(first), int(last)) for first, last in width), strict=True))
    if at["n"] != (0, 0) or min(n for pair in at.values() for n in pair) < 0:
        return None
    value = held.value
    if any(map(any, zyx := tuple(at[letter] for letter in "zyx"))):
        value = layers.ZeroPadding3D(zyx, name=relaid.free(layer.name))(value)
    if any(at["c"]):
        value = mixed(relaid, layer.name, value, np.pad(np.eye(value.shape[-1]), ((0, 0), at["c"])))
    return Held(value, held.order, call.shape)


def multiplied(relaid: Relaid, layer: Any, call: Call) -> Held | None:
    """Call a product with the channels of each voxel as the dense layer it is: its own keeps the size it met first."""
    plain = re.fullmatch(r"([\w.]*)(\w),\2(\w)->\1\3", layer.equation)
    if not plain or layer.bias_axes not in (None, plain[3]) or call.first.order[-1:] != "c":
        return None
    weights, steep = layer.get_weights(), layer.activation is hard_sigmoid
    dense = layers.Dense(
        weights[0].shape[1], activation="linear" if steep else layer.activation, use_bias=len(weights) > 1,
        name=relaid.free(layer.name),
    )  # fmt: skip
    value = dense(call.first.value)
    dense.set_weights(weights)
    return Held(relaid.steep(value, layer.name) if steep else value, call.first.order, call.shape)


HANDLERS: dict[str, Callable[..., Any]] = {
    "GetItem": picked, "Split": split, "Repeat": repeated, "Pad": padded, "EinsumDense": multiplied,
}  # fmt: skip
