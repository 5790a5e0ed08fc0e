"""Dice plus cross-entropy, with voxels that do not count."""

from __future__ import annotations

import tensorflow as tf

from napari_vol3d.core.labels import IGNORE

SMOOTH = 1e-5


def dice_and_cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Give the loss of a batch.

    The soft Dice is taken over the whole batch, foreground classes only, and averaged over the classes that occur
    (Isensee et al. 2021, "batch dice"); cross-entropy is the mean over the voxels that count.

    Parameters
    ----------
    labels : tensor of int32, shape (batch, z, y, x)
        Class ids; `IGNORE` does not count.
    logits : tensor of float32, shape (batch, z, y, x, classes + 1)
    """
    counts = tf.cast(labels != IGNORE, tf.float32)
    classes = tf.shape(logits)[-1]
    target = tf.one_hot(tf.where(labels == IGNORE, 0, labels), classes)
    entropy = tf.nn.softmax_cross_entropy_with_logits(target, logits)
    cross_entropy = tf.reduce_sum(entropy * counts) / tf.maximum(tf.reduce_sum(counts), 1.0)
    probabilities = tf.nn.softmax(logits) * counts[..., None]
    target *= counts[..., None]
    axes = (0, 1, 2, 3)
    overlap = tf.reduce_sum(probabilities * target, axes)[1:]
    volume = tf.reduce_sum(target, axes)[1:]
    both = tf.reduce_sum(probabilities, axes)[1:] + volume
    dice = (2 * overlap + SMOOTH) / (both + SMOOTH)
    present = tf.cast(volume > 0, tf.float32)
    mean_dice = tf.reduce_sum(dice * present) / tf.maximum(tf.reduce_sum(present), 1.0)
    return cross_entropy + 1.0 - mean_dice


def supervised_deeply(labels: tf.Tensor, outputs: list[tf.Tensor]) -> tf.Tensor:
    """Weigh the losses of the heads, finest first, 1 : 1/2 : 1/4, on labels thinned to each head's grid."""
    total, weights = tf.constant(0.0), 0.0
    for level, logits in enumerate(outputs):
        step, weight = 2**level, 0.5**level
        total += weight * dice_and_cross_entropy(labels[:, ::step, ::step, ::step], logits)
        weights += weight
    return total / weights
