"""A network that Keras 2 described, as it is judged and then read: the engine asks here, as it reads no files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.keras2_config import plainly

OWN_GROUPS = (2, 11)  # the first Keras with a GroupNormalization of its own
NEW = ("'batch_shape'", "'DTypePolicy'")  # what Keras 2 does not write


def plain_network(config: Any) -> Any:
    """Give a network's description by names alone, as `keras2_config.plainly` does."""
    return plainly(config)


def is_of_keras_3(config: Any) -> bool:
    """Tell whether there is something in the settings of a model that only Keras 3 writes."""
    written = repr(config)
    return any(word in written for word in NEW)


def readings(config: Any) -> list[Any]:
    """Give the network of an HDF5 file in each way in which the engine may read it; what the file says is not asked.

    By names alone, names of packages before those of classes, or as Keras 3 wrote it: a file that passed for one and
    was read as the other would not have been judged.
    """
    return [plainly(config), config] if is_of_keras_3(config) else [plainly(config)]


def check_groups(config: Any, version: str) -> None:
    """Refuse a GroupNormalization from before Keras had one, where its namesake is known to group voxels.

    Most took that of github.com/titu1994/Keras-Group-Normalization, which with channels last cuts the patch in slabs
    instead of grouping its channels.

    Raises
    ------
    ModelProblem
        If there is one along the last axis.
    """
    numbers = [int(n) for n in re.findall(r"\d+", version)[:2]]
    if not numbers or tuple(numbers) >= OWN_GROUPS:
        return
    for layer in _layers(config):
        inside = layer.get("config")
        if layer.get("class_name") == "GroupNormalization" and isinstance(inside, dict) and inside.get("axis") != 1:
            raise ModelProblem(
                f"GroupNormalization {inside.get('name')!r} is not Keras' own, which Keras {version} did not have.",
                hint="Save the model as a SavedModel, with tf.saved_model.save, and add that.",
            )


def _layers(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _layers(item)
