"""Handing a model to the engine, which can read nothing but its own folder: a copy, if it is what the card promises."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from napari_vol3d.core.errors import EngineProblem, ModelProblem
from napari_vol3d.engine.messages import LoadModels, ModelFile
from napari_vol3d.models import gate
from napari_vol3d.models.card import sha256_of
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.child import Engine


def loading(engine: Engine, models: Sequence[Model]) -> LoadModels:
    """Hand models over and give the request that loads them; raises what `hand_over` raises."""
    return LoadModels(models=tuple(ModelFile(weights=str(hand_over(engine, m)), card=m.card) for m in models))


def hand_over(engine: Engine, model: Model) -> Path:
    """Give the path of a model's weights in the engine's folder, copied there once.

    Raises
    ------
    ModelProblem
        If the file can't be read, or is not the one that the card describes. One that was removed since it was copied
        is no reason to end a run that has begun with it: the engine itself holds the copy against the card.
    EngineProblem
        If there is no room for it.
    """
    wanted = model.card.weights.sha256
    place = engine.folder / f"{wanted}{model.weights.suffix}"
    beside = place.with_suffix(".part")
    there = place.is_file()
    try:
        if not there:
            _copy(model, beside)
        if (_sha256_of(model, wanted) if there else sha256_of(beside)) != wanted:
            raise ModelProblem(
                f"Weights of {model.card.title} have changed since its card was written.", hint="Fetch the model again."
            )
        if not there and model.origin != "bundled":  # a folder may have been put there by hand, past `models add`
            _judge(model, beside)
        return place if there else beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def _sha256_of(model: Model, copied: str) -> str:
    try:
        return sha256_of(model.weights)
    except FileNotFoundError:
        return copied
    except OSError as error:
        raise _unreadable(model, error) from error


def _unreadable(model: Model, error: OSError) -> ModelProblem:
    return ModelProblem(
        f"Weights of {model.card.title} can't be read: {error.strerror}.", hint="Fetch the model again."
    )


def _judge(model: Model, copy: Path) -> None:
    """Hold the copy against the gate; refusals name the file that a person knows."""
    try:
        (gate.require_safe if model.weights.suffix == ".keras" else gate.examine)(copy)
    except ModelProblem as problem:
        known = f"{model.card.name}/{model.weights.name}"
        raise ModelProblem(problem.message.replace(copy.name, known), hint=problem.hint) from problem


def _copy(model: Model, place: Path) -> None:
    try:
        source = model.weights.open("rb")
    except OSError as error:
        raise _unreadable(model, error) from error
    try:
        with source, place.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except OSError as error:
        raise EngineProblem(
            f"No room for the model in {place.parent}: {error.strerror}.", hint="Free some disk space."
        ) from error
