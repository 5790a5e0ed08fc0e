"""A time series, segmented time point by time point: the one that a person looks at first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.pipeline.prediction import Prediction

Verb = Callable[[Volume], Generator[Progress, None, Prediction]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What the time points before have taken."""

    frames: int
    tiles: int  # of each
    seconds: float


def segment_frames(
    volume: Volume, verb: Verb, *, shown: Callable[[], int] | None = None
) -> Generator[Progress, None, Prediction]:
    """Run a verb over each time point.

    Parameters
    ----------
    volume : Volume
        With a time axis.
    verb : callable
        Segments one time point.
    shown : callable, optional
        Gives the time point that is on the screen; asked before each.

    Returns
    -------
    Prediction
        With labels (Z, Y, X, T); seconds and counts of all time points together.
    """
    left = list(range(volume.frames))
    found: dict[int, Prediction] = {}
    while left:
        now = shown() if shown is not None else 0
        index = min(left, key=lambda each: (abs(each - now), each))
        left.remove(index)
        spent = sum(part.compute_seconds for part in found.values())
        tiles = next((part.plan.count for part in found.values()), 0)
        before = _Before(frames=len(found), tiles=tiles, seconds=spent)
        told = _told(verb(volume.frame(index)), index, before=before, frames=volume.frames)
        found[index] = yield from told
    parts = [found[index] for index in range(volume.frames)]
    notes = [f"Time point {i + 1}: {note}" for i, part in enumerate(parts) for note in part.notes]
    return replace(
        parts[0], labels=np.stack([part.labels for part in parts], axis=-1),
        plan=replace(parts[0].plan, frames=volume.frames),
        seconds=sum(part.seconds for part in parts), compute_seconds=sum(part.compute_seconds for part in parts),
        counts=sum((Counter(part.counts) for part in parts), Counter()), notes=tuple(notes),
    )  # fmt: skip


def _told(
    run: Generator[Progress, None, Prediction], index: int, *, before: _Before, frames: int
) -> Generator[Progress, None, Prediction]:
    """Pass reports on as reports of the whole series."""
    try:
        while True:
            report = next(run)
            tiles = report.total or before.tiles  # while a time point is prepared, the bar stays where it is
            yield replace(
                report, phase=f"{report.phase}, time point {index + 1} of {frames}", frame=index,
                done=report.done + before.frames * tiles, total=tiles * frames, seconds=report.seconds + before.seconds,
            )  # fmt: skip
    except StopIteration as end:
        prediction: Prediction = end.value
        return prediction
    finally:
        run.close()
