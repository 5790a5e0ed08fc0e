"""Intensity schemes: statistics once over the whole volume, then scalars that any device can apply to a patch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

SCHEMES = ("none", "zscore", "minmax", "quantile", "window", "maximum")
HISTOGRAM_SAMPLES = 4_000_000
HISTOGRAM_PLANES = 64  # of a volume with more voxels than that: it may be far larger than memory


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityScheme:
    """How a network wants its grey levels.

    Attributes
    ----------
    kind : str
        "zscore": mean 0, sd 1; "minmax": lowest 0, highest 1; "quantile": `lower` 0, `upper` 1; "window": fixed
        values `lower` 0 and `upper` 1; "maximum": divided by the highest; "none": as stored.
    lower, upper : float
        Percentiles (0 to 100) between which "zscore" clips and "quantile" stretches; intensities for "window".
    over : str
        Voxels that count: "all", or "nonzero" where air is stored as exact 0.
    """

    kind: Literal["none", "zscore", "minmax", "quantile", "window", "maximum"] = "zscore"
    lower: float = 0.5
    upper: float = 99.5
    over: Literal["all", "nonzero"] = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityMap:
    """The scheme made concrete for one channel: ``(clip(v, low, high) - shift) * scale``."""

    low: float
    high: float
    shift: float
    scale: float

    def apply(self, patch: NDArray[Any]) -> NDArray[np.float32]:
        """Map stored intensities to network input; voxels that are no finite number become a bound, or 0 without."""
        low, high = (bound if np.isfinite(bound) else self.shift for bound in (self.low, self.high))
        values = np.nan_to_num(patch.astype(np.float32), nan=low, posinf=high, neginf=low)
        return np.asarray((np.clip(values, self.low, self.high) - self.shift) * self.scale, dtype=np.float32)

    def then(self, other: IntensityMap) -> IntensityMap:
        """Give the map that does this, and then another to what came of it."""
        low, high = sorted((self._stored(other.low), self._stored(other.high)))
        return IntensityMap(
            low=max(self.low, low), high=min(self.high, high), shift=self._stored(other.shift),
            scale=self.scale * other.scale,
        )  # fmt: skip

    def _stored(self, mapped: float) -> float:
        """Give the intensity that is mapped to a value, without bounds."""
        return self.shift + (mapped / self.scale if self.scale else 0.0)


class Planes(Protocol):
    """A channel as its planes: an array in memory, or anything that reads one plane at a time."""

    shape: tuple[int, ...]

    def __getitem__(self, z: int, /) -> NDArray[Any]:
        """Give plane `z`, shape (Y, X)."""


def measure_intensity(channel: Planes, scheme: IntensityScheme) -> IntensityMap:
    """Measure what `scheme` needs over a whole channel.

    Parameters
    ----------
    channel : array-like, shape (Z, Y, X)
        Any real dtype; not-finite voxels are left out. Beyond four million voxels a regular subset is taken, plane by
        plane, which depends on the shape alone, so that the result is the same wherever it is computed.

    Notes
    -----
    A constant volume gives scale 0: the network sees zeros, never NaN.
    """
    if scheme.kind == "none":
        return IntensityMap(low=-np.inf, high=np.inf, shift=0.0, scale=1.0)
    if scheme.kind == "window":
        return _stretch(scheme.lower, scheme.upper, clip=True)
    values = _sample(channel, scheme.over)
    if scheme.kind == "minmax":
        return _stretch(float(values.min()), float(values.max()), clip=True)
    if scheme.kind == "maximum":
        return IntensityMap(low=-np.inf, high=np.inf, shift=0.0, scale=_reciprocal(float(values.max())))
    low, high = (float(value) for value in np.percentile(values, (scheme.lower, scheme.upper)))
    if scheme.kind == "quantile":
        return _stretch(low, high, clip=False)
    clipped = np.clip(values.astype(np.float64, copy=False), low, high)
    return IntensityMap(low=low, high=high, shift=float(clipped.mean()), scale=_reciprocal(float(clipped.std())))


def _sample(channel: Planes, over: str) -> NDArray[Any]:
    """Give a subset of the finite voxels: integers as they are, which sort in half the time, others as float64."""
    depth, area = channel.shape[0], math.prod(channel.shape[1:])
    planes = range(0, depth, 1 if depth * area <= HISTOGRAM_SAMPLES else -(-depth // HISTOGRAM_PLANES))
    step = max(1, -(-len(planes) * area // HISTOGRAM_SAMPLES))
    values = np.concatenate([np.asarray(channel[z]).reshape(-1)[::step] for z in planes])
    if values.dtype.kind not in "iu":
        values = values.astype(np.float64)
        values = values[np.isfinite(values)]
    chosen = values[values != 0] if over == "nonzero" else values
    return chosen if chosen.size else (values if values.size else np.zeros(1))


def _stretch(low: float, high: float, *, clip: bool) -> IntensityMap:
    bounds = (low, high) if clip else (-np.inf, np.inf)
    return IntensityMap(low=bounds[0], high=bounds[1], shift=low, scale=_reciprocal(high - low))


def _reciprocal(width: float) -> float:
    """Give 1 / width; 0 for a width that float32, in which patches are mapped, can't divide by."""
    return 1 / width if width > float(np.finfo(np.float32).tiny) else 0.0
