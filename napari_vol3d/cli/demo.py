"""`napari-vol3d demo`: the main job, in the window, in one command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    sub: argparse.ArgumentParser = commands.add_parser(
        "demo",
        help="open a scan in napari, segment it, and leave the window to you",
        description="Open a scan in napari with the Vol3D dock, segment it with the bundled model and save the labels "
        "and a screenshot: the state you would have after three clicks.",
    )
    sub.add_argument("scan", nargs="?", type=Path, help="a scan of your own; by default the hippocampus sample")
    sub.add_argument("--model", default=None, help="name of the model; by default the first that is bundled")
    sub.add_argument("--out", type=Path, default=Path("out/demo"), help="where labels and screenshot go")
    sub.add_argument("--headless", action="store_true", help="close the window when done (for virtual displays)")
    sub.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Start napari; the only command that loads it."""
    from napari_vol3d.gui.demo import show

    return show(chosen.scan, model=chosen.model, out=chosen.out, stay=not chosen.headless)
