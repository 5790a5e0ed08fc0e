"""`napari-vol3d models list|add|info|edit|remove|export|default`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from napari_vol3d.cli import models_add, models_edit
from napari_vol3d.cli.asking import agrees
from napari_vol3d.core.errors import ModelProblem, SaveProblem


def add(commands: Any) -> None:
    """Add the commands."""
    top: argparse.ArgumentParser = commands.add_parser(
        "models",
        help="list, add, describe, edit, remove and export models",
        description="The models that scans are segmented with.",
    )
    top.set_defaults(run=list_them, json=False)
    verbs = top.add_subparsers(title="commands", metavar="COMMAND")
    sub = verbs.add_parser("list", help="list all models (also without a command)")
    sub.set_defaults(run=list_them)
    sub = verbs.add_parser("info", help="show a model's card, and whether its files are sound")
    sub.add_argument("name", metavar="NAME", help="name, name@version or folder of a model")
    sub.add_argument("--json", action="store_true", help="print the whole card as JSON")
    sub.set_defaults(run=describe)
    models_add.add(verbs)
    models_edit.add(verbs)
    sub = verbs.add_parser("remove", help="remove a model that was added")
    sub.add_argument("name", metavar="NAME", help="name or name@version")
    sub.add_argument("--yes", action="store_true", help="remove it without being asked")
    sub.set_defaults(run=remove)
    sub = verbs.add_parser("export", help="write a model for others to use")
    sub.add_argument("name", metavar="NAME", help="name, name@version or folder of a model")
    sub.add_argument("target", type=Path, metavar="FILE", help="the .zip file to write")
    sub.add_argument(
        "--format", choices=("zip", "bioimageio"), default="zip",
        help="zip: .keras and card, for this program and for Keras; bioimageio: a BioImage Model Zoo package",
    )  # fmt: skip
    sub.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    sub.set_defaults(run=export)
    sub = verbs.add_parser("default", help="choose the model that is preselected in the window")
    sub.add_argument("name", metavar="NAME", nargs="?", default="", help="name of a model; without: none")
    sub.set_defaults(run=choose)


def list_them(chosen: argparse.Namespace) -> int:
    """List all models; broken ones with their reason."""
    from napari_vol3d.models.library import broken_models, default_model, state_of
    from napari_vol3d.models.store import list_models

    preselected, models, broken = default_model(), list_models(), broken_models()
    wide = max(20, *(len(model.card.name) for model in models), *(len(folder.name) for folder, _ in broken))
    for model in sorted(models, key=lambda each: (each.origin != "bundled", each.card.name)):
        classes = ", ".join(item.name for item in model.card.output.classes)
        marks = ("default " * (model.card.name == preselected)) + state_of(model)
        line = f"{model.card.name:<{wide}} {model.card.version:<6} {model.origin:<8} {classes}"
        sys.stdout.write(f"{line}  [{marks.strip()}]\n" if marks else f"{line}\n")
    for folder, reason in broken:
        sys.stdout.write(f"{folder.name:<{wide}} {'':<6} {'broken':<8} {reason}\n")
    return 0


def describe(chosen: argparse.Namespace) -> int:
    """Show a card."""
    from napari_vol3d.models.card_words import card_rows
    from napari_vol3d.models.edit_words import guess_words
    from napari_vol3d.models.library import state_of
    from napari_vol3d.models.record import guesses_of
    from napari_vol3d.models.store import find_model

    model = find_model(chosen.name)
    if chosen.json:
        sys.stdout.write(model.card.model_dump_json(indent=2) + "\n")
        return 0
    card = model.card
    rows = [("Title", f"{card.title} {card.version}"), ("About", card.description), *card_rows(card)]
    rows += [("Classes", ", ".join(f"{item.id} {item.name}" for item in card.output.classes))]
    rows += [("Guesses", guess_words(guesses_of(model)))]
    rows += [("Origin", model.origin), ("Folder", str(model.folder)), ("Files", state_of(model) or "sound")]
    sys.stdout.write("\n".join(f"{name:<14} {value}" for name, value in rows if value) + "\n")
    return 0


def remove(chosen: argparse.Namespace) -> int:
    """Remove one; a broken one by the name of its folder."""
    from napari_vol3d.models.library import broken_models, remove_folder, remove_model

    for folder, _ in broken_models():
        if folder.name == chosen.name:
            remove_folder(folder)
            sys.stdout.write(f"Removed {folder.name}\n")
            return 0
    model = models_edit.one_model(chosen.name)
    called = f"{model.card.name} {model.card.version}"
    if sys.stdin.isatty() and not (chosen.yes or agrees(f"Remove {called} with its weights?")):  # scripts mean it
        raise ModelProblem(f"{called} stays.", hint="Say yes, or run it again with --yes.")
    remove_model(model)
    sys.stdout.write(f"Removed {called}\n")
    return 0


def export(chosen: argparse.Namespace) -> int:
    """Write one for others."""
    from napari_vol3d.cli.bar import run_with_bar
    from napari_vol3d.models.store import find_model
    from napari_vol3d.pipeline.hand_out import hand_out

    model, target = find_model(chosen.name), chosen.target
    if target.suffix.lower() != ".zip":
        raise SaveProblem(f"{target.name} was not written: it would be a zip.", hint=f"Try {target.stem}.zip.")
    if target.exists() and not chosen.overwrite:
        raise SaveProblem(f"{target.name} is there already.", hint="Add --overwrite, or name another file.")
    written = run_with_bar(hand_out(model, chosen.target, kind=chosen.format), title=model.card.name, unit="step")
    sys.stdout.write(f"{written}\n")
    return 0


def choose(chosen: argparse.Namespace) -> int:
    """Preselect one."""
    from napari_vol3d.models.library import set_default
    from napari_vol3d.models.store import find_model

    if "@" in chosen.name:
        only = chosen.name.partition("@")[0]
        raise ModelProblem("A version can't be preselected: of several the latest runs.", hint=f"Try: default {only}.")
    name = find_model(chosen.name).card.name if chosen.name else ""
    set_default(name)
    sys.stdout.write(f"Preselected: {name or 'none'}\n")
    return 0
