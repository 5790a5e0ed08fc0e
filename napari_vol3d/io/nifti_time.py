"""Whether the fourth axis of a NIfTI file is time, which its header says only between the lines.

It is where the header names a unit of time (all functional scans that were looked at do: seconds, with the repetition
time as the step) and the intent is none of vectors or matrices. Without a unit of time it is the channels, as of a
file with several contrasts. Many programs write seconds into every header, though, and 1 or 0 for a step that they do
not know (all of the Medical Segmentation Decathlon has 1 s, also for single volumes), so up to eight volumes with such
a step are channels too. The fifth axis is always the channels; where both are longer than one, the fourth is time.
"""

from __future__ import annotations

import math
from typing import Any

from napari_vol3d.core.volume import Volume
from napari_vol3d.io.lengths import positive
from napari_vol3d.io.times import time_step

INTENTS_OF_PARTS = (1004, 1005, 1006, 1007, 2003, 2004)  # matrices, vectors, colours: no time, whatever the units say
UNKNOWN_STEPS, MOST_CONTRASTS = (0.0, 1.0), 8
OWN = b"napari-vol3d"  # what `write_nifti` calls itself in "descrip"; of its files the unit alone counts
TIME_MASK, SECOND = 56, 8
TIME_UNITS = {SECOND: 1.0, 16: 1e-3, 24: 1e-6}  # of xyzt_units & 56, in seconds; others are hertz, ppm, rad/s


def is_timed(header: Any, ndim: int) -> bool:
    """Whether the fourth axis is time.

    Parameters
    ----------
    header : Nifti1Header or Nifti2Header
    ndim : int
        Axes that are left after those of length one were dropped.
    """
    if ndim != 4:
        return ndim == 5
    if _unit(header) not in TIME_UNITS or int(header["intent_code"]) in INTENTS_OF_PARTS:
        return False
    fifth = int(header["dim"][0]) > 4 and int(header["dim"][5]) > 1
    unknown = float(header["pixdim"][4]) in UNKNOWN_STEPS and bytes(header["descrip"]).rstrip(b"\0") != OWN
    return not fifth and not (unknown and int(header["dim"][4]) <= MOST_CONTRASTS)


def step_of(header: Any) -> float | None:
    """Give the seconds between time points, or None where the header does not say."""
    return positive(float(header["pixdim"][4]) * TIME_UNITS.get(_unit(header), math.nan))


def tell_time(header: Any, volume: Volume) -> None:
    """Let a header say whether the fourth axis is time, so that `is_timed` understands; a step of 0 is not known."""
    if volume.timed and _unit(header) not in TIME_UNITS:
        header["pixdim"][4] = time_step(volume) or 0.0
        header["xyzt_units"] = (int(header["xyzt_units"]) & 7) + SECOND
    elif not volume.timed and len(volume.data.shape) > 3:
        header["xyzt_units"] = int(header["xyzt_units"]) & 7


def _unit(header: Any) -> int:
    return int(header["xyzt_units"]) & TIME_MASK
