"""`napari-vol3d models add PATH`: look, ask, convert, keep."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_vol3d.cli.asking import agrees
from napari_vol3d.cli.card_options import add_card_options, said_of
from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.say import plain_line

if TYPE_CHECKING:
    from napari_vol3d.models.card import ModelCard
    from napari_vol3d.models.draft import CardDraft
    from napari_vol3d.models.source import ModelSource
    from napari_vol3d.pipeline.adopt import Adoption

SHOWN = 12  # kinds of layers before the rest is counted


def add(verbs: Any) -> None:
    """Add the command."""
    sub = verbs.add_parser(
        "add",
        help="add a Keras, SavedModel, TensorFlow.js or BioImage Model Zoo model",
        description="Add a model made elsewhere: .keras, .h5, a SavedModel folder, a TensorFlow.js model.json, a "
        "BioImage Model Zoo package, a StarDist 3D folder, or what `models export` wrote. What it contains is shown "
        "before anything of it is run; it is converted once, in a cage, and listed from then on.",
    )
    sub.add_argument("path", type=Path, metavar="PATH", help="file or folder of the model")
    sub.add_argument("--yes", action="store_true", help="trust it without being asked")
    sub.add_argument("--name", default="", help="short name for commands")
    sub.add_argument("--as-version", default="", metavar="VERSION", help="version (default 1.0)")
    add_card_options(sub)
    sub.add_argument("--output", default="", metavar="NAME", help="which output to use, where there are several")
    sub.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Look, ask, convert, keep."""
    from napari_vol3d.cli.bar import run_with_bar
    from napari_vol3d.core.errors import Vol3dError
    from napari_vol3d.models.trust import is_trusted
    from napari_vol3d.pipeline.adopt import adopt, drop, keep, look

    title = plain_line(chosen.path.name, 80)
    source = run_with_bar(look(chosen.path), title=title, unit="file")
    said = said_of(chosen)
    _require_new(source, said)
    _require_free(said.over(source.draft))
    sys.stdout.write("\n".join(_about(source)) + "\n")
    if not (chosen.yes or is_trusted(source.sha256)):
        _ask(source)
    adoption = run_with_bar(adopt(source, output=chosen.output, said=said), title=title, unit="step")
    try:
        model = keep(adoption, adoption.draft, adoption.guessed)
    except Vol3dError:
        drop(adoption)
        raise
    name = model.card.name
    sys.stdout.write("".join(f"{line}\n" for line in (*_outputs(adoption), *adoption.facts.changes)))
    if adoption.guessed:
        sys.stdout.write(
            f"Guessed: {_guesses(adoption.guessed, model.card)}. If that is wrong, the model finds nothing or "
            f"nonsense: napari-vol3d models edit {name} corrects it, with --card or the options of its --help.\n"
        )
    sys.stdout.write(f"Added {name} {model.card.version}: napari-vol3d segment SCAN --model {name} --out DIR\n")
    return 0


def _require_free(said: CardDraft) -> None:
    """Refuse a name that is taken before anything takes long; one that is only guessed is made free."""
    from napari_vol3d.models.library import taken

    version = said.version or "1.0"
    if said.name and taken(said.name, version):
        raise ModelProblem(
            f"{said.name} {version} is there already.",
            hint="Add --name or --as-version, or remove that one with napari-vol3d models remove.",
        )


def _require_new(source: ModelSource, said: CardDraft) -> None:
    """Refuse to add the same files again where nothing is said of them that would make another model."""
    from napari_vol3d.models.store import list_models

    for model in list_models():
        known = model.card.source
        if known is not None and known.sha256 == source.sha256 and not said.model_fields_set:
            raise ModelProblem(
                f"You have {source.path.name} already: {model.card.name} {model.card.version}.",
                hint="Add --name or --card to have it twice, or remove that one first.",
            )


def _outputs(adoption: Adoption) -> list[str]:
    """Say which of several outputs is used."""
    seen = adoption.facts.outputs
    if len(seen) < 2:
        return []
    words = [f"{each.name}{' (used)' * (each.name == adoption.facts.chosen)}" for each in seen]
    return [f"Outputs: {', '.join(words)}; --output NAME uses another."]


def _guesses(guessed: Iterable[str], card: ModelCard) -> str:
    """Say what was guessed, each with its value."""
    from napari_vol3d.models.card_words import grid_words, intensity_words

    words = {
        "title": card.title, "channels": ", ".join(card.input.channels), "spacing": f"{grid_words(card)} voxel size",
        "intensity": intensity_words(card.input.intensity), "orientation": "axes as Vol3D shows them (S, P, L)",
        "classes": ", ".join(item.name for item in card.output.classes), "activation": card.output.activation,
    }  # fmt: skip
    return "; ".join(f"{name}: {words[name]}" for name in guessed)


def _about(source: ModelSource) -> list[str]:
    """Say what a model contains, before it is trusted."""
    from napari_vol3d.core.say import say_bytes
    from napari_vol3d.models.source import CONTAINER_WORDS
    from napari_vol3d.pipeline.child import cage_words

    kinds = [f"{name} {count}" for name, count in source.telling[:SHOWN]]
    more = len(source.contents) - SHOWN
    what = CONTAINER_WORDS[source.container]
    lines = [
        f"{source.path.name}: {what}, {say_bytes(source.size)}, sha256 {source.sha256[:16]}",
        f"contains     {', '.join(kinds)}{f' and {more} more kinds' if more > 0 else ''}",
    ]
    lines += [f"licence      {source.draft.license}"] * bool(source.draft.license)
    return [*lines, *source.notes, cage_words()]


def _ask(source: ModelSource) -> None:
    from napari_vol3d.models.trust import WARNING

    way_on = f"Run it again with --yes to trust it: sha256 {source.sha256[:16]}."
    if not sys.stdin.isatty():
        raise ModelProblem(f"{source.path.name} is not trusted yet. {WARNING}", hint=way_on)
    if not agrees(f"{WARNING}\nTrust it?"):
        raise ModelProblem(f"{source.path.name} was not trusted, so nothing was added.", hint=way_on)
