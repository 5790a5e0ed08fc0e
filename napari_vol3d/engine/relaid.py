"""Calling a network's layers anew with channels last, for patches of any size.

Whatever order of axes the original works in, the new tensors are always (batch, z, y, x, channels), or (batch,
channels) where space is gone. A letter an axis says what the original's axes were: "nczyx" for channels first, "nvc"
where space was flattened, of which nothing is left in the new network. So turning axes costs nothing, and a network
that ends in a flat list of voxels comes out as a volume.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from napari_vol3d.engine.anatomy import keras_name
from napari_vol3d.engine.by_slice import called_alone, called_by_slice
from napari_vol3d.engine.keras2_functions import STEEPER, hard_sigmoid
from napari_vol3d.engine.layer_kinds import IDLE, OVER_AXIS, POINTWISE
from napari_vol3d.engine.layout import (
    FIRST,
    LAST,
    TURNS,
    VECTOR,
    Call,
    Held,
    Untranslatable,
    new_axis,
    order_of_shape,
    regrouped,
    same_as,
    turn_of,
)
from napari_vol3d.engine.ops_as_layers import HANDLERS as FUNCTIONS
from napari_vol3d.engine.picked import HANDLERS as PICKED

SPATIAL = {
    "Conv3D", "Conv3DTranspose", "MaxPooling3D", "AveragePooling3D", "UpSampling3D", "ZeroPadding3D", "Cropping3D",
    "GlobalAveragePooling3D", "GlobalMaxPooling3D", "SpatialDropout3D", "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling3D",
}  # fmt: skip
NORMS = (
    "BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization",
    "Normalization",
)  # fmt: skip
PARTS = PICKED | FUNCTIONS
SOFTMAXES = ("softmax", "log_softmax")


class Relaid:
    """Makes the calls of a network anew: what `replay` asks for.

    Attributes
    ----------
    notes : set of str
        What it met and changed, for people.
    raised : dict
        Layers that took the place of others, by those and what was asked of them.
    """

    def __init__(self) -> None:
        self.notes: set[str] = set()
        self.raised: dict[tuple[int, str], Any] = {}
        self._made: dict[tuple[int, str], Any] = {}
        self._names = {"scan"}  # the new network's input

    def __call__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: Any) -> Any:
        """Make one call; gives a `Held` for each result."""
        name = keras_name(layer)
        held = [item for item in keras.tree.flatten((args, kwargs)) if isinstance(item, Held)]
        if not held:
            raise Untranslatable(f"layer {layer.name} starts from nothing")
        if name in IDLE or name == "StopGradient":
            return self._idle(held[0], kwargs)
        kind = HANDLERS.get(name)
        if kind is None and name in SPATIAL:
            kind = _spatial
        if kind is None and name in POINTWISE:
            kind = _pointwise
        if hasattr(layer, "plain"):
            kind = called_alone
        if hasattr(layer, "unfold"):
            kind = _unfolded
        call = Call(held, args, kwargs, node)
        known = PARTS[name](self, layer, call) if name in PARTS else None
        return known or (kind or as_it_was)(self, layer, call)

    def _idle(self, held: Held, kwargs: dict[str, Any]) -> Held:
        if kwargs.get("training"):
            self.notes.add("Dropout that was always on is off: the same scan gives the same labels.")
        return held

    def fresh(self, layer: Any, call: Callable[[Any], Any], weights: Any = None, **changes: Any) -> Any:
        """Call a new layer like this one, with its weights; the same one again where the layer is called again."""
        if steep := getattr(layer, "activation", None) is hard_sigmoid:
            changes["activation"] = "linear"
        key = (id(layer), repr(changes))
        if key not in self._made:
            self._made[key] = copied(layer, name=self.free(layer.name), **changes)
        new = self._made[key]
        result = call(new)
        if getattr(layer, "weights", None):
            new.set_weights([np.asarray(w, np.float32) for w in (weights or layer.get_weights())])
            if hasattr(new, "finalize_state"):  # of what a layer learned from data: mean and variance
                new.finalize_state()
        return self.steep(result, layer.name) if steep else result

    def steep(self, value: Any, name: str) -> Any:
        """Call Keras 2's hard sigmoid, by parts of Keras 3."""
        return layers.Activation("hard_sigmoid", name=self.free(f"{name}_hard_sigmoid"))(value * STEEPER)

    def free(self, name: str) -> str:
        """Give a name that no layer has yet: those of models inside may be taken."""
        number, free = 1, name
        while free in self._names:
            free, number = f"{name}_{number}", number + 1
        self._names.add(free)
        return free


def copied(layer: Any, **changes: Any) -> Any:
    """Give a new layer or operation of the same kind; a layer computes in float32."""
    config = {**layer.get_config(), **changes}
    if isinstance(layer, keras.Layer):
        config["dtype"] = "float32"
    return type(layer).from_config(config)


def as_it_was(relaid: Relaid, layer: Any, call: Call, **changes: Any) -> Any:
    """Call a layer of which nothing is known, where it finds the axes that it knows."""
    if not all(same_as(item.order) for item in call.held):
        raise Untranslatable(f"layer {layer.name} ({type(layer).__name__}) is not understood in this order of axes")
    args, kwargs = call.filled()
    results = keras.tree.flatten(relaid.fresh(layer, lambda new: new(*args, **kwargs), **changes))
    return [Held(v, order_of_shape(v.shape), tuple(o.shape)) for v, o in zip(results, call.node.outputs, strict=True)]


def _unfolded(relaid: Relaid, layer: Any, call: Call) -> Any:
    args, kwargs = call.filled()
    order = call.first.order
    if hasattr(layer, "axis"):  # keras-contrib's normalisation
        axis = None if layer.axis is None else 4 if new_axis(order, layer.axis) == (4,) else -1
        if axis == -1 or (axis is None and order not in (LAST, FIRST)):
            raise Untranslatable(f"layer {layer.name} normalises along an axis of space")
        return Held(layer.unfold(call.first.value, axis), order, call.shape)
    if not all(same_as(item.order) for item in call.held):
        raise Untranslatable(f"layer {layer.name} is not understood in this order of axes")
    value = layer.unfold(*args, **kwargs)
    return Held(value, order_of_shape(value.shape), call.shape)


def _spatial(relaid: Relaid, layer: Any, call: Call) -> Any:
    wanted = FIRST if layer.data_format == "channels_first" else LAST
    if call.first.order != wanted:
        raise Untranslatable(f"layer {layer.name} takes its axes in another order than they come")
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    if activation in SOFTMAXES and wanted == FIRST:
        raise Untranslatable(f"the softmax of layer {layer.name} runs along x and not along the scores")
    value = relaid.fresh(layer, lambda new: new(call.first.value), data_format="channels_last")
    return Held(value, wanted if len(value.shape) == 5 else VECTOR, call.shape)


def _pointwise(relaid: Relaid, layer: Any, call: Call) -> Any:
    orders = {item.order for item in call.held}
    rest = [a for a in keras.tree.flatten((call.args, call.kwargs)) if np.ndim(a) and not isinstance(a, Held)]
    if len(orders) > 1 or (rest and not same_as(call.first.order)):
        raise Untranslatable(f"layer {layer.name} joins tensors with different axes")
    order = call.first.order
    if type(layer).__name__ == "Dense" and order and order[-1] != "c":
        raise Untranslatable(f"layer {layer.name} works along an axis of space")
    if getattr(getattr(layer, "activation", None), "__name__", "") in SOFTMAXES:
        _check_softmax(layer, order, -1)
    args, kwargs = call.filled()
    kwargs.pop("training", None)
    value = relaid.fresh(layer, lambda new: new(*args, **kwargs))
    return Held(value, order or order_of_shape(value.shape), call.shape)


def _check_softmax(layer: Any, order: str, axis: Any) -> None:
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    if order and [order[a % len(order)] for a in axes] != ["c"]:
        raise Untranslatable(f"the softmax of layer {layer.name} runs along {order[axes[0] % len(order)]}")


def _softmax(relaid: Relaid, layer: Any, call: Call) -> Any:
    if not call.first.order:
        return as_it_was(relaid, layer, call)
    _check_softmax(layer, call.first.order, layer.axis)
    value = relaid.fresh(layer, lambda new: new(call.first.value), axis=-1)
    return Held(value, call.first.order, call.shape)


def _normalised(relaid: Relaid, layer: Any, call: Call) -> Any:
    order, axis = call.first.order, layer.axis
    axes = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    if not order or axis is None or [order[a % len(order)] for a in axes] != ["c"]:
        return as_it_was(relaid, layer, call)
    if type(layer) is layers.BatchNormalization and call.kwargs.get("training"):
        relaid.notes.add("Batch normalisation that takes each patch's own statistics became instance normalisation.")
        norm = layers.GroupNormalization(
            groups=-1, epsilon=layer.epsilon, center=layer.center, scale=layer.scale, name=relaid.free(layer.name)
        )
        value = norm(call.first.value)
        norm.set_weights([np.asarray(w, np.float32) for w in layer.get_weights()[: layer.center + layer.scale]])
        return Held(value, order, call.shape)
    value = relaid.fresh(layer, lambda new: new(call.first.value), axis=-1)
    return Held(value, order, call.shape)


def _prelu(relaid: Relaid, layer: Any, call: Call) -> Any:
    order = call.first.order
    if not order or "v" in order:
        return as_it_was(relaid, layer, call)
    natural = VECTOR if order == VECTOR else LAST
    shared = [natural.index(order[a]) for a in layer.shared_axes or ()]
    if len(shared) < 3 and None in call.first.value.shape[1:4] and order != VECTOR:
        raise Untranslatable(f"layer {layer.name} has a weight of its own for each voxel")
    alpha = np.transpose(layer.get_weights()[0], [order.index(letter) - 1 for letter in natural[1:]])
    value = relaid.fresh(layer, lambda new: new(call.first.value), [alpha], shared_axes=shared)
    return Held(value, order, call.shape)


def _joined(relaid: Relaid, layer: Any, call: Call) -> Any:
    order = call.first.order
    if not order or any(item.order != order for item in call.held):
        return as_it_was(relaid, layer, call)
    if order[layer.axis % len(order)] != "c":
        raise Untranslatable(f"layer {layer.name} joins pieces along an axis of space")
    values = [item.value for item in call.held]
    return Held(relaid.fresh(layer, lambda new: new(values), axis=-1), order, call.shape)


def _reduced(relaid: Relaid, layer: Any, call: Call) -> Any:
    order, axis = call.first.order, layer.axis
    if not order or axis is None:
        return as_it_was(relaid, layer, call)
    axes = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    new = sorted({n for a in axes for n in new_axis(order, a)})
    if not layer.keepdims and (order == VECTOR or new != [1, 2, 3]):
        return as_it_was(relaid, layer, call)
    value = relaid.fresh(layer, lambda made: made(call.first.value), axis=new)
    return Held(value, order if layer.keepdims else VECTOR, call.shape)


def _permuted(relaid: Relaid, layer: Any, call: Call) -> Any:
    held = call.first
    if not held.order:
        return as_it_was(relaid, layer, call)
    return Held(held.value, "".join(held.order[a] for a in turn_of(layer, len(held.order))), call.shape)


def _reshaped(relaid: Relaid, layer: Any, call: Call) -> Any:
    held, shape = call.first, call.shape
    if not held.order:
        return as_it_was(relaid, layer, call)
    if held.order == VECTOR:
        return _spread(relaid, layer, call)
    order = regrouped(held.order, held.shape, shape)
    if order is None:
        raise Untranslatable(f"layer {layer.name} gives voxels new places")
    return Held(held.value, order, shape)


def _spread(relaid: Relaid, layer: Any, call: Call) -> Any:
    """Make one voxel of a vector, as squeeze-and-excitation does."""
    shape, channels = call.shape[1:], call.first.shape[1]
    if shape not in ((1, 1, 1, channels), (channels, 1, 1, 1)) or channels is None:
        return as_it_was(relaid, layer, call)
    order = FIRST if shape[0] == channels and channels > 1 else LAST
    spread = layers.Reshape((1, 1, 1, channels), name=relaid.free(layer.name))
    return Held(spread(call.first.value), order, call.shape)


def _expanded(relaid: Relaid, layer: Any, call: Call) -> Any:
    order, axis = call.first.order, layer.axis
    if order != "nzyx" or not isinstance(axis, int):
        return as_it_was(relaid, layer, call)
    at = axis % 5
    return Held(call.first.value, order[:at] + "c" + order[at:], call.shape)


def _squeezed(relaid: Relaid, layer: Any, call: Call) -> Any:
    order, axis = call.first.order, layer.axis
    if order not in (LAST, FIRST) or not isinstance(axis, int) or order[axis] != "c":
        return as_it_was(relaid, layer, call)
    return Held(call.first.value, "nzyx", call.shape)


HANDLERS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(OVER_AXIS, _reduced),
    **dict.fromkeys(NORMS, _normalised),
    **dict.fromkeys(TURNS, _permuted),
    **dict.fromkeys(("Reshape", "Flatten"), _reshaped),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
    "ExpandDims": _expanded, "Squeeze": _squeezed, "PReLU": _prelu, "Concatenate": _joined,
    "TimeDistributed": called_by_slice, "SpectralNormalization": called_alone,
}  # fmt: skip
