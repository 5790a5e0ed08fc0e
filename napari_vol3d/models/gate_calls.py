"""The layers of a network and how often they are called: networks in networks, each called twice, become millions."""

from __future__ import annotations

from typing import Any

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.plain_json import AGAIN

MOST_CALLS = 10_000  # the largest networks have a tenth
LONGEST_NAME = 1_000  # letters
SIMPLER = "No network needs so many: ask its maker for it in one level."


def check_calls(config: Any, name: str) -> None:
    """Refuse a network of what are no layers, or whose layers are called more than `MOST_CALLS` times.

    Those of networks inside it count as often as these are called.

    Raises
    ------
    ModelProblem
        If it is one.
    """
    if _calls(config, name) > MOST_CALLS:
        raise ModelProblem(f"Too many layers: those of {name} are called more than {MOST_CALLS:,} times.", hint=SIMPLER)


def _calls(item: Any, name: str) -> int:
    """Count calls of layers; one that says nothing of its calls has one. JSON is at most 200 deep, and so is this."""
    total = 0
    for number, layer in enumerate(_layers(item, name), start=1):
        _check_layer(layer, number, name)
        calls = layer.get("inbound_nodes")
        total += max(len(calls) if isinstance(calls, list) else 0, 1) * max(_calls(layer, name), 1)
    return total


def _layers(item: dict[str, Any], name: str) -> list[Any]:
    """Give the layers of a network, or of a layer that wraps one; none of any other layer."""
    config = item.get("config")
    if isinstance(config, dict) and "layers" not in config:
        return [inner] if isinstance(inner := config.get("layer"), dict) else []
    inside = config["layers"] if isinstance(config, dict) else config or []  # the oldest files have the list itself
    if not isinstance(inside, list):
        raise ModelProblem(f"Damaged network: the layers of {name} are no list.", hint=AGAIN)
    return inside


def _check_layer(layer: Any, number: int, name: str) -> None:
    config = layer.get("config") if isinstance(layer, dict) else None
    if not isinstance(config, dict | list) or not isinstance(layer.get("class_name"), str):
        raise ModelProblem(f"Damaged network: entry {number} of the layers of {name} is no layer.", hint=AGAIN)
    for named in (layer, config):
        called = named.get("name", "") if isinstance(named, dict) else ""
        if not isinstance(called, str | None) or len(called or "") > LONGEST_NAME:
            raise ModelProblem(f"Damaged network: layer {number} of {name} has no usable name.", hint=AGAIN)
