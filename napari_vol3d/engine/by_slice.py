"""2D layers that are called for each slice of a volume, as the 3D layers that they are: one voxel thick along an axis.

`TimeDistributed(Conv2D(4, 3))` on (batch, z, y, x, channels) is a `Conv3D(4, (1, 3, 3))` with the same kernel; a whole
2D network that is called so is one of such layers. What takes means of a slice, or looks at its size, is no such layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from napari_vol3d.engine.anatomy import keras_name
from napari_vol3d.engine.layer_kinds import ALONG_AXIS, IDLE, POINTWISE
from napari_vol3d.engine.layout import LAST, Call, Held, Untranslatable
from napari_vol3d.engine.replay import is_nested, replay

if TYPE_CHECKING:
    from napari_vol3d.engine.relaid import Relaid

WITH_AXIS = (ALONG_AXIS - {"Softmax"}) | {"BatchNormalization", "Softmax"}
NO_WINDOW = POINTWISE - {"Normalization"}
UNUSED = ("training", "mask")
MOST_CHANNELS = 64  # of a depthwise convolution that becomes one of all channels, with zeros
MOST_NUMBERS = 1 << 26  # in a kernel that two become


def called_by_slice(relaid: Relaid, layer: Any, call: Call) -> Any:
    """Call what a `TimeDistributed` holds for all slices at once.

    Raises
    ------
    Untranslatable
        If there is no 3D layer that computes the same; names it.
    """
    order = call.first.order
    if len(order) != 5 or order[0] != "n" or order[1] not in "zyx":
        raise Untranslatable(f"layer {layer.name} takes its slices along another axis than those of space")
    slices = _Slices(relaid, layer.name)
    if not is_nested(layer.layer):
        return slices(layer.layer, call.args, call.kwargs, call.node)
    if len(layer.layer.inputs) > 1 or len(layer.layer.outputs) > 1:
        raise Untranslatable(f"layer {layer.name} holds a network of several inputs or outputs")
    return replay(layer.layer, [call.first], slices)


def called_alone(relaid: Relaid, layer: Any, call: Call) -> Any:
    """Call what a wrapper that normalises kernels holds: Keras' own keeps the kernel as it was normalised last."""
    key = (id(layer), "alone")
    if key not in relaid.raised:
        relaid.raised[key] = layer.plain() if hasattr(layer, "plain") else layer.layer
    return relaid(relaid.raised[key], (call.first,), {}, call.node)


@dataclass(frozen=True, slots=True)
class _Slices:
    """Makes a call of a layer of 2D images with volumes: what `replay` asks for."""

    relaid: Relaid
    name: str  # of the layer that holds it

    def __call__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: Any) -> Any:
        held = next((item for item in keras.tree.flatten((args, kwargs)) if isinstance(item, Held)), None)
        name = keras_name(layer)
        if name == "SpectralNormalization":
            return self(layer.layer, args, kwargs, node)
        if held is None or len(held.order) != 5 or (name == "BatchNormalization" and kwargs.get("training")):
            raise self._unknown(layer)
        kwargs = {key: value for key, value in kwargs.items() if key not in UNUSED}
        made = self._made(layer, held)
        if name not in RAISED:
            return self.relaid(made, args, kwargs, _raised_node(node, held))
        result = self.relaid(made, (Held(held.value, LAST, tuple(held.value.shape)),), {}, node)
        return Held(result.value, held.order, tuple(_raised_node(node, held).outputs[0].shape))

    def _made(self, layer: Any, held: Held) -> Any:
        """Give the 3D layer, the same one again where the layer is called again."""
        key = (id(layer), held.order)
        if key not in self.relaid.raised:
            self.relaid.raised[key] = self._raised(layer, held)
        return self.relaid.raised[key]

    def _raised(self, layer: Any, held: Held) -> Any:
        name = keras_name(layer)
        if name in RAISED:
            return RAISED[name](layer, _Axes(layer, held.order), held.value.shape[-1])
        if name == "PReLU":
            return _prelu(layer, held.shape)
        if name in WITH_AXIS:
            return _rebuilt(layer, held.shape, axis=_raised_axis(layer.axis))
        if name in NO_WINDOW or name in IDLE or name.startswith("SpatialDropout"):
            return layers.Identity(name=layer.name) if name.startswith("SpatialDropout") else layer
        raise self._unknown(layer)

    def _unknown(self, layer: Any) -> Untranslatable:
        return Untranslatable(f"layer {self.name} calls {type(layer).__name__} for each slice, which no 3D layer does")


class _Axes:
    """Where the axes of a slice lie in a volume."""

    def __init__(self, layer: Any, order: str) -> None:
        first = getattr(layer, "data_format", "channels_last") == "channels_first"
        if order[2 if first else 4] != "c":
            raise Untranslatable(f"layer {layer.name} takes its axes in another order than they come")
        if first and getattr(getattr(layer, "activation", None), "__name__", "") in ("softmax", "log_softmax"):
            raise Untranslatable(f"the softmax of layer {layer.name} runs along space and not along the scores")
        letters = order.replace("n", "").replace("c", "")
        self.at = [letters.index(letter) for letter in "zyx"]

    def spread(self, thick: Any, edges: Sequence[Any]) -> tuple[Any, ...]:
        """Give what is along z, y and x, of what is across slices and along both axes of one."""
        return tuple([thick, *edges][place] for place in self.at)

    def kernel(self, weights: Any) -> NDArray[np.float32]:
        """Give a kernel of (edge, edge, channels, channels) an axis, one voxel long."""
        return np.transpose(np.asarray(weights, np.float32)[None], [*self.at, 3, 4])


def _window(layer: Any, axes: _Axes) -> dict[str, Any]:
    return {
        "kernel_size": axes.spread(1, layer.kernel_size), "strides": axes.spread(1, layer.strides),
        "dilation_rate": axes.spread(1, layer.dilation_rate), "padding": layer.padding, "use_bias": layer.use_bias,
        "name": layer.name,
    }  # fmt: skip


def _filled(made: Any, layer: Any, channels: int, kernel: NDArray[np.float32]) -> Any:
    made.build((None, None, None, None, channels))
    made.set_weights([kernel, *([np.asarray(layer.bias, np.float32)] if layer.use_bias else [])])
    made.activation = layer.activation
    return made


def _convolution(layer: Any, axes: _Axes, channels: int) -> Any:
    made = layers.Conv3D(layer.filters, groups=layer.groups, **_window(layer, axes))
    return _filled(made, layer, channels, axes.kernel(layer.kernel))


def _transposed(layer: Any, axes: _Axes, channels: int) -> Any:
    odd = layer.output_padding
    odd = odd if odd is None else axes.spread(0, [odd] * 2 if isinstance(odd, int) else odd)
    made = layers.Conv3DTranspose(layer.filters, output_padding=odd, **_window(layer, axes))
    return _filled(made, layer, channels, axes.kernel(layer.kernel))


def _depthwise(layer: Any, axes: _Axes, channels: int) -> Any:
    kernel = full_kernel(np.asarray(layer.kernel, np.float32))
    made = layers.Conv3D(kernel.shape[-1], groups=channels // kernel.shape[2], **_window(layer, axes))
    return _filled(made, layer, channels, axes.kernel(kernel))


def full_kernel(kernel: NDArray[Any]) -> NDArray[Any]:
    """Give the kernel of one filter a channel as one of groups, or of all channels, with zeros, where these are few.

    Parameters
    ----------
    kernel : array of (y, x, channels, times)

    Returns
    -------
    array of (y, x, 1 or channels, channels * times)
    """
    *edges, count, times = kernel.shape
    if count > MOST_CHANNELS:  # too large with zeros; groups, which TensorFlow computes slowly on a processor
        return kernel.reshape(*edges, 1, count * times)
    full = np.zeros((*edges, count, count, times), kernel.dtype)
    full[..., np.arange(count), np.arange(count), :] = kernel
    return full.reshape(*edges, count, count * times)


def _separable(layer: Any, axes: _Axes, channels: int) -> Any:
    each, joined = (np.asarray(kernel, np.float64) for kernel in (layer.depthwise_kernel, layer.pointwise_kernel))
    if each[..., 0].size * layer.filters > MOST_NUMBERS:
        raise Untranslatable(f"layer {layer.name} is too large as one convolution")
    kernel = np.einsum("hwcm,cmf->hwcf", each, joined.reshape(*each.shape[2:], layer.filters))
    return _filled(layers.Conv3D(layer.filters, **_window(layer, axes)), layer, channels, axes.kernel(kernel))


def _pool(kind: type[Any]) -> Callable[..., Any]:
    def pool(layer: Any, axes: _Axes, channels: int) -> Any:
        size, strides = axes.spread(1, layer.pool_size), axes.spread(1, layer.strides)
        return kind(size, strides=strides, padding=layer.padding, name=layer.name)

    return pool


def _enlarged(layer: Any, axes: _Axes, channels: int) -> Any:
    if layer.interpolation != "nearest":
        raise Untranslatable(f"layer {layer.name} enlarges each slice with {layer.interpolation} interpolation")
    return layers.UpSampling3D(axes.spread(1, layer.size), name=layer.name)


def _padded(layer: Any, axes: _Axes, channels: int) -> Any:
    return layers.ZeroPadding3D(axes.spread((0, 0), layer.padding), name=layer.name)


def _cropped(layer: Any, axes: _Axes, channels: int) -> Any:
    return layers.Cropping3D(axes.spread((0, 0), layer.cropping), name=layer.name)


def _prelu(layer: Any, shape: Sequence[int | None]) -> Any:
    """Give one with a weight for all slices."""
    shared = sorted(axis % 4 + (axis < 0) for axis in layer.shared_axes or ())
    alpha = np.asarray(layer.alpha, np.float32)[None]
    made = layers.PReLU(shared_axes=[1, *(axis + 1 for axis in shared)], name=layer.name)
    made.build(tuple(shape))
    made.set_weights([alpha])
    return made


def _rebuilt(layer: Any, shape: Sequence[int | None], **changes: Any) -> Any:
    made = type(layer).from_config({**layer.get_config(), "dtype": "float32", **changes})
    if layer.weights:
        made.build(tuple(shape))
        made.set_weights(layer.get_weights())
    return made


def _raised_axis(axis: Any) -> Any:
    """Say which axis of a volume one of a slice's is."""
    return [_raised_axis(each) for each in axis] if isinstance(axis, (list, tuple)) else axis % 4 + 1


def _raised_node(node: Any, held: Held) -> Any:
    """Give the record of a call with the shapes that volumes have: those of slices lack an axis."""
    shapes = [tuple(each.shape) for each in node.outputs]
    full = [shape if len(shape) == 5 else (shape[0], held.shape[1], *shape[1:]) for shape in shapes]
    return SimpleNamespace(outputs=[SimpleNamespace(shape=shape) for shape in full])


RAISED: dict[str, Callable[..., Any]] = {
    "Conv2D": _convolution, "Conv2DTranspose": _transposed, "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable, "MaxPooling2D": _pool(layers.MaxPooling3D),
    "AveragePooling2D": _pool(layers.AveragePooling3D), "UpSampling2D": _enlarged, "ZeroPadding2D": _padded,
    "Cropping2D": _cropped,
}  # fmt: skip
