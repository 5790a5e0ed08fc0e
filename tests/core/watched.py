"""Voxels that note what is read of them, and grids that lie askew, for the tests of several rooms."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_vol3d.core.sliced import Sliced
from napari_vol3d.core.volume import Geometry


class Watched(Sliced):
    """Lazy voxels: how many were read in all, and the most at one time."""

    def __init__(self, data: Any) -> None:
        super().__init__(data.shape, data.dtype)
        self.data, self.read, self.most = data, 0, 0

    def _part(self, spans: tuple[slice, ...]) -> Any:
        assert all(0 <= s.start < s.stop <= n and s.step > 0 for s, n in zip(spans, self.shape, strict=True))
        part = self.data[spans].copy()
        self.read, self.most = self.read + part.size, max(self.most, part.size)
        return part


def geometry(degrees: float = 0.0, spacing: Any = (2.5, 0.8, 0.9), origin: Any = (10.0, -20.0, 30.0)) -> Geometry:
    """Patient axes (superior, posterior, left), turned by `degrees` about two axes."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, -1], [0, -1, 0], [1, 0, 0]]) * spacing
    affine[:3, 3] = origin
    return Geometry(affine=affine, unit="mm", anatomical=True)
