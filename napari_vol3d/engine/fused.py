"""Two layers that compute what Keras' own do, in less time. `rewrite` puts them into a network.

What was found in the optimised graphs of TensorFlow 2.21 with Keras 3.15 on a CPU (oneDNN): Keras' Conv3D needs no
help. Its bias, reshaped and added, becomes a BiasAdd, and with the ReLU or LeakyReLU behind it, or the Add and
activation of a residual block, `_MklNativeFusedConv3D`: one kernel. Normalisation and dilation prevent that: the first
is folded, for the second there is `FusedConv3D`. (TensorFlow folds a normalisation itself where weights are frozen into
the graph and no residual block joins behind it; with variables, or on other backends, it does not.)
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

ON_TENSORFLOW = keras.config.backend() == "tensorflow"
# What a backend raises for an operation that it does not have, or not for these shapes: each of these is documented by
# none and raised by some. A rewrite that is refused is left out, and the network runs as it came.
REFUSALS: tuple[type[Exception], ...] = (ValueError, TypeError, NotImplementedError, RuntimeError)
if ON_TENSORFLOW:
    import tensorflow as tf

    REFUSALS += (tf.errors.OpError,)


class FusedConv3D(layers.Conv3D):
    """A dilated Conv3D, channels last, that is one kernel with its bias and activation.

    On TensorFlow, Keras cuts the volume of a dilated convolution into interleaved parts and joins them again, because
    the plain CPU kernel knows no dilation. oneDNN and cuDNN do; without either, a call raises one of `REFUSALS`.
    Processor time of a MeshNet, 96^3, one core: 0.29 s instead of 0.44 s (5 channels), 2.1 s instead of 2.7 s (20).
    On other backends it is the layer it stems from.
    """

    def call(self, inputs: Any) -> Any:
        """Convolve (batch, z, y, x, channels)."""
        if not ON_TENSORFLOW:
            return super().call(inputs)
        outputs = tf.nn.conv3d(
            inputs, self.kernel, (1, *self.strides, 1), self.padding.upper(), dilations=(1, *self.dilation_rate, 1)
        )
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return self.activation(outputs)


class BlockTranspose3D(layers.Layer):
    """A Conv3DTranspose whose kernel is as large as its stride, channels last, as a matrix product.

    Each input voxel becomes a block of output voxels, and blocks don't overlap: one product gives all voxels of all
    blocks, which then only have to be put in order.

    Parameters
    ----------
    filters : int
        Output channels.
    block : tuple of int
        Kernel and stride, (z, y, x).
    activation : callable or str, optional
        As for `keras.layers.Conv3DTranspose`.

    Notes
    -----
    Always used, not measured at each load: it was never slower. Processor time in ms on one core (Zen 4, oneDNN),
    Conv3DTranspose and this, channels in > out at input edge: 128 > 64 at 12: 8.5, 8.2; 64 > 32 at 24: 13.7, 13.3;
    32 > 16 at 48: 29, 23; 16 > 8 at 48: 19, 13; 320 > 256 at 6: 10.1, 8.9; 256 > 128 at 12: 16.4, 15.6.
    """

    def __init__(self, filters: int, block: tuple[int, int, int], *, activation: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters
        self.block = (block[0], block[1], block[2])
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights, which `take` sets: `kernel` (channels, voxels of a block times filters) and `bias`."""
        z, y, x = self.block
        width = z * y * x * self.filters
        self.kernel = self.add_weight(shape=(input_shape[-1], width), initializer="zeros", name="kernel")
        self.bias = self.add_weight(shape=(width,), initializer="zeros", name="bias")

    def take(self, kernel: Any, bias: Any) -> None:
        """Set the weights from those of a Conv3DTranspose: (z, y, x, filters, channels) and (filters,), NumPy."""
        z, y, x, filters, channels = kernel.shape
        matrix = kernel.transpose(4, 0, 1, 2, 3).reshape(channels, -1)
        self.set_weights([matrix, bias[None].repeat(z * y * x, axis=0).reshape(z * y * x * filters)])

    def call(self, inputs: Any) -> Any:
        """Upsample (batch, z, y, x, channels)."""
        batch, depth, height, width, channels = ops.shape(inputs)
        z, y, x = self.block
        # Bias and product side by side: TensorFlow makes one kernel of them.
        blocks = ops.matmul(ops.reshape(inputs, (-1, channels)), self.kernel) + self.bias
        # Six axes instead of nine: batch and z stay neighbours, and so do x within a block and the filters.
        blocks = ops.reshape(blocks, (batch * depth, height, width, z, y, x * self.filters))
        blocks = ops.transpose(blocks, (0, 3, 1, 4, 2, 5))
        outputs = ops.reshape(blocks, (batch, depth * z, height * y, width * x, self.filters))
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Give (batch, z, y, x, filters)."""
        edges = (None if n is None else n * b for n, b in zip(input_shape[1:4], self.block, strict=True))
        return (input_shape[0], *edges, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Give what `from_config` needs."""
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "filters": self.filters, "block": self.block, "activation": activation}
