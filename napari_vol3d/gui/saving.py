"""Saving labels: on the scan's own grid, in a thread of its own, believed only after reading back."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator
from importlib.resources import files
from itertools import chain, count
from pathlib import Path

import numpy as np
from napari import current_viewer
from napari.layers import Labels
from platformdirs import user_documents_path
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import source_of, to_volume, with_painted_classes
from napari_vol3d.gui.space import on_its_scan
from napari_vol3d.io.registry import is_volume_file, label_name, stem, write_labels

KINDS = {  # what the dialog offers, and the extension that completes a name typed without one
    "NIfTI (*.nii.gz *.nii)": ".nii.gz",
    "Slicer segmentation (*.seg.nrrd *.nrrd)": ".seg.nrrd",
    "TIFF (*.tif *.tiff)": ".tif",
    "OME-Zarr (*.ome.zarr *.zarr)": ".ome.zarr",
    "DICOM segmentation (*.dcm)": ".dcm",
    "Surfaces in mm (*.stl *.obj)": ".stl",
    "Table of volumes (*.csv)": ".csv",
    "Names and colours (*.label *.json)": ".label",
}


def ask_and_save(parent: QWidget, layer: Labels, say: Callable[[str], None]) -> Job | None:
    """Ask where, then save; None where the person has thought better of it."""
    target = _ask_where(parent, default_target(layer))
    return None if target is None else save_in_background(parent, layer, target, say)


def save_in_background(parent: QWidget, layer: Labels, target: Path, say: Callable[[str], None]) -> Job:
    """Save a snapshot of the layer; the person may paint on meanwhile."""
    viewer = current_viewer()
    volume = on_its_scan(to_volume(layer), layer, viewer.layers if viewer is not None else ())
    snapshot = volume.with_data(np.array(volume.data))
    job = Job(_save(target, snapshot), name=f"Saving {target.name}", parent=parent)
    job.succeeded.connect(lambda path: say(_saved(Path(path), target)))
    job.failed.connect(lambda problem: say(str(problem)))
    say(f"Saving {target.name} ...")
    job.start()
    return job


def _saved(written: Path, target: Path) -> str:
    """Say what was written: an .stl holds one class, so that several files may stand for the one that was named."""
    several = " and a file for each other class" if written != target and written.suffix.lower() == ".stl" else ""
    return f"Saved {written.name}{several} in {written.parent}"


def default_target(layer: Labels) -> Path:
    """Propose a file that is not there yet: beside the scan, in its format where that keeps labels.

    The scan's folder is left alone where it belongs to this package or can't be written to; then it is the person's
    documents.
    """
    source = source_of(layer)
    if source is None:
        name = re.sub(r"[^\w.()-]+", "_", layer.name) + ".nii.gz"
    else:
        name = source.name if stem(source).endswith("_labels") else label_name(source)
    folder = None if source is None else _outside_zarr(source.resolve())
    return _free(folder if folder is not None and _is_theirs(folder) else _documents(), name)


def _outside_zarr(path: Path) -> Path:
    """Give the folder that a file lies in; for what is inside a Zarr folder, the one around that."""
    around = [parent.parent for parent in path.parents if parent.suffix.lower() == ".zarr"]
    return around[-1] if around else path.parent


def _is_theirs(folder: Path) -> bool:
    package = Path(str(files("napari_vol3d"))).resolve()
    ours = folder.is_relative_to(package) or folder.is_relative_to(package.parent / "sample_data")
    return not ours and "site-packages" not in folder.parts and _can_write(folder)


def _can_write(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK)


def _documents() -> Path:
    return next((f for f in (user_documents_path(), Path.home()) if _can_write(f)), Path.cwd())


def _free(folder: Path, name: str) -> Path:
    """Number the name where a file has it already."""
    root = stem(name)
    numbered = (f"{root}_{number}{name.removeprefix(root)}" for number in count(2))
    return next(folder / one for one in chain((name,), numbered) if not (folder / one).exists())


def _ask_where(parent: QWidget, proposed: Path) -> Path | None:
    chosen, kind = QFileDialog.getSaveFileName(parent, "Save labels", str(proposed), ";;".join(KINDS))
    if not chosen or is_volume_file(Path(chosen)):
        return Path(chosen) if chosen else None
    completed = Path(chosen + KINDS.get(kind, ".nii.gz"))
    # The dialog knows only the name as it was typed: it has not asked whether this file may be replaced.
    return _ask_where(parent, completed) if completed.exists() else completed


def _save(target: Path, volume: Volume) -> Generator[Progress, None, Path]:
    yield Progress(phase=f"Saving {target.name}")
    return write_labels(target, with_painted_classes(volume))
