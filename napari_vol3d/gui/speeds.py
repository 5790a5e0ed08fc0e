"""How fast this machine runs a model: remembered after each run, so that the next estimate is right."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

from platformdirs import user_cache_path

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.segment import SegmentPlan

log = logging.getLogger(__name__)


def expected_seconds(model: Model, plan: SegmentPlan, device: str) -> float | None:
    """Estimate a run; None where neither this machine nor the model's card knows."""
    rate = _read().get(f"{model.card.weights.sha256} {device}") or model.card.inference.seconds_per_megavoxel
    return None if rate is None else rate * plan.megavoxels


def remember_speed(model: Model, plan: SegmentPlan, device: str, seconds: float) -> None:
    """Keep seconds a million voxels of a finished run."""
    speeds = _read() | {f"{model.card.weights.sha256} {device}": seconds / plan.megavoxels}
    try:
        _path().parent.mkdir(parents=True, exist_ok=True)
        write_text(_path(), json.dumps(speeds))
    except (OSError, SaveProblem) as problem:
        log.info("speed not remembered: %s", problem)


def _path() -> Path:
    return user_cache_path("napari-vol3d") / "speeds.json"


def _read() -> dict[str, float]:
    try:
        found = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: float(rate) for key, rate in found.items() if isinstance(rate, int | float) and 0 < rate < math.inf}
