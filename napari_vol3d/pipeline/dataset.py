"""A training folder: pairs of scans and labels, split by scan, unpacked once for the engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_vol3d.core.errors import FileProblem, ScanMismatch
from napari_vol3d.core.intensity import IntensityScheme, measure_intensity
from napari_vol3d.core.labels import IGNORE, to_label_dtype
from napari_vol3d.core.resample import SAME_SPACING
from napari_vol3d.core.volume import Volume
from napari_vol3d.engine.messages import TrainingCase
from napari_vol3d.io.registry import is_volume_file, read_volume, stem
from napari_vol3d.pipeline.settings import TrainSettings

PLACES_PER_CLASS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A scan and its labels, by file."""

    name: str
    image: Path
    labels: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What the folder holds, split by scan, and what was learnt by reading it once."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    test: tuple[Pair, ...]


@dataclass(slots=True, kw_only=True)
class Survey:
    """What all scans have in common; filled as they are read."""

    scans: int = 0
    class_ids: tuple[int, ...] = ()
    channels: tuple[str, ...] = ("image",)
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    unit: str = "mm"
    anatomical: bool = False
    largest: tuple[int, int, int] = (1, 1, 1)


def find_pairs(data: Path) -> tuple[list[Pair], list[str]]:
    """Find the scans of a training folder: files of the same name in `images/` and `labels/`.

    Returns
    -------
    list of Pair, list of str
        Pairs in order of their names, and one sentence for each file that has no partner.

    Raises
    ------
    FileProblem
        If there is no pair.
    """
    folders = {kind: data / kind for kind in ("images", "labels")}
    missing = [kind for kind, folder in folders.items() if not folder.is_dir()]
    if missing:
        raise FileProblem(f"No folder {missing[0]}/ in {data}.", hint="Put scans in images/ and labels in labels/.")
    found = {kind: {stem(p): p for p in sorted(f.iterdir()) if is_volume_file(p)} for kind, f in folders.items()}
    images, labels = found["images"], found["labels"]
    pairs = [Pair(name=name, image=images[name], labels=labels[name]) for name in sorted(images.keys() & labels.keys())]
    alone = [f"{name}: no labels" for name in sorted(images.keys() - labels.keys())]
    alone += [f"{name}: no image" for name in sorted(labels.keys() - images.keys())]
    if not pairs:
        raise FileProblem(f"No scan in {data} has labels of the same name.", hint="Name both files alike.")
    return pairs, alone


def split(pairs: list[Pair], settings: TrainSettings) -> Dataset:
    """Split by scan: by the names in `settings`, by seeded shares where it names none."""
    names = [pair.name for pair in pairs]
    unknown = sorted({*settings.validation, *settings.test} - set(names))
    if unknown:
        raise FileProblem(f"The split names scans that are not there: {', '.join(unknown[:3])}.")
    shuffled = [names[i] for i in np.random.default_rng(settings.seed).permutation(len(names))]
    test = set(settings.test) or set(shuffled[: round(settings.test_share * len(names))])
    rest = [name for name in shuffled if name not in test]
    validation = set(settings.validation) or set(rest[: _at_least_one(settings, names, rest)])
    if len(rest) - len(validation - test) < 1:
        raise FileProblem(f"{len(pairs)} scan(s) are too few to train and validate with.", hint="Add scans.")
    return Dataset(
        train=tuple(p for p in pairs if p.name not in test | validation),
        validation=tuple(p for p in pairs if p.name in validation - test),
        test=tuple(p for p in pairs if p.name in test),
    )


def _at_least_one(settings: TrainSettings, names: list[str], rest: list[str]) -> int:
    """How many scans choose the best epoch: their share, at least one, but never all that are left."""
    return max(1, min(round(settings.validation_share * len(names)), len(rest) - 1))


def unpack(pair: Pair, cache: Path, scheme: IntensityScheme, survey: Survey) -> TrainingCase:
    """Unpack a pair once into memory-mappable files, normalised, and note what it tells about the data set."""
    image, labels = read_volume(pair.image), read_volume(pair.labels)
    _check_pair(pair, image, labels)
    voxels = np.asarray(image.data)
    voxels = voxels[..., None] if voxels.ndim == 3 else voxels
    channels = [measure_intensity(voxels[..., c], scheme).apply(voxels[..., c]) for c in range(voxels.shape[-1])]
    ids = to_label_dtype(np.asarray(labels.data))
    files = {kind: cache / f"{pair.name}.{kind}.npy" for kind in ("image", "labels", "places")}
    np.save(files["image"], np.stack(channels, axis=-1))
    np.save(files["labels"], ids)
    survey.class_ids = tuple(sorted({*survey.class_ids, *(int(i) for i in np.unique(ids) if i)}))
    _compare(pair, image, survey)
    survey.channels = image.channels or ("image",)
    survey.spacing, survey.unit = image.geometry.spacing, image.geometry.unit
    survey.anatomical, survey.scans = image.geometry.anatomical, survey.scans + 1
    z, y, x = (max(a, b) for a, b in zip(survey.largest, image.shape, strict=True))
    survey.largest = (z, y, x)
    return TrainingCase(name=pair.name, **{kind: str(path) for kind, path in files.items()})


def _check_pair(pair: Pair, image: Volume, labels: Volume) -> None:
    if image.shape != labels.shape or not image.geometry.matches(labels.geometry):
        raise ScanMismatch(
            f"{pair.name}: image {image.shape} and labels {labels.shape} lie on different grids.",
            hint="Save the labels on the image's grid, or take this scan out.",
        )


def _compare(pair: Pair, image: Volume, survey: Survey) -> None:
    """Refuse a scan that a network trained on the others could not be run on."""
    if not survey.scans:
        return
    given = image.channels or ("image",)
    if len(given) != len(survey.channels):
        raise ScanMismatch(
            f"{pair.name} has {len(given)} channel(s), the scans before it {len(survey.channels)}.",
            hint="Train on scans with the same channels.",
        )
    apart = (abs(a / b - 1) for a, b in zip(image.geometry.spacing, survey.spacing, strict=True))
    if image.geometry.unit != survey.unit or max(apart) > SAME_SPACING:
        raise ScanMismatch(
            f"{pair.name} has voxels of {image.geometry.spacing} {image.geometry.unit}, the scans before it of "
            f"{survey.spacing} {survey.unit}.",
            hint="Resample the scans to one spacing first.",
        )


def number_classes(case: TrainingCase, survey: Survey) -> None:
    """Replace ids by 1, 2, 3 ... as the network counts, and note where each class lies."""
    if not survey.class_ids:
        raise ScanMismatch("The labels hold no class: every voxel is 0.", hint="Check that labels/ has the labels.")
    if len(survey.class_ids) >= IGNORE:
        raise ScanMismatch(f"The labels have {len(survey.class_ids)} classes; at most {IGNORE - 1} can be trained.")
    path = Path(case.labels)
    ids = np.load(path)
    numbered = np.searchsorted((0, *survey.class_ids), ids).astype(np.uint8)
    np.save(path, numbered)
    rng = np.random.default_rng(0)
    places = [np.zeros((0, 4), np.int32)]
    for number in range(1, len(survey.class_ids) + 1):
        found = np.argwhere(numbered == number)
        chosen = found[rng.permutation(len(found))[:PLACES_PER_CLASS]]
        places.append(np.column_stack([np.full(len(chosen), number), chosen]).astype(np.int32))
    np.save(case.places, np.concatenate(places))
