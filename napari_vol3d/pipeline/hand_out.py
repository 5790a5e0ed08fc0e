"""The verb `hand_out`: a model as a file that others can use."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from napari_vol3d.core.errors import ModelProblem, SaveProblem
from napari_vol3d.core.progress import Progress
from napari_vol3d.engine.messages import Loaded, Score, Scored
from napari_vol3d.io.private_folder import make_private_folder
from napari_vol3d.models.export import Sample, export_model
from napari_vol3d.models.record import guesses_of
from napari_vol3d.models.store import Model
from napari_vol3d.models.zoo.sample import sample_input
from napari_vol3d.models.zoo.written_steps import network_input
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.handing import loading


def hand_out(
    model: Model, target: Path, *, kind: Literal["zip", "bioimageio"] = "zip"
) -> Generator[Progress, None, Path]:
    """Write a model to one file.

    Parameters
    ----------
    kind : str
        "zip": .keras and card; "bioimageio": a package of the BioImage Model Zoo, with an example that the network has
        computed.

    Raises
    ------
    Vol3dError
        If its files are not what its card says, it can't be run, or the file can't be written.
    """
    guessed = guesses_of(model)  # as the card is: of this moment, whatever is confirmed while an example is computed
    yield Progress(phase="Reading the model")
    with _held(model) as held:
        sample = None
        if kind == "bioimageio":
            sample = yield from _example(held)
        yield Progress(phase="Writing")
        return export_model(held, target, kind=kind, sample=sample, guessed=guessed)


@contextlib.contextmanager
def _held(model: Model) -> Iterator[Model]:
    """Copy a model's file, so that what is checked, what is run and what is written are one, whatever becomes of it."""
    try:
        folder = make_private_folder()
    except OSError as error:
        raise _no_room(model, error) from error
    held = replace(model, folder=folder)
    try:
        _copy(model, held)
        yield held
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(model: Model, held: Model) -> None:
    try:
        source = model.weights.open("rb")
    except OSError as error:
        raise ModelProblem(
            f"{model.card.title} can't be exported. Its file {model.weights.name} can't be read: {error.strerror}.",
            hint="Add the model again.",
        ) from error
    try:
        with source, held.weights.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except OSError as error:
        raise _no_room(model, error) from error


def _no_room(model: Model, error: OSError) -> SaveProblem:
    return SaveProblem(
        f"{model.card.title} was not exported: no room for a copy ({error.strerror}).",
        hint="Free some space on the disk of temporary files.",
    )


def _example(model: Model) -> Generator[Progress, None, Sample]:
    """Let the network compute a small made-up patch."""
    stored = sample_input(model.card)
    engine = Engine(device="cpu")
    given, found = engine.folder / "sample.npy", engine.folder / "scores.npy"
    try:
        for _ in engine.wake():
            yield Progress(phase="Starting TensorFlow")
        np.save(given, network_input(model.card, stored))
        requests = ((loading(engine, (model,)), Loaded), (Score(inputs=str(given), outputs=str(found)), Scored))
        for request, last in requests:
            with contextlib.closing(engine.ask(request, last)) as reports:
                for _ in reports:
                    yield Progress(phase="Computing an example")
        return stored, np.load(found)
    finally:
        engine.close()
