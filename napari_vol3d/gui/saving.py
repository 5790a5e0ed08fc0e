"""Saving labels: on the scan's own grid, in a thread of its own, believed only after reading back."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import source_of, to_volume, with_painted_classes
from napari_vol3d.io.registry import is_volume_file, label_name, write_labels

FILTERS = "NIfTI (*.nii.gz *.nii);;TIFF (*.tif *.tiff)"


def ask_and_save(parent: QWidget, layer: Labels, say: Callable[[str], None]) -> Job | None:
    """Ask where, then save; None where the person has thought better of it."""
    target = _ask_where(parent, default_target(layer))
    return None if target is None else save_in_background(parent, layer, target, say)


def save_in_background(parent: QWidget, layer: Labels, target: Path, say: Callable[[str], None]) -> Job:
    """Save a snapshot of the layer; the person may paint on meanwhile."""
    volume = to_volume(layer)
    snapshot = volume.with_data(np.array(volume.data))
    job = Job(_save(target, snapshot), name=f"Saving {target.name}", parent=parent)
    job.succeeded.connect(lambda path: say(f"Saved {Path(path).name} in {Path(path).parent}"))
    job.failed.connect(lambda problem: say(str(problem)))
    say(f"Saving {target.name} ...")
    job.start()
    return job


def default_target(layer: Labels) -> Path:
    """Propose a file beside the scan, in the scan's format where it keeps labels."""
    source = source_of(layer)
    if source is None:
        return Path.home() / f"{layer.name.replace(' ', '_')}.nii.gz"
    return source.parent / label_name(source)


def _ask_where(parent: QWidget, proposed: Path) -> Path | None:
    chosen, kind = QFileDialog.getSaveFileName(parent, "Save labels", str(proposed), FILTERS)
    if not chosen or is_volume_file(Path(chosen)):
        return Path(chosen) if chosen else None
    completed = Path(f"{chosen}.tif" if kind.startswith("TIFF") else f"{chosen}.nii.gz")
    # The dialog knows only the name as it was typed: it has not asked whether this file may be replaced.
    return _ask_where(parent, completed) if completed.exists() else completed


def _save(target: Path, volume: Volume) -> Generator[Progress, None, Path]:
    yield Progress(phase=f"Saving {target.name}")
    return write_labels(target, with_painted_classes(volume))
