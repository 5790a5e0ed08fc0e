"""`napari-vol3d demo`: the main job, in the window, in one command."""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from napari_vol3d.core.errors import Vol3dError

log = logging.getLogger(__name__)
OPEN_QT = "from qtpy.QtWidgets import QApplication; QApplication([])"


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
    from napari_vol3d.io.registry import read_volume
    from napari_vol3d.models.store import find_model

    # What can be refused is refused before a window comes up.
    scan = None if chosen.scan is None else read_volume(chosen.scan)
    if chosen.model is not None:
        find_model(chosen.model)
    _require_display()
    from napari_vol3d.gui.demo import show

    return show(scan, model=chosen.model, out=chosen.out, stay=not chosen.headless)


def _require_display() -> None:
    """Refuse in words where Qt would end the process with an abort.

    Raises
    ------
    Vol3dError
        If no window can be opened.
    """
    hint = (
        "Run `make demo`, which brings a virtual display, or "
        '`xvfb-run -a -s "-screen 0 1600x1000x24" napari-vol3d demo --headless`.'
    )
    linux = sys.platform.startswith("linux")
    blind = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in ("offscreen", "minimal")  # they can't draw OpenGL
    if blind or (linux and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))):
        raise Vol3dError("No display: napari can't open a window here.", hint=hint)
    # Only Qt itself knows whether it can use the display; where it can't, it takes its process with it.
    tried = subprocess.run([sys.executable, "-c", OPEN_QT], capture_output=True, text=True, check=False)
    if tried.returncode:
        log.info("Qt said: %s", tried.stderr.strip())
        raise Vol3dError("No window: Qt can't use the display, or lacks a system library.", hint=hint)
