"""The verb `train`: from a folder of scans and labels to a model folder with weights and card."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from napari_vol3d.core.errors import FileProblem, ScanMismatch, Vol3dError
from napari_vol3d.core.intensity import IntensityScheme, measure_intensity
from napari_vol3d.core.labels import LabelClass, default_color, to_label_dtype
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.engine.messages import Epoch, Fit, Ready, Step, TrainingCase
from napari_vol3d.io.registry import is_volume_file, read_volume
from napari_vol3d.io.safe_write import replace_file, write_text
from napari_vol3d.models.card import (
    CARD_NAME,
    InferenceDefaults,
    InputSpec,
    ModelCard,
    OutputSpec,
    TrainingSummary,
    ValidationFigures,
    Weights,
    sha256_of,
)
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.settings import TrainSettings

log = logging.getLogger(__name__)
PLACES_PER_CLASS = 4000
BYTES_PER_FILTER = 32  # of the finest level and a voxel: skip, concatenation and two convolutions, in float32
CHECKPOINT_NAME = "checkpoint.npz"
WEIGHTS_NAME = "model.keras"


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
    """What all scans have in common."""

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
    found = {kind: {_stem(p): p for p in sorted(f.iterdir()) if is_volume_file(p)} for kind, f in folders.items()}
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
    validation = set(settings.validation) or set(rest[: max(1, round(settings.validation_share * len(names)))])
    if len(rest) - len(validation - test) < 1:
        raise FileProblem(f"{len(pairs)} scan(s) are too few to train and validate with.", hint="Add scans.")
    return Dataset(
        train=tuple(p for p in pairs if p.name not in test | validation),
        validation=tuple(p for p in pairs if p.name in validation - test),
        test=tuple(p for p in pairs if p.name in test),
    )


def train(
    data: Path, out: Path, settings: TrainSettings, *, device: str = "auto", resume: bool = False, command: str = ""
) -> Iterator[Progress]:
    """Train a network.

    Parameters
    ----------
    data : Path
        Folder with `images/` and `labels/`, files of the same name.
    out : Path
        Model folder: weights, card, checkpoint, history. The weights there are always a whole file.
    resume : bool
        Go on from the checkpoint in `out`.

    Returns
    -------
    ModelCard
        The card that was written (the generator's return value).
    """
    if (out / CHECKPOINT_NAME).exists() and not resume:
        raise Vol3dError(f"{out} holds a training run.", hint="Add --resume to go on, or name another folder.")
    began = time.monotonic()
    pairs, alone = find_pairs(data)
    for sentence in alone:
        log.warning("left out: %s", sentence)
    dataset = split(pairs, settings)
    out.mkdir(parents=True, exist_ok=True)
    engine = Engine(device=device, train=True)
    try:
        cache = engine.folder
        survey, cases = Survey(), {}
        for done, pair in enumerate([*dataset.train, *dataset.validation], start=1):
            cases[pair.name] = _unpack(pair, cache, settings.intensity, survey)
            yield Progress(
                phase="Reading scans", done=done, total=len(dataset.train) + len(dataset.validation),
                seconds=time.monotonic() - began,
            )  # fmt: skip
        for case in cases.values():
            _number_classes(case, survey)
        for _ in engine.wake():
            yield Progress(phase="Starting TensorFlow")
        job = _job(dataset, cases, survey, settings, cache)
        if resume and (out / CHECKPOINT_NAME).exists():
            copied = cache / "resume.npz"
            shutil.copyfile(out / CHECKPOINT_NAME, copied)
            job = job.model_copy(update={"checkpoint": str(copied)})
        card: ModelCard | None = None
        started, epoch = time.monotonic(), 0
        figures: dict[str, float] = {}
        for report in engine.ask(job):
            if isinstance(report, Step):
                figures = {**figures, "loss": report.loss}
                yield Progress(
                    phase="Training", done=report.done, total=report.total, seconds=time.monotonic() - started,
                    figures=figures,
                )  # fmt: skip
            elif isinstance(report, Epoch):
                epoch, figures = report.epoch, dict(report.figures)
                if report.best:
                    replace_file(Path(report.best), out / WEIGHTS_NAME)
                    card = _card(dataset, survey, settings, job, out, epoch, time.monotonic() - began, command, engine.ready)
                    write_text(out / CARD_NAME, card.model_dump_json(indent=2))
                replace_file(Path(report.checkpoint), out / CHECKPOINT_NAME)
                _log_epoch(out, report)
                yield Progress(
                    phase=f"Epoch {epoch} of {job.epochs}", done=epoch * job.steps, total=job.epochs * job.steps,
                    seconds=time.monotonic() - started, figures=figures,
                )  # fmt: skip
            else:
                yield Progress(phase="Training", figures=figures)
        return card
    finally:
        engine.close()


def _unpack(pair: Pair, cache: Path, scheme: IntensityScheme, survey: Survey) -> TrainingCase:
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
    survey.channels = image.channels or ("image",)
    survey.spacing, survey.unit = image.geometry.spacing, image.geometry.unit
    survey.anatomical = image.geometry.anatomical
    z, y, x = (max(a, b) for a, b in zip(survey.largest, image.shape, strict=True))
    survey.largest = (z, y, x)
    return TrainingCase(name=pair.name, **{kind: str(path) for kind, path in files.items()})


def _check_pair(pair: Pair, image: Volume, labels: Volume) -> None:
    if image.shape != labels.shape or not image.geometry.matches(labels.geometry):
        raise ScanMismatch(
            f"{pair.name}: image {image.shape} and labels {labels.shape} lie on different grids.",
            hint="Save the labels on the image's grid, or take this scan out.",
        )


def _number_classes(case: TrainingCase, survey: Survey) -> None:
    """Replace ids by 1, 2, 3 ... as the network counts, and note where each class lies."""
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


def _job(
    dataset: Dataset, cases: dict[str, TrainingCase], survey: Survey, settings: TrainSettings, cache: Path
) -> Fit:
    multiple = 2 ** (len(settings.widths) - 1)
    default = tuple(min(96, -(-n // multiple) * multiple) for n in survey.largest)
    patch = settings.patch_size or (default[0], default[1], default[2])
    if any(edge % multiple for edge in patch):
        raise Vol3dError(f"patch_size must divide by {multiple}; received {patch}.")
    return Fit(
        folder=str(cache), train=tuple(cases[p.name] for p in dataset.train),
        validation=tuple(cases[p.name] for p in dataset.validation), channels=len(survey.channels),
        class_ids=survey.class_ids, patch_size=patch, widths=settings.widths, down=settings.down,
        activation=settings.activation, residual=settings.residual, deep_supervision=settings.deep_supervision,
        epochs=settings.epochs, steps=settings.steps or max(1, len(dataset.train) // settings.batch),
        batch=settings.batch, learning_rate=settings.learning_rate, weight_decay=settings.weight_decay,
        averaging=settings.averaging, foreground=settings.foreground, flip_axes=settings.flip_axes,
        seed=settings.seed,
    )  # fmt: skip


def _card(
    dataset: Dataset, survey: Survey, settings: TrainSettings, job: Fit, out: Path, epoch: int, seconds: float,
    command: str, ready: Ready | None,
) -> ModelCard:
    weights = out / WEIGHTS_NAME
    extent = tuple(n * s for n, s in zip(survey.largest, survey.spacing, strict=True))
    blocks = "residual " if settings.residual else ""
    return ModelCard(
        name=settings.name, title=settings.title, description=settings.description, license=settings.license,
        citation=settings.citation,
        weights=Weights(file=WEIGHTS_NAME, sha256=sha256_of(weights)),
        input=InputSpec(
            channels=survey.channels, spacing=survey.spacing, unit=survey.unit, patch_size=job.patch_size,
            multiple=2 ** (len(settings.widths) - 1), intensity=settings.intensity, anatomical=survey.anatomical,
            field_of_view=(extent[0], extent[1], extent[2]),
        ),
        output=OutputSpec(classes=_classes(survey, settings)),
        inference=InferenceDefaults(
            halo=min(24, max(job.patch_size) // 4), bytes_per_voxel=BYTES_PER_FILTER * settings.widths[0]
        ),
        training=TrainingSummary(
            data=settings.data, scans=len(dataset.train), epochs=epoch,
            architecture=f"{blocks}3D U-Net {'-'.join(map(str, settings.widths))}", command=command,
            seconds=round(seconds), software=ready.versions if ready else "",
            date=datetime.now(UTC).date().isoformat(),
        ),
    )  # fmt: skip


def _classes(survey: Survey, settings: TrainSettings) -> tuple[LabelClass, ...]:
    return tuple(
        LabelClass(id=i, name=settings.class_names.get(i, f"class {i}"), color=default_color(i))
        for i in survey.class_ids
    )


def _log_epoch(out: Path, report: Epoch) -> None:
    """Add a line to the history that people and plots read; the checkpoint has the same figures."""
    with (out / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"epoch": report.epoch, **report.figures}) + "\n")


def _stem(path: Path) -> str:
    return path.name.split(".")[0]
