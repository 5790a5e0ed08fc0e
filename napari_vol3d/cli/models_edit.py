"""`napari-vol3d models edit NAME`: show what would change, ask, write."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_vol3d.cli.asking import agrees
from napari_vol3d.cli.card_options import add_card_options, said_of
from napari_vol3d.core.errors import ModelProblem

if TYPE_CHECKING:
    from napari_vol3d.models.card import ModelCard
    from napari_vol3d.models.draft import CardDraft
    from napari_vol3d.models.edited import Edit
    from napari_vol3d.models.store import Model


def add(verbs: Any) -> None:
    """Add the command."""
    sub = verbs.add_parser(
        "edit",
        help="correct the card of a model that was added",
        description="Correct what a model's card says: its classes, voxel size, intensities ... What changes is shown "
        "before it is written. The network stays as it is, and so do name and version; with another --name or "
        "--as-version a copy gets the new card, and the old model stays.",
    )
    sub.add_argument("model", metavar="NAME", help="name or name@version of a model")
    sub.add_argument("--yes", action="store_true", help="write it without being asked")
    sub.add_argument("--name", default="", help="make a copy of this name")
    sub.add_argument("--as-version", default="", metavar="VERSION", help="make a copy of this version")
    sub.add_argument(
        "--confirm", type=_fields, default=(), metavar="FIELDS",
        help="fields that were guessed and are right, such as classes,spacing; or all",
    )  # fmt: skip
    add_card_options(sub)
    sub.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Show what would change, ask, write."""
    from napari_vol3d.models.edit_words import guess_words
    from napari_vol3d.models.edited import corrected, edited, save
    from napari_vol3d.models.record import guesses_in

    model = one_model(chosen.model)
    said = _with_ids(said_of(chosen), model.card, named=bool(chosen.classes))
    if not (said.model_fields_set or chosen.confirm):
        raise ModelProblem(
            f"Nothing is said of {model.card.name}.", hint="Add --card, --confirm or an option; see models edit --help."
        )
    edit, known = edited(model, corrected(model.card, said)), guesses_in(model.card)
    guessed = [field for field in known if not (said.speaks_of(field) or field in chosen.confirm)]
    confirmed = [field for field in known if field not in guessed]
    if edit.card == model.card and not confirmed:
        sys.stdout.write(f"{model.card.name} {model.card.version} says so already\n")
        return 0
    sys.stdout.write("".join(f"{line}\n" for line in _about(edit)))
    if confirmed:
        sys.stdout.write(f"No guess any more: {guess_words(confirmed)}\n")
    if not chosen.yes:
        _ask(edit)
    card = save(edit, guessed).card
    if guessed:
        sys.stdout.write(f"Guesses still: {guess_words(guessed)}\n")
    sys.stdout.write(f"Wrote the card of {card.name} {card.version}\n")
    return 0


def one_model(name: str) -> Model:
    """Find a model to be changed; of several versions one has to be named.

    Raises
    ------
    ModelProblem
        If there is none, or more than one.
    """
    from napari_vol3d.models.store import find_model, list_models

    versions = [each.card.version for each in list_models() if each.card.name == name]
    if len(versions) > 1:
        raise ModelProblem(
            f"There are {len(versions)} versions of {name}.", hint=f"Name one, as {name}@{versions[0]}."
        )
    return find_model(name)


def _with_ids(said: CardDraft, card: ModelCard, *, named: bool) -> CardDraft:
    """Where classes were named alone, leave them their ids and colours."""
    old = card.output.classes
    if not named or len(said.classes) != len(old):
        return said
    classes = tuple(replace(was, name=item.name) for was, item in zip(old, said.classes, strict=True))
    return said.model_copy(update={"classes": classes})


def _fields(text: str) -> tuple[str, ...]:
    """Read names of fields that are guessed, in the words that they are shown in or in those of a draft."""
    from napari_vol3d.models.draft import GUESSABLE
    from napari_vol3d.models.edit_words import guess_words

    known = {name: field for field in GUESSABLE for name in (field, guess_words((field,)))}
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    if "all" in wanted:
        return GUESSABLE
    strange = [name for name in wanted if name not in known]
    if strange or not wanted:
        said = strange[0] if strange else "nothing"
        raise argparse.ArgumentTypeError(f"{said}: not one of {', '.join(GUESSABLE)}, all")
    return tuple(known[name] for name in wanted)


def _about(edit: Edit) -> list[str]:
    """Say what changes, each line as old -> new."""
    from napari_vol3d.models.edit_words import card_changes

    old, new = edit.model.card, edit.card
    lines = [
        f"{name:<14} {before or 'nothing'} -> {after or 'nothing'}" for name, before, after in card_changes(old, new)
    ]
    copy = f"{new.name} {new.version} becomes a model of its own; {old.name} {old.version} stays as it is."
    return [*lines, *edit.lost, *[copy] * edit.copies]


def _ask(edit: Edit) -> None:
    name, way_on = edit.model.card.name, "Run it again with --yes to write it."
    if not agrees("Write it?"):
        raise ModelProblem(f"The card of {name} stays as it is.", hint=way_on)
