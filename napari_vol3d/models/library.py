"""The person's own models: put into their folder whole or not at all, looked after, taken out again."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from napari_vol3d.core.errors import ModelProblem, SaveProblem
from napari_vol3d.io.progress_file import make_durable
from napari_vol3d.io.safe_write import OLD, replace_file, write_text
from napari_vol3d.models.card import CARD_NAME, ModelCard, sha256_of
from napari_vol3d.models.marks import MARKS_NAME, marks_text
from napari_vol3d.models.remembered import decide, decisions
from napari_vol3d.models.store import ROOM, Model, has_card, list_models, open_model, user_models

WEIGHTS_NAME = "model.keras"
ADDING, REMOVING = ".adding-", ".removing-"


def add_model(weights: Path, card: ModelCard, guessed: Iterable[str] = ()) -> Model:
    """Put a network, its card and the marks of what in it is a guess into the person's folder.

    Parameters
    ----------
    weights : Path
        A .keras file, copied; the card's `weights` are written anew.

    Raises
    ------
    ModelProblem
        If a model of this name and version is there already.
    SaveProblem
        If it can't be written; nothing is left then.
    """
    root = user_models()
    target = root / f"{card.name}-{card.version}"
    if target.exists() or taken(card.name, card.version):
        raise _there_already(card)
    try:
        root.mkdir(parents=True, exist_ok=True)
        _clear_up(root)
        beside = Path(tempfile.mkdtemp(prefix=f"{ADDING}{os.getpid()}-", dir=root))
    except OSError as error:
        raise _not_added(card, error) from error
    try:
        replace_file(weights, beside / WEIGHTS_NAME)
        found = card.weights.model_copy(update={"file": WEIGHTS_NAME, "sha256": sha256_of(beside / WEIGHTS_NAME)})
        write_text(beside / CARD_NAME, card.model_copy(update={"weights": found}).model_dump_json(indent=2))
        if marked := tuple(guessed):
            write_text(beside / MARKS_NAME, marks_text(marked))
        beside.chmod(0o755)  # mkdtemp's folder is the person's alone; models may be shared
        beside.rename(target)
        make_durable(root)
    except OSError as error:
        raise (_there_already(card) if target.exists() else _not_added(card, error)) from error
    except SaveProblem as problem:
        raise SaveProblem(f"{card.title} was not added: {problem.message}", hint=ROOM) from problem
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return open_model(target)


def _there_already(card: ModelCard) -> ModelProblem:
    return ModelProblem(
        f"{card.name} {card.version} is there already.", hint="Give another name or version, or remove that one."
    )


def _not_added(card: ModelCard, error: OSError) -> SaveProblem:
    return SaveProblem(f"{card.title} was not added: {error.strerror or error}.", hint=ROOM)


def _clear_up(root: Path) -> None:
    """Remove what adding and removing left behind whose program was killed."""
    for left in (*root.glob(f"{ADDING}*"), *root.glob(f"{REMOVING}*")):
        number = left.name.removeprefix(ADDING).removeprefix(REMOVING).partition("-")[0]
        with suppress(OSError):  # another program is at the same
            if number.isdecimal() and not psutil.pid_exists(int(number)) and time.time() - left.stat().st_mtime > OLD:
                shutil.rmtree(left, ignore_errors=True)


def taken(name: str, version: str) -> bool:
    """Whether a model of this name and version is there."""
    return any((model.card.name, model.card.version) == (name, version) for model in list_models())


def remove_model(model: Model) -> None:
    """Take a model out of the person's folder, with its file and card; raises what `remove_folder` raises."""
    remove_folder(model.folder)


def remove_folder(folder: Path) -> None:
    """Take a model's folder out of the person's, also one whose card can't be read.

    Raises
    ------
    ModelProblem
        If it is not in that folder: bundled, or somewhere else.
    SaveProblem
        If it can't be removed.
    """
    if folder.resolve().parent != user_models().resolve():
        raise ModelProblem(
            f"{folder.name} is not in your models folder.", hint="Only models that were added can be removed."
        )
    gone = user_models() / f"{REMOVING}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        folder.rename(gone)  # renamed first: half a model is never listed; and a full disk has room for a name
    except FileNotFoundError:  # another program was quicker
        return
    except OSError as error:
        raise SaveProblem(f"{folder.name} was not removed: {error.strerror or error}.") from error
    shutil.rmtree(gone, ignore_errors=True)
    _clear_up(user_models())
    preselected = decisions().default
    if preselected and all(model.card.name != preselected for model in list_models()):
        decide(default="")


def state_of(model: Model) -> str:
    """Say what is wrong with a model's files; empty where they are what the card says."""
    try:
        found = sha256_of(model.weights)
    except OSError as error:
        return f"Its file {model.card.weights.file} can't be read: {error.strerror or error}."
    return "" if found == model.card.weights.sha256 else "Its file has changed since its card was written."


def broken_models() -> list[tuple[Path, str]]:
    """Give the folders among the person's models that can't be opened, and why."""
    root, broken = user_models(), []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if not folder.name.startswith(".") and has_card(folder):
            try:
                open_model(folder)
            except ModelProblem as problem:
                broken.append((folder, str(problem)))
    return broken


def default_model() -> str:
    """Give the name of the model that is preselected; empty where none was chosen."""
    return decisions().default


def set_default(name: str) -> None:
    """Preselect the model of this name, of several versions the latest; empty: none.

    Raises
    ------
    ModelProblem
        If none of the models that are listed is called so.
    """
    if name and all(model.card.name != name for model in list_models()):
        raise ModelProblem(f"{name} is not among your models.", hint="Add it first, then choose it.")
    decide(default=name)


def short_name(title: str) -> str:
    """Make a name for commands and files of what a person calls a model; one that is free gets no number."""
    base = re.sub(r"[^a-z0-9._-]+", "-", title.lower()).strip("-._") or "model"
    known = {model.card.name for model in list_models()}
    names = (base, *(f"{base}-{number}" for number in range(2, len(known) + 3)))
    return next(name for name in names if name not in known)
