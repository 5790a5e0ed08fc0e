"""The fast layers give what Keras' own give, and TensorFlow makes one kernel of a convolution and what follows it."""

from __future__ import annotations

import itertools
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from napari_vol3d.engine.fused import BlockTranspose3D, FusedConv3D
from napari_vol3d.engine.rewrite import rewrite
from tests.builders import random_unet

few = st.integers(1, 3)
triples = st.tuples(few, few, few)
VARIANTS = list(itertools.product(("pool", "stride"), ("relu", "leaky_relu"), (True, False)))


def patch(shape, channels, batch=2):
    return np.random.default_rng(0).normal(size=(batch, *shape, channels)).astype(np.float32)


def give_random_weights(layer):
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])


@settings(deadline=None, max_examples=25)
@given(
    block=triples, shape=triples, channels=few, filters=few, padding=st.sampled_from(["same", "valid"]),
    activation=st.sampled_from([None, "relu"]), batch=few,
)  # fmt: skip
def test_a_block_transpose_is_a_transposed_convolution(block, shape, channels, filters, padding, activation, batch):
    slow = layers.Conv3DTranspose(filters, block, strides=block, padding=padding, activation=activation)
    fast = BlockTranspose3D(filters, block, activation=activation)
    scan = patch(shape, channels, batch)
    slow.build(scan.shape)
    fast.build(scan.shape)
    give_random_weights(slow)
    fast.take(*slow.get_weights())
    given_shape = tuple(fast(scan).shape)
    assert given_shape == fast.compute_output_shape(scan.shape) == tuple(slow(scan).shape)
    np.testing.assert_allclose(fast(scan), slow(scan), rtol=1e-5, atol=1e-5)


def test_a_block_transpose_takes_patches_of_any_size():
    inputs = keras.Input((None, None, None, 2))
    outputs = BlockTranspose3D(3, (2, 2, 2))(inputs)
    assert outputs.shape == (None, None, None, None, 3)
    network = keras.Model(inputs, outputs)
    assert network(patch((2, 3, 5), 2)).shape == (2, 4, 6, 10, 3)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("activation", "bias"), [("relu", True), (None, True), ("leaky_relu", False)])
@pytest.mark.parametrize("dilation", [2, (1, 2, 3)])
def test_a_fused_convolution_is_a_convolution(padding, activation, bias, dilation):
    options = {"padding": padding, "dilation_rate": dilation, "activation": activation, "use_bias": bias}
    slow, fast = layers.Conv3D(4, 3, **options), FusedConv3D(4, 3, **options)
    scan = patch((8, 9, 10), 3)
    slow.build(scan.shape)
    fast.build(scan.shape)
    give_random_weights(slow)
    fast.set_weights(slow.get_weights())
    np.testing.assert_allclose(fast(scan), slow(scan), rtol=1e-4, atol=1e-4)


def test_more_dilated_than_the_patch_is_wide():
    slow, fast = (kind(2, 3, padding="same", dilation_rate=16) for kind in (layers.Conv3D, FusedConv3D))
    scan = patch((3, 4, 5), 2)
    slow.build(scan.shape)
    fast.build(scan.shape)
    fast.set_weights(slow.get_weights())
    np.testing.assert_allclose(fast(scan), slow(scan), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "layer", [BlockTranspose3D(3, (1, 2, 2), activation="relu"), FusedConv3D(3, 3, padding="same", dilation_rate=2)]
)
def test_copies_compute_the_same_and_lower_precision_is_kept(layer):
    scan = patch((4, 4, 4), 2)
    expected = keras.ops.convert_to_numpy(layer(scan))
    copy = type(layer).from_config(layer.get_config())
    copy.build(scan.shape)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(scan), expected)
    copy.dtype_policy = "mixed_bfloat16"
    rough = copy(scan)
    assert keras.backend.standardize_dtype(rough.dtype) == "bfloat16"
    np.testing.assert_allclose(keras.ops.convert_to_numpy(keras.ops.cast(rough, "float32")), expected, atol=0.1)


def optimised(network, shape):
    """Kinds of nodes that TensorFlow runs for the frozen network, with what was fused into them."""
    from tensorflow.python.eager import context
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    call = tf.function(lambda batch: network(batch, training=False))
    frozen = convert_variables_to_constants_v2(call.get_concrete_function(tf.TensorSpec(shape)))
    context.context().enable_run_metadata()
    try:
        frozen(tf.zeros(shape))
        record = context.context().export_run_metadata()
    finally:
        context.context().disable_run_metadata()
    # Single operations, as they ran before, have graphs of their own: the network's is the largest.
    nodes = max((list(part.post_optimization_graph.node) for part in record.function_graphs), key=len)
    fused = (b"+".join(node.attr["fused_ops"].list.s).decode() for node in nodes)
    return Counter(f"{node.op} {parts}".strip() for node, parts in zip(nodes, fused, strict=True))


def with_biases(network):
    """Biases of zero would be optimised away, and with them what shows that they are fused."""
    for layer in network.layers:
        if getattr(layer, "use_bias", False):
            layer.bias.assign(np.linspace(0.1, 1, layer.filters))
    return network


def has_onednn():
    from tensorflow.python.util import _pywrap_util_port

    return _pywrap_util_port.IsMklEnabled()


needs_onednn = pytest.mark.skipif(not has_onednn(), reason="TensorFlow fuses Conv3D with oneDNN only")


@needs_onednn
@pytest.mark.parametrize(("down", "activation", "residual"), VARIANTS)
def test_every_convolution_of_a_folded_unet_is_one_kernel_with_what_follows(down, activation, residual):
    network = with_biases(random_unet(down=down, activation=activation, residual=residual))
    network = rewrite(network, (32, 32, 32)).network
    convolutions = [layer for layer in network.layers if isinstance(layer, layers.Conv3D)]
    pointwise = [layer for layer in convolutions if not layer.use_bias]
    assert {layer.kernel_size for layer in convolutions if layer.use_bias} == {(3, 3, 3), (1, 1, 1)}
    assert {layer.kernel_size for layer in pointwise} <= {(1, 1, 1)}
    activations = sum(isinstance(layer, (layers.ReLU, layers.LeakyReLU)) for layer in network.layers)
    nodes = optimised(network, (1, 16, 16, 16, 1))
    fused = {name: count for name, count in nodes.items() if name.startswith("_FusedConv3D BiasAdd")}
    assert sum(fused.values()) == len(convolutions) - len(pointwise)
    assert nodes["Conv3D"] == len(pointwise)  # nothing to fuse: what follows is fused with the other addend
    assert sum(count for name, count in fused.items() if name.endswith("Relu")) == activations
    assert sum(count for name, count in fused.items() if "+Add" in name) == 3 * residual
    left = {name.split()[0] for name in nodes}
    assert not left & {"BiasAdd", "Add", "AddV2", "Mul", "Relu", "LeakyRelu", "Rsqrt"}


@needs_onednn
def test_dilated_convolutions_are_one_kernel_too():
    parts = (layers.Conv3D(4, 3, padding="same", dilation_rate=d, activation="relu") for d in (1, 2, 4))
    network = with_biases(keras.Sequential([keras.Input((None, None, None, 2)), *parts]))
    rewritten = rewrite(network, (32, 32, 32))
    assert rewritten.done == ("2 dilated convolutions computed in one piece",)
    scan = patch((16, 16, 16), 2)
    np.testing.assert_allclose(rewritten.network(scan), network(scan), atol=1e-4)
    nodes = optimised(rewritten.network, (1, 16, 16, 16, 2))
    assert nodes["_FusedConv3D BiasAdd+Relu"] == 3
    assert "SpaceToBatchND" in optimised(network, (1, 16, 16, 16, 2))
    assert "SpaceToBatchND" not in nodes
