"""Where models are: in the package, and in the person's own folder."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.card import CARD_NAME, ModelCard, read_card

log = logging.getLogger(__name__)
BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model folder with its card."""

    folder: Path
    card: ModelCard
    origin: Literal["bundled", "added"]

    @property
    def weights(self) -> Path:
        """The file with the network."""
        return self.folder / self.card.weights.file


def user_models() -> Path:
    """Folder for the person's own models; `VOL3D_MODELS` names another."""
    return Path(os.environ.get("VOL3D_MODELS") or user_data_path("napari-vol3d") / "models")


def list_models() -> list[Model]:
    """Give all models, bundled first; a folder whose card can't be read is logged and left out."""
    models = []
    for root, origin in ((BUNDLED, "bundled"), (user_models(), "added")):
        for folder in sorted(root.iterdir()) if root.is_dir() else ():
            if (folder / CARD_NAME).is_file():
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
    model = Model(folder=folder, card=read_card(folder), origin="bundled" if bundled else "added")
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
    """Find a model by its card's name or by its folder.

    Raises
    ------
    ModelProblem
        If there is none; the message lists those there are.
    """
    models = list_models()
    for model in models:
        if model.card.name == name:
            return model
    if Path(name).is_dir():
        return open_model(Path(name))
    known = ", ".join(model.card.name for model in models) or "none"
    raise ModelProblem(f"No model called {name}.", hint=f"Known models: {known}; a model's folder works too.")


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
