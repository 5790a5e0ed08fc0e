"""The card of an adopted network: what a person or its maker says, what its graph says, and guesses for the rest."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.say import say_count
from napari_vol3d.engine.messages import Adopted
from napari_vol3d.models.card import (
    InferenceDefaults,
    InputSpec,
    ModelCard,
    OutputSpec,
    PostProcessing,
    Source,
    Weights,
    sha256_of,
    what_is_wrong,
)
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.library import short_name
from napari_vol3d.models.source import ModelSource

MOST_HALO = 64  # voxels, where nothing is known; what is really needed is measured at the first use
SAFETY = 1.5  # a library needs room beside the activations that the graph tells of


def complete(said: CardDraft, facts: Adopted, source: ModelSource) -> tuple[CardDraft, tuple[str, ...]]:
    """Fill what is open in a draft from the network itself, and guess the rest.

    Returns
    -------
    CardDraft, tuple of str
        The draft, and the names of the fields that are nothing but guesses.
    """
    title = said.title or _title(source.path)
    scores = facts.scores - (facts.activation != "sigmoid")
    guesses = CardDraft(
        title=title, name=short_name(said.name or title), version="1.0",
        channels=("image",) if facts.channels == 1 else tuple(f"channel {n + 1}" for n in range(facts.channels)),
        intensity=IntensityScheme(), anatomical=False, resize_to=_whole(said, facts),
        classes=tuple(LabelClass(id=n, name=f"class {n}", color=default_color(n)) for n in range(1, scores + 1)),
        activation=facts.activation, output=facts.chosen, post=PostProcessing(), halo=min(facts.reach, MOST_HALO),
    )  # fmt: skip
    fitting = _fitting(said, facts, scores)
    guessed = [name for name in ("title", "channels", "intensity", "classes") if not getattr(fitting, name)]
    guessed += ["spacing"] * (not any((fitting.spacing, fitting.conform, fitting.resize_to)))
    guessed += ["orientation"] * (not fitting.orientation and fitting.anatomical is None)
    guessed += ["activation"] * ("activation" in facts.unsure and fitting.activation is None)
    return fitting.over(guesses), tuple(guessed)


def require_said(said: CardDraft, facts: Adopted, name: str) -> None:
    """Refuse what a person says of a network and what it is not.

    Raises
    ------
    ModelProblem
        If it takes other channels, or gives other classes.
    """
    activation = said.activation or facts.activation
    classes = facts.scores - (activation != "sigmoid")
    if said.channels and len(said.channels) != facts.channels:
        raise ModelProblem(
            f"{name} takes {say_count(facts.channels, 'channel')}; {len(said.channels)} were named.",
            hint="Name each once, in the network's order.",
        )
    if said.classes and len(said.classes) != classes:
        background = "" if activation == "sigmoid" else f" and background, its {facts.scores} scores"
        gives = f"{name} gives {say_count(classes, 'class', 'classes')}{background}"
        raise ModelProblem(f"{gives}; {len(said.classes)} were named.", hint=f"Name {classes}.")


def card_of(draft: CardDraft, facts: Adopted, source: ModelSource, weights: Path, *, software: str) -> ModelCard:
    """Make the card of a network from a complete draft.

    Raises
    ------
    ModelProblem
        If the draft contradicts the network: other channels, other classes.
    """
    _require_fit(draft, facts)
    try:
        return _written(draft, facts, source, weights, software)
    except ValidationError as error:
        raise ModelProblem(f"The card can't be made: {what_is_wrong(error)}.", hint="Correct that field.") from error


def _written(draft: CardDraft, facts: Adopted, source: ModelSource, weights: Path, software: str) -> ModelCard:
    fixed = facts.fixed_size is not None
    return ModelCard(
        name=draft.name, title=draft.title, version=draft.version, description=draft.description,
        license=draft.license, citation=draft.citation, authors=draft.authors,
        weights=Weights(file=weights.name, sha256=sha256_of(weights)),
        input=InputSpec(
            channels=draft.channels, spacing=draft.spacing, unit=draft.unit, fixed=fixed,
            patch_size=facts.fixed_size or facts.patch_size, multiple=facts.multiple,
            intensity=draft.intensity or IntensityScheme(), intensity_range=draft.intensity_range,
            anatomical=bool(draft.anatomical), orientation=draft.orientation, conform=draft.conform,
            resize_to=draft.resize_to, crop=draft.crop,
        ),
        output=OutputSpec(
            classes=draft.classes, activation=draft.activation or facts.activation, post=draft.post or PostProcessing()
        ),
        inference=InferenceDefaults(
            scheme="overlap" if facts.instance_statistics or fixed else "halo", halo=draft.halo or 0,
            bytes_per_voxel=max(64, round(SAFETY * facts.bytes_per_voxel)),
        ),
        source=Source(
            container=source.container, file=source.path.name, sha256=source.sha256, changes=facts.changes,
            software=software,
        ),
    )  # fmt: skip


def _whole(said: CardDraft, facts: Adopted) -> tuple[int, int, int] | None:
    """Take a network of one large size for one that sees whole scans: a patch is seldom so large."""
    known = said.spacing or said.conform
    large = facts.fixed_size is not None and min(facts.fixed_size) >= 96
    return facts.fixed_size if large and not known else None


def _fitting(said: CardDraft, facts: Adopted, classes: int) -> CardDraft:
    """Leave out what travelled with a model and is not about the output that was chosen."""
    wrong = {}
    if len(said.classes) != classes:
        wrong["classes"] = ()
    if len(said.channels) != facts.channels:
        wrong["channels"] = ()
    return said.model_copy(update=wrong)


def _require_fit(draft: CardDraft, facts: Adopted) -> None:
    classes = facts.scores - ((draft.activation or facts.activation) != "sigmoid")
    if len(draft.channels) != facts.channels:
        raise ModelProblem(
            f"{draft.title} takes {say_count(facts.channels, 'channel')}, the card names {len(draft.channels)}.",
            hint="Name each channel once, in the network's order.",
        )
    if len(draft.classes) != classes:
        background = "" if (draft.activation or facts.activation) == "sigmoid" else ", the first of them background"
        raise ModelProblem(
            f"{draft.title} gives {facts.scores} scores a voxel{background}; the card names {len(draft.classes)} "
            "classes.", hint=f"Name {classes}.",
        )  # fmt: skip


def _title(path: Path) -> str:
    stem = path.name
    for ending in (".keras", ".weights.h5", ".h5", ".hdf5", ".zip", ".json", ".pb"):
        stem = stem.removesuffix(ending)
    if stem.lower() in ("model", "saved_model", "savedmodel", "tfjs", "rdf", "bioimageio", "weights_best"):
        stem = path.resolve().parent.name
    return stem.replace("_", " ").strip() or "Model"
