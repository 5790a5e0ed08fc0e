"""Times as files spell them: the step of a series is kept in `Geometry.stored.header["time_step"]`, in seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.lengths import positive

TIME_STEP = "time_step"
# Both the words of OME-Zarr and the signs of OME-TIFF and ImageJ.
SECONDS: dict[str, float] = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3,
    "us": 1e-6, "\N{MICRO SIGN}s": 1e-6, "\N{GREEK SMALL LETTER MU}s": 1e-6, "microsecond": 1e-6, "ns": 1e-9,
    "nanosecond": 1e-9, "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip


def seconds(value: Any, unit: str) -> float | None:
    """Give a time step in seconds, or None where the number is none or the unit is not known."""
    number, factor = positive(value), SECONDS.get(unit.strip().lower())
    return number * factor if number and factor else None


def with_time_step(geometry: Geometry, step: float | None) -> Geometry:
    """Keep the seconds between time points beside the geometry; None: they are not known."""
    if step is None:
        return geometry
    stored = replace(geometry.stored, header={**geometry.stored.header, TIME_STEP: step})
    return replace(geometry, stored=stored)


def time_step(volume: Volume) -> float | None:
    """Give the seconds between the time points of a series, or None where nothing is known."""
    return positive(volume.geometry.stored.header.get(TIME_STEP)) if volume.timed else None
