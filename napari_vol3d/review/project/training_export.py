"""Accepted labels and their scans as a folder that `napari-vol3d train` takes as it is.

    images/CODE.nii.gz    labels/CODE.nii.gz    splits.json    classes.json    recipe.json

Images are written anew, never copied: a header may say who was scanned. The voxels are the same, bit for bit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.label_files import write_sidecar
from napari_vol3d.io.nifti import write_nifti
from napari_vol3d.io.registry import read_volume
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.review.project.outgoing import (
    Accepted,
    accepted_cases,
    file_name,
    labels_on,
    made_folder,
    refuse_own_file,
)
from napari_vol3d.review.project.store import Project

PHASE = "Exporting"
IMAGES, LABELS, OTHERS = "images", "labels", "other_images"
CLASSES, SPLITS, RECIPE = FILES = ("classes.json", "splits.json", "recipe.json")
LEFT_OUT = "Left out: "
Split = dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFolder:
    """What was written.

    Attributes
    ----------
    splits : mapping of str to list of str
        "train", "validation" and "test": names of scans.
    notes : tuple of str
        A sentence for each case that is not as one would expect.
    """

    folder: Path
    splits: Mapping[str, list[str]]
    notes: tuple[str, ...]


def export_training(
    project: Project, folder: Path, *, seed: int, validation_share: float, test_share: float
) -> Generator[Progress, None, TrainingFolder]:
    """Write images and labels of the same names, and how they are split: by subject, so that no subject is in two.

    The images of a case that lie on one grid become the channels of one file, in the order of their roles. Where they
    don't, the first is the case's image; the others lie in `other_images`, "CODE_FLAIR.nii.gz", and are not trained
    on. `recipe.json` gives `napari-vol3d train --recipe` the split and the names of the classes.

    Parameters
    ----------
    folder : Path
        Must not hold a training folder yet: scans of an older export would be trained on, too.
    seed : int
        The same cases, seed and shares give the same split.
    validation_share, test_share : float
        Of the subjects, 0 to 1; at least one validates where there are two and a share is asked for.

    Returns
    -------
    TrainingFolder

    Raises
    ------
    FileProblem
        If nothing is accepted, the folder is taken, or a scan can't be read.
    ScanMismatch
        If a scan is not the one that was reviewed.
    SaveProblem
        If a file can't be written.
    """
    cases, start, notes = accepted_cases(project), time.monotonic(), []
    _refuse_taken(project, folder)
    for kind in (IMAGES, LABELS):
        made_folder(folder / kind)
    order, classes, written = roles_of(cases), dict[int, LabelClass](), []
    for done, one in enumerate(cases):
        yield Progress(phase=PHASE, done=done, total=len(cases), seconds=time.monotonic() - start)
        said = _write_pair(project, one, folder, order, classes)
        written += [] if said.startswith(LEFT_OUT) else [one]
        if said:
            notes.append(said)
            yield Progress(phase=PHASE, done=done + 1, total=len(cases), note=said)
    splits = split_by_subject(
        written, seed=seed, validation_share=validation_share, test_share=test_share
    )  # fmt: skip
    _describe(folder, splits, tuple(classes.values()), seed)
    return TrainingFolder(folder=folder, splits=splits, notes=tuple(notes))


def split_by_subject(
    cases: Sequence[Accepted], *, seed: int, validation_share: float, test_share: float
) -> Split:  # fmt: skip
    """Split names of cases by seeded shares of their subjects; a case without a subject is one of its own."""
    groups: dict[str, list[str]] = {}
    for one in sorted(cases, key=lambda one: one.name):  # not in the order of the worklist, which can change
        groups.setdefault(one.case.subject or f"case {one.case.key}", []).append(one.name)
    members = list(groups.values())
    shuffled = [members[i] for i in np.random.default_rng(seed).permutation(len(members))]
    test = min(round(test_share * len(members)), max(len(members) - 2, 0))
    wanted = max(1, round(validation_share * len(members))) if validation_share else 0
    end = test + min(wanted, max(len(members) - test - 1, 0))
    parts = {"train": shuffled[end:], "validation": shuffled[test:end], "test": shuffled[:test]}
    return {part: sorted(name for group in found for name in group) for part, found in parts.items()}


def roles_of(cases: Sequence[Accepted]) -> tuple[str, ...]:
    """Give the roles of all images, in the order in which they first come."""
    return tuple(dict.fromkeys(image.role for one in cases for image in one.case.images))


def _refuse_taken(project: Project, folder: Path) -> None:
    if any((folder / kind).is_dir() and any((folder / kind).iterdir()) for kind in (IMAGES, LABELS, OTHERS)):
        raise FileProblem(f"Scans are there already: {folder.name} has some.", hint="Choose an empty folder.")
    refuse_own_file(project, folder)
    for name in FILES:
        if (folder / name).exists():
            raise FileProblem(f"{name} is there already, in {folder.name}.", hint="Choose an empty folder.")


def _write_pair(
    project: Project, one: Accepted, folder: Path, order: Sequence[str], classes: dict[int, LabelClass]
) -> str:  # fmt: skip
    """Write a case; give what a person should know of it."""
    images = [(image.role, read_volume(project.place_of(image.path))) for image in one.case.images]
    first = images[0][1]
    if first.timed:
        return f"{LEFT_OUT}{one.case.code} is a series, which can't be trained on."
    labels = labels_on(first, project, one)
    # Channels are in one order in all cases, whatever is the first image here.
    together = joined([volume for _, volume in sorted(images, key=lambda image: order.index(image[0]))], first)
    write_nifti(folder / IMAGES / f"{one.name}.nii.gz", _plain(together or first))
    write_nifti(folder / LABELS / f"{one.name}.nii.gz", labels)
    classes |= {item.id: item for item in labels.classes}
    return "" if together else _write_others(folder, one, images[1:])


def joined(volumes: Sequence[Volume], first: Volume) -> Volume | None:
    """Give volumes on the grid of `first` as the channels of one; None where they have not one grid."""
    alike = all(v.shape == first.shape and v.geometry.matches(first.geometry) and not v.timed for v in volumes)
    if not alike or len(volumes) == 1:
        return first if alike else None
    channels = [data if data.ndim == 4 else data[..., None] for data in (np.asarray(v.data) for v in volumes)]
    return first.with_data(np.concatenate(channels, axis=-1))


def _write_others(folder: Path, one: Accepted, others: Sequence[tuple[str, Volume]]) -> str:
    made_folder(folder / OTHERS)
    roles = [role for role, _ in others]
    for number, (role, volume) in enumerate(others, start=2):
        ending = role if role and roles.count(role) == 1 else f"{role} image {number}".strip()
        write_nifti(folder / OTHERS / f"{one.name}_{file_name(ending)}.nii.gz", _plain(volume))
    return f"{one.case.code}: its images have different grids; only the first is in {IMAGES}/, the rest in {OTHERS}/."


def _plain(volume: Volume) -> Volume:
    """Give a volume that says nothing of where it came from."""
    return replace(volume, name="", source=None, classes=(), is_labels=False)


def _describe(folder: Path, splits: Split, classes: tuple[LabelClass, ...], seed: int) -> None:
    ordered = sorted(classes, key=lambda item: item.id)
    recipe: dict[str, Any] = {
        "validation": splits["validation"], "test": splits["test"],
        "class_names": {str(item.id): item.name for item in ordered}, "seed": seed,
    }  # fmt: skip
    write_sidecar(folder / CLASSES, ordered)
    for name, content in ((SPLITS, {"by": "subject", "seed": seed, **splits}), (RECIPE, recipe)):
        write_text(folder / name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
