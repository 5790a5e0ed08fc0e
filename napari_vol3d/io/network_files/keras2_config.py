"""Networks that Keras 2 described, without the modules and objects that Keras 3 no longer has.

Its .keras files (2.12 to 2.15, tf_keras) say of each layer which module it is from, its HDF5 files do not, and these
are what Keras 3 reads. Classes are then looked up by their names alone.
"""

from __future__ import annotations

from typing import Any

from napari_vol3d.io.network_files.keras_zip import KerasArchive, without_training

DROPPED = ("module", "registered_name", "build_config", "compile_config")
POLICIES = ("Policy", "PolicyV1")


def before_keras_3(version: Any) -> bool:
    """Tell whether a file of this version of Keras is one of Keras 2 or 1; old ones say nothing."""
    return str(version or "").partition(".")[0] in ("", "0", "1", "2")


def network_of(archive: KerasArchive) -> Any:
    """Give the network of a .keras file as it is going to be read, without how it was to be trained."""
    config = without_training(archive.config)
    return plainly(config) if archive.version and before_keras_3(archive.version) else config


def plainly(config: Any) -> Any:
    """Give a network's description by names alone: of policies and functions too, of layers of packages the full."""
    if isinstance(config, list):
        return [plainly(item) for item in config]
    if not isinstance(config, dict):
        return config
    kind, inside, registered = config.get("class_name"), config.get("config"), config.get("registered_name")
    if kind == "function" and isinstance(inside, str):
        return inside
    if kind in POLICIES and isinstance(inside, dict):
        return inside.get("name")
    kept = {key: plainly(value) for key, value in config.items() if key not in DROPPED}
    full = kind is not None and isinstance(registered, str) and ">" in registered
    return {**kept, "class_name": registered} if full else kept
