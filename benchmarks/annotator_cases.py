"""Scans that the bundled model has never seen, and what it says of them: computed once, by the real pipeline.

After a change of the pipeline, delete `out/bench/annotator`; other weights have another folder in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from annotator_turns import Case
from common import DATA, KEPT, run_to_end, tell
from numpy.typing import NDArray

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import Model, find_model, find_recipe
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings

MODEL = "hippocampus-t1"
COUNT = 20
SCANS = DATA / "hippocampus"


def names(count: int = COUNT) -> list[str]:
    """Choose scans by a rule that knows nothing of them: every second of those that the recipe keeps back."""
    kept_back: list[str] = json.loads(find_recipe(MODEL).read_text(encoding="utf-8"))["test"]
    return kept_back[::2][:count]


def load(name: str) -> Case:
    """Read a scan, its reference, and its prediction, which `predict` has made."""
    image = np.asarray(read_volume(SCANS / "images" / f"{name}.nii.gz").data)
    reference = np.asarray(read_volume(SCANS / "labels" / f"{name}.nii.gz").data)
    with np.load(_place(name, find_model(MODEL))) as kept:
        return Case(
            name=name, image=image, prediction=kept["labels"], reference=reference.astype(np.uint8),
            probabilities=kept["probabilities"],
        )  # fmt: skip


def predict(scans: Sequence[str]) -> None:
    """Run the model on scans where that was not done before, and keep labels and probabilities."""
    model = find_model(MODEL)
    left = [name for name in scans if not _place(name, model).is_file()]
    if not left:
        return
    tell(f"{MODEL} on {len(left)} scans, once; the labels are kept in {KEPT / 'annotator'}.")
    engine = Engine(device="cpu")
    try:
        for name in left:
            _keep(_place(name, model), *_predicted(name, model, engine))
    finally:
        engine.close()


def _predicted(name: str, model: Model, engine: Engine) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    volume = read_volume(SCANS / "images" / f"{name}.nii.gz")
    if not np.allclose(volume.geometry.spacing, 1.0, atol=1e-3):
        raise Vol3dError(f"Voxels of 1 mm were expected; {name} has {volume.geometry.spacing}.")
    found = run_to_end(segment(volume, model, SegmentSettings(probabilities=True, cache=False), engine=engine))
    return np.asarray(found.labels), np.asarray(found.probabilities[:])


def _keep(place: Path, labels: NDArray[np.uint8], probabilities: NDArray[np.uint8]) -> None:
    """Write beside, then replace: a run that was ended leaves no half file."""
    place.parent.mkdir(parents=True, exist_ok=True)
    half = place.with_suffix(".half.npz")
    np.savez_compressed(half, labels=labels, probabilities=probabilities)
    half.replace(place)


def _place(name: str, model: Model) -> Path:
    return KEPT / "annotator" / model.card.weights.sha256[:12] / f"{name}.npz"
