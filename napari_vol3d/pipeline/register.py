"""The verb `register`: how one scan has to be moved to lie on another, as a rigid motion; no voxel is changed."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.onto import share_inside
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Affine, Geometry, Volume
from napari_vol3d.pipeline.rigid import Search

FEWEST = 4  # voxels along each axis
OVERLAPS_WELL, HARDLY_OVERLAPS = 0.5, 0.05  # shares of one of the scans
TO_MM = {"mm": 1.0, "um": 1e-3}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registration:
    """How a scan has to be moved.

    Attributes
    ----------
    matrix : ndarray of float64, shape (4, 4)
        From the moving scan's world to the fixed scan's, RAS, in mm.
    before, after : float
        Mutual information of the two scans, in nats: the larger, the better they explain each other.
    seconds : float
    centre : tuple of float
        Middle of the moving scan, RAS, in mm.
    """

    matrix: Affine
    before: float
    after: float
    seconds: float
    centre: tuple[float, float, float]

    @property
    def degrees(self) -> float:
        """Angle by which the scan is turned."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.matrix[:3, :3]) - 1) / 2, -1, 1))))

    @property
    def shift(self) -> float:
        """How far the middle of the scan is moved, in mm."""
        return float(np.linalg.norm((self.matrix @ (*self.centre, 1.0))[:3] - self.centre))


def register(fixed: Volume, moving: Volume) -> Generator[Progress, None, Registration]:
    """Find the rigid motion that lays `moving` onto `fixed`, whatever their contrasts, grids and directions.

    Mutual information is maximised from coarse to fine, in the world of the volumes' own affines. The search begins
    where the files say that the scans lie if they overlap well there, else with their middles together. The same
    scans give the same motion, bit for bit.

    Yields
    ------
    Progress
        About ten times a second; closing the generator ends the search.

    Returns
    -------
    Registration

    Raises
    ------
    ScanMismatch
        If the scans can't be compared: units or patient's axes are missing in one of them, one is constant or too
        thin, or they have nothing in common.
    """
    began = time.perf_counter()
    _check(fixed, moving)
    yield Progress(phase="Reading the scans")
    fixed, moving = _in_mm(fixed), _in_mm(moving)
    search = Search(fixed, moving, together=_overlap(fixed, moving) < OVERLAPS_WELL)
    before = search.measure(moved=False)
    yield from search.go()
    matrix, after = search.matrix, search.measure(moved=True)
    if after <= before:  # the scans lay better as they were
        matrix, after = np.eye(4), before
    if _overlap(fixed, replace(moving, geometry=moved_by(matrix, moving.geometry))) < HARDLY_OVERLAPS:
        raise ScanMismatch("The scans do not overlap, however they are moved.", hint="Do both show the same part?")
    return Registration(
        matrix=matrix, before=before, after=after, seconds=time.perf_counter() - began, centre=_middle(moving)
    )


def moved_by(matrix: Affine, geometry: Geometry) -> Geometry:
    """Give where voxels lie after a motion in mm."""
    factor = TO_MM[geometry.unit]
    to_mm, back = np.diag((factor, factor, factor, 1.0)), np.diag((1 / factor, 1 / factor, 1 / factor, 1.0))
    return replace(geometry, affine=back @ matrix @ to_mm @ geometry.affine)


def _check(fixed: Volume, moving: Volume) -> None:
    for volume in (fixed, moving):
        if len(volume.data.shape) != 3:
            raise ScanMismatch(f"{volume.name} has channels or time points.", hint="Register one of them.")
        if volume.geometry.unit not in TO_MM:
            raise ScanMismatch(f"The voxel size of {volume.name} is not known.", hint="Give its scale in mm or µm.")
        if min(volume.shape) < FEWEST:
            raise ScanMismatch(
                f"Too thin to be registered: {volume.name} has {min(volume.shape)} voxels along one axis.",
                hint=f"At least {FEWEST} are needed.",
            )
    if fixed.geometry.anatomical != moving.geometry.anatomical:
        other = moving if fixed.geometry.anatomical else fixed
        raise ScanMismatch(
            f"No patient's axes are known of {other.name}, but of the other scan they are.",
            hint="Choose two scans of the same kind.",
        )


def _in_mm(volume: Volume) -> Volume:
    factor = TO_MM[volume.geometry.unit]
    affine = np.diag((factor, factor, factor, 1.0)) @ volume.geometry.affine
    return replace(volume, geometry=replace(volume.geometry, affine=affine, unit="mm"))


def _overlap(one: Volume, other: Volume) -> float:
    """Give the share of one scan that lies in the other, of whichever that is more."""
    shares = (share_inside(a, b.geometry, b.shape) for a, b in ((one, other), (other, one)))
    return max(shares)


def _middle(volume: Volume) -> tuple[float, float, float]:
    x, y, z, _ = volume.geometry.affine @ (*((length - 1) / 2 for length in volume.shape), 1.0)
    return (float(x), float(y), float(z))
