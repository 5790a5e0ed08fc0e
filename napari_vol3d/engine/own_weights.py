"""A network of this program's own architectures, of which somebody kept the weights alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.architectures import UNetDesign, build_unet, main_head

HINT = "Save the whole model as .keras, with model.save(), and add that."
GUESS = "The weights were put into a {} U-Net of this program; its rectifiers were taken for leaky ones, as usual."


def own_network(path: Path) -> tuple[keras.Model, str]:
    """Build the U-Net that a Keras 3 `.weights.h5` belongs to; give it, and what was guessed.

    Raises
    ------
    ModelProblem
        If they are the weights of another network.
    """
    if not path.name.endswith(".weights.h5"):
        raise ModelProblem("The file holds weights without a model.", hint=HINT)
    design = design_of(dict(_shapes(keras.saving.KerasFileEditor(str(path)).weights_dict)))
    network = build_unet(design)
    try:
        network.load_weights(path)
    except ValueError as error:
        raise _unknown() from error
    return main_head(network), GUESS.format("residual" if design.residual else "plain")


def design_of(shapes: dict[str, list[tuple[int, ...]]]) -> UNetDesign:
    """Read the design off the shapes of the weights, by the name that Keras gives each layer.

    Raises
    ------
    ModelProblem
        If no U-Net of this program has such weights.
    """
    convolutions, transposes = _numbered(shapes, "conv3d"), _numbered(shapes, "conv3d_transpose")
    heads = [each[0] for each in convolutions if len(each) == 2]
    inner = [each[0] for each in convolutions if len(each) == 1]
    if not heads or not inner or not transposes or any(len(each[0]) != 5 for each in transposes):
        raise _unknown()
    matches = [shape for shape in inner if shape[:3] == (1, 1, 1)]
    widths = [transposes[0][0][4], *(each[0][3] for each in transposes)][::-1]
    blocks = 2 * (2 * len(widths) - 1)
    return UNetDesign(
        channels=inner[0][3], classes=heads[0][4] - 1, widths=tuple(widths), residual=bool(matches),
        down="stride" if len(inner) - len(matches) > blocks else "pool", deep_supervision=len(heads) - 1,
    )  # fmt: skip


def _numbered(shapes: dict[str, list[tuple[int, ...]]], kind: str) -> list[list[tuple[int, ...]]]:
    """Give the shapes of the layers of a kind, in the network's order: "conv3d", "conv3d_1", "conv3d_2" ..."""
    numbers = {name: name.removeprefix(kind).lstrip("_") or "0" for name in shapes if name.startswith(kind)}
    return [shapes[name] for name in sorted(numbers, key=lambda n: int(numbers[n]) if numbers[n].isdigit() else -1)
            if numbers[name].isdigit()]  # fmt: skip


def _shapes(stored: dict[str, Any]) -> Iterator[tuple[str, list[tuple[int, ...]]]]:
    for name, layer in stored.get("layers", {}).items():
        if isinstance(layer, dict):
            yield name, [tuple(array.shape) for _, array in sorted(layer.items()) if hasattr(array, "shape")]


def _unknown() -> ModelProblem:
    return ModelProblem("The weights fit no network of this program.", hint=HINT)
