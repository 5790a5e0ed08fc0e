"""The arrays that a package brings along to try its model with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.bundle import Bundle
from napari_vol3d.models.zoo.tensors import Tensor

MOST_BYTES = 1 << 30


def read_array(bundle: Bundle, tensor: Tensor) -> NDArray[Any]:
    """Read the example of a tensor; never one that would be built of pickled objects.

    Raises
    ------
    FileProblem
        If it is missing, too large, no plain array of numbers, or has other axes than the tensor.
    """
    size, name = bundle.size(tensor.test), tensor.test
    if size > MOST_BYTES:
        raise FileProblem(f"The example is too large: {name} has {size:,} bytes.")
    with bundle.opened(name) as file:
        newer = np.lib.format.read_magic(file) != (1, 0)
        header = np.lib.format.read_array_header_2_0 if newer else np.lib.format.read_array_header_1_0
        shape, fortran, dtype = header(file)
        if dtype.kind not in "biuf" or gate.declared_bytes(bundle.path, shape, dtype.itemsize) > size:
            raise FileProblem(f"The example is no plain array: {name}.")
        values = np.frombuffer(file.read(), dtype).reshape(shape, order="F" if fortran else "C")
    if values.ndim != len(tensor.axes):
        raise FileProblem(f"The example has {values.ndim} axes, not {len(tensor.axes)}: {name}.")
    return values


def channels_last(array: NDArray[Any], tensor: Tensor) -> NDArray[np.float32]:
    """Turn an array with the tensor's axes to (batch, three of space in its own order, channel)."""
    kinds = tensor.kinds
    for missing in sorted({"b", "c"} - set(kinds)):
        array, kinds = array[None], missing + kinds
    order = [kinds.index(kind) for kind in f"b{tensor.space}c"]
    return np.ascontiguousarray(array.transpose(order), np.float32)
