"""Where models are: in the package, and in the person's own folder."""

from __future__ import annotations

import difflib
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path

from napari_vol3d.core.errors import ModelProblem, SaveProblem
from napari_vol3d.core.say import plain_line
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.models.card import CARD_NAME, ModelCard, read_card

log = logging.getLogger(__name__)
ROOM = "Free some space, or set VOL3D_MODELS."
SHOWN = 8  # names of models in a sentence
BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model folder with its card."""

    folder: Path
    card: ModelCard
    origin: Literal["bundled", "added", "trained"]

    @property
    def weights(self) -> Path:
        """The file with the network."""
        return self.folder / self.card.weights.file


def user_models() -> Path:
    """Folder for the person's own models; `VOL3D_MODELS` names another."""
    return Path(os.environ.get("VOL3D_MODELS") or user_data_path("napari-vol3d") / "models")


def keep_text(path: Path, text: str, *, what: str) -> None:
    """Write a small file among the person's models; `what` it is is what a person is told where it fails.

    Raises
    ------
    SaveProblem
        If it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise SaveProblem(f"{what} was not kept: {error.strerror or error}.", hint=ROOM) from error
    except SaveProblem as problem:
        raise SaveProblem(f"{what} was not kept: {problem.message}", hint=ROOM) from problem


def list_models() -> list[Model]:
    """Give all models, bundled first; a folder whose card can't be read is logged and left out."""
    models = []
    for root, origin in ((BUNDLED, "bundled"), (user_models(), "added")):
        for folder in sorted(root.iterdir()) if root.is_dir() else ():
            if not folder.name.startswith(".") and has_card(folder):
                try:
                    models.append(open_model(folder, bundled=origin == "bundled"))
                except ModelProblem as problem:
                    log.warning("%s", problem)
    return models


def open_model(folder: Path, *, bundled: bool = False) -> Model:
    """Open one model folder.

    Raises
    ------
    ModelProblem
        If its card can't be read or its weights are not there.
    """
    try:
        card = read_card(folder)
    except OSError as error:  # removed by another program since it was looked for, or on a disk that fails
        raise ModelProblem(
            f"Card of {folder.name} can't be read: {error.strerror or error}.", hint="Is the disk connected?"
        ) from error
    # What this program trained has no other source; what came from elsewhere names it.
    trained = card.training is not None and card.source is None
    model = Model(folder=folder, card=card, origin="bundled" if bundled else "trained" if trained else "added")
    try:
        there = model.weights.parent.resolve() == folder.resolve() and model.weights.is_file()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        raise ModelProblem(
            f"Weights of {model.card.title} are missing: {model.card.weights.file}.", hint="Fetch the model again."
        )
    return model


def find_model(name: str) -> Model:
    """Find a model by its card's name, of several versions the latest, by "name@version", or by its folder.

    Raises
    ------
    ModelProblem
        If there is none; the message lists those there are.
    """
    models = list_models()
    wanted, _, version = name.partition("@")
    named = [m for m in models if m.card.name == wanted and (not version or m.card.version == version)]
    if named:
        return max(named, key=lambda model: _order(model.card.version))
    if _is_folder(Path(name)):
        return open_model(Path(name))
    names = sorted({model.card.name for model in models})
    near = difflib.get_close_matches(wanted[:80], names, n=3, cutoff=0.5)
    listed = ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
    meant = f"Did you mean {' or '.join(near)}?" if near else f"Known models: {listed or 'none'}."
    shown = plain_line(name, 80)
    way = f"Add it first: napari-vol3d models add {shown}." if _is_file(Path(name)) else "A model's folder works too."
    raise ModelProblem(f"No model called {shown}.", hint=f"{meant} {way}")


def model_said(said: Mapping[str, str]) -> Model | None:
    """Find the model that a project, or anything else, has written down.

    Parameters
    ----------
    said : mapping
        "name", and "sha256" of its weights.

    Returns
    -------
    Model or None
        The very one; where that is not here, the latest version of its name; None where there is none.
    """
    models = [model for model in list_models() if model.card.name == said.get("name")]
    same = [model for model in models if model.card.weights.sha256 == said.get("sha256")]
    return max(same or models, key=lambda model: _order(model.card.version), default=None)


def has_card(folder: Path) -> bool:
    """Whether there is a card; a folder of somebody else's that may not be looked into has none."""
    try:
        return (folder / CARD_NAME).is_file()
    except OSError:
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # as above
        return False


def _order(version: str) -> tuple[tuple[int, str], ...]:
    """Put 1.10 after 1.9."""
    parts = re.split(r"[.\-_]", version)
    return tuple((int(part), "") if re.fullmatch("[0-9]{1,9}", part) else (-1, part) for part in parts)


def find_recipe(name: str) -> Path:
    """Find the training recipe of a bundled model, or the recipe file of that path.

    Raises
    ------
    ModelProblem
        If there is none.
    """
    bundled = BUNDLED / name / "recipe.json"
    if bundled.is_file():
        return bundled
    if Path(name).is_file():
        return Path(name)
    known = ", ".join(path.parent.name for path in sorted(BUNDLED.glob("*/recipe.json")))
    raise ModelProblem(f"No recipe called {name}.", hint=f"Bundled recipes: {known}; a recipe's path works too.")
