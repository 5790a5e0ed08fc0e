"""The options that say what a model's card shall say: of `models add` and of `models edit`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_vol3d.core.errors import ModelProblem

if TYPE_CHECKING:
    from napari_vol3d.models.draft import CardDraft


def add_card_options(sub: argparse.ArgumentParser) -> None:
    """Add them to a command, which has `--name` and `--as-version` of its own."""
    sub.add_argument("--card", type=Path, metavar="FILE", help="JSON with what is known of it (see docs/MODELS.md)")
    sub.add_argument("--title", default="", help="what people call it")
    sub.add_argument("--license", default="", help="licence")
    sub.add_argument("--channels", type=_names, default=(), metavar="A,B", help="names of the input channels, in order")
    sub.add_argument("--classes", type=_names, default=(), metavar="A,B", help="names of classes, without background")
    sub.add_argument("--spacing", type=_lengths, metavar="Z,Y,X", help="voxel size it was trained at, mm")
    sub.add_argument(
        "--intensity", type=_scheme, metavar="KIND[:LOW:HIGH]",
        help="zscore:0.5:99.5, minmax, quantile:1:99, window:-100:400, maximum or none",
    )  # fmt: skip
    sub.add_argument(
        "--intensity-range", type=float, nargs=2, metavar=("LOW", "HIGH"),
        help="lowest and highest grey value of the scans it knows, as stored: a scan is held against them before a run",
    )  # fmt: skip
    sub.add_argument("--orientation", default="", metavar="LIA", help="where the network's three axes run to")


def said_of(chosen: argparse.Namespace) -> CardDraft:
    """Gather what the person says of the model.

    Raises
    ------
    ModelProblem
        If an option, or the file of `--card`, is not what a card can say.
    """
    from pydantic import ValidationError

    from napari_vol3d.core.labels import LabelClass, default_color
    from napari_vol3d.models.card import what_is_wrong
    from napari_vol3d.models.draft import CardDraft, read_draft, require_name, require_range

    said: dict[str, Any] = {
        "name": chosen.name, "title": chosen.title, "version": chosen.as_version, "license": chosen.license,
        "channels": chosen.channels, "spacing": chosen.spacing, "intensity": chosen.intensity,
        "intensity_range": chosen.intensity_range, "orientation": chosen.orientation,
        "classes": tuple(
            LabelClass(id=n, name=name, color=default_color(n)) for n, name in enumerate(chosen.classes, start=1)
        ),
    }  # fmt: skip
    try:
        options = CardDraft(**{key: value for key, value in said.items() if value})
    except ValidationError as error:
        raise ModelProblem(f"--{what_is_wrong(error)}.", hint="See the command with --help.") from error
    require_range(options.intensity_range, "--intensity-range")
    require_name(options.name, options.version)
    return options if chosen.card is None else options.over(read_draft(chosen.card))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _lengths(text: str) -> tuple[float, float, float]:
    try:
        z, y, x = (float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError("a voxel size is written Z,Y,X, for instance 2.5,0.8,0.8") from error
    return (z, y, x)


def _scheme(text: str) -> Any:
    from napari_vol3d.core.intensity import SCHEMES, IntensityScheme

    kind, *bounds = text.split(":")
    if kind not in SCHEMES or len(bounds) not in (0, 2):
        raise argparse.ArgumentTypeError(f"written as one of {', '.join(SCHEMES)}, with :LOW:HIGH where it has bounds")
    try:
        low, high = (float(bound) for bound in bounds) if bounds else (0.5, 99.5)
    except ValueError as error:
        raise argparse.ArgumentTypeError("LOW and HIGH are numbers, as in quantile:1:99") from error
    return IntensityScheme(kind=kind, lower=low, upper=high)  # type: ignore[arg-type]
