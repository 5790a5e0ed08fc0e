"""A box of voxels: half-open, in (z, y, x)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A half-open box of voxels.

    Attributes
    ----------
    start, stop : tuple of int
        First voxel, and one past the last, along (z, y, x). `start` may be negative and `stop` may lie beyond a
        volume: `Volume.read` clips, the caller pads.
    """

    start: Triple
    stop: Triple

    @classmethod
    def of(cls, shape: Triple) -> Box:
        """Give the box of a whole volume of `shape`."""
        return cls(start=(0, 0, 0), stop=(int(shape[0]), int(shape[1]), int(shape[2])))

    @property
    def shape(self) -> Triple:
        """Extent in voxels; zero along an axis where the box is empty."""
        z, y, x = (max(0, b - a) for a, b in zip(self.start, self.stop, strict=True))
        return (z, y, x)

    @property
    def size(self) -> int:
        """Number of voxels."""
        z, y, x = self.shape
        return z * y * x

    @property
    def centre(self) -> tuple[float, float, float]:
        """Index of the middle."""
        z, y, x = ((a + b - 1) / 2 for a, b in zip(self.start, self.stop, strict=True))
        return (z, y, x)

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Index for an array whose first voxel is the origin."""
        z, y, x = (slice(a, b) for a, b in zip(self.start, self.stop, strict=True))
        return (z, y, x)

    def intersect(self, other: Box) -> Box:
        """Give the common part; its `size` is 0 where there is none."""
        return Box(start=_each(max, self.start, other.start), stop=_each(min, self.stop, other.stop))

    def joined(self, other: Box) -> Box:
        """Give the smallest box that holds both."""
        return Box(start=_each(min, self.start, other.start), stop=_each(max, self.stop, other.stop))

    def shifted(self, offset: Triple) -> Box:
        """Move the box by `offset` voxels."""
        return Box(start=_each(_plus, self.start, offset), stop=_each(_plus, self.stop, offset))

    def grown(self, margin: Triple) -> Box:
        """Add `margin` voxels on both sides of each axis."""
        return Box(start=_each(_minus, self.start, margin), stop=_each(_plus, self.stop, margin))

    def distance2(self, point: tuple[float, float, float]) -> float:
        """Squared distance in voxels from `point` to the box; 0 inside it."""
        gaps = (max(a - p, p - (b - 1), 0.0) for a, b, p in zip(self.start, self.stop, point, strict=True))
        return float(sum(gap * gap for gap in gaps))


def _plus(a: int, b: int) -> int:
    return a + b


def _minus(a: int, b: int) -> int:
    return a - b


def _each(operation: Callable[[int, int], int], first: Triple, second: Triple) -> Triple:
    z, y, x = (operation(a, b) for a, b in zip(first, second, strict=True))
    return (z, y, x)
