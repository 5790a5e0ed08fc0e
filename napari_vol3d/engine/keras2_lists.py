"""Sequential models of before Keras 2.2.3, which were a list of their layers alone; Keras' loader wants a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py

DESCRIPTION = "model_config"


def name_lists(path: Path) -> None:
    """Give each list of layers in a Keras HDF5 file, the engine's own copy, the record that later ones have.

    Raises
    ------
    OSError, ValueError
        If the file is damaged.
    """
    with h5py.File(path, "r") as file:
        config = json.loads(file.attrs.get(DESCRIPTION, "null"))
    if (named := recorded(config)) != config:
        with h5py.File(path, "r+") as file:
            file.attrs[DESCRIPTION] = json.dumps(named)


def recorded(config: Any) -> Any:
    """Give a network's description with a record in the place of each Sequential's list."""
    if isinstance(config, list):
        return [recorded(item) for item in config]
    if not isinstance(config, dict):
        return config
    config = {key: recorded(value) for key, value in config.items()}
    if config.get("class_name") != "Sequential" or not isinstance(layers := config.get("config"), list):
        return config
    return {**config, "config": {"name": config.get("name") or "sequential", "layers": layers}}
