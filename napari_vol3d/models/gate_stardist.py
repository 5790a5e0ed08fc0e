"""StarDist's config.json: numbers of which a network is built, judged before any is."""

from __future__ import annotations

import math
from typing import Any

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.gate_names import ACTIVATIONS

BACKBONES = {
    "unet": ("n_depth", "n_conv_per_depth", "n_filter_base", "kernel_size", "pool"),
    "resnet": ("n_blocks", "n_conv_per_block", "n_filter_base", "kernel_size"),
}  # fmt: skip
MOST = {"depth": 10, "blocks": 32, "per": 32, "pool": 8, "size": 31, "grid": 32, "expansion": 8}
MOST_FILTERS = 4096
AXES = 3
FOREIGN = "Only StarDist 3D models as its own program writes them run here."


def check_stardist(config: dict[str, Any], stored: int, name: str) -> None:
    """Refuse a configuration that is none, or of a network with more weights than `stored`.

    Raises
    ------
    ModelProblem
        If it is one; the field is named.
    """
    kind = config.get("backbone", "unet")
    if not isinstance(kind, str) or kind not in BACKBONES:
        raise ModelProblem(f"Unknown backbone: {str(kind)[:40]!r} of {name}.", hint=FOREIGN)
    needed = (*(f"{kind}_{key}" for key in BACKBONES[kind]), f"{kind}_activation", "grid", "n_rays")
    for key in needed:
        if key not in config:
            raise ModelProblem(f"Damaged config.json: {key} of {name} is missing.", hint=FOREIGN)
    for key, value in config.items():
        if key.endswith("activation"):
            _check_activation(key, value, name)
        elif key in needed or key in (f"{kind}_expansion", "n_classes", f"net_conv_after_{kind}"):
            _check_numbers(key, value, name)
    if (fewest := _fewest(config, kind)) > stored:
        raise ModelProblem(
            f"Declared but not stored: the layers of {name} need {fewest} weights or more; it has {stored}."
        )


def _check_activation(key: str, value: Any, name: str) -> None:
    if value is not None and not (isinstance(value, str) and value in ACTIVATIONS):
        raise ModelProblem(f"Unknown activation: {key} of {name} is {str(value)[:60]!r}.", hint=FOREIGN)


def _check_numbers(key: str, value: Any, name: str) -> None:
    if key == "n_classes" and value is None:
        return
    several = key.rpartition("_")[2] in ("size", "pool", "grid")
    numbers = value if several and isinstance(value, list) else [value]
    most = next((most for word, most in MOST.items() if word in key.split("_")), MOST_FILTERS)
    least = 0 if key.startswith(("net_conv", "n_classes")) else 1
    if len(numbers) not in (1, AXES) or not all(type(n) is int and least <= n <= most for n in numbers):
        raise ModelProblem(f"Damaged config.json: {key} of {name} is {str(value)[:60]!r}.", hint=FOREIGN)


def _fewest(config: dict[str, Any], kind: str) -> int:
    """Give the fewest weights of the network's widest convolution."""
    size, base = config[f"{kind}_kernel_size"], config[f"{kind}_n_filter_base"]
    kernel = math.prod(size) if isinstance(size, list) and len(size) == AXES else 1
    if kind == "resnet":
        return int(kernel * base * base)
    widest = base * config.get("unet_expansion", 2) ** (config["unet_n_depth"] - 1)
    return int(kernel * widest * widest)
