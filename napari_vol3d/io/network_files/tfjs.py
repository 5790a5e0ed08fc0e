"""TensorFlow.js layers models: model.json with shards of weights beside it, and how they become a Keras .h5.

The format is described in TensorFlow.js' tfjs-core/src/io/types.ts and in tfjs-converter's `write_weights.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.gate import regular_file
from napari_vol3d.io.network_files.plain_json import AGAIN, MOST_BYTES, read_json
from napari_vol3d.io.network_files.plain_zip import leaves
from napari_vol3d.io.safe_write import write_safely
from napari_vol3d.io.zip_files import MOST_BYTES as MOST_UNPACKED

MOST_AXES = 32
DTYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"), "float16": np.dtype("<f2"), "int32": np.dtype("<i4"), "uint8": np.dtype("u1"),
}  # fmt: skip
QUANTIZED: dict[str, np.dtype[Any]] = {
    "uint8": np.dtype("u1"), "uint16": np.dtype("<u2"), "float16": np.dtype("<f2"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One array: its name, its shape, how it is stored, and what its numbers stand for."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    scale: float | None = None
    least: float = 0.0

    @property
    def nbytes(self) -> int:
        """Bytes in the shards."""
        return math.prod(self.shape) * self.stored.itemsize


@dataclass(frozen=True, slots=True, kw_only=True)
class WebModel:
    """A TensorFlow.js layers model: its network as JSON, and which arrays lie in which shards."""

    config: dict[str, Any]
    groups: tuple[tuple[tuple[Path, ...], tuple[Stored, ...]], ...]
    keras_version: str

    @property
    def shards(self) -> tuple[Path, ...]:
        """All files beside model.json."""
        return tuple(path for paths, _ in self.groups for path in paths)

    @property
    def arrays(self) -> tuple[Stored, ...]:
        """All arrays, in order."""
        return tuple(array for _, arrays in self.groups for array in arrays)


def is_tfjs(content: Any) -> bool:
    """Whether parsed JSON is a model of TensorFlow.js."""
    return isinstance(content, dict) and "weightsManifest" in content and "modelTopology" in content


def read_tfjs(path: Path) -> WebModel:
    """Read model.json, and prove that its shards are in the same folder and as long as it says.

    Raises
    ------
    ModelProblem
        If that is not so, or it is no layers model.
    """
    if regular_file(path).st_size > MOST_BYTES:
        raise ModelProblem(f"Too large: {path.name} is more than 8 MB of JSON.")
    content = read_json(path.read_bytes(), path.name)
    if not is_tfjs(content) or not isinstance(content["modelTopology"], dict):
        raise ModelProblem(f"Not a TensorFlow.js model: {path.name} has no topology or no weights.", hint=AGAIN)
    if content.get("format") == "graph-model" or "node" in content["modelTopology"]:
        raise ModelProblem(
            f"A graph model: {path.name} holds TensorFlow ops instead of layers.",
            hint="Ask its maker for the layers model, the SavedModel or the Keras file that it was converted from.",
        )
    try:
        config, version = _network(content["modelTopology"], path.name)
        _layers(config)
        groups = tuple(_group(group, path) for group in content["weightsManifest"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelProblem(f"Damaged model: {path.name} does not describe its weights as usual.", hint=AGAIN) from error
    model = WebModel(config=config, groups=groups, keras_version=version)
    _check_names(model, path)
    return model


def _check_names(model: WebModel, path: Path) -> None:
    """Refuse shards that are there twice, as one would be read as often, and arrays that no HDF5 file can hold."""
    shards = [shard.resolve() for shard in model.shards]
    names = sorted([part for part in array.name.split("/") if part not in ("", ".")] for array in model.arrays)
    if len(set(shards)) < len(shards):
        raise ModelProblem(f"Not allowed: {path.name} names the same file of weights twice.", hint=AGAIN)
    for one, two in pairwise(names):  # of those that begin alike the shortest comes first
        if two[: len(one)] == one:
            shown = "/".join(two)[:80]
            raise ModelProblem(f"Not allowed: {path.name} names the weights {shown!r} twice.", hint=AGAIN)


def to_h5(model_json: Path, target: Path) -> None:
    """Write a TensorFlow.js layers model as the .h5 file of a Keras model, which `load_model` opens.

    Quantised weights become float32 (``stored * scale + min``), as TensorFlow.js does at load.

    Raises
    ------
    ModelProblem
        As for `read_tfjs`, or if the weights are not those of the layers.
    SaveProblem
        If it can't be written.
    """
    model = read_tfjs(model_json)
    layers = _layers(model.config)
    owners = {inner: outer for outer, names in layers.items() for inner in names}
    arrays: dict[str, list[tuple[str, NDArray[Any]]]] = {name: [] for name in layers}
    for array, values in _arrays(model):
        owner = next((owners[part] for part in _parts(array.name) if part in owners), None)
        if owner is None:
            raise ModelProblem(f"No layer for weights {array.name[:80]!r} in {model_json.name}.", hint=AGAIN)
        arrays[owner].append((array.name, values))
    write_safely(target, lambda path: _write(path, model, arrays))


def _write(path: Path, model: WebModel, arrays: dict[str, list[tuple[str, NDArray[Any]]]]) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = model.keras_version
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(model.config)
        weights = file.create_group("model_weights")
        weights.attrs["keras_version"] = model.keras_version
        weights.attrs["backend"] = "tensorflow"
        _name_all(weights, "layer_names", list(arrays))
        for layer, named in arrays.items():
            group = weights.create_group(layer)
            _name_all(group, "weight_names", [name for name, _ in named])
            for name, values in named:
                group.create_dataset(name, data=values)


def _name_all(group: h5py.Group, key: str, names: list[str]) -> None:
    """Keep names in an attribute as Keras reads them: HDF5 takes 64 kB at most, so long lists are cut in pieces."""
    encoded = [name.encode() for name in names]
    pieces = -(-(max(map(len, encoded), default=0) * len(encoded)) // 64_000)
    if pieces <= 1:
        group.attrs[key] = np.array(encoded, dtype=bytes) if encoded else np.zeros(0, "S1")
        return
    for index, piece in enumerate(np.array_split(np.array(encoded, dtype=bytes), pieces)):
        group.attrs[f"{key}{index}"] = piece


def _network(topology: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    """Give the network's description and the Keras that wrote it; TensorFlow.js' own files leave a level out."""
    config = topology.get("model_config", topology)
    if isinstance(config, str):
        config = read_json(config.encode(), f"model_config of {name}")
    version = str(topology.get("keras_version") or "2.0.0")[:40]
    plain = {"class_name": config["class_name"], "config": config["config"]}
    return plain, version.removeprefix("tfjs-layers ") if version[:1].isdigit() else "2.0.0"


def _layers(config: dict[str, Any]) -> dict[str, set[str]]:
    """Give the layers at the top by name, each with all names of layers inside it."""
    inside = config["config"]
    listed = inside["layers"] if isinstance(inside, dict) else inside
    return {_name(layer): set(_names(layer)) for layer in listed}


def _parts(name: str) -> Iterator[str]:
    """Give what may be a layer's name in an array's, outer ones and longer ones first: layers may have slashes."""
    words = name.split("/")
    for first in range(len(words)):
        for last in range(len(words), first, -1):
            yield "/".join(words[first:last])


def _names(layer: dict[str, Any]) -> Iterator[str]:
    yield _name(layer)
    inside = layer["config"]
    for inner in inside.get("layers", ()) if isinstance(inside, dict) else inside:
        yield from _names(inner)
    if isinstance(inside, dict) and isinstance(inside.get("layer"), dict):  # of one that calls another for each slice
        yield from _names(inside["layer"])


def _name(layer: dict[str, Any]) -> str:
    inside = layer["config"]
    name = str((inside.get("name") if isinstance(inside, dict) else None) or layer["name"])
    if not name.strip("/.") or leaves(name):
        raise ModelProblem(f"Not allowed: a layer is called {name[:80]!r}.")
    return name


def _group(group: dict[str, Any], path: Path) -> tuple[tuple[Path, ...], tuple[Stored, ...]]:
    shards = tuple(_shard(str(name), path) for name in group["paths"])
    arrays = tuple(_described(entry, path) for entry in group["weights"])
    declared, stored = sum(array.nbytes for array in arrays), sum(shard.stat().st_size for shard in shards)
    if declared != stored or declared > MOST_UNPACKED:
        raise ModelProblem(
            f"Declared but not stored: {path.name} claims {declared} bytes of weights; its files have {stored}.",
            hint=AGAIN,
        )
    return shards, arrays


def _shard(name: str, path: Path) -> Path:
    if leaves(name):
        raise ModelProblem(f"Not allowed: {path.name} names weights outside of its folder: {name[:80]!r}.")
    shard = path.parent / name
    if shard.is_symlink() or not shard.resolve().is_relative_to(path.parent.resolve()):
        raise ModelProblem(f"Not a plain file: {name[:80]!r} beside {path.name} is a link.")
    if not shard.is_file():
        raise ModelProblem(f"Weights are missing: {name[:80]!r} is not beside {path.name}.", hint="Copy all its files.")
    return shard


def _described(entry: dict[str, Any], path: Path) -> Stored:
    name, dtype = str(entry["name"]), str(entry["dtype"])
    if leaves(name) or not name.strip("/."):
        raise ModelProblem(f"Not allowed: an array of {path.name} is called {name[:80]!r}.")
    quantized = entry.get("quantization") or {}
    packed = QUANTIZED.get(str(quantized["dtype"])) if quantized else DTYPES.get(dtype)
    if packed is None or dtype not in DTYPES:
        raise ModelProblem(f"Not numbers: {name[:80]!r} of {path.name} is stored as {quantized.get('dtype', dtype)}.")
    scale = _number(quantized["scale"]) if "scale" in quantized else None
    return Stored(
        name=name, shape=_shape(entry["shape"], name, path), dtype=DTYPES[dtype], stored=packed, scale=scale,
        least=_number(quantized.get("min", 0.0)),
    )  # fmt: skip


def _shape(stored: Any, name: str, path: Path) -> tuple[int, ...]:
    plain = isinstance(stored, list) and len(stored) <= MOST_AXES and all(type(n) is int and n >= 0 for n in stored)
    if not plain:
        raise ModelProblem(
            f"Damaged model: {name[:80]!r} of {path.name} has the shape {str(stored)[:80]}.", hint=AGAIN
        )
    return tuple(stored)


def _number(stored: Any) -> float:
    if type(stored) not in (int, float):  # read_json lets finite ones pass only
        raise ValueError(f"{stored!r} is no number")
    return float(stored)


def _arrays(model: WebModel) -> Iterator[tuple[Stored, NDArray[Any]]]:
    for shards, arrays in model.groups:
        content = b"".join(shard.read_bytes() for shard in shards)
        at = 0
        for array in arrays:
            values = np.frombuffer(content, array.stored, math.prod(array.shape), at).reshape(array.shape)
            at += array.nbytes
            yield array, _restored(values, array)


def _restored(values: NDArray[Any], array: Stored) -> NDArray[Any]:
    """Give the numbers that were quantised; the rest as it is, half precision as float32."""
    if array.scale is None:
        return values.astype(np.float32) if array.dtype.kind == "f" else values.astype(array.dtype)
    restored = values.astype(np.float32) * np.float32(array.scale) + np.float32(array.least)
    return np.rint(restored).astype(array.dtype) if array.dtype.kind == "i" else restored
