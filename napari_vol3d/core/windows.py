"""Windows on grey levels: what is shown black and what white, the usual ones of CT, and what fits a volume."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.sliced import some_planes

SAMPLES = 500_000
LOOKED_THROUGH = 500_000_000  # bytes; of larger volumes a few planes are looked at
BINS = 256
ALMOST_ALL = (0.05, 99.95)  # percentiles: one voxel of metal would squeeze everything else into a few bins
FINEST = 1e-5  # width as a share of the level; float32, in which a canvas computes, tells no more apart
AIR, SOFT = (-1100.0, -900.0), (-200.0, 300.0)  # HU
CT_LOWEST, CT_HIGHEST = -3100.0, 3100.0  # HU; scanners fill with -2000, -2048 or -3024, and bone ends at 3071
AIR_SHARE, SOFT_SHARE = 0.05, 0.02


@dataclass(frozen=True, slots=True)
class Window:
    """The grey levels from black to white.

    Raises
    ------
    ValueError
        If `low` is not below `high`, or one of them is no finite number.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"a window from low to high was expected; received {self.low} to {self.high}")

    @classmethod
    def around(cls, level: float, width: float, *, least: float = 0.0) -> Window:
        """Give the window of a level (its middle) and a width, which is widened to what can be told apart.

        Parameters
        ----------
        least : float
            The width that it has at least; 1 for integers.

        Examples
        --------
        >>> Window.around(50, 400)
        Window(low=-150.0, high=250.0)
        """
        half = max(float(width), least, abs(level) * FINEST, 1e-30) / 2
        return cls(float(level) - half, float(level) + half)

    @property
    def level(self) -> float:
        """Grey level in the middle."""
        return self.low / 2 + self.high / 2

    @property
    def width(self) -> float:
        """Distance from black to white."""
        return self.high - self.low

    @property
    def limits(self) -> tuple[float, float]:
        """The two ends, as napari's contrast limits."""
        return self.low, self.high


# Levels and widths in HU, the most used first. Soft tissue, lung, brain and liver are Radiopaedia's ("Windowing (CT)"),
# bone is OHIF's. Stroke is narrow, so that the little that oedema takes off grey matter is seen: Lev et al. 1999,
# Radiology 213:150-155, found more strokes with windows narrower than the brain's; 40 is the width in common use.
PRESETS = {
    name: Window.around(level, width)
    for name, level, width in (
        ("soft tissue", 50, 400), ("brain", 40, 80), ("stroke", 40, 40), ("lung", -600, 1500), ("liver", 30, 150),
        ("bone", 480, 2500),
    )
}  # fmt: skip
OPENING = "soft tissue"  # what a CT opens in: from air to bone everything between looks the same


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How often grey levels occur.

    Attributes
    ----------
    low, high : float
        Outer edges of the first and the last bin.
    counts : ndarray of float64, shape (bins,)
        ``log(1 + voxels)``: air would flatten everything else.
    """

    low: float
    high: float
    counts: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """What windows are chosen by.

    Attributes
    ----------
    stretched : Window
        See `percentile_window`.
    full : Window
        From the lowest grey level to the highest; of lazy and large volumes, of those that were looked at.
    ct : bool
        Whether the grey levels are most likely HU.
    whole : bool
        Whether the voxels are whole numbers.
    """

    histogram: Histogram
    stretched: Window
    full: Window
    ct: bool
    whole: bool


def looked_through(data: Any, most: int = LOOKED_THROUGH) -> bool:
    """Whether voxels take no more than `most` bytes, so that all of them may be looked at."""
    return bool(float(np.prod(data.shape)) * data.dtype.itemsize <= most)


def thinned(data: Any, most: int = LOOKED_THROUGH) -> NDArray[np.float64]:
    """Give evenly spread finite voxels of a volume (..., Z, Y, X) or an image (Y, X), in memory or lazy.

    Parameters
    ----------
    most : int
        Bytes; of more only some planes are read.
    """
    step = max(1, round((float(np.prod(data.shape)) / SAMPLES) ** (1 / 3)))
    if len(data.shape) == 2:
        found = data[::step, ::step]
    else:
        found = data[..., ::step, ::step, ::step] if looked_through(data, most) else some_planes(data, thin=step)
    sample = np.asarray(found).astype(np.float64).ravel()
    return np.asarray(sample[np.isfinite(sample)])


def percentile_window(sample: NDArray[Any], lower: float = 0.5, upper: float = 99.5) -> Window:
    """Stretch grey levels between two percentiles of finite voxels."""
    low, high = np.percentile(sample, (lower, upper)) if sample.size else (0.0, 1.0)
    return _spread(float(low), float(high))


def histogram(sample: NDArray[Any], bins: int = BINS) -> Histogram:
    """Count grey levels over the range in which nearly all of them lie; no bin of whole numbers is empty by its width.

    Examples
    --------
    >>> histogram(np.arange(100)).counts.shape
    (100,)
    """
    window = percentile_window(sample, *ALMOST_ALL)
    low, high = window.limits
    if _whole(sample):
        low, high = math.floor(low), math.ceil(high) + 1
        each = math.ceil((high - low) / bins)
        bins = math.ceil((high - low) / each)
        low, high = low - 0.5, low - 0.5 + bins * each
    counts, _ = np.histogram(sample, bins=bins, range=(low, high))
    return Histogram(low, high, np.log1p(counts))


def looks_like_ct(sample: NDArray[Any], *, anatomical: bool) -> bool:
    """Whether grey levels are HU: a patient's, whole numbers, with a peak of air at -1000 and soft tissue around 0.

    Rather no than yes: scans that store other numbers, or show no air, are not recognised.

    Parameters
    ----------
    sample : ndarray
        Finite voxels.
    anatomical : bool
        Whether the volume is a patient's.
    """
    if not anatomical or not sample.size or not _whole(sample):
        return False
    if sample.min() < CT_LOWEST or np.percentile(sample, 99.5) > CT_HIGHEST:
        return False
    return _share(sample, *AIR) >= AIR_SHARE and _share(sample, *SOFT) >= SOFT_SHARE


def survey(data: Any, *, anatomical: bool) -> Levels:
    """Look at the grey levels of a volume; of a large or lazy one at some planes.

    Parameters
    ----------
    data : array, shape (..., Z, Y, X) or (Y, X)
    anatomical : bool
        Whether it is a patient's.
    """
    sample = thinned(data)
    looked = data if isinstance(data, np.ndarray) and looked_through(data) else sample
    return Levels(
        histogram=histogram(sample), stretched=percentile_window(sample), full=_full(looked),
        ct=looks_like_ct(sample, anatomical=anatomical), whole=_whole(sample),
    )  # fmt: skip


def surveying(data: Any, *, anatomical: bool) -> Generator[Progress, None, Levels]:
    """Do `survey` as a verb."""
    yield Progress(phase="Looking at the grey levels")
    return survey(data, anatomical=anatomical)


def _full(values: NDArray[Any]) -> Window:
    """Give the window from the lowest finite value to the highest."""
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    return _spread(float(values.min()), float(values.max())) if values.size else Window(0.0, 1.0)


def _spread(low: float, high: float) -> Window:
    return Window(low, high) if high > low else Window(low, low + max(1.0, abs(low) * FINEST))


def _share(sample: NDArray[Any], low: float, high: float) -> float:
    return float(np.mean((sample >= low) & (sample <= high)))


def _whole(sample: NDArray[Any]) -> bool:
    return bool((sample == np.round(sample)).all())
