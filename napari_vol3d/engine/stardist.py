"""StarDist 3D models as probability networks: their U-Net or ResNet, without the distances that make star shapes.

Source of the architectures: Weigert et al. 2020 (StarDist 3D), and the layers of its Python package and of CSBDeep.
Their weights come without a graph, in the order of the layers, so the graph is built anew from `config.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from keras import layers

from napari_vol3d.core.errors import ModelProblem

WEIGHTS = ("weights_best.h5", "weights_last.h5", "weights_now.h5")
HINT = "Only StarDist 3D models with their config.json and weights run here."
MOST_FILTERS, MOST_STEPS = 4096, 32  # far beyond any that was published; a config is a stranger's
Config = dict[str, Any]


def stardist_network(folder: Path) -> keras.Model:
    """Build the network of a StarDist 3D model folder, with its weights.

    Its first output is the probability that a voxel belongs to an object; with several kinds of objects the second is
    their probabilities, background first.

    Raises
    ------
    ModelProblem
        If it is no such folder, or its configuration is not understood.
    """
    config = _read(folder)
    weights = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if weights is None:
        raise ModelProblem("The StarDist model has no weights.", hint=HINT)
    network = _filled(config, weights)
    names = [name for name in network.output_names if name != "dist"]
    return keras.Model(network.inputs, [network.get_layer(name).output for name in names], name="stardist")


def _filled(config: Config, weights: Path) -> keras.Model:
    # CSBDeep changed its mind about biases ahead of a normalisation, and the configuration does not tell.
    network = build(config)
    try:
        network.load_weights(weights)
    except ValueError:
        network = build({**config, "bias": True})
        network.load_weights(weights)
    return network


def build(config: Config) -> keras.Model:
    """Build the network that a configuration describes, with outputs "prob", "dist" and perhaps "prob_class"."""
    backbones: dict[str, Callable[[Any, Config], Any]] = {"unet": _unet, "resnet": _resnet}
    kind = config.get("backbone", "unet")
    if kind not in backbones:
        raise ModelProblem(f"The StarDist model has the backbone {kind}, which is not known here.", hint=HINT)
    inputs = keras.Input((None, None, None, int(config["n_channel_in"])), name="input")
    base = backbones[kind](inputs, config)
    width, size = int(config.get(f"net_conv_after_{kind}", 128)), config[f"{kind}_kernel_size"]
    activation = config[f"{kind}_activation"]

    def features(name: str) -> Any:
        return layers.Conv3D(width, size, name=name, padding="same", activation=activation)(base) if width else base

    shared = features("features")
    outputs = [
        layers.Conv3D(1, 1, name="prob", activation="sigmoid")(shared),
        layers.Conv3D(int(config["n_rays"]), 1, name="dist")(shared),
    ]
    if config.get("n_classes") is not None:
        head = layers.Conv3D(int(config["n_classes"]) + 1, 1, name="prob_class", activation="softmax")
        outputs.append(head(features("features_class")))
    return keras.Model(inputs, outputs)


def _read(folder: Path) -> Config:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not isinstance(config, dict) or config.get("n_dim") != 3 or "n_rays" not in config:
        raise ModelProblem("The folder holds no StarDist 3D model.", hint=HINT)
    for key, value in config.items():
        numbers = [n for n in (value if isinstance(value, list) else [value]) if isinstance(n, (int, float))]
        most = MOST_STEPS if any(word in key for word in ("depth", "blocks", "per_", "grid", "pool")) else MOST_FILTERS
        if key.startswith(("unet_", "resnet_", "net_", "n_", "grid")) and any(abs(n) > most for n in numbers):
            raise ModelProblem(f"The StarDist model's {key} is {value}, which is too large.", hint=HINT)
    return config


def _unet(values: Any, config: Config) -> Any:
    """Pool to the output's grid, then go down and up."""
    for pool in _pools(config):
        for _ in range(config["unet_n_conv_per_depth"]):
            values = layers.Conv3D(
                config["unet_n_filter_base"], config["unet_kernel_size"], padding="same",
                activation=config["unet_activation"],
            )(values)  # fmt: skip
        values = layers.MaxPooling3D(pool)(values)
    depth, each, base = (config[f"unet_{key}"] for key in ("n_depth", "n_conv_per_depth", "n_filter_base"))
    pool, grow, prefix = tuple(config["unet_pool"]), config.get("unet_expansion", 2), config.get("unet_prefix", "")
    skips = []
    for level in range(depth):
        for number in range(each):
            values = _convolved(values, base * grow**level, config, f"{prefix}down_level_{level}_no_{number}")
        skips.append(values)
        values = layers.MaxPooling3D(pool, name=f"{prefix}max_{level}")(values)
    for number in range(each - 1):
        values = _convolved(values, base * grow**depth, config, f"{prefix}middle_{number}")
    values = _convolved(values, base * grow ** max(0, depth - 1), config, f"{prefix}middle_{each}")
    for level in reversed(range(depth)):
        values = layers.Concatenate()([layers.UpSampling3D(pool)(values), skips[level]])
        for number in range(each - 1):
            values = _convolved(values, base * grow**level, config, f"{prefix}up_level_{level}_no_{number}")
        last = config.get("unet_last_activation") if level == 0 else None
        width = base * grow ** max(0, level - 1)
        values = _convolved(values, width, config, f"{prefix}up_level_{level}_no_{each}", last)
    return values


def _convolved(values: Any, filters: int, config: Config, name: str, activation: str | None = None) -> Any:
    norm, activation = config.get("unet_batch_norm", False), activation or config["unet_activation"]
    values = layers.Conv3D(
        filters, config["unet_kernel_size"], padding="same", activation=None if norm else activation, name=name
    )(values)
    return layers.Activation(activation)(layers.BatchNormalization()(values)) if norm else values


def _resnet(values: Any, config: Config) -> Any:
    """Residual blocks, the first of which halve the grid until it is the output's."""
    filters = config["resnet_n_filter_base"]
    values = layers.Conv3D(filters, 3, padding="same")(layers.Conv3D(filters, 7, padding="same")(values))
    pools = _pools(config)
    for number in range(config["resnet_n_blocks"]):
        pool = pools[number] if number < len(pools) else (1, 1, 1)
        filters *= 2 if max(pool) > 1 else 1
        values = _residual(values, filters, pool, config)
    return values


def _residual(values: Any, filters: int, pool: tuple[int, ...], config: Config) -> Any:
    norm, size, given = config.get("resnet_batch_norm", False), config["resnet_kernel_size"], values
    count, bias = config["resnet_n_conv_per_block"], not norm or config.get("bias", False)
    for number in range(count):
        strides = pool if number == 0 else 1
        values = layers.Conv3D(filters, size, strides=strides, padding="same", use_bias=bias)(values)
        values = layers.BatchNormalization()(values) if norm else values
        values = layers.Activation(config["resnet_activation"])(values) if number < count - 1 else values
    if max(pool) > 1 or given.shape[-1] != filters:
        given = layers.Conv3D(filters, 1, strides=pool, padding="same", use_bias=bias)(given)
    return layers.Activation(config["resnet_activation"])(layers.Add()([given, values]))


def _pools(config: Config) -> list[tuple[int, ...]]:
    """Give the steps in which the input's grid becomes the output's: by 2, along the axes that still need it."""
    grid, reached, steps = [int(n) for n in config["grid"]], [1, 1, 1], []
    if len(grid) != 3 or any(n not in (1, 2, 4, 8, 16, 32) for n in grid):
        raise ModelProblem(f"The StarDist model's grid is {grid}; it must be powers of 2.", hint=HINT)
    while reached != grid:
        step = tuple(2 if want > have else 1 for want, have in zip(grid, reached, strict=True))
        reached = [have * by for have, by in zip(reached, step, strict=True)]
        steps.append(step)
    return steps
