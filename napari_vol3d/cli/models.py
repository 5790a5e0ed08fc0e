"""`napari-vol3d models [NAME]`."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    sub: argparse.ArgumentParser = commands.add_parser(
        "models", help="list models, or show one model's card", description="List models, or show one model's card."
    )
    sub.add_argument("name", nargs="?", help="name or folder of a model")
    sub.add_argument("--json", action="store_true", help="print the whole card as JSON")
    sub.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """List or describe."""
    from napari_vol3d.models.store import find_model, list_models

    if chosen.name is None:
        for model in list_models():
            classes = ", ".join(c.name for c in model.card.output.classes)
            sys.stdout.write(f"{model.card.name:<20} {model.card.version:<6} {model.origin:<8} {classes}\n")
        return 0
    model = find_model(chosen.name)
    if chosen.json:
        sys.stdout.write(model.card.model_dump_json(indent=2) + "\n")
        return 0
    sys.stdout.write("\n".join(f"{name:<12} {value}" for name, value in model.card.summary().items()) + "\n")
    return 0
