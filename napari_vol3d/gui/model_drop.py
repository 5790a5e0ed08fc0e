"""Files that open in the dock, not as layers: which bench takes them, and a model that was dropped."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.model_files import is_model

if TYPE_CHECKING:
    from napari_vol3d.gui.workbench import Workbench

HANDLED: list[Any] = [(None,)]  # napari's word for "done, no layer"
MOST_LOOKED_AT = 200  # entries of a folder
OF_NETWORKS = (".pb", ".pbtxt", ".ckpt")  # beside those that are models by themselves


def open_model(path: str | Sequence[str]) -> list[Any]:
    """Show in the dock what a model is and ask whether it shall be added; it gives no layer.

    Of several the first is shown, and the dock names the others as not taken.
    """
    for one in map(Path, [path] if isinstance(path, str | os.PathLike) else path):
        bench_for(one, "a model").add_model(one)
    return HANDLED


def holds_models(path: Path) -> bool:
    """Whether a folder that is no model itself holds some, of whatever kind: the gate says what to do with it."""
    try:
        return path.is_dir() and any(
            entry.suffix.lower() in OF_NETWORKS or is_model(entry) for entry in islice(path.iterdir(), MOST_LOOKED_AT)
        )
    except OSError:
        return False


def bench_for(path: Path, kind: str) -> Workbench:
    """Give the dock of the window, opened where it is not.

    Raises
    ------
    FileProblem
        If there is no window.
    """
    viewer = napari.current_viewer()
    if viewer is None:
        raise FileProblem(f"{path.name} is {kind}, not a scan.", hint="Open it in a napari window.")
    bench: Workbench = viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")[1]
    return bench
