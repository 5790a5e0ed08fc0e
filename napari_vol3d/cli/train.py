"""`napari-vol3d train --data DIR --out DIR`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from napari_vol3d.core.errors import FileProblem


def add(commands: Any) -> None:
    """Add the command."""
    sub: argparse.ArgumentParser = commands.add_parser(
        "train",
        help="train a model from scans and labels",
        description="Train a Conv3D U-Net. DATA holds images/ and labels/ with files of the same names. OUT becomes a "
        "model folder: weights, card, history; a killed run goes on with --resume.",
    )
    sub.add_argument("--data", required=True, type=Path, metavar="DIR", help="folder with images/ and labels/")
    sub.add_argument("--out", required=True, type=Path, metavar="DIR", help="model folder to make")
    sub.add_argument("--recipe", help="settings file (.json), or the name of a bundled model to train again")
    sub.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="changes",
        help="change one setting, for instance epochs=20 or flip_axes=[2]; --settings lists them",
    )  # fmt: skip
    sub.add_argument("--settings", action=_ListSettings, nargs=0, help="list all settings and exit")
    sub.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where to train")
    sub.add_argument("--resume", action="store_true", help="go on from the checkpoint in OUT")
    sub.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Train."""
    from napari_vol3d.cli.bar import run_with_bar
    from napari_vol3d.pipeline.train import train

    settings = _settings(chosen.recipe, chosen.changes)
    command = "napari-vol3d train --data DIR --out DIR" + (f" --recipe {chosen.recipe}" if chosen.recipe else "")
    command += "".join(f" --set {change}" for change in chosen.changes)
    verb = train(
        chosen.data, chosen.out, settings, device=chosen.device, resume=chosen.resume, command=command
    )  # fmt: skip
    card = run_with_bar(verb, title="train", unit="batch")
    if card.validation is not None:
        figures = ", ".join(f"{name} {value:.4f}" for name, value in card.validation.mean_dice.items() if value)
        sys.stdout.write(f"mean Dice on {len(card.validation.scans)} unseen scans: {figures}\n")
    sys.stdout.write(f"{chosen.out}\n")
    return 0


def _settings(recipe: str | None, changes: list[str]) -> Any:
    from napari_vol3d.models.store import find_recipe
    from napari_vol3d.pipeline.settings import TrainSettings

    values = _read_recipe(find_recipe(recipe)) if recipe else {}
    for change in changes:
        key, _, text = change.partition("=")
        try:
            values[key] = json.loads(text)
        except json.JSONDecodeError:
            values[key] = text
    return TrainSettings.of(values, hint="See napari-vol3d train --settings.")


def _read_recipe(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except ValueError as error:
        raise FileProblem(f"Recipe {path.name} is not JSON: {error}.", hint="Correct it, or name another.") from error
    if not isinstance(values, dict):
        raise FileProblem(f"Recipe {path.name} holds no settings.", hint='It should look like {"epochs": 20}.')
    return values


class _ListSettings(argparse.Action):
    """Print the settings with their meanings and defaults."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from napari_vol3d.pipeline.settings import TrainSettings

        for name, field in TrainSettings.model_fields.items():
            default = "" if field.default is None else f" (default {field.get_default(call_default_factory=True)})"
            text = field.description or field.title or ""
            sys.stdout.write(f"  {name:<18} {text}{default}\n")
        parser.exit()
