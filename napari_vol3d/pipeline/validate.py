"""Judging a model on scans that its training never saw, for its card."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from statistics import fmean, median

import numpy as np

from napari_vol3d.core.metrics import compare_labels
from napari_vol3d.core.progress import Progress
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.card import ScanFigures, ValidationFigures
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.dataset import Pair
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings


def validate(
    model: Model, pairs: Sequence[Pair], *, data: str, device: str = "auto"
) -> Generator[Progress, None, tuple[ValidationFigures, float]]:
    """Segment scans as any person would, and compare with their labels.

    Returns
    -------
    ValidationFigures
        Dice and HD95 scan by scan, mean Dice of each class, and the scan with the lowest mean Dice.
    float
        Seconds that the network took for a million voxels, median over the scans.
    """
    began, figures, speeds = time.monotonic(), [], []
    engine = Engine(device=device)
    try:
        for done, pair in enumerate(pairs, start=1):
            scan, labels = read_volume(pair.image), read_volume(pair.labels)
            # The tiles' own progress goes through: each is a point to stop at.
            prediction = yield from segment(scan, model, SegmentSettings(cache=False), engine=engine)
            speeds.append(prediction.compute_seconds / prediction.plan.megavoxels)
            reference = np.asarray(labels.data)
            rows = compare_labels(prediction.labels, reference, scan.geometry.spacing, model.card.label_names)
            figures.append(
                ScanFigures(
                    scan=pair.name,
                    dice={row.name: _rounded(row.dice) for row in rows},
                    hd95_mm={row.name: _rounded(row.hd95_mm) for row in rows},
                )
            )
            yield Progress(phase="Testing", done=done, total=len(pairs), seconds=time.monotonic() - began)
    finally:
        engine.close()
    worst = min(figures, key=lambda scan: fmean(value or 0.0 for value in scan.dice.values()))
    names = model.card.label_names.values()
    judged = ValidationFigures(
        data=f"{len(figures)} scans of {data} that were neither trained on nor chosen with",
        mean_dice={name: _mean(scan.dice.get(name) for scan in figures) for name in names},
        mean_hd95_mm={name: _mean(scan.hd95_mm.get(name) for scan in figures) for name in names},
        worst_scan=worst.scan,
        scans=tuple(figures),
    )
    return judged, round(median(speeds), 3)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 4) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
