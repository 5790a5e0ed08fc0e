"""Pools and convolutions that were called as functions of `keras.ops`: made anew as the layers that do the same.

What is known of a network (what its patches divide by, how far it sees) is known of layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import config, layers

from napari_vol3d.engine.layout import FIRST, LAST, Call, Held, Untranslatable

if TYPE_CHECKING:
    from napari_vol3d.engine.relaid import Relaid

NEW = {"data_format": "channels_last", "dtype": "float32"}


def _pooled(kind: Any) -> Any:
    def made(relaid: Relaid, op: Any, call: Call) -> Held | None:
        if len(call.shape) != 5:
            return None
        pool = kind(op.pool_size, strides=op.strides, padding=op.padding, **NEW, name=relaid.free(op.name))
        return _called(pool, op, call)

    return made


def _convolved(relaid: Relaid, op: Any, call: Call) -> Held | None:
    kernel = _kernel(call)
    if kernel.ndim != 5:
        return None
    new = layers.Conv3D(
        kernel.shape[4], kernel.shape[:3], strides=op.strides, padding=op.padding, dilation_rate=op.dilation_rate,
        groups=call.first.value.shape[-1] // kernel.shape[3], use_bias=False, name=relaid.free(op.name), **NEW,
    )  # fmt: skip
    held = _called(new, op, call)
    new.set_weights([kernel])
    return held


def _kernel(call: Call) -> Any:
    given = call.args[1] if len(call.args) > 1 else call.kwargs.get("kernel")
    if isinstance(given, Held) or given is None:
        raise Untranslatable("a kernel is computed from the scan")
    return np.asarray(given, np.float32)


def _called(layer: Any, op: Any, call: Call) -> Held:
    order = FIRST if (op.data_format or config.image_data_format()) == "channels_first" else LAST
    if call.first.order != order:
        raise Untranslatable(f"function {op.name} takes its axes in another order than they come")
    return Held(layer(call.first.value), order, call.shape)


# Keras 3.15 can't call its own function `conv_transpose` in a graph of layers.
HANDLERS = {
    "MaxPool": _pooled(layers.MaxPooling3D), "AveragePool": _pooled(layers.AveragePooling3D), "Conv": _convolved,
}  # fmt: skip
