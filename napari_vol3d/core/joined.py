"""Several images of one case, seen as the channels of one volume on the grid of the first."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.onto import Onto, share_inside
from napari_vol3d.core.sliced import Moved, Sliced, Taken, some_planes
from napari_vol3d.core.turned import Turned
from napari_vol3d.core.volume import Volume

HARDLY_INSIDE = 0.005  # share of a scan that lies within the first one's: less is another place
LOOKED_AT = 64  # rows and columns of a plane, about, that images are compared at


class Joined(Sliced):
    """Voxels (Z, Y, X, C) whose channels are volumes of one shape, read where they are looked at.

    Attributes
    ----------
    covered : tuple of float
        Share of the voxels, 0 to 1, at which each channel has an image; the rest is made up.
    """

    def __init__(self, parts: Sequence[Any], covered: Sequence[float] = ()) -> None:
        kinds = {np.dtype(part.dtype) for part in parts}
        super().__init__((*parts[0].shape[:3], len(parts)), kinds.pop() if len(kinds) == 1 else np.float32)
        self._parts = tuple(parts)
        self.covered = tuple(covered) or (1.0,) * len(self._parts)

    @cached_property
    def twins(self) -> tuple[tuple[int, int], ...]:
        """Channels that are the same image: one object, or equal at all voxels that are looked at, not all alike."""
        pairs = itertools.combinations(range(len(self._parts)), 2)
        return tuple((a, b) for a, b in pairs if _same(self._parts[a], self._parts[b]))

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        chosen = range(len(self._parts))[spans[3]]
        return np.stack([np.asarray(self._parts[c][spans[:3]]).astype(self.dtype) for c in chosen], axis=-1)


def join_channels(reference: Volume, channels: Sequence[Volume], names: Sequence[str]) -> Volume:
    """Give images as the channels of one volume.

    Parameters
    ----------
    reference : Volume, (Z, Y, X)
        Whose grid it has; images with another are interpolated on it.
    channels : sequence of Volume
        In the order of `names`; the reference may be one of them.

    Raises
    ------
    ScanMismatch
        If one of them is no image of one channel, or lies somewhere else.
    """
    parts = [lay_on(reference, scan, name) for scan, name in zip(channels, names, strict=True)]
    covered = [_covered(reference, scan, part) for scan, part in zip(channels, parts, strict=True)]
    return replace(reference, data=Joined(parts, covered), channels=tuple(names))


def joined_in(data: Any) -> Joined | None:
    """Give the channels that lazy voxels are made of, however their axes are turned; None where they are no such."""
    while isinstance(data, (Turned, Moved, Taken)):
        data = data.data
    return data if isinstance(data, Joined) else None


def lay_on(reference: Volume, scan: Volume, name: str) -> Any:
    """Give the voxels (Z, Y, X) of an image on the grid of a reference: its own where the grids are the same.

    Raises
    ------
    ScanMismatch
        If it is no image of one channel, or lies somewhere else; `name` is what it was to be.
    """
    if scan.timed or len(scan.data.shape) != 3:
        raise ScanMismatch(f"{scan.name} has several channels or time points.", hint=f"Choose one image for {name}.")
    same, own, other = scan.shape == reference.shape, scan.geometry, reference.geometry
    alike = np.allclose(own.affine, other.affine, rtol=1e-4, atol=1e-3)
    if same and alike:
        return scan.data
    if own.anatomical != other.anatomical or own.unit != other.unit or (alike and not own.anatomical):
        if same:
            return scan.data
        raise ScanMismatch(
            f"Can't lay {scan.name} {scan.shape} on {reference.name} {reference.shape}: nothing says where it lies.",
            hint=f"Choose an image for {name} that has the same voxels, or a voxel size and a place.",
        )
    if share_inside(scan, reference.geometry, reference.shape) < HARDLY_INSIDE:
        raise ScanMismatch(
            f"{scan.name} lies elsewhere than {reference.name}.", hint=f"Choose an image of the same case for {name}."
        )
    return Onto(scan, reference.geometry, reference.shape)


def _covered(reference: Volume, scan: Volume, part: Any) -> float:
    return share_inside(reference, scan.geometry, scan.shape) if isinstance(part, Onto) else 1.0


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Onto) and isinstance(other, Onto) and one.volume is other.volume:
        return True
    if one is other:
        return True
    # Of voxels in a file one plane is read: images of one head differ in any.
    planes = 16 if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) else 1
    first, second = _looked_at(one, planes), _looked_at(other, planes)
    return bool(first.min() < first.max()) and np.array_equal(first, second)


def _looked_at(part: Any, planes: int) -> NDArray[Any]:
    thin = max(1, min(part.shape[1:3]) // LOOKED_AT)
    if planes > 1:
        return some_planes(part, planes, thin=thin)
    middle = part.shape[0] // 2
    return np.asarray(part[middle : middle + 1, :, :])[0, ::thin, ::thin]
