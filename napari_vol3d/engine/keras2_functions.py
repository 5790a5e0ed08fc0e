"""Functions of TensorFlow that Keras 2 called in a graph of layers, by the names that it wrote for them.

No function is looked up by a name in a file, but in the table below. It computes what TensorFlow does, defaults too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from keras import layers, ops

STEEPER = 1.2  # Keras 2's hard sigmoid, beside that of Keras 3
Function = Callable[..., Any]


def _plain(function: Function) -> Function:
    """Give a function of `keras.ops` that takes `name` as TensorFlow's do, and ignores it."""

    def call(*args: Any, name: str | None = None, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


def _binary(function: Function) -> Function:
    def call(tensor: Any, y: Any = None, x: Any = None) -> Any:
        return function(tensor, y) if x is None else function(x, tensor)

    return call


def _reduced(function: Function) -> Function:
    def call(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(input_tensor, axis=_axes(axis), keepdims=keepdims)

    return call


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _squared_difference(x: Any, y: Any) -> Any:
    return ops.square(ops.subtract(x, y))


def _divide_no_nan(x: Any, y: Any) -> Any:
    return ops.divide_no_nan(x, y)


def _leaky_relu(features: Any, alpha: float = 0.2) -> Any:
    return ops.leaky_relu(features, negative_slope=alpha)


def _same(x: Any) -> Any:
    return x


def _cast(x: Any, dtype: str = "float32") -> Any:
    """Leave numbers with a point as they are: what is read computes in float32."""
    return x if "float" in dtype and "float" in str(x.dtype) else ops.cast(x, dtype)


def _clip(t: Any, clip_value_min: float, clip_value_max: float) -> Any:
    return ops.clip(t, clip_value_min, clip_value_max)


def _gelu(features: Any, approximate: bool = False) -> Any:
    return ops.gelu(features, approximate=approximate)


def _silu(features: Any, beta: float = 1.0) -> Any:
    return ops.silu(features) if beta == 1 else ops.multiply(features, ops.sigmoid(ops.multiply(features, beta)))


def hard_sigmoid(x: Any) -> Any:
    """Give Keras 2's, which is steeper: 0.2 x + 0.5 between 0 and 1, where Keras 3 has x / 6 + 0.5."""
    return ops.hard_sigmoid(ops.multiply(x, STEEPER))


def _relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    return layers.ReLU(max_value=max_value, negative_slope=alpha, threshold=threshold)(x)


def _sum_of(inputs: Sequence[Any]) -> Any:
    *others, total = inputs
    for each in reversed(others):
        total = ops.add(each, total)
    return total


def _normalised(
    x: Any, mean: Any, variance: Any, offset: Any = None, scale: Any = None, variance_epsilon: float = 1e-3
) -> Any:
    values = ops.divide(ops.subtract(x, mean), ops.sqrt(ops.add(variance, variance_epsilon)))
    values = values if scale is None else ops.multiply(values, scale)
    return values if offset is None else ops.add(values, offset)


def _matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    first, second = (ops.swapaxes(t, -1, -2) if turned else t for t, turned in ((a, transpose_a), (b, transpose_b)))
    return ops.matmul(first, second)


def _padded(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0) -> Any:
    if mode != "CONSTANT":
        return ops.pad(tensor, paddings, mode=mode.lower())
    return ops.pad(tensor, paddings, constant_values=constant_values)


def _pooled(function: Function) -> Function:
    def call(input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NDHWC") -> Any:
        if data_format != "NDHWC":
            raise ValueError(f"Pooling with axes {data_format}")
        return function(input, edges_of(ksize), strides=edges_of(strides), padding=padding.lower())

    return call


def edges_of(lengths: Any) -> tuple[int, ...]:
    """Give the three of space, of one number, three, or five."""
    listed = list(lengths) if isinstance(lengths, list) else [lengths]
    return tuple(listed * 3 if len(listed) == 1 else listed[1:4] if len(listed) == 5 else listed)


def _repeated(input: Any, repeats: int, axis: int) -> Any:
    return ops.repeat(input, repeats, axis=axis)


def _reshaped(tensor: Any, shape: Any) -> Any:
    return ops.reshape(tensor, shape)


def _squeezed(input: Any, axis: Any = None, squeeze_dims: Any = None) -> Any:
    return ops.squeeze(input, axis=_axes(axis if axis is not None else squeeze_dims))


def _turned(a: Any, perm: Any = None) -> Any:
    return ops.transpose(a, axes=perm)


def _split(value: Any, num_or_size_splits: Any, axis: int = 0, num: int | None = None) -> Any:
    sizes = num_or_size_splits
    return ops.split(value, sizes if isinstance(sizes, int) else list(accumulate(sizes))[:-1], axis=axis)


def _unstacked(value: Any, axis: int = 0, num: int | None = None) -> Any:
    return ops.unstack(value, num=num, axis=axis)


def sliced(tensor: Any, slice_spec: Any) -> Any:
    """Give a part of a tensor, as `x[:, 1:-1]` does."""
    return tensor[index_of(slice_spec)]


def index_of(slice_spec: Any) -> tuple[Any, ...]:
    """Give the index that Keras 2 wrote down; `ValueError` where tensors are a part of it."""
    listed = slice_spec if isinstance(slice_spec, list) else [slice_spec]
    return tuple(_index(item) for item in listed)


def _index(item: Any) -> Any:
    if item is None or item is Ellipsis or type(item) is int:
        return item
    if isinstance(item, dict) and item.get("class_name") == "__ellipsis__":
        return Ellipsis
    if isinstance(item, dict) and all(type(item.get(end)) in (int, type(None)) for end in ("start", "stop", "step")):
        return slice(item.get("start"), item.get("stop"), item.get("step"))
    raise ValueError(f"A slice of a tensor by {str(item)[:60]}")


FUNCTIONS: dict[str, Function] = {
    name: _plain(function)
    for names, function in (
        (("__operators__.add", "math.add", "add"), _binary(ops.add)),
        (("math.subtract", "subtract"), _binary(ops.subtract)),
        (("math.multiply", "multiply"), _binary(ops.multiply)),
        (("math.truediv", "math.divide", "truediv", "divide"), _binary(ops.divide)),
        (("math.maximum", "maximum"), _binary(ops.maximum)),
        (("math.minimum", "minimum"), _binary(ops.minimum)),
        (("math.pow", "pow"), _binary(ops.power)),
        (("math.greater", "greater"), _binary(ops.greater)),
        (("math.greater_equal", "greater_equal"), _binary(ops.greater_equal)),
        (("math.less", "less"), _binary(ops.less)),
        (("math.less_equal", "less_equal"), _binary(ops.less_equal)),
        (("math.divide_no_nan",), _divide_no_nan),
        (("math.add_n", "add_n"), _sum_of),
        (("math.negative", "negative"), ops.negative),
        (("math.square", "square"), ops.square),
        (("math.sqrt", "sqrt"), ops.sqrt),
        (("math.rsqrt",), ops.rsqrt),
        (("math.reciprocal",), ops.reciprocal),
        (("math.exp", "exp"), ops.exp),
        (("math.log",), ops.log),
        (("math.log1p",), ops.log1p),
        (("math.erf",), ops.erf),
        (("math.abs", "abs"), ops.absolute),
        (("math.squared_difference",), _squared_difference),
        (("math.tanh", "nn.tanh", "tanh"), ops.tanh),
        (("math.sigmoid", "nn.sigmoid", "sigmoid"), ops.sigmoid),
        (("math.log_sigmoid",), ops.log_sigmoid),
        (("math.softplus", "nn.softplus"), ops.softplus),
        (("nn.softsign",), ops.softsign),
        (("nn.relu",), ops.relu),
        (("nn.relu6",), ops.relu6),
        (("nn.elu",), ops.elu),
        (("nn.selu",), ops.selu),
        (("nn.gelu",), _gelu),
        (("nn.silu", "nn.swish"), _silu),
        (("keras.backend.hard_sigmoid", "keras.activations.hard_sigmoid"), hard_sigmoid),
        (("nn.leaky_relu",), _leaky_relu),
        (("nn.softmax",), ops.softmax),
        (("nn.log_softmax",), ops.log_softmax),
        (("keras.backend.relu", "keras.activations.relu"), _relu),
        (("math.reduce_mean", "reduce_mean"), _reduced(ops.mean)),
        (("math.reduce_sum", "reduce_sum"), _reduced(ops.sum)),
        (("math.reduce_max", "reduce_max"), _reduced(ops.max)),
        (("math.reduce_min", "reduce_min"), _reduced(ops.min)),
        (("math.reduce_std",), _reduced(ops.std)),
        (("math.reduce_variance",), _reduced(ops.var)),
        (("nn.batch_normalization",), _normalised),
        (("concat",), ops.concatenate),
        (("stack",), ops.stack),
        (("split",), _split),
        (("unstack",), _unstacked),
        (("expand_dims",), ops.expand_dims),
        (("squeeze", "compat.v1.squeeze"), _squeezed),
        (("reshape",), _reshaped),
        (("transpose", "compat.v1.transpose"), _turned),
        (("repeat",), _repeated),
        (("tile",), lambda input, multiples: ops.tile(input, multiples)),
        (("pad", "compat.v1.pad"), _padded),
        (("linalg.matmul",), _matmul),
        (("nn.max_pool3d",), _pooled(ops.max_pool)),
        (("nn.avg_pool3d",), _pooled(ops.average_pool)),
        (("zeros_like", "compat.v1.zeros_like"), ops.zeros_like),
        (("ones_like", "compat.v1.ones_like"), ops.ones_like),
        (("where",), lambda condition, x, y: ops.where(condition, x, y)),
        (("cast",), _cast),
        (("stop_gradient", "identity"), _same),
        (("clip_by_value",), _clip),
        (("__operators__.getitem",), sliced),
    )
    for name in names
}
