"""Making the calls of a network anew, one by one, with other layers or other arrays; models inside it are opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from napari_vol3d.engine.anatomy import calls_to, keras_name
from napari_vol3d.engine.backends import library_errors
from napari_vol3d.engine.layer_kinds import IDLE

WRAPPERS = ("TimeDistributed", "SpectralNormalization")
Caller = Callable[[Any, tuple[Any, ...], dict[str, Any], Any], Any]


def replay(network: keras.Model, given: Sequence[Any], call: Caller) -> list[Any]:
    """Give what comes out where `call` makes the calls.

    Parameters
    ----------
    network : keras.Model
        With a graph: functional, or a built `Sequential`.
    given : sequence
        One value for each of its inputs; anything that `call` understands.
    call : callable
        Gets the layer or operation, its arguments with the values filled in, its keyword arguments, and Keras' record
        of the call; gives a value for each of its results.
    """
    made = {id(tensor): value for tensor, value in zip(network.inputs, given, strict=True)}
    for node in nodes_of(network):
        if id(node.outputs[0]) in made:  # one of the inputs
            continue
        args, kwargs = node.arguments.fill_in(made)
        layer = node.operation
        if is_nested(layer):
            values = keras.tree.flatten((args, {k: v for k, v in kwargs.items() if k not in ("training", "mask")}))
            results = replay(layer, values, call)
        else:
            results = _called(call, layer, (args, kwargs), node)
        made.update({id(tensor): value for tensor, value in zip(node.outputs, results, strict=True)})
    return [made[id(tensor)] for tensor in network.outputs]


def _called(call: Caller, layer: Any, given: tuple[tuple[Any, ...], dict[str, Any]], node: Any) -> list[Any]:
    """Make one call; what a library raises gets a note that names the layer."""
    try:
        return list(keras.tree.flatten(call(layer, *given, node)))
    except library_errors() as error:
        error.add_note(f"layer {layer.name} ({keras_name(layer)})")
        raise


def nodes_of(network: keras.Model) -> Iterator[Any]:
    """Give Keras' record of each call that leads to an output, sources first."""
    seen: set[int] = set()
    for output in network.outputs:
        for node in calls_to(output):
            if id(node) not in seen:
                seen.add(id(node))
                yield node


def is_nested(layer: Any) -> bool:
    """Tell whether a layer is a model with a graph of its own."""
    return isinstance(layer, keras.Model) and bool(getattr(layer, "inputs", None))


def layers_of(network: keras.Model) -> Iterator[Any]:
    """Give each layer and operation that leads to an output, in order of calls; of models and wrappers those inside."""
    seen: set[int] = set()
    for node in nodes_of(network):
        layer = node.operation
        while keras_name(layer) in WRAPPERS:
            layer = layer.layer
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if is_nested(layer):
            yield from layers_of(layer)
        else:
            yield layer


def call_again(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: Any) -> Any:
    """Call a layer as it was called, but for a dropout that was always on."""
    idle = keras_name(layer) in IDLE
    return layer(*args, **{key: value for key, value in kwargs.items() if not (idle and key == "training")})


def computed(network: keras.Model, arrays: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Compute the outputs for arrays of any size that its layers can take, whatever size its inputs declare."""
    values = replay(network, [ops.convert_to_tensor(array) for array in arrays], call_again)
    return [np.asarray(ops.convert_to_numpy(ops.cast(value, "float32"))) for value in values]
