"""Compiling a function of arrays for the backend that Keras runs on: the only place that knows which one it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
Kind = tuple[str, tuple[int | None, ...]]
Function = Callable[..., tuple[Any, ...]]
Compiled = Callable[..., tuple[NDArray[Any], ...]]


def compile_function(function: Function, kinds: Sequence[Kind]) -> Compiled:
    """Compile a function of tensors, written with `keras.ops`, into one of NumPy arrays.

    Parameters
    ----------
    function : callable
        Takes tensors, gives a tuple of tensors.
    kinds : sequence of (str, tuple)
        Dtype and shape of each argument; a length of None may differ from call to call.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        return _for_tensorflow(function, kinds)
    return _for_jax(function) if backend == "jax" else _for_torch(function)


def _for_tensorflow(function: Function, kinds: Sequence[Kind]) -> Compiled:
    """Trace once for all shapes, without XLA, which has no oneDNN and runs 3D convolutions channels first.

    The weights become constants: only then does the graph optimiser join convolution, bias and activation into one
    oneDNN kernel, and keep the reordered weights from call to call.
    """
    import tensorflow as tf

    # Not exported by TensorFlow, but it is what its own converters and deployment guides use.
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = [tf.TensorSpec(shape, dtype) for dtype, shape in kinds]
    traced = tf.function(function, jit_compile=False, input_signature=signature).get_concrete_function()
    frozen = _held_apart(convert_variables_to_constants_v2(traced), signature)

    def call(*arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        results = frozen(*[tf.constant(array) for array in arrays])
        return tuple(result.numpy() for result in results)

    return call


def _held_apart(frozen: Any, signature: Sequence[Any]) -> Any:
    """Keep zeros that were put around a volume out of the convolution behind them, where that pads by itself.

    On a CPU with oneDNN TensorFlow 2.21's graph optimiser makes one kernel of `Pad` and `Conv3D`, and forgets the
    convolution's own padding: "same" is computed as "valid", without a word. A check of a shape, which copies nothing,
    stands between them then; what is fused behind the convolution stays so.
    """
    import tensorflow as tf

    graph = frozen.graph.as_graph_def()
    padding = [node for node in graph.node if node.op == "Conv3D" and node.attr["padding"].s == b"SAME"]
    if not padding or not any(node.op == "Pad" for node in graph.node):
        return frozen
    for node in padding:
        check = graph.node.add(name=f"{node.name}/apart", op="EnsureShape", input=[node.input[0]])
        check.attr["T"].CopyFrom(node.attr["T"])
        check.attr["shape"].shape.CopyFrom(tf.TensorShape([None] * 5).as_proto())
        node.input[0] = check.name
    inputs, outputs = ([tensor.name for tensor in ends] for ends in (frozen.inputs, frozen.outputs))

    def function(*tensors: Any) -> Any:
        given = dict(zip(inputs, tensors, strict=True))
        return tf.graph_util.import_graph_def(graph, input_map=given, return_elements=outputs, name="")

    compiled = tf.function(function, jit_compile=False, autograph=False, input_signature=signature)
    return compiled.get_concrete_function()


def _for_jax(function: Function) -> Compiled:
    import jax

    compiled = jax.jit(function)

    def call(*arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        return tuple(np.asarray(result) for result in compiled(*arrays))

    return call


def _for_torch(function: Function) -> Compiled:
    import torch

    def call(*arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        with torch.inference_mode():
            results = function(*[keras.ops.convert_to_tensor(array) for array in arrays])
            return tuple(keras.ops.convert_to_numpy(result) for result in results)

    return call


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Compute float32 products in float32: on a GPU all backends but PyTorch's products round them to 10 bits first.

    For what compares two ways of computing the same; in graphs that are traced inside it holds for good.
    """
    backend = keras.config.backend()
    if backend == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield
        return
    if backend == "tensorflow":
        import tensorflow as tf

        rounded = tf.config.experimental.tensor_float_32_execution_enabled()
        tf.config.experimental.enable_tensor_float_32_execution(False)
        try:
            yield
        finally:
            tf.config.experimental.enable_tensor_float_32_execution(rounded)
        return
    import torch

    with torch.backends.cudnn.flags(allow_tf32=False):
        yield


def library_errors() -> tuple[type[Exception], ...]:
    """Give what Keras and its backend raise when their computing fails."""
    of_keras = (ValueError, TypeError)  # shapes that do not fit, found while a function is traced: by JAX at a call
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return (*of_keras, tf.errors.OpError)
    if backend == "jax":
        import jax

        return (*of_keras, jax.errors.JaxRuntimeError)
    return (*of_keras, RuntimeError)


def gist(error: Exception) -> str:
    """Give the line of one of `library_errors` that says what went wrong."""
    text = str(error)
    if BOLD in text:  # Keras tells where it happened, and in bold type what
        text = text.split(BOLD)[1].split(PLAIN)[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    if lines[0].startswith("Graph execution error"):  # TensorFlow tells first how it got there, and last the node
        lines = [line for line in lines if not line.startswith("[[")][::-1]
    return lines[0][:300].rstrip(".")


def ran_out_of_memory(error: Exception) -> bool:
    """Tell whether one of `library_errors` means that memory ran out; each library says it in its own words."""
    words = (
        "RESOURCE_EXHAUSTED", "ResourceExhausted", "OutOfMemory", "out of memory", "OOM when", "can't allocate memory",
        "bad_alloc", "exception:Status: 1,",  # the last is how oneDNN says it
    )  # fmt: skip
    return any(word in f"{type(error).__name__}: {error}" for word in words)
