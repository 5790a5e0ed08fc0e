"""Reading what Keras 2 wrote, where Keras 3 stumbles over it: models inside models, and layers that changed.

What is here goes to `keras.saving.load_model` as `custom_objects`, for HDF5 files alone.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import layers

from napari_vol3d.engine.keras2_calls import FunctionCall, references, turn_calls
from napari_vol3d.models.gate_keras2 import plain_network
from napari_vol3d.models.gate_names import MODELS

OLD = "batch_input_shape"  # Keras 3 writes batch_shape


def plain_name(name: str) -> str:
    """Give a layer's name as Keras 3 takes it."""
    return name.replace("/", ".")


def _name_plainly(config: dict[str, Any]) -> None:
    """Rename layers whose names have a slash, wherever they are named."""
    records = config["layers"]
    named = [record for record in records if isinstance(record.get("config"), dict)]
    slashed = {name for record in named if "/" in (name := record["config"].get("name", ""))}
    config["name"] = plain_name(config.get("name") or "model")
    for record in (each for each in named if each["config"].get("name") in slashed):
        record["config"]["name"] = plain_name(record["config"]["name"])
        record["name"] = record["config"]["name"]
    for reference in references(config, slashed):
        reference[0] = plain_name(reference[0])


def _begin_with_input(records: list[dict[str, Any]]) -> None:
    """Make the input that the first layer tells of (until Keras 2.3) one of the layers; Keras 3 misreads its batch."""
    inside = records[0].get("config") if records else None
    if not isinstance(inside, dict) or records[0]["class_name"] == "InputLayer" or not (shape := inside.pop(OLD, None)):
        return
    config = {OLD: shape, "name": f"{inside.get('name', 'scan')}_input"}
    records.insert(0, {"class_name": "InputLayer", "config": config})


class KerasTwoFunctional:
    """Stands where a file says "Functional" or "Model"."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> keras.Model:
        """Mend what Keras 2 wrote, and build the model."""
        config, old = plain_network(config), OLD in repr(config)
        _name_plainly(config)
        if "layers" in config:
            _count_calls_from_zero(config)
            turn_calls(config)
        network = keras.Model.from_config(config, custom_objects=custom_objects)
        network.of_keras_2 = old
        return network


class KerasTwoSequential:
    """Stands where a file says "Sequential"."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> keras.Model:
        """Build the model, and tell who wrote it."""
        config, old = plain_network(config), OLD in repr(config)
        _name_plainly(config)
        _begin_with_input(config["layers"])
        network = keras.Sequential.from_config(config, custom_objects=custom_objects)
        network.of_keras_2 = old
        return network


class _KerasTwoLayer:
    """Stands for one of Keras' own layers: drops what Keras 3 does not read, and gives old words their new names."""

    layer: ClassVar[type[keras.Layer]]
    dropped: ClassVar[tuple[str, ...]] = ()
    renamed: ClassVar[dict[str, str]] = {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> keras.Layer:
        """Give the layer."""
        kept = {cls.renamed.get(k, k): _number(v) for k, v in config.items() if k not in cls.dropped}
        return cls.layer.from_config(kept)


def _number(value: Any) -> Any:
    """Give the number that Keras 2 wrote as an array of NumPy's."""
    return value["value"] if isinstance(value, dict) and value.get("type") == "ndarray" else value


class KerasTwoDropout(_KerasTwoLayer):
    """SpatialDropout3D."""

    layer = layers.SpatialDropout3D
    dropped = ("trainable", "dtype", "noise_shape")


class KerasTwoTranspose(_KerasTwoLayer):
    """Conv3DTranspose, whose groups Keras 2 wrote down and never used."""

    layer = layers.Conv3DTranspose
    dropped = ("groups",)


class KerasTwoFlatTranspose(KerasTwoTranspose):
    """Conv2DTranspose, as it is called for each slice."""

    layer = layers.Conv2DTranspose


class KerasTwoApart(_KerasTwoLayer):
    """SeparableConv2D, of which Keras 2 wrote more than it has."""

    layer = layers.SeparableConv2D
    dropped = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")


class KerasTwoDepthwise(_KerasTwoLayer):
    """DepthwiseConv2D, likewise."""

    layer = layers.DepthwiseConv2D
    dropped = ("groups", "filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint")


class KerasTwoFlatDropout(KerasTwoDropout):
    """SpatialDropout2D, likewise."""

    layer = layers.SpatialDropout2D


class KerasTwoWrapper(_KerasTwoLayer):
    """TimeDistributed: what it holds is described without saying that it is Keras' own, which Keras 3 wants said."""

    layer = layers.TimeDistributed

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> keras.Layer:
        """Give the layer."""
        inner = wrapped(config["layer"], custom_objects or KERAS_2)
        return cls.layer(inner, **{key: value for key, value in config.items() if key not in ("layer", OLD)})


def wrapped(record: dict[str, Any], known: dict[str, Any]) -> keras.Layer:
    """Give the layer that another one holds, from its record."""
    kind = record["class_name"]
    inside = {key: value for key, value in record["config"].items() if key != OLD or kind in MODELS}
    if isinstance(axis := inside.get("axis"), list) and len(axis) == 1:
        inside["axis"] = axis[0]
    if (stand_in := known.get(kind)) is None:
        said = {"module": "keras.layers", "registered_name": None, **record, "config": inside}
        return keras.layers.deserialize(said)
    if kind in MODELS:
        return stand_in.from_config(_one_output(inside), custom_objects=known)
    return stand_in.from_config(inside)


def _one_output(config: dict[str, Any]) -> dict[str, Any]:
    """Say of what a model gives that it is one tensor and not a list of one: what wraps it asks for its shape."""
    ends = {key: config[key] for key in ("input_layers", "output_layers") if key in config}
    return {**config, **{k: v[0] for k, v in ends.items() if len(v) == 1 and isinstance(v[0], list)}}


class KerasTwoLeaky(_KerasTwoLayer):
    """LeakyReLU."""

    layer = layers.LeakyReLU
    renamed: ClassVar[dict[str, str]] = {"alpha": "negative_slope"}


class KerasTwoThreshold(_KerasTwoLayer):
    """ThresholdedReLU, which Keras 3 has no layer for."""

    layer = layers.ReLU
    renamed: ClassVar[dict[str, str]] = {"theta": "threshold"}


class KerasTwoElu(_KerasTwoLayer):
    """ELU."""

    layer = layers.ELU


class KerasTwoNorm(_KerasTwoLayer):
    """Batch normalisation, of which these kinds differ in training alone."""

    layer = layers.BatchNormalization
    dropped = ("virtual_batch_size", "fused", "adjustment")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> keras.Layer:
        """Give the layer; one that was trained with renormalisation has more weights."""
        more = () if config.get("renorm") else ("renorm", "renorm_clipping", "renorm_momentum")
        return super().from_config({key: value for key, value in config.items() if key not in more})


KERAS_2: dict[str, Any] = {
    "Functional": KerasTwoFunctional, "Model": KerasTwoFunctional, "Sequential": KerasTwoSequential,
    "SpatialDropout3D": KerasTwoDropout,
    "Convolution3D": layers.Conv3D, "Convolution3DTranspose": KerasTwoTranspose, "Deconvolution3D": KerasTwoTranspose,
    "Conv3DTranspose": KerasTwoTranspose, "LeakyReLU": KerasTwoLeaky, "ELU": KerasTwoElu,
    "ThresholdedReLU": KerasTwoThreshold,
    "BatchNormalization": KerasTwoNorm, "BatchNormalizationV1": KerasTwoNorm, "SyncBatchNormalization": KerasTwoNorm,
    "TFOpLambda": FunctionCall, "TimeDistributed": KerasTwoWrapper, "Conv2DTranspose": KerasTwoFlatTranspose,
    "SeparableConv2D": KerasTwoApart, "SeparableConvolution2D": KerasTwoApart, "DepthwiseConv2D": KerasTwoDepthwise,
    "Convolution2DTranspose": KerasTwoFlatTranspose, "SpatialDropout2D": KerasTwoFlatDropout,
}  # fmt: skip


def _count_calls_from_zero(config: dict[str, Any]) -> None:
    """Number the calls of models inside: Keras 2 counted their making as one, Keras 3 does so for outputs alone."""
    kinds = {layer["name"]: layer["class_name"] for layer in config["layers"] if layer["class_name"] in MODELS}
    inner = list(references([layer["inbound_nodes"] for layer in config["layers"]], set(kinds)))
    outer = list(references(config["output_layers"], set(kinds)))
    first = {name: min(ref[1] for ref in [*inner, *outer] if ref[0] == name) for name in {r[0] for r in inner + outer}}
    for ref in inner:
        ref[1] -= first[ref[0]]
    for ref in outer:
        ref[1] += (kinds[ref[0]] != "Sequential") - first[ref[0]]
