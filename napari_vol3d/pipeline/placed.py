"""Copying a model's files into an engine's private folder, unpacked to what Keras or TensorFlow can load."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io import zip_files
from napari_vol3d.io.network_files import keras2_archive
from napari_vol3d.io.network_files.keras_zip import copy_without_training
from napari_vol3d.io.network_files.tfjs import to_h5
from napari_vol3d.models import gate
from napari_vol3d.models.bioimageio import Package, read_package, unpack
from napari_vol3d.models.card import ModelCard, sha256_of
from napari_vol3d.models.draft import CardDraft, draft_of
from napari_vol3d.models.gate_kinds import GRAPH_FILE
from napari_vol3d.models.marks import marks_in
from napari_vol3d.models.source import Container, ModelSource
from napari_vol3d.models.store import open_model

Loadable = Literal["keras", "h5", "saved_model", "weights", "stardist"]
INSIDE = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A model as the engine gets it.

    Attributes
    ----------
    path : Path
        File or folder in the engine's folder.
    draft : CardDraft
        What travelled with it.
    card : ModelCard or None
        The whole card, where it travelled with one of ours.
    guessed : tuple of str
        Fields of that card that nobody has confirmed.
    package : Package or None
        The package that it came in, with the example that is to be tried.
    """

    container: Loadable
    path: Path
    draft: CardDraft = field(default_factory=CardDraft)
    card: ModelCard | None = None
    guessed: tuple[str, ...] = ()
    package: Package | None = None


def place(source: ModelSource, folder: Path) -> Placed:
    """Copy what the gate has let pass into `folder`.

    Raises
    ------
    ModelProblem
        If the files have changed since, or a package holds what the gate does not let pass.
    """
    placed = _PLACERS[source.container](source, folder)
    if gate.fingerprint(source.files) != source.sha256:  # while a person was reading what it contains
        raise ModelProblem(f"{source.path.name} has changed since it was looked at.", hint="Add it again.")
    gate.examine(placed.path)  # the copy is what Keras gets: a file that was swapped for a moment is judged too
    return placed


def _file(source: ModelSource, folder: Path) -> Placed:
    ending = {"keras": ".keras", "h5": ".h5", "weights": ".weights.h5"}[source.container]
    target = folder / f"{INSIDE}{ending}"
    if source.container == "keras" and keras2_archive.is_of_keras_2(source.files[0]):
        keras2_archive.to_h5(source.files[0], target := target.with_suffix(".h5"))
        return Placed(container="h5", path=target, draft=source.draft)
    if source.container == "keras":  # Keras would still look for the losses of networks inside the network
        copy_without_training(source.files[0], target)
    else:
        shutil.copyfile(source.files[0], target)
    return Placed(container=cast("Loadable", source.container), path=target, draft=source.draft)


def _folder(source: ModelSource, folder: Path) -> Placed:
    if source.container == "saved_model" and zip_files.looks_like_zip(source.files[0]):
        names = zip_files.unpack(source.files[0], folder / INSIDE)
        graph = min((name for name in names if Path(name).name == GRAPH_FILE), key=len)
        return Placed(container="saved_model", path=(folder / INSIDE / graph).parent, draft=source.draft)
    root = gate.root_of(source)
    for path in source.files:
        target = folder / INSIDE / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return Placed(container=cast("Loadable", source.container), path=folder / INSIDE, draft=source.draft)


def _web_model(source: ModelSource, folder: Path) -> Placed:
    target = folder / f"{INSIDE}.h5"
    to_h5(source.files[0], target)
    return Placed(container="h5", path=target, draft=source.draft)


def _package(source: ModelSource, folder: Path) -> Placed:
    """Unpack the weights of a package; they pass the gate on their own, from where they lie then."""
    package = read_package(source.path)
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    inner = place(gate.examine(unpack(package, unpacked)), folder)
    return replace(inner, draft=source.draft, card=package.card, guessed=package.guessed, package=package)


def _own(source: ModelSource, folder: Path) -> Placed:
    """Take a model of this program's own: its card goes along."""
    root = source.path
    if root.is_file() and zip_files.looks_like_zip(root):
        root = folder / "unpacked"
        zip_files.unpack(source.path, root)
    model = open_model(root if root.is_dir() else root.parent)
    gate.require_safe(model.weights)
    target = Path(shutil.copyfile(model.weights, folder / f"{INSIDE}.keras"))
    if sha256_of(target) != model.card.weights.sha256:
        raise ModelProblem(f"Weights of {model.card.title} have changed since its card was written.")
    guessed = marks_in(model.folder)
    return Placed(container="keras", path=target, draft=draft_of(model.card), card=model.card, guessed=guessed)


_PLACERS: dict[Container, Callable[[ModelSource, Path], Placed]] = {
    "keras": _file, "h5": _file, "weights": _file, "saved_model": _folder, "stardist": _folder, "tfjs": _web_model,
    "bioimageio": _package, "vol3d": _own,
}  # fmt: skip
