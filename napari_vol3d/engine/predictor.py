"""A loaded network that scores patches."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.labels import label_dtype
from napari_vol3d.models.card import ModelCard


class NetworkPredictor:
    """Scores of a Keras network, patch by patch.

    The network is called inside one `tf.function` without XLA: Keras' own `predict` builds a data pipeline at every
    call, silently accepts a wrong number of channels, and turns XLA on wherever it sees a GPU.
    """

    def __init__(self, network: keras.Model, card: ModelCard) -> None:
        self.network = network
        self.card = card
        ids = [item.id for item in card.output.classes]
        table = [0, *ids]
        self._ids = np.asarray(table, dtype=label_dtype(max(table)))
        self._call = tf.function(lambda batch: network(batch, training=False), jit_compile=False, reduce_retracing=True)

    def scores(self, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score a patch (z, y, x, C): logits or probabilities (z, y, x, K), as the network's last layer gives them."""
        channels = len(self.card.input.channels)
        if patch.ndim != 4 or patch.shape[-1] != channels:
            raise ScanMismatch(f"The model wants {channels} channel(s); the patch has shape {patch.shape}.")
        return np.asarray(self._call(tf.constant(patch[None]))[0], dtype=np.float32)

    def decide(self, scores: NDArray[np.float32]) -> NDArray[np.uint16]:
        """Give class ids: the largest score; for sigmoid outputs the largest above one half, else background."""
        if self.card.output.activation == "sigmoid":
            best = scores.argmax(axis=-1) + 1
            return np.asarray(self._ids[np.where(scores.max(axis=-1) > 0.5, best, 0)])
        return np.asarray(self._ids[scores.argmax(axis=-1)])

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the probabilities (z, y, x, classes) of the foreground classes."""
        if self.card.output.activation == "sigmoid":
            return scores
        if self.card.output.activation == "none":
            shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores = shifted / shifted.sum(axis=-1, keepdims=True)
        return scores[..., 1:]
