"""Reading the HDF5 that Keras 3 writes, where Keras 3 itself stumbles over it.

It stores its functions and operators, as in `x * y`, without saying that they are no layers, and can't read them. Of a
layer's axes, as in `LayerNormalization(axis=[1, 2, 3])`, it forgets all where there are several, and computes something
else. With the module beside the name, as in a .keras file, each is read as it was written.

What is here goes to `keras.saving.load_model` as `custom_objects`, for HDF5 files alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from napari_vol3d.engine.keras2 import KERAS_2, OLD
from napari_vol3d.models.gate_keras2 import is_of_keras_3
from napari_vol3d.models.gate_names import MODELS, OPS

OF_LAYERS = "trainable"  # in the settings of each layer, and of no function


class H5Functional:
    """Stands where a file says "Functional" or "Model"."""

    model: type[Any] = keras.Model
    before: type[Any] = KERAS_2["Functional"]

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """Say of each layer and function where it is from, and build the model; one of Keras 2 in its own way."""
        if OLD in repr(config) or not is_of_keras_3(config):
            return cls.before.from_config(config, custom_objects=custom_objects)
        for record in config["layers"]:
            _say_module(record)
        return cls.model.from_config(config, custom_objects=custom_objects)


class H5Sequential(H5Functional):
    """Stands where a file says "Sequential"."""

    model = keras.Sequential
    before = KERAS_2["Sequential"]


def _say_module(record: dict[str, Any]) -> None:
    name, settings = record.get("class_name"), record.get("config", {})
    if "module" in record or name in MODELS:
        return
    module = ""
    if OF_LAYERS in settings and getattr(keras.layers, str(name), None) is not None:
        module = "keras.layers"
    elif OF_LAYERS not in settings and name in OPS:
        module = next((each.__module__ for each in _functions(keras.Operation) if each.__name__ == name), "")
    if module:
        record.update(module=module, registered_name=None if module == "keras.layers" else name)
    record["inbound_nodes"] = _as_written(record.get("inbound_nodes", []))


def _as_written(value: Any) -> Any:
    """Undo what the JSON of HDF5 files makes of "...": the record of a call that Keras reads has it in words."""
    if isinstance(value, dict):
        return {key: _as_written(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_as_written(item) for item in value)
    return {"class_name": "__ellipsis__", "config": {}} if value is Ellipsis else value


def _functions(kind: type[Any]) -> Iterator[type[Any]]:
    """Give the classes of Keras' functions; those of layers are not among them."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("keras.src.ops."):
            yield each
        yield from _functions(each)


OF_H5: dict[str, Any] = {
    **KERAS_2, "Functional": H5Functional, "Model": H5Functional, "Sequential": H5Sequential,
}  # fmt: skip
