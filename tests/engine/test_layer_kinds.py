"""Each name is one of Keras' own, and no name is of two kinds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import keras

from napari_vol3d.engine import layer_kinds as kinds


def heirs(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield each
        yield from heirs(each)


def test_each_name_is_of_a_layer_or_function_of_keras():
    known = {each.__name__ for each in heirs(keras.Operation) if each.__module__.startswith("keras.")}
    assert known >= kinds.POINTWISE | kinds.ALONG_AXIS | kinds.OVER_AXIS | kinds.WHOLE_PATCH


def test_a_name_is_of_one_kind():
    for one, other in combinations((kinds.POINTWISE, kinds.ALONG_AXIS, kinds.OVER_AXIS, kinds.WHOLE_PATCH), 2):
        assert not one & other
