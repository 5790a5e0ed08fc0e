"""The .keras files of Keras 2 (2.12 to 2.15, tf_keras), and how they become a Keras .h5, which Keras 3 reads.

Their weights are where Keras 2's `saving_lib` put them: by the class of their layer, in the order of the layers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.keras2_config import before_keras_3, network_of
from napari_vol3d.io.network_files.keras_zip import read_keras, read_weights
from napari_vol3d.io.safe_write import write_safely

LISTS = ("layers", "_layer_checkpoint_dependencies")  # where a model's layers are, in one version or another
NESTED = ("Functional", "Model", "Sequential")
WRAPPERS = ("TimeDistributed",)
NORMS = ("BatchNormalization", "BatchNormalizationV1", "SyncBatchNormalization")
MOVING = 2  # of their weights, the last: nothing that is learned
Arrays = dict[str, NDArray[Any]]
Weights = list[tuple[bool, NDArray[Any]]]  # whether they are learned


def is_of_keras_2(path: Path) -> bool:
    """Tell whether Keras 2 wrote a .keras file; `ModelProblem` if it is no such file."""
    version = read_keras(path).version
    return bool(version) and before_keras_3(version)


def to_h5(source: Path, target: Path) -> None:
    """Write a .keras file of Keras 2 as the .h5 file of a Keras model, without how it was to be trained.

    Raises
    ------
    ModelProblem
        If it is no such file.
    SaveProblem
        If it can't be written.
    """
    archive = read_keras(source)
    config = _all_learn(network_of(archive))
    arrays = {path.replace("\\", "/"): values for path, values in read_weights(source).items()}  # Windows' own
    try:
        weights = list(_weights(config, arrays, ""))
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelProblem(f"Damaged model: {source.name} does not describe its layers as usual.") from error
    write_safely(target, lambda path: _write(path, config, weights, archive.version))


def _all_learn(config: Any) -> Any:
    """Thaw layers: HDF5 has the weights of frozen ones behind the others, inside of models."""
    if isinstance(config, dict):
        return {key: True if key == "trainable" else _all_learn(value) for key, value in config.items()}
    return [_all_learn(item) for item in config] if isinstance(config, list) else config


def _weights(config: dict[str, Any], arrays: Arrays, path: str) -> Iterator[Weights]:
    """Give the weights of each layer of a model; those of a model inside it are together."""
    counts: Counter[str] = Counter()
    listed = next((name for name in LISTS if any(key.startswith(f"{path}{name}/") for key in arrays)), LISTS[0])
    for record in config["config"]["layers"]:
        kind = _snake(record["class_name"].rpartition(">")[2])
        place = f"{path}{listed}/{kind}_{counts[kind]}" if counts[kind] else f"{path}{listed}/{kind}"
        counts[kind] += 1
        yield _of_layer(record, arrays, place)


def _of_layer(record: dict[str, Any], arrays: Arrays, place: str) -> Weights:
    while record["class_name"] in WRAPPERS:
        record, place = record["config"]["layer"], f"{place}/layer"
    if record["class_name"] == "Addons>WeightNormalization":  # it keeps the kernel and its length, the layer the bias
        length, kernel, used = (arrays[f"{place}/vars/{number}"] for number in range(3))
        return [(True, length), (True, kernel), *_own("", arrays, f"{place}/layer/vars/"), (False, used)]
    if record["class_name"] in NESTED:
        return [each for inner in _weights(record, arrays, f"{place}/") for each in inner]
    return list(_own(record["class_name"], arrays, f"{place}/vars/"))


def _own(kind: str, arrays: Arrays, place: str) -> Iterator[tuple[bool, NDArray[Any]]]:
    count = sum(key.startswith(place) for key in arrays)
    learned = 0 if kind == "Normalization" else count - MOVING if kind in NORMS else count
    for number in range(count):
        yield number < learned, arrays[f"{place}{number}"]


def _write(path: Path, config: dict[str, Any], weights: list[Weights], version: str) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = version, "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        group.attrs["keras_version"], group.attrs["backend"] = version, "tensorflow"
        # Keras goes by the order of layers and weights, and not by their names.
        places = [f"layer_{number}" for number in range(len(weights))]
        _name_all(group, "layer_names", places)
        for place, held in zip(places, weights, strict=True):
            ordered = [values for wanted in (True, False) for learned, values in held if learned is wanted]
            layer = group.create_group(place)
            _name_all(layer, "weight_names", [str(number) for number in range(len(ordered))])
            for number, values in enumerate(ordered):
                layer.create_dataset(str(number), data=values)


def _name_all(group: h5py.Group, key: str, names: list[str]) -> None:
    """Keep names as Keras reads them: HDF5 takes 64 kB at most for an attribute, which is some thousands of these."""
    for number, piece in enumerate(np.array_split(np.array(names, "S16"), -(-len(names) // 4000) or 1)):
        group.attrs[key if len(names) <= 4000 else f"{key}{number}"] = piece


def _snake(name: str) -> str:
    """Give a class's name as Keras 2 writes it in paths: Conv3DTranspose is conv3d_transpose."""
    parted = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", parted).lower()
