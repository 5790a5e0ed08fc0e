"""Giving a model away: as a folder or a zip for this program, or as a package of the BioImage Model Zoo for others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from napari_vol3d.core.errors import ModelProblem, SaveProblem
from napari_vol3d.io.folders import folder_beside, refuse_occupied
from napari_vol3d.io.safe_write import replace_file, write_text
from napari_vol3d.io.zip_files import write_zip
from napari_vol3d.models.card import CARD_NAME
from napari_vol3d.models.library import state_of
from napari_vol3d.models.marks import MARKS_NAME, marks_text
from napari_vol3d.models.record import guesses_of
from napari_vol3d.models.store import Model
from napari_vol3d.models.zoo.sample import sample_shape
from napari_vol3d.models.zoo.write import package_parts

Kind = Literal["folder", "zip", "bioimageio"]
Sample = tuple[NDArray[Any], NDArray[Any]]


def export_model(
    model: Model, target: Path, *, kind: Kind, sample: Sample | None = None, guessed: Sequence[str] | None = None
) -> Path:
    """Write a model to a new folder, or to a zip, which may take an older one's place.

    Parameters
    ----------
    kind : str
        "folder", "zip": card and weights, and which fields are guesses still; "bioimageio": a zip that programs of
        the BioImage Model Zoo read.
    sample : tuple of array, optional
        "bioimageio" needs one: a patch of stored voxels, shape (z, y, x, channels), as ``zoo.sample.sample_input``
        makes it, and the scores, shape (z, y, x, scores), of the network for
        ``zoo.written_steps.network_input(card, patch)``.
    guessed : sequence of str, optional
        Fields of the card that nobody has confirmed; left out: as they are marked now.

    Raises
    ------
    ModelProblem
        If its weights are not what its card says, or the sample is not what its network takes and gives.
    SaveProblem
        If it can't be written; what was there is untouched.
    """
    if trouble := state_of(model):
        raise ModelProblem(f"{model.card.title} can't be exported. {trouble}", hint="Add the model again.")
    guessed = guesses_of(model) if guessed is None else guessed
    if kind == "folder":
        return _write_folder(model, target, _texts(model, guessed))
    if kind == "zip":
        texts = {name: text.encode() for name, text in _texts(model, guessed).items()}
        return write_zip(target, {**texts, model.weights.name: model.weights})
    return write_zip(target, package_parts(model, _fitting(model, sample), guessed))


def _write_folder(model: Model, target: Path, texts: dict[str, str]) -> Path:
    refuse_occupied(target, overwrite=False)
    try:
        with folder_beside(target) as beside:
            made = beside / target.name
            made.mkdir()
            replace_file(model.weights, made / model.weights.name)
            for name, text in texts.items():
                write_text(made / name, text)
            made.rename(target)
    except OSError as error:
        raise SaveProblem(
            f"{target.name} was not saved: {error.strerror or error}.", hint="Choose another folder."
        ) from error
    return target


def _texts(model: Model, guessed: Sequence[str]) -> dict[str, str]:
    """Give the card, and the marks of what in it nobody has confirmed."""
    marks = {MARKS_NAME: marks_text(guessed)} if guessed else {}
    return {CARD_NAME: model.card.model_dump_json(indent=2), **marks}


def _fitting(model: Model, sample: Sample | None) -> Sample:
    """Refuse a sample that would make a package that contradicts itself."""
    if sample is None:
        raise ModelProblem("A package needs a sample patch.", hint="Run the network on one first.")
    (patch, scores), card = sample, model.card
    least, step = sample_shape(card), card.input.multiple
    channels = len(card.input.channels)
    wanted = len(card.output.classes) + (card.output.activation != "sigmoid")
    fits = patch.ndim == 4 and all(n >= m and (n - m) % step == 0 for n, m in zip(patch.shape, least, strict=False))
    exact = not card.input.fixed or patch.shape[:3] == least
    if not fits or not exact or patch.shape[3:] != (channels,) or scores.shape != (*patch.shape[:3], wanted):
        raise ModelProblem(
            f"The sample does not fit {card.title}: {patch.shape} gives {scores.shape}.",
            hint=f"Voxels {(*least, channels)} give scores {(*least, wanted)}.",
        )
    return sample
