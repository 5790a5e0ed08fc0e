"""What a run gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry
from napari_vol3d.pipeline.plan import SegmentPlan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """What a run gives.

    Attributes
    ----------
    labels : ndarray of uint8 or uint16, shape (Z, Y, X), or None
        On the scan's grid; 0 outside the region that was segmented. None where they went into a sink.
    plan : SegmentPlan
        Along the model's axes, which may not be those of the labels: `pipeline.stage`.
    counts : mapping of int to int
        Voxels of each id in the region that was segmented; of a run that was resumed, of its last part.
    probabilities : array of uint8, shape (classes, Z, Y, X), or None
        0 to 255, where they were asked for; chunked on disk.
    seconds, compute_seconds : float
        Wall-clock seconds of the whole run, and of its tiles alone.
    notes : tuple of str
        What a person should know about how it went.
    """

    labels: Any
    geometry: Geometry
    classes: tuple[LabelClass, ...]
    model: str
    plan: SegmentPlan
    device: str
    seconds: float
    compute_seconds: float
    counts: Mapping[int, int]
    probabilities: Any = None
    notes: tuple[str, ...] = ()

    @property
    def mean_counts(self) -> Mapping[int, int]:
        """Voxels of each id in a time point; the mean over them all."""
        return {number: round(count / self.plan.frames) for number, count in self.counts.items()}
