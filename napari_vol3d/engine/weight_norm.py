"""TensorFlow Addons' WeightNormalization, read from files of Keras 2 and folded into the layer that it wraps."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.keras2 import KERAS_2, wrapped

SMALLEST = 1e-12  # as `tf.nn.l2_normalize` has it


class AddonsWeightNormalization(layers.Wrapper):
    """A layer whose kernel has a length of its own for each filter: g * v / ||v||.

    Salimans and Kingma, Weight Normalization, NeurIPS 2016.
    """

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> keras.Layer:
        """Give the layer."""
        return cls(wrapped(config["layer"], custom_objects or KERAS_2), name=config.get("name"))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make what the file holds: g, the layer's own weights, and whether g is in use."""
        self.layer.build(input_shape)
        self.g = self.add_weight(shape=(self._kernel.shape[-1],), initializer="ones", name="g")
        self.initialized = self.add_weight(shape=(), initializer="ones", trainable=False, name="initialized")

    @property
    def trainable_variables(self) -> list[Any]:
        """Those that are learned, in the order of the file."""
        return [self.g, *self.layer.trainable_variables]

    @property
    def _kernel(self) -> Any:
        return self.layer.kernel

    def call(self, inputs: Any) -> Any:
        """Call the layer with the kernel that comes of it."""
        given = [self._folded() if v is self._kernel else v for v in self.layer.trainable_variables]
        return self.layer.stateless_call(given, self.layer.non_trainable_variables, inputs)[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Give the shape that the layer gives."""
        return self.layer.compute_output_shape(input_shape)

    def _folded(self) -> Any:
        kernel = ops.convert_to_tensor(self._kernel)
        square = ops.sum(ops.square(kernel), axis=tuple(range(len(kernel.shape) - 1)), keepdims=True)
        return kernel * ops.rsqrt(ops.maximum(square, SMALLEST)) * self.g

    def plain(self) -> keras.Layer:
        """Fold the kernel, and give the layer alone.

        Raises
        ------
        ModelProblem
            If the network was never trained: g is made of the first data that it meets.
        """
        if not bool(ops.convert_to_numpy(self.initialized)):
            raise ModelProblem(f"Layer {self.name} was never trained.", hint="Ask its maker for the trained model.")
        made = type(self.layer).from_config(self.layer.get_config())
        made.build(self.layer._build_shapes_dict["input_shape"])
        weights = [self._folded() if v is self._kernel else v for v in self.layer.weights]
        made.set_weights([ops.convert_to_numpy(weight) for weight in weights])
        return made
