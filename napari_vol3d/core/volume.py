"""The two nouns that everything passes around: where voxels lie, and the voxels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.sliced import Sliced, taken

Spacing = tuple[float, float, float]
Affine = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGrid:
    """How the file itself lays its voxels out: what saving gives back.

    Attributes
    ----------
    axes : tuple of int
        Held axis k (z, y, x) is the file's axis ``axes[k]``.
    flips : tuple of bool
        True where held axis k runs against the file's.
    header : mapping
        The format's own geometry fields, untouched (for NIfTI: sform, qform, their codes, units).
    """

    axes: Triple = (0, 1, 2)
    flips: tuple[bool, bool, bool] = (False, False, False)
    header: dict[str, Any] = field(default_factory=dict)

    def to_held(self, stored: NDArray[Any]) -> NDArray[Any]:
        """View an array in the file's axis order as (Z, Y, X); further axes stay behind."""
        held = np.transpose(stored, self.axes + tuple(range(3, stored.ndim)))
        return held[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]

    def to_stored(self, held: NDArray[Any]) -> NDArray[Any]:
        """View a (Z, Y, X) array in the file's axis order: the inverse of `to_held`."""
        unflipped = held[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]
        order = [self.axes.index(axis) for axis in range(3)]
        return np.transpose(unflipped, tuple(order) + tuple(range(3, held.ndim)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Geometry:
    """Where the voxels of a volume lie.

    Attributes
    ----------
    affine : ndarray of float64, shape (4, 4)
        Maps the held (z, y, x) index to world coordinates: RAS+ where the volume is anatomical, plain (x, y, z)
        otherwise. The only truth about geometry; spacing, origin and direction derive from it.
    unit : str
        Unit of the world coordinates, as pint spells it: "mm", "um", or "pixel" where the file says nothing.
    anatomical : bool
        Whether the world axes are a patient's (right, anterior, superior).
    stored : StoredGrid
        The file's own axis order and header fields.
    """

    affine: Affine
    unit: str = "mm"
    anatomical: bool = False
    stored: StoredGrid = field(default_factory=StoredGrid)

    @classmethod
    def from_spacing(cls, spacing: Spacing, *, unit: str = "mm", origin: Spacing = (0.0, 0.0, 0.0)) -> Geometry:
        """Lay a volume without orientation along the world axes.

        Parameters
        ----------
        spacing, origin : tuple of float
            Along (z, y, x), in `unit`.
        """
        affine = np.zeros((4, 4))
        for held, world in enumerate((2, 1, 0)):
            affine[world, held] = spacing[held]
            affine[world, 3] = origin[held]
        affine[3, 3] = 1.0
        return cls(affine=affine, unit=unit)

    @property
    def spacing(self) -> Spacing:
        """Distance between neighbouring voxel centres along (z, y, x), in `unit`."""
        z, y, x = (float(length) for length in np.linalg.norm(self.affine[:3, :3], axis=0))
        return (z, y, x)

    @property
    def origin(self) -> Spacing:
        """World position (x, y, z) of the centre of voxel (0, 0, 0), in `unit`."""
        x, y, z = (float(value) for value in self.affine[:3, 3])
        return (x, y, z)

    @property
    def direction(self) -> NDArray[np.float64]:
        """Unit vectors of the held axes in the world, one a column, shape (3, 3)."""
        return np.asarray(self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def oblique(self) -> bool:
        """Whether an axis is off its nearest world axis by more than float32 headers can blur (0.06 degrees)."""
        return bool((np.abs(self.direction).max(axis=0) < 1 - 5e-7).any())

    @property
    def orientation(self) -> str:
        """Letters of the directions in which the *file's* axes run, such as "RAS"; "" where not anatomical."""
        if not self.anatomical:
            return ""
        letters = [""] * 3
        for held in range(3):
            world = int(np.argmax(np.abs(self.direction[:, held])))
            positive = bool(self.direction[world, held] > 0) != self.stored.flips[held]
            letters[self.stored.axes[held]] = ("LPI", "RAS")[positive][world]
        return "".join(letters)

    def matches(self, other: Geometry, *, tolerance: float = 1e-3) -> bool:
        """Whether two grids put the same index at the same place, to `tolerance` of a voxel's smallest spacing."""
        limit = tolerance * max(min(self.spacing), 1e-9)
        return self.unit == other.unit and bool(np.allclose(self.affine, other.affine, rtol=1e-4, atol=limit))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """Voxels with their geometry.

    Attributes
    ----------
    data : array, shape (Z, Y, X) or (Z, Y, X, C); with time (Z, Y, X, T) or (Z, Y, X, C, T)
        In memory or lazy (anything that slices into NumPy arrays); the file's own dtype.
    geometry : Geometry
    name : str
        What a person would call it; the file's name without extension.
    source : Path or None
        The file or folder it came from.
    channels : tuple of str
        Names of the channels; empty where there is no axis of them.
    timed : bool
        Whether the last axis of `data` is time.
    is_labels : bool or None
        Whether it is a label map; None where the file gives no certain answer.
    classes : tuple of LabelClass
        Names and colours that the file keeps for its labels.
    """

    data: Any
    geometry: Geometry
    name: str = "volume"
    source: Path | None = None
    channels: tuple[str, ...] = ()
    is_labels: bool | None = False
    classes: tuple[LabelClass, ...] = ()
    timed: bool = False

    @property
    def frames(self) -> int:
        """Number of time points; 1 where there is no time axis."""
        return int(self.data.shape[-1]) if self.timed else 1

    def frame(self, index: int) -> Volume:
        """Give one time point, a volume without a time axis; of lazy voxels nothing is read."""
        if not self.timed:
            return self
        return replace(self, data=taken(self.data, len(self.data.shape) - 1, index), timed=False)

    @property
    def shape(self) -> Triple:
        """Spatial shape (Z, Y, X)."""
        z, y, x = (int(length) for length in self.data.shape[:3])
        return (z, y, x)

    @property
    def extent(self) -> Spacing:
        """Edge lengths along (z, y, x), in the geometry's unit."""
        z, y, x = (n * s for n, s in zip(self.shape, self.geometry.spacing, strict=True))
        return (z, y, x)

    def read(self, box: Box) -> NDArray[Any]:
        """Give the voxels of `box`, clipped to the volume, as a NumPy array."""
        inside = box.intersect(Box.of(self.shape))
        return np.asarray(self.data[inside.slices])

    def cropped(self, box: Box) -> Volume:
        """Give the part of the volume in `box`, where it lies in the world; nothing is read."""
        if box == Box.of(self.shape):
            return self
        affine = self.geometry.affine.copy()
        affine[:3, 3] += affine[:3, :3] @ np.asarray(box.start, dtype=np.float64)
        # A view of an array; of what lies in a file, a window through which it is read.
        data = self.data[box.slices] if isinstance(self.data, np.ndarray) else _Window(self.data, box)
        return replace(self, data=data, geometry=replace(self.geometry, affine=affine))

    def with_data(self, data: Any, **changes: Any) -> Volume:
        """Give a volume on the same grid with other voxels."""
        return replace(self, data=data, **changes)


class _Window(Sliced):
    """A box of lazy voxels."""

    def __init__(self, data: Any, box: Box) -> None:
        self._data, self._box = data, box.intersect(Box.of(tuple(data.shape[:3])))
        super().__init__((*self._box.shape, *data.shape[3:]), data.dtype)

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        places = zip(spans[:3], self._box.start, strict=True)
        moved = [slice(span.start + start, span.stop + start, span.step) for span, start in places]
        return np.asarray(self._data[(*moved, *spans[3:])])
