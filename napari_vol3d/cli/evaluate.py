"""`napari-vol3d evaluate PRED REF [--json FILE]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    sub: argparse.ArgumentParser = commands.add_parser(
        "evaluate",
        help="compare labels with a reference",
        description="Compare labels with a reference: Dice, 95 % Hausdorff distance, mean surface distance (both in "
        "mm) and volumes in mL, for each class.",
    )
    sub.add_argument("prediction", type=Path, metavar="PRED", help="a label file, or a folder of them")
    sub.add_argument("reference", type=Path, metavar="REF", help="the reference, or a folder with the same names")
    sub.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")
    sub.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Compare and print a table."""
    from napari_vol3d.cli.bar import run_with_bar
    from napari_vol3d.io.safe_write import write_text
    from napari_vol3d.pipeline.evaluate import evaluate, find_pairs

    pairs = find_pairs(chosen.prediction, chosen.reference)
    result = run_with_bar(evaluate(pairs), title="evaluate", unit="scan")
    sys.stdout.write(result.table() + "\n")
    if chosen.json:
        write_text(chosen.json, result.model_dump_json(indent=2))
    return 0
