"""Which voxels a person has touched: a model, a late result and a slider leave them alone."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.edits import Edit


class Touched:
    """A mask that grows with the edits of a person and shrinks as they are taken back.

    Parameters
    ----------
    shape : tuple of int
        (Z, Y, X), or (T, Z, Y, X).

    Attributes
    ----------
    mask : ndarray of bool
        Memory is taken where edits lie only, as the system gives pages when they are written.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.mask: NDArray[np.bool_] = np.zeros(shape, bool)
        self._first: dict[str, bytes] = {}  # by token: the voxels that no earlier edit had touched, packed

    def add(self, token: str, edit: Edit) -> None:
        """Touch what an edit changes; also when it is done again."""
        part = self._part(edit)
        fresh = edit.changed & ~part
        self._first[token] = zlib.compress(np.packbits(fresh).tobytes(), level=1)
        part |= fresh

    def take_back(self, token: str, edit: Edit) -> None:
        """Let go of what this edit was the first to touch; edits are taken back in reverse order."""
        packed = self._first.pop(token, None)
        if packed is None:
            return
        bits = np.frombuffer(zlib.decompress(packed), np.uint8)
        fresh = np.unpackbits(bits, count=edit.box.size).astype(bool).reshape(edit.box.shape)
        part = self._part(edit)
        part &= ~fresh

    def _part(self, edit: Edit) -> NDArray[np.bool_]:
        frame = (edit.frame,) if self.mask.ndim == 4 else ()
        return self.mask[(*frame, *edit.box.slices)]
