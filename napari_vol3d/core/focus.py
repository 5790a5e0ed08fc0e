"""Where a person looks: what comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_vol3d.core.box import Box

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """A place in a scan.

    Attributes
    ----------
    point : tuple of float
        Voxel (z, y, x) in the middle of the canvas.
    axis : int or None
        The axis (0 z, 1 y, 2 x) across which a slice is shown; None in a 3D view.
    """

    point: Point
    axis: int | None = None

    def scaled(self, ratio: Sequence[float]) -> Focus:
        """Give the same place on a grid with `ratio` times as many voxels along each axis."""
        z, y, x = ((p + 0.5) * r - 0.5 for p, r in zip(self.point, ratio, strict=True))
        return Focus(point=(z, y, x), axis=self.axis)

    def moved(self, offset: Sequence[float]) -> Focus:
        """Give the same place counted from a voxel that is `offset` away from the first."""
        z, y, x = (p + o for p, o in zip(self.point, offset, strict=True))
        return Focus(point=(z, y, x), axis=self.axis)

    def rank(self, box: Box) -> tuple[float, float]:
        """Sort boxes by this: those that the shown slice cuts first, then by distance to it, then to the point."""
        away = 0.0
        if self.axis is not None:
            at = self.point[self.axis]
            away = max(box.start[self.axis] - at, at - (box.stop[self.axis] - 1), 0.0)
        return away, box.distance2(self.point)
