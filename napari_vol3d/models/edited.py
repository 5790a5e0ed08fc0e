"""Correcting the card of a model that is there already: held against its network, and written in the old one's place.

A name and a version are what projects, scripts and results call a model by. So a corrected card keeps both; one that
is given another name or version becomes a model of its own, and the old one stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.say import say_count
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.models.card import CARD_NAME, ModelCard, Source, ValidationFigures, what_is_wrong
from napari_vol3d.models.draft import GRIDS, OF_CARD, OF_INPUT, OF_OUTPUT, CardDraft, draft_of
from napari_vol3d.models.library import WEIGHTS_NAME, add_model, state_of
from napari_vol3d.models.record import guesses_in, keep_guesses, read_record, update_record
from napari_vol3d.models.store import Model, open_model, user_models

MAY_BE_NOTHING = (*GRIDS, "intensity_range", "crop")
OF_RESULTS = ("unit", "intensity", "anatomical", "orientation", "crop", *GRIDS)  # what labels depend on
FIGURES_GONE = "Its figures were measured with the old card: they are taken out."
APART = "under another version both can be told apart."
EXTENT_GONE = "The extent of its training scans is in the old unit: it is taken out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A card as it shall be, and the model as it is.

    Attributes
    ----------
    card : ModelCard
        Of the same weights.
    lost : tuple of str
        What the old card, or this machine, knew of the model and what no longer holds, in sentences.
    """

    model: Model
    card: ModelCard
    lost: tuple[str, ...] = ()

    @property
    def copies(self) -> bool:
        """Whether it becomes a model of its own."""
        old = self.model.card
        return (self.card.name, self.card.version) != (old.name, old.version)


def scores_of(card: ModelCard) -> int:
    """Give the scores a voxel that the network of a card gives: one for each class, and the background's."""
    return len(card.output.classes) + (card.output.activation != "sigmoid")


def corrected(card: ModelCard, said: CardDraft) -> CardDraft:
    """Give all that a card says, with what a person says of it in its place; said to be nothing, it is taken out."""
    wanted: dict[str, Any] = {name: getattr(said, name) for name in said.model_fields_set}
    if any(wanted.get(name) for name in GRIDS):
        wanted = dict.fromkeys(GRIDS) | wanted
    return draft_of(card).model_copy(update=wanted)


def edited(model: Model, draft: CardDraft) -> Edit:
    """Make the card of a model anew from a whole draft; nothing is written.

    Raises
    ------
    ModelProblem
        If the draft contradicts the network, or the model may not be changed.
    """
    _require_fit(draft, model.card)
    card, lost = _without_void(model.card, _written(draft, model.card))
    edit = Edit(model=model, card=card)
    _require_own(edit)
    return Edit(model=model, card=card, lost=(*lost, *_void(edit)))


def save(edit: Edit, guessed: Iterable[str] = ()) -> Model:
    """Write the card, or the model of its own.

    Parameters
    ----------
    guessed : iterable of str
        Fields of a draft that are guesses still.

    Raises
    ------
    ModelProblem
        If the card that the edit was made of is another one by now (`meeting.meet` goes on from there), or the name is
        taken.
    SaveProblem
        If it can't be written; the old card is untouched then.
    """
    _require_current(edit.model)
    if edit.copies:
        model, still = _copy(edit), tuple(guessed)
    else:
        known = guesses_in(edit.model.card)  # what somebody has confirmed meanwhile stays confirmed
        model, still = _in_place(edit), tuple(field for field in guessed if field in known)
    keep_guesses(model.card, still)
    return model


def _require_current(model: Model) -> None:
    """Refuse to go on from a card that another window, or a command, has written over."""
    if open_model(model.folder).card != model.card:
        raise ModelProblem(
            f"The card of {model.card.title} has changed meanwhile.", hint="Look at it again, then edit it."
        )


def _in_place(edit: Edit) -> Model:
    folder = edit.model.folder
    write_text(folder / CARD_NAME, edit.card.model_dump_json(indent=2))
    if _measures_anew(edit):
        update_record(edit.card, halo=None, measured_on="", nothing_in="")
    return open_model(folder)


def _copy(edit: Edit) -> Model:
    """Put the network among the person's models once more, with the card."""
    model, card = edit.model, edit.card
    if trouble := state_of(model):  # else the copy's card would vouch for what nobody has looked at
        raise ModelProblem(f"{model.card.title} can't be copied. {trouble}", hint="Add the model again.")
    if card.source is None and model.origin == "bundled":
        came = Source(container="vol3d", file=f"{model.card.name} {model.card.version}", sha256=card.weights.sha256)
        card = card.model_copy(update={"source": came})
    return add_model(model.weights, card)


def _require_fit(draft: CardDraft, card: ModelCard) -> None:
    channels, scores = len(card.input.channels), scores_of(card)
    own = (draft.activation or card.output.activation) == "sigmoid"
    classes = scores - (not own)
    if draft.output:
        raise ModelProblem(
            f"{card.title} was added with one output, no other is here.", hint="Add the model again with --output."
        )
    if len(draft.channels) != channels:
        raise ModelProblem(
            f"{card.title} takes {say_count(channels, 'channel')}; {len(draft.channels)} were named.",
            hint="Name each once, in the network's order.",
        )
    if len(draft.classes) != classes:
        gives = say_count(classes, "class", "classes") + ("" if own else f" and background, its {scores} scores")
        raise ModelProblem(
            f"{card.title} gives {gives}; {len(draft.classes)} were named.",
            hint=f"Name {classes}.",
        )
    if not draft.title.strip() or not all(item.name.strip() for item in draft.classes):
        raise ModelProblem("A title and a name for each class are wanted.", hint="Say them, or leave them as they are.")


def _require_own(edit: Edit) -> None:
    """Refuse to change what comes with the program, or lies somewhere else, where others may use it."""
    model = edit.model
    if model.origin == "bundled":
        if not edit.copies:
            raise ModelProblem(
                f"{model.card.name} comes with the program: its card stays as it is.",
                hint="Give another name, and a copy with the new card is put among your models (--name).",
            )
    elif model.folder.resolve().parent != user_models().resolve():
        raise ModelProblem(
            f"{model.folder.name} is not in your models folder.", hint="Add it first: napari-vol3d models add FOLDER."
        )
    elif edit.copies and model.weights.suffix != ".keras":  # put there by hand
        raise ModelProblem(
            f"{model.weights.name} can't be copied as it is: {WEIGHTS_NAME} is wanted.",
            hint="Add it first: napari-vol3d models add FOLDER.",
        )


def _written(draft: CardDraft, old: ModelCard) -> ModelCard:
    """Put what a draft says into a card, all else in it stays."""
    parts = old.model_dump()
    for part, names in ((parts, OF_CARD), (parts["input"], OF_INPUT), (parts["output"], OF_OUTPUT)):
        said = {name: getattr(draft, name) for name in names}
        part |= {name: value for name, value in said.items() if value is not None or name in MAY_BE_NOTHING}
    if draft.halo is not None:
        parts["inference"]["halo"] = draft.halo
    try:
        return ModelCard.model_validate(parts)
    except ValidationError as error:
        raise ModelProblem(f"The card can't be made: {what_is_wrong(error)}.", hint="Correct that field.") from error


def _results(card: ModelCard) -> tuple[object, ...]:
    """Give what the labels depend on."""
    ids = tuple(item.id for item in card.output.classes)
    return (*(getattr(card.input, name) for name in OF_RESULTS), ids, card.output.activation, card.output.post)


def _measures_anew(edit: Edit) -> bool:
    """Whether the context that was measured here is void; a copy shares it with the model that it was made of."""
    old, new = edit.model.card, edit.card
    return not edit.copies and (_results(old) != _results(new) or old.inference.halo != new.inference.halo)


def _without_void(old: ModelCard, new: ModelCard) -> tuple[ModelCard, list[str]]:
    """Take out of a new card what was true of the old one alone, and say so."""
    lost = []
    if new.input.unit != old.input.unit and new.input.field_of_view is not None:
        new = new.model_copy(update={"input": new.input.model_copy(update={"field_of_view": None})})
        lost.append(EXTENT_GONE)
    if new.validation is not None:
        figures = _figures(old, new)
        new = new.model_copy(update={"validation": figures})
        lost += [FIGURES_GONE] * (figures is None)
    return new, lost


def _void(edit: Edit) -> list[str]:
    """Say what this machine has found and made with the old card, and what becomes of it."""
    old, said = edit.model.card, []
    known = read_record(old)
    if known.halo is not None and _measures_anew(edit):
        said.append(f"The context that was measured here, {known.halo} voxels, is measured again.")
    if known.seconds_per_megavoxel and not edit.copies and _results(old) != _results(edit.card):
        said.append(f"Labels that were made with {old.name} {old.version} so far came of the old card; {APART}")
    return said


def _figures(old: ModelCard, new: ModelCard) -> ValidationFigures | None:
    """Give the figures under the new names of their classes; None where other labels would come out by now."""
    names = [item.name for item in new.output.classes]
    if new.validation is None or _results(old) != _results(new) or len(set(names)) < len(names):
        return None
    called = dict(zip((item.name for item in old.output.classes), names, strict=True))
    found, far = new.validation.mean_dice, new.validation.mean_hd95_mm
    scans = tuple(
        scan.model_copy(update={"dice": _renamed(scan.dice, called), "hd95_mm": _renamed(scan.hd95_mm, called)})
        for scan in new.validation.scans
    )
    update = {"mean_dice": _renamed(found, called), "mean_hd95_mm": _renamed(far, called), "scans": scans}
    return new.validation.model_copy(update=update)


def _renamed(figures: Mapping[str, float | None], called: Mapping[str, str]) -> dict[str, float | None]:
    return {called.get(name, name): value for name, value in figures.items()}
