"""Projects of real scans: predictions that are the reference a bit off, some accepted, one flagged."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.labels import LabelClass, to_label_dtype
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.project.accepting import accept
from napari_vol3d.review.project.foreseen import keep_prediction
from napari_vol3d.review.project.records import Case, Foreseen, ImageRef, Reading, Version
from napari_vol3d.review.project.store import Project

CLASSES = (LabelClass(id=1, name="anterior", color="#e69f00"), LabelClass(id=2, name="posterior", color="#56b4e9"))
MODEL = {"name": "Hippocampus (T1 MRI)", "version": "1.0", "sha256": "ab" * 32}
IDS = (1, 6, 7, 8, 14, 15)
WHO = ("Annette Smith", "Bob")


def hippocampi(
    shared_data: Path, folder: Path, *, count: int = 5, accepted: int = 4, names: Sequence[str] = (),
    subjects: Sequence[str] = (),
) -> Project:  # fmt: skip
    """Make a project of hippocampi: `count` predicted, the first `accepted` of them accepted, the last flagged."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for place, number in enumerate(IDS[:count]):
        name = names[place] if names else f"hippocampus_{number:03d}"
        shutil.copyfile(shared_data / f"hippocampus/images/hippocampus_{number:03d}.nii.gz", folder / f"{name}.nii.gz")
        subject = subjects[place] if subjects else f"person {place}"
        cases.append(Case(
            name=name, code=f"case-{place + 1:04d}", images=(ImageRef(path=f"{name}.nii.gz"),), subject=subject,
            position=place,
        ))  # fmt: skip
    project = Project.create(folder / "study.vol3d", name="study", cases=cases, classes=CLASSES, model=MODEL)
    for place, row in enumerate(project.rows()):
        truth = reference(shared_data, IDS[place])
        made = predict(project, row.case, spoiled(truth, place))
        project.add_seconds(row.reading.key, 60.0 * (place + 1))
        if place < accepted:
            accept_labels(project, row.reading, truth, made, who=WHO[place % 2])
    project.set_status(project.rows()[-1].reading.key, "flagged", who=WHO[0])
    return project


def reference(shared_data: Path, number: int) -> NDArray[Any]:
    """Labels of the data set, (Z, Y, X)."""
    return to_label_dtype(np.asarray(read_volume(
        shared_data / f"hippocampus/labels/hippocampus_{number:03d}.nii.gz"
    ).data))  # fmt: skip


def spoiled(labels: NDArray[Any], how: int) -> NDArray[Any]:
    """Labels a little off, the more the higher `how` is."""
    moved = np.roll(labels, how % 4, axis=1)
    moved[:, : how % 4] = 0
    return moved


def predict(project: Project, case: Case, labels: NDArray[Any]) -> Foreseen:
    """Keep labels as a prediction."""
    made = Foreseen(
        case=case.key, model=MODEL["name"], model_sha256=MODEL["sha256"], score=0.1 * (case.position + 1),
        settings={"scheme": "halo"},
    )  # fmt: skip
    return keep_prediction(project, made, labels)


def accept_labels(
    project: Project, reading: Reading, labels: NDArray[Any], made: Foreseen | None, *, who: str, **draft: Any
) -> Version:  # fmt: skip
    """Accept labels."""
    version = Version(reading=reading.key, number=0, who=who)
    if made is not None:
        version = replace(
            version, prediction=made.key, model=made.model, model_sha256=made.model_sha256, settings=made.settings
        )  # fmt: skip
    return accept(project, replace(version, **draft), labels)
