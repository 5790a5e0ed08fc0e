"""Layers of add-ons that models were often built with, and the plain Keras that replaces them.

A name leads to a class that Keras calls `from_config` of. Most give one of Keras' own layers; the others are only
there until a network is adopted: `unfold` calls what replaces them.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.op_names import name_after

_NORM = ("name", "epsilon", "center", "scale", "trainable")


class AddonsInstanceNormalization:
    """TensorFlow Addons' InstanceNormalization, and its GroupNormalization."""

    groups = -1

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> keras.Layer:
        """Give the group normalisation that computes the same."""
        kept = {key: config[key] for key in _NORM if key in config}
        axis = config.get("axis", -1)
        groups = config.get("groups", cls.groups) if cls.groups > 0 else -1
        return layers.GroupNormalization(
            groups=groups, axis=axis[0] if isinstance(axis, list) else axis, **{"epsilon": 1e-3, **kept}
        )


class AddonsGroupNormalization(AddonsInstanceNormalization):
    """TensorFlow Addons' GroupNormalization; 32 groups unless it says otherwise."""

    groups = 32


class ContribInstanceNormalization(layers.Layer):
    """keras-contrib's InstanceNormalization: it adds epsilon to the standard deviation, not to the variance."""

    def __init__(
        self, axis: int | None = None, epsilon: float = 1e-3, center: bool = True, scale: bool = True, **options: Any
    ) -> None:
        super().__init__(**{key: value for key, value in options.items() if key in ("name", "trainable", "dtype")})
        self.axis, self.epsilon, self.center, self.scale = axis, epsilon, center, scale
        self.gamma = self.beta = None

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> keras.Layer:
        """Give it, or what replaces the layer of the same name of TensorFlow Addons."""
        if "groups" in config:
            return AddonsInstanceNormalization.from_config(config)
        if "center" not in config:  # keras-contrib always says so; its namesakes add to the variance, or differ more
            raise ModelProblem(
                f"InstanceNormalization of layer {config.get('name')} is not that of keras-contrib.",
                hint="Save the model as a SavedModel, with model.export(), and add that.",
            )
        return cls(**config)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make gamma and beta, one a channel, or one for all where there is no axis."""
        shape = (1,) if self.axis is None else (input_shape[self.axis],)
        if self.scale:
            self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
        if self.center:
            self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, inputs: Any) -> Any:
        """Normalise."""
        axis = None if self.axis is None else self.axis % len(inputs.shape)
        return self._normalised(inputs, axis, self.gamma, self.beta)

    def unfold(self, inputs: Any, axis: int | None) -> Any:
        """Give the calls of Keras' own operations that compute the same, with channels along `axis`."""
        gamma, beta = (None if each is None else ops.convert_to_numpy(each) for each in (self.gamma, self.beta))
        values = self._normalised(inputs, axis, gamma, beta)
        name_after(self.name, [values], [inputs])
        return values

    def _normalised(self, inputs: Any, axis: int | None, gamma: Any, beta: Any) -> Any:
        """Normalise along all axes but the batch's and the channels'."""
        rank = len(inputs.shape)
        over = [number for number in range(1, rank) if number != axis]
        shape = [-1 if number == axis else 1 for number in range(rank)]
        centred = inputs - ops.mean(inputs, axis=over, keepdims=True)
        values = centred / (ops.std(inputs, axis=over, keepdims=True) + self.epsilon)
        values = values if gamma is None else values * ops.reshape(gamma, shape)
        return values if beta is None else values + ops.reshape(beta, shape)


class _Activation:
    function = "silu"

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> keras.Layer:
        """Give Keras' own layer."""
        return layers.Activation(cls.function, name=config.get("name"))


class Swish(_Activation):
    """x times its sigmoid; Keras calls it silu."""


class AddonsGelu(layers.Layer):
    """TensorFlow Addons' GELU: approximate, unless it says otherwise."""

    def __init__(self, approximate: bool = True, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name)
        self.approximate = approximate

    def call(self, inputs: Any) -> Any:
        """Apply it."""
        return ops.gelu(inputs, approximate=self.approximate)

    def unfold(self, inputs: Any) -> Any:
        """Give the call of Keras' own operation."""
        value = self.call(inputs)
        name_after(self.name, [value], [inputs])
        return value


class Mish(_Activation):
    """x times the tanh of its softplus."""

    function = "mish"


STAND_INS: dict[str, Any] = {
    "InstanceNormalization": ContribInstanceNormalization,
    "Addons>InstanceNormalization": AddonsInstanceNormalization,
    "Addons>GroupNormalization": AddonsGroupNormalization,
    "Swish": Swish,
    "Mish": Mish,
    "Addons>Mish": Mish,
    "Addons>GELU": AddonsGelu,
}
