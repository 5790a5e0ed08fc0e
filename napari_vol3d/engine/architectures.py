"""Conv3D networks: a residual or plain U-Net family on `keras.layers`, channels last, any size that divides.

Source of the design: Cicek et al. 2016 (3D U-Net), with the residual blocks, leaky rectifiers and deep supervision of
nnU-Net (Isensee et al. 2021, 2024). Input is (batch, depth, height, width, channels); logits of
(batch, depth, height, width, classes + 1) come out, class 0 is background.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import keras
from keras import layers

LEAK = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class UNetDesign:
    """What a U-Net looks like.

    Attributes
    ----------
    channels : int
        Input channels.
    classes : int
        Foreground classes; one score more comes out, for background.
    widths : tuple of int
        Filters at each level, finest first; each further level halves the resolution.
    down : str
        "pool" (max pooling) or "stride" (a convolution with strides of 2).
    activation : str
        "relu" or "leaky_relu".
    residual : bool
        Whether each block adds its input to its output.
    deep_supervision : int
        How many coarser levels get a head of their own in training.
    """

    channels: int = 1
    classes: int = 1
    widths: tuple[int, ...] = (16, 32, 64, 96)
    down: Literal["pool", "stride"] = "pool"
    activation: Literal["relu", "leaky_relu"] = "leaky_relu"
    residual: bool = True
    deep_supervision: int = 0

    @property
    def multiple(self) -> int:
        """Stride product: every patch edge must divide by it."""
        return int(2 ** (len(self.widths) - 1))


def build_unet(design: UNetDesign) -> keras.Model:
    """Build the network; with deep supervision its outputs are a list, finest first."""
    inputs = keras.Input((None, None, None, design.channels), name="scan")
    features, skips = inputs, []
    for level, width in enumerate(design.widths[:-1]):
        features = _block(features, width, design, f"encode{level}")
        skips.append(features)
        features = _halve(features, width, design, f"down{level}")
    features = _block(features, design.widths[-1], design, "bottom")
    heads = []
    for level in range(len(design.widths) - 2, -1, -1):
        width = design.widths[level]
        features = layers.Conv3DTranspose(
            width, 2, strides=2, kernel_initializer="he_normal", name=f"up{level}"
        )(features)
        features = layers.Concatenate(name=f"skip{level}")([features, skips[level]])
        features = _block(features, width, design, f"decode{level}")
        if level <= design.deep_supervision:
            heads.append(_head(features, design.classes + 1, f"logits{level}"))
    outputs = heads[::-1]
    return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0], name="unet3d")


def main_head(model: keras.Model) -> keras.Model:
    """Give the network without its deep-supervision heads; weights are shared."""
    first = model.outputs[0]
    return model if len(model.outputs) == 1 else keras.Model(model.inputs[0], first, name=model.name)


def convolve(
    features: keras.KerasTensor, filters: int, *, name: str, strides: int = 1, activation: str | None = "leaky_relu"
) -> keras.KerasTensor:
    """Convolve 3x3x3 with "same" padding and He initialisation, normalise over the batch, activate."""
    features = layers.Conv3D(
        filters, 3, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(features)
    features = layers.BatchNormalization(momentum=0.98, name=f"{name}_norm")(features)
    return features if activation is None else _activate(features, activation, f"{name}_act")


def _block(features: keras.KerasTensor, width: int, design: UNetDesign, name: str) -> keras.KerasTensor:
    first = convolve(features, width, name=f"{name}_1", activation=design.activation)
    if not design.residual:
        return convolve(first, width, name=f"{name}_2", activation=design.activation)
    second = convolve(first, width, name=f"{name}_2", activation=None)
    if features.shape[-1] != width:
        features = layers.Conv3D(width, 1, use_bias=False, kernel_initializer="he_normal", name=f"{name}_match")(
            features
        )
    return _activate(layers.Add(name=f"{name}_add")([second, features]), design.activation, f"{name}_act")


def _halve(features: keras.KerasTensor, width: int, design: UNetDesign, name: str) -> keras.KerasTensor:
    if design.down == "pool":
        return layers.MaxPooling3D(2, padding="same", name=name)(features)
    return convolve(features, width, strides=2, name=name, activation=design.activation)


def _activate(features: keras.KerasTensor, activation: str, name: str) -> keras.KerasTensor:
    if activation == "relu":
        return layers.ReLU(name=name)(features)
    return layers.LeakyReLU(negative_slope=LEAK, name=name)(features)


def _head(features: keras.KerasTensor, scores: int, name: str) -> keras.KerasTensor:
    # float32, whatever the policy: the loss and the argmax want every digit.
    return layers.Conv3D(scores, 1, dtype="float32", kernel_initializer="he_normal", name=name)(features)
