"""Operations that stand for a layer get names that no layer of the file has."""

from __future__ import annotations

import keras
from keras import layers, ops

from napari_vol3d.engine.op_names import name_after


def test_only_what_lies_between_is_renamed():
    inputs = keras.Input((4, 4, 4, 2))
    before = ops.add(inputs, 1.0)
    value = ops.multiply(ops.add(before, 2.0), 3.0)
    taken = value._keras_history.operation.name
    name_after("norm", [value], [before])
    network = keras.Model(inputs, layers.Activation("relu", name=taken)(value))  # twice the same name would be refused
    assert sum(each.name.startswith("norm.") for each in network.operations) == 2
    assert not before._keras_history.operation.name.startswith("norm.")
