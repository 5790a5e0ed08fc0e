"""The verb `train`: from a folder of scans and labels to a model folder with weights and card."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Generator
from pathlib import Path

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.engine.messages import Done, Epoch, Fit, Step, TrainingCase
from napari_vol3d.io.safe_write import replace_file, write_text
from napari_vol3d.models.card import CARD_NAME, ModelCard
from napari_vol3d.models.store import open_model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.dataset import Dataset, Survey, find_pairs, number_classes, split, unpack
from napari_vol3d.pipeline.describe import describe
from napari_vol3d.pipeline.history import History
from napari_vol3d.pipeline.settings import TrainSettings
from napari_vol3d.pipeline.validate import validate

log = logging.getLogger(__name__)
CHECKPOINT_NAME = "checkpoint.npz"
WEIGHTS_NAME = "model.keras"


def train(
    data: Path, out: Path, settings: TrainSettings, *, device: str = "auto", resume: bool = False, command: str = ""
) -> Generator[Progress, None, ModelCard]:
    """Train a network.

    Parameters
    ----------
    data : Path
        Folder with `images/` and `labels/`, files of the same name.
    out : Path
        Model folder: weights, card, checkpoint, history. The weights there are always a whole file, those of the
        epoch with the best mean Dice on the validation scans.
    resume : bool
        Go on from the checkpoint in `out`.
    command : str
        What the card says made the weights.

    Yields
    ------
    Progress
        Scans read, batches, epochs with their figures, test scans: every one is a point to stop at.

    Returns
    -------
    ModelCard
        The card that was written, with the figures of the test scans where there are any.

    Raises
    ------
    Vol3dError
        If the folder holds no usable pairs, `out` holds another run, or the engine dies.
    """
    checkpoint = out / CHECKPOINT_NAME
    if checkpoint.exists() and not resume:
        raise Vol3dError(f"{out} holds a training run.", hint="Add --resume to go on, or name another folder.")
    pairs, alone = find_pairs(data)
    for sentence in alone:
        log.warning("left out: %s", sentence)
    dataset = split(pairs, settings)
    out.mkdir(parents=True, exist_ok=True)
    engine = Engine(device=device, train=True)
    try:
        survey, cases = yield from _read_all(dataset, engine.folder, settings)
        for _ in engine.wake():
            yield Progress(phase="Starting TensorFlow")
        job = make_job(dataset, cases, survey, settings, engine.folder)
        if checkpoint.exists():
            job = job.model_copy(update={"checkpoint": str(shutil.copyfile(checkpoint, engine.folder / "resume.npz"))})
        history = History(out, resume=resume)
        yield from _fit(engine, job, out, history)
        card = describe(
            dataset, survey, settings, job, out / WEIGHTS_NAME, history=history, command=command, ready=engine.ready
        )
    finally:
        engine.close()
    write_text(out / CARD_NAME, card.model_dump_json(indent=2))
    return (yield from _judge(card, out, dataset, settings, device))


def make_job(
    dataset: Dataset, cases: dict[str, TrainingCase], survey: Survey, settings: TrainSettings, folder: Path
) -> Fit:
    """Put together what the engine needs to know; patch edges are the largest scan's, at most 96, where not set."""
    multiple = 2 ** (len(settings.widths) - 1)
    default = tuple(min(96, -(-n // multiple) * multiple) for n in survey.largest)
    patch = settings.patch_size or (default[0], default[1], default[2])
    if any(edge % multiple for edge in patch):
        raise Vol3dError(f"patch_size must divide by {multiple}; received {patch}.")
    return Fit(
        folder=str(folder), train=tuple(cases[p.name] for p in dataset.train),
        validation=tuple(cases[p.name] for p in dataset.validation), channels=len(survey.channels),
        class_ids=survey.class_ids, patch_size=patch, widths=settings.widths, down=settings.down,
        activation=settings.activation, residual=settings.residual, deep_supervision=settings.deep_supervision,
        epochs=settings.epochs, steps=settings.steps or max(1, len(dataset.train) // settings.batch),
        batch=settings.batch, learning_rate=settings.learning_rate, weight_decay=settings.weight_decay,
        averaging=settings.averaging, foreground=settings.foreground, flip_axes=settings.flip_axes,
        rotation_deg=settings.rotation_deg, scaling=settings.scaling, elastic=settings.elastic,
        intensity_changes=settings.intensity_changes,
        seed=settings.seed,
    )  # fmt: skip


def _read_all(
    dataset: Dataset, folder: Path, settings: TrainSettings
) -> Generator[Progress, None, tuple[Survey, dict[str, TrainingCase]]]:
    began, survey, cases = time.monotonic(), Survey(), {}
    wanted = (*dataset.train, *dataset.validation)
    for done, pair in enumerate(wanted, start=1):
        cases[pair.name] = unpack(pair, folder, settings.intensity, survey)
        seconds = time.monotonic() - began
        yield Progress(phase="Reading scans", done=done, total=len(wanted), seconds=seconds)
    for case in cases.values():
        number_classes(case, survey)
    return survey, cases


def _fit(engine: Engine, job: Fit, out: Path, history: History) -> Generator[Progress, None, None]:
    """Relay the engine's reports, and keep what it makes: weights first, then the checkpoint that counts them."""
    began, figures, total = time.monotonic() - history.seconds, dict[str, float](), job.epochs * job.steps
    done = history.epochs * job.steps
    with contextlib.closing(engine.ask(job, Done)) as reports:
        for report in reports:
            seconds = time.monotonic() - began
            if isinstance(report, Step):
                figures, done = figures | {"loss": report.loss}, report.done
            elif isinstance(report, Epoch):
                figures, done = dict(report.figures), report.epoch * job.steps
                if report.best:
                    replace_file(Path(report.best), out / WEIGHTS_NAME)
                replace_file(Path(report.checkpoint), out / CHECKPOINT_NAME)
                history.add(report, seconds)
            yield Progress(phase="Training", done=done, total=total, seconds=seconds, figures=figures)


def _judge(
    card: ModelCard, out: Path, dataset: Dataset, settings: TrainSettings, device: str
) -> Generator[Progress, None, ModelCard]:
    """Put the figures of the test scans into the card."""
    if not dataset.test:
        return card
    figures, speed = yield from validate(open_model(out), dataset.test, data=settings.data, device=device)
    inference = card.inference.model_copy(update={"seconds_per_megavoxel": speed})
    judged = card.model_copy(update={"validation": figures, "inference": inference})
    write_text(out / CARD_NAME, judged.model_dump_json(indent=2))
    return judged
