"""Calls of TensorFlow functions in a graph of layers, as Keras 2 wrote them, and the plain layers that replace them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.keras2_functions import FUNCTIONS, edges_of, index_of
from napari_vol3d.engine.layout import Untranslatable
from napari_vol3d.engine.op_names import name_after

CONSTANT = "_CONSTANT_VALUE"
CALLS = ("TFOpLambda", "Custom>TFOpLambda", "SlicingOpLambda")
SEVERAL = ("split", "unstack")  # functions that give more than one tensor
SPEC = "slice_spec"
WHOLE = slice(None)
Tensor = Any


class FunctionCall(layers.Layer):
    """A TensorFlow function that Keras 2 called in a graph of layers.

    Attributes
    ----------
    piece : int or None
        Which of its results it gives, where there are several.
    """

    def __init__(
        self, function: str, piece: int | None = None, slice_spec: Any = None, name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name=name)
        self.function, self.piece = function, piece
        self.given = {} if slice_spec is None else {SPEC: slice_spec}

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        result = FUNCTIONS[self.function](*args, **{**kwargs, **self.given})
        return result if self.piece is None else result[self.piece]

    def unfold(self, *args: Any, **kwargs: Any) -> Any:
        """Give the calls of Keras' own layers and operations that compute the same, channels last."""
        replaced = REPLACED.get(self.function)
        value = None if replaced is None else replaced(self, *args, **{**kwargs, **self.given})
        value = self.call(*args, **kwargs) if value is None else value
        name_after(self.name, [value], keras.tree.flatten((args, kwargs)))
        return value


def _channels(tensor: Tensor, kept: list[int]) -> Tensor:
    """Give some channels: by a convolution with ones and zeros, which other parts understand."""
    part = layers.Conv3D(len(kept), 1, use_bias=False)
    value = part(tensor)
    part.set_weights([np.eye(tensor.shape[-1], dtype=np.float32)[None, None, None][..., kept]])
    return value


def _sliced(call: FunctionCall, tensor: Tensor, slice_spec: Any) -> Tensor | None:
    """Cut edges off and choose channels; None where axes come or go."""
    spec = _by_axis(index_of(slice_spec), len(tensor.shape))
    if spec is None or len(tensor.shape) != 5 or spec[0] != WHOLE:
        return None
    crops = [_crop(call, part, length) for part, length in zip(spec[1:4], tensor.shape[1:4], strict=True)]
    kept = list(range(tensor.shape[4])[spec[4]])
    value = layers.Cropping3D(crops)(tensor) if any(map(any, crops)) else tensor
    if kept != list(range(tensor.shape[4])):
        return _channels(value, kept)
    return layers.Identity()(value) if value is tensor else value


def _by_axis(index: tuple[Any, ...], rank: int) -> list[slice] | None:
    """Give a slice for each axis; None where the index is more than slices."""
    at = index.index(Ellipsis) if Ellipsis in index else len(index)
    before, after = index[:at], index[at + 1 :]
    spec = [*before, *[WHOLE] * (rank - len(before) - len(after)), *after]
    return spec if len(spec) == rank and all(isinstance(part, slice) for part in spec) else None


def _crop(call: FunctionCall, part: slice, length: int | None) -> tuple[int, int]:
    """Give what is cut off in front and behind; of a patch of any size that is clear where it counts from the ends."""
    start, stop = part.start or 0, part.stop
    if part.step not in (None, 1) or (length is None and (start < 0 or (stop is not None and stop >= 0))):
        raise Untranslatable(f"layer {call.name} takes a part that lies at a fixed place")
    if length is not None:
        first, last, _ = part.indices(length)
        return first, length - last
    return start, -stop if stop else 0


def _piece(call: FunctionCall, value: Tensor, axis: int = 0, **options: Any) -> Tensor | None:
    """Choose the channels of a piece of a tensor that is cut along them."""
    count = value.shape[-1]
    if call.function != "split" or len(value.shape) != 5 or axis not in (4, -1) or call.piece is None:
        return None
    pieces = FUNCTIONS["split"](np.arange(count), options["num_or_size_splits"])
    return _channels(value, [int(number) for number in pieces[call.piece]])


def _zeros_around(call: FunctionCall, tensor: Tensor, paddings: Any, **options: Any) -> Tensor | None:
    plain = options.get("mode", "CONSTANT") == "CONSTANT" and not options.get("constant_values")
    if not plain or len(paddings) != 5 or any(paddings[0]) or any(paddings[4]):
        return None
    return layers.ZeroPadding3D([tuple(pair) for pair in paddings[1:4]])(tensor)


def _repeated(call: FunctionCall, input: Tensor, repeats: Any, axis: int, **options: Any) -> Tensor | None:
    if len(input.shape) != 5 or axis % 5 not in (1, 2, 3) or type(repeats) is not int:
        return None
    return layers.UpSampling3D([repeats if number == axis % 5 else 1 for number in (1, 2, 3)])(input)


def _pooled(kind: Any) -> Callable[..., Tensor]:
    def replaced(call: FunctionCall, input: Tensor, ksize: Any, strides: Any, padding: str, **options: Any) -> Tensor:
        return kind(edges_of(ksize), strides=edges_of(strides), padding=padding.lower())(input)

    return replaced


REPLACED: dict[str, Callable[..., Tensor | None]] = {
    "__operators__.getitem": _sliced, "split": _piece, "pad": _zeros_around, "compat.v1.pad": _zeros_around,
    "repeat": _repeated, "nn.max_pool3d": _pooled(layers.MaxPooling3D),
    "nn.avg_pool3d": _pooled(layers.AveragePooling3D),
}  # fmt: skip


def references(value: Any, names: set[str]) -> Iterator[list[Any]]:
    """Give each [layer, call, result] in a record of calls that names one of these layers."""
    if isinstance(value, dict):
        for item in value.values():
            yield from references(item, names)
    elif isinstance(value, list):
        if len(value) >= 3 and isinstance(value[0], str) and type(value[1]) is int and value[0] in names:
            yield value
        for item in value:
            yield from references(item, names)


def turn_calls(config: dict[str, Any]) -> None:
    """Write calls of functions as Keras 3 does, which alone finds tensors among their keyword arguments."""
    _part_results(config)
    records = config["layers"]
    names = {record["name"] for record in records}
    for record in records:
        if record["class_name"] in CALLS:
            _check(record)
            record["class_name"] = CALLS[0]
            record["inbound_nodes"] = [_turned(node, names, record["config"]) for node in record["inbound_nodes"]]


def _check(record: dict[str, Any]) -> None:
    if (function := record["config"]["function"]) not in FUNCTIONS:
        raise ModelProblem(
            f"Layer {record['name']} calls {function} of TensorFlow, which is not understood here.",
            hint="Save the model as a SavedModel, with model.export(), and add that.",
        )


def _part_results(config: dict[str, Any]) -> None:
    """Make a call for each result of a function that gives several."""
    several = {r["name"]: r for r in config["layers"] if r["class_name"] in CALLS and _function(r) in SEVERAL}
    nodes = [[record["inbound_nodes"] for record in config["layers"]], config["output_layers"]]
    wanted = {}
    for reference in references(nodes, set(several)):
        name, piece = reference[0], reference[2]
        wanted[f"{name}.{piece}"] = (name, piece)
        reference[0], reference[2] = f"{name}.{piece}", 0
    parts = [
        {**several[name], "name": new, "config": {**several[name]["config"], "name": new, "piece": piece}}
        for new, (name, piece) in wanted.items()
    ]
    config["layers"] = [record for record in config["layers"] if record["name"] not in several] + parts


def _function(record: dict[str, Any]) -> Any:
    return record["config"].get("function")


def _turned(node: list[Any], names: set[str], config: dict[str, Any]) -> dict[str, Any]:
    one = isinstance(node[0], str)
    calls = [node] if one else node
    tensors = [_tensor(call) for call in calls]
    kwargs = {k: v for k, v in (calls[0][3] if len(calls[0]) > 3 else {}).items() if k != "name"}
    if SPEC in kwargs:  # Keras takes what a slice is written as for an object of its own
        config[SPEC] = kwargs.pop(SPEC)
    found = {k: _found(v, names) for k, v in kwargs.items()}
    if one and node[0] == CONSTANT:  # as in 1 - x: Keras takes no number for a first argument
        return {"args": [found.pop("y")], "kwargs": {"x": node[2], **found}}
    return {"args": [tensors[0] if one else tensors], "kwargs": found}


def _found(value: Any, names: set[str]) -> Any:
    return _tensor(value) if any(reference is value for reference in references(value, names)) else value


def _tensor(call: list[Any]) -> dict[str, Any]:
    # The shape is nobody's: Keras looks the tensor up.
    return {"class_name": "__keras_tensor__", "config": {"shape": [1], "dtype": "float32", "keras_history": call[:3]}}
