"""The Keras side of `inference.py`, in a process of its own: the plain loop, medicai, the whole volume, the machine."""

from __future__ import annotations

import functools
import itertools
import os
import time
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TQDM_DISABLE"] = "1"  # medicai's bars

import keras  # noqa: TID253 - this process is for Keras
import numpy as np
import tensorflow as tf  # noqa: TID253
from common import flops_a_voxel
from numpy.typing import NDArray

from napari_vol3d.core.intensity import IntensityMap

Labels = NDArray[np.uint8]
MULTIPLE = 8  # stride product of both networks


@functools.cache
def _network(weights: str) -> keras.Model:
    return keras.saving.load_model(weights, compile=False)


def describe(weights: str) -> tuple[float, dict[str, list[NDArray[np.float32]]], float]:
    """Give FLOPs a voxel, the weights by layer, and the slope of the rectifiers below 0."""
    network = _network(weights)
    leaks = [layer.negative_slope for layer in network.layers if isinstance(layer, keras.layers.LeakyReLU)]
    by_layer = {layer.name: layer.get_weights() for layer in network.layers if layer.weights}
    return flops_a_voxel(network), by_layer, float(leaks[0]) if leaks else 0.0


def scores(weights: str, patch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the logits (z, y, x, K) of a normalised patch (z, y, x)."""
    return np.asarray(_network(weights)(patch[None, ..., None], training=False)[0])


def matrix_rate(edge: int = 2560, repeats: int = 4) -> float:
    """Give the float32 matrix-product rate in FLOP/s: the best of TensorFlow's and NumPy's."""
    left, right = (np.random.default_rng(seed).normal(size=(edge, edge)).astype(np.float32) for seed in (0, 1))
    held = tf.constant(left), tf.constant(right)
    best = np.inf
    for _ in range(repeats):
        for multiply in (lambda: tf.matmul(*held).numpy(), lambda: left @ right):
            began = time.perf_counter()
            multiply()
            best = min(best, time.perf_counter() - began)
    return 2.0 * edge**3 / best


def plain(weights: str, volume: NDArray[Any], intensity: IntensityMap, roi: int) -> tuple[float, Labels]:
    """Segment with a loop of `model.predict` over patches that overlap by half, as tutorials do; give seconds too."""
    network = _network(weights)
    began = time.perf_counter()
    scan = intensity.apply(volume)
    sums, counts = np.zeros((*scan.shape, network.output_shape[-1]), np.float32), np.zeros(scan.shape, np.float32)
    for corner in itertools.product(*(_starts(length, roi) for length in scan.shape)):
        window = tuple(slice(a, a + roi) for a in corner)
        sums[window] += network.predict(scan[window][None, ..., None], verbose=0)[0]
        counts[window] += 1
    labels = (sums / counts[..., None]).argmax(axis=-1).astype(np.uint8)
    return time.perf_counter() - began, labels


def medicai(weights: str, volume: NDArray[Any], intensity: IntensityMap, roi: int) -> tuple[float, Labels]:
    """Segment with medicai's sliding window: overlap 0.25, Gaussian."""
    from medicai.utils.inference import SlidingWindowInference

    network = _network(weights)
    infer = SlidingWindowInference(
        network, num_classes=network.output_shape[-1], roi_size=(roi,) * 3, sw_batch_size=1, overlap=0.25,
        mode="gaussian",
    )  # fmt: skip
    began = time.perf_counter()
    blended = np.asarray(infer(intensity.apply(volume)[None, ..., None]))
    labels = blended[0].argmax(axis=-1).astype(np.uint8)
    return time.perf_counter() - began, labels


def whole(weights: str, volume: NDArray[Any], intensity: IntensityMap) -> Labels:
    """Segment in one pass over the whole volume: what tiling is held against."""
    network = _network(weights)
    scan = intensity.apply(volume)
    padded = np.pad(scan, [(0, -length % MULTIPLE) for length in scan.shape], mode="edge")
    decide = tf.function(lambda batch: tf.argmax(network(batch, training=False)[0], axis=-1, output_type=tf.int32))
    z, y, x = scan.shape
    return np.asarray(decide(tf.constant(padded[None, ..., None])))[:z, :y, :x].astype(np.uint8)


def _starts(length: int, roi: int) -> list[int]:
    return sorted({*range(0, length - roi, roi // 2), length - roi})
