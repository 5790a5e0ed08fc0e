"""A Keras network as JSON, judged by the names in it, at any depth."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.gate_calls import check_calls
from napari_vol3d.models.gate_names import (
    ACTIVATIONS,
    BY_SLICE,
    CONSTRAINTS,
    FUNCTION_LAYERS,
    FUNCTIONS,
    INITIALIZERS,
    LAYERS,
    MODELS,
    OPS,
    POLICIES,
    REGULARIZERS,
    SLICE_LAYERS,
    STAND_INS,
    VALUES,
)

MODULES = frozenset({
    "layers", "models", "engine", "initializers", "regularizers", "constraints", "activations", "dtype_policies", "ops",
})  # fmt: skip
RUNS_CODE = {
    "Lambda": "runs Python code that comes with the file", "__lambda__": "is Python code that comes with the file",
    "TFSMLayer": "loads another model from the disk", "TorchModuleWrapper": "unpickles what comes with the file",
    "JaxLayer": "runs code that comes with the file", "FlaxLayer": "runs code that comes with the file",
    "StringLookup": "may read files", "IntegerLookup": "may read files", "TextVectorization": "may read files",
    "TensorFlowOpLayer": "holds any TensorFlow op",
}  # fmt: skip
SIZES = (
    "padding", "size", "strides", "pool_size", "kernel_size", "dilation_rate", "cropping", "output_padding",
    "batch_shape", "batch_input_shape", "output_shape", "num_heads", "key_dim", "value_dim", "depth_multiplier",
)  # fmt: skip
COUNTED = LAYERS | STAND_INS | FUNCTION_LAYERS | SLICE_LAYERS
BUILTINS = LAYERS | MODELS | INITIALIZERS | REGULARIZERS | CONSTRAINTS | POLICIES
BUILTINS_OF_SLICES = (BUILTINS | SLICE_LAYERS) - {BY_SLICE}  # a slice has no slices
OPS_ALONE = OPS - LAYERS
NAMED_ACTIVATIONS = ACTIVATIONS | {""}
LARGEST = 4096
KIND_OF_NUMBER = re.compile(r"(bool|(u?int|b?float)\d{1,2})(_\w+)?|")
MOST_SIZES = 6  # three axes, both ends of each
MOST_MADE = 1 << 40  # filters or units of a layer
IN_FULL = "Ask its maker for the model in float32."
EXPORT = "Save it as a SavedModel, with model.export(), and add that."
NOT_OURS = "Ask its maker for the network built of Keras' own layers, saved whole as .keras."


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersSeen:
    """Kinds of layers, most frequent first, and the fewest numbers that they must have learned."""

    contents: tuple[tuple[str, int], ...]
    fewest: int


def judge_network(config: Any, name: str) -> LayersSeen:
    """Judge a network stored as JSON.

    Parameters
    ----------
    config : Any
        As parsed. How it was to be trained (`compile_config`) is passed over at the top, as it is never loaded;
        Keras compiles nested networks on its own, so `keras_zip.without_training` takes it from there.

    Raises
    ------
    ModelProblem
        If it holds anything that is not on the list, naming it; or is no network.
    """
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ModelProblem(f"Not a network: the description in {name} names no class.", hint=NOT_OURS)
    if config["class_name"] not in MODELS:
        _refuse(config, "at the top", name)
    counts: Counter[str] = Counter()
    fewest = 0
    for item, where, sliced in _objects(config):
        _check(item, where, name, BUILTINS_OF_SLICES if sliced else BUILTINS)
        if item["class_name"] in COUNTED or _of_ops(item):
            counts[item["class_name"]] += 1
            fewest += _fewest(item)
    if not counts:
        raise ModelProblem(f"Not a network: {name} has no layers.")
    check_calls(config, name)
    return LayersSeen(contents=tuple(counts.most_common()), fewest=fewest)


def _objects(config: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, bool]]:
    """Give all that Keras would make an object of, its layer's name, and if that is called for each slice."""
    start = {key: value for key, value in config.items() if key != "compile_config"}
    waiting: list[tuple[Any, str, bool]] = [(start, "", False)]
    while waiting:
        value, where, sliced = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                where = _name(value) or where
                yield value, where, sliced
            elif "module" in value or "registered_name" in value:
                yield {"class_name": "", **value}, where, sliced
            sliced = sliced or value.get("class_name") == BY_SLICE
            waiting += [(child, where, sliced) for child in value.values()]
            _check_activations(value, where)
        elif isinstance(value, list):
            waiting += [(child, where, sliced) for child in value]


def _name(item: dict[str, Any]) -> str:
    config = item.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return str(name or item.get("name") or "")[:60]


def _check(item: dict[str, Any], where: str, name: str, builtins: frozenset[str]) -> None:
    kind = item["class_name"]
    if not isinstance(kind, str):
        _refuse(item, where, name)
    if kind in FUNCTION_LAYERS:
        _check_function(item, where, name)
    elif kind == "function":
        if not _named(item.get("config"), ACTIVATIONS) or not _from_keras(item, ("builtins",)):
            _refuse({**item, "class_name": str(item.get("config"))[:80]}, where, name)
    elif kind in VALUES:
        if not _from_keras(item, ("builtins",)):
            _refuse(item, where, name)
        _check_kind_of_number(item.get("config"), where, name)
    elif kind not in STAND_INS:  # those are looked up by name among ours, whatever module they come from
        _check_builtin(item, where, name, builtins)
    _check_sizes(item.get("config"), kind, where, name)


def _check_builtin(item: dict[str, Any], where: str, name: str, builtins: frozenset[str]) -> None:
    known = OPS if _of_ops(item) else builtins
    if item["class_name"] not in known or not _from_keras(item):
        _refuse(item, where, name)


def _check_function(item: dict[str, Any], where: str, name: str) -> None:
    config = item.get("config")
    function = config.get("function") if isinstance(config, dict) else None
    if not _named(function, FUNCTIONS) or not _from_keras(item, ("builtins",)):
        _refuse({**item, "class_name": f"{item['class_name']} of {str(function)[:80]}"}, where, name)


def _named(value: Any, known: frozenset[str]) -> bool:
    return isinstance(value, str) and value in known


def _from_keras(item: dict[str, Any], also: tuple[str, ...] = ()) -> bool:
    """Whether an object says nothing of its module (Keras 2), or that it is Keras' own."""
    module = item.get("module")
    if module is None or module in also:
        return True
    parts = str(module).split(".")
    if parts[:3] == ["tensorflow", "python", "keras"] or parts[:2] == ["tf_keras", "src"]:
        parts = parts[2:] if parts[0] == "tensorflow" else ["keras", *parts[2:]]
    parts = [part for part in parts if part != "src"]
    return parts[0] == "keras" and (len(parts) == 1 or parts[1] in MODULES)


def _of_ops(item: dict[str, Any]) -> bool:
    """Whether an object is a call of one of Keras' functions; in .h5 files they come without a module."""
    parts = str(item.get("module")).split(".")
    of_keras = parts[:3] == ["keras", "src", "ops"] or parts[:2] == ["keras", "ops"]
    return of_keras or (item.get("module") is None and item["class_name"] in OPS_ALONE)


def _check_activations(value: dict[str, Any], where: str) -> None:
    activation = value.get("activation")
    if isinstance(activation, str) and activation not in NAMED_ACTIVATIONS:
        raise ModelProblem(
            f"Unknown activation: {activation[:60]!r} in layer {where or '?'} is not one of Keras'.", hint=NOT_OURS
        )


def _check_kind_of_number(config: Any, where: str, name: str) -> None:
    """Refuse what NumPy would read as more than a kind of number: "(1000000,)f8" fills the memory."""
    kind = config.get("dtype") if isinstance(config, dict) else None
    if isinstance(kind, str) and not KIND_OF_NUMBER.fullmatch(kind):
        raise ModelProblem(f"Not numbers: an array in layer {where or '?'!r} of {name} is stored as {kind[:60]!r}.")


def _check_sizes(config: Any, kind: str, where: str, name: str) -> None:
    if not isinstance(config, dict):
        return
    for key in ("filters", "units"):
        if isinstance(made := config.get(key), int) and not 1 <= made <= MOST_MADE:
            raise ModelProblem(f"Absurd size: {key} of {kind} ({where}) in {name} is less than 1, or absurdly many.")
    for key in SIZES:
        numbers = list(islice(_numbers(config.get(key)), MOST_SIZES + 1))
        if len(numbers) > MOST_SIZES:
            raise ModelProblem(f"Absurd size: {key} of {kind} ({where}) in {name} has more than {MOST_SIZES} numbers.")
        if max((abs(n) for n in numbers), default=0) > LARGEST:
            raise ModelProblem(f"Absurd size: {key} of {kind} ({where}) in {name} is more than {LARGEST}.")


def _numbers(value: Any) -> Iterator[int | float]:
    if isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, int | float):
        yield value


def _fewest(item: dict[str, Any]) -> int:
    """Give the fewest numbers that a layer has learned, by what it says of itself."""
    config = item.get("config")
    wanted = config if isinstance(config, dict) else {}
    made = wanted.get("filters") if item["class_name"] != "Dense" else wanted.get("units")
    if not isinstance(made, int):
        return 0
    kernel = math.prod(int(n) for n in _numbers(wanted.get("kernel_size")))
    groups = wanted.get("groups")
    return made * max(kernel, 1) * max(_channels_in(item) // max(groups if isinstance(groups, int) else 1, 1), 1)


def _channels_in(item: dict[str, Any]) -> int:
    built = item.get("build_config")
    shape = built.get("input_shape") if isinstance(built, dict) else None
    config = item.get("config")
    axis = 1 if isinstance(config, dict) and config.get("data_format") == "channels_first" else -1
    if not isinstance(shape, list) or len(shape) < 2 or not isinstance(shape[axis], int):
        return 1
    return min(int(shape[axis]), MOST_MADE)


def _refuse(item: dict[str, Any], where: str, name: str) -> None:
    kind = str(item["class_name"] or item.get("module"))[:120]
    module = item.get("module")
    told = f" of the module {str(module)[:60]}" if module and not _from_keras(item) else ""
    place = f", in layer {where!r}" if where and where != "at the top" else ""
    if reason := RUNS_CODE.get(kind):
        raise ModelProblem(f"Not allowed: {kind}{told}{place} of {name} {reason}.", hint=NOT_OURS)
    if "Quantiz" in kind:
        raise ModelProblem(f"Quantised: weights{place} of {name} are rounded to few bits.", hint=IN_FULL)
    if kind in ("Resize", "Resizing"):
        raise ModelProblem(
            f"Not allowed: {kind}{place} of {name} resizes 2D images.",
            hint="Ask its maker for UpSampling3D or Conv3DTranspose in its place.",
        )
    if where == "at the top":
        raise ModelProblem(f"No graph of layers: {name} is a {kind}{told}, which hides how it computes.", hint=EXPORT)
    if re.search(r"coord(inate)?_?(channel|conv)", kind, re.IGNORECASE):
        raise ModelProblem(
            f"Positions in a patch count: {kind}{place} of {name} tells each voxel where it lies, which tiles change.",
            hint="Ask its maker for one without it.",
        )
    if kind == BY_SLICE:
        raise ModelProblem(f"Slices of slices: {kind}{place} of {name} lies within another.", hint=NOT_OURS)
    if kind.endswith(("1D", "2D")) or "2D" in kind:
        raise ModelProblem(f"Not a 3D network: {kind}{place} of {name}.", hint="This program runs Conv3D networks.")
    known = ", ".join(sorted(name for name in STAND_INS if ">" not in name))
    raise ModelProblem(
        f"Not allowed: {kind}{told}{place} of {name} is not known here.",
        hint=f"{NOT_OURS} Layers beyond Keras' own that are known by name: {known}.",
    )
