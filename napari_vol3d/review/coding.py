"""Voxels as bytes: only those that changed, as a mask and two lists of values, then zlib.

A stroke has one class before and one after in most cases: such a list is one value.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit

LEVEL = 1  # labels are so even that more effort gains little and takes long
FORMAT = 1
CONSTANT, EACH = 0, 1


def edit_dtype(edit: Edit) -> np.dtype[Any]:
    """Give the type that holds the ids before and after."""
    return np.promote_types(edit.before.dtype, edit.after.dtype)


def pack(edit: Edit) -> bytes:
    """Give what `unpack` needs beside box and type; voxels of the box that do not change are left out."""
    changed, dtype = edit.changed, edit_dtype(edit).newbyteorder("<")
    lists = [_values(side[changed].astype(dtype, copy=False)) for side in (edit.before, edit.after)]
    head = bytes((FORMAT, *(how for how, _ in lists)))
    squeeze = zlib.compressobj(LEVEL)
    parts = (head, np.packbits(changed).tobytes(), *(values for _, values in lists))
    return b"".join([*map(squeeze.compress, parts), squeeze.flush()])


def unpack(data: bytes, box: Box, *, dtype: np.dtype[Any], name: str, frame: int = 0) -> Edit:
    """Give the edit again; 0 before and after where nothing changes.

    Raises
    ------
    ValueError
        If the bytes are not those of an edit of this box and type.
    """
    try:
        raw = memoryview(zlib.decompress(data))
    except zlib.error as error:
        raise ValueError(f"an edit was expected; received bytes that zlib can't read: {error}") from error
    bits = -(-box.size // 8)
    if len(raw) < 3 + bits or raw[0] != FORMAT:
        raise ValueError(f"an edit of {box.size} voxels was expected; received {len(raw)} bytes of format {raw[:1]!r}")
    changed = np.unpackbits(np.frombuffer(raw[3 : 3 + bits], np.uint8), count=box.size).astype(bool).reshape(box.shape)
    sides = _sides(raw, 3 + bits, changed, dtype)
    return Edit(name=name, box=box, before=sides[0], after=sides[1], frame=frame)


def pack_array(labels: NDArray[Any]) -> bytes:
    """Give a whole array as bytes, C order, little endian."""
    little = np.ascontiguousarray(labels, labels.dtype.newbyteorder("<"))
    return zlib.compress(little.data if little.size else b"", LEVEL)


def unpack_array(data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Give a whole array again, its own and writable."""
    flat = np.frombuffer(zlib.decompress(data), dtype.newbyteorder("<"))
    return flat.reshape(shape).astype(dtype)


def _values(values: NDArray[Any]) -> tuple[int, bytes]:
    if values.size and values.min() == values.max():
        return CONSTANT, values[:1].tobytes()
    return EACH, values.tobytes()


def _sides(raw: memoryview, at: int, changed: NDArray[np.bool_], dtype: np.dtype[Any]) -> list[NDArray[Any]]:
    count, sides = int(np.count_nonzero(changed)), []
    for how in (raw[1], raw[2]):
        length = min(count, 1) if how == CONSTANT else count
        values = np.frombuffer(raw, dtype.newbyteorder("<"), count=length, offset=at)
        at += values.nbytes
        side = np.zeros(changed.shape, dtype)
        side[changed] = values
        sides.append(side)
    return sides
