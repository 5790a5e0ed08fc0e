"""Saving a table of objects, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from platformdirs import user_documents_path
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_vol3d.core.object_csv import objects_csv
from napari_vol3d.core.object_order import places_of
from napari_vol3d.core.object_table import Ints
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.forms.object_model import Listed
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.label_looks import names_in
from napari_vol3d.gui.panels.object_search import FoundObjects
from napari_vol3d.io.safe_write import write_text


def ask_and_save(
    parent: QWidget, found: FoundObjects, listed: Listed, rows: Ints, say: Callable[[str], None]
) -> Job | None:
    """Ask where, then save rows as they are listed; None where the person has thought better of it.

    Parameters
    ----------
    listed : Listed
        The table of objects, or of classes.
    say : callable
        Method of an object that outlives the job: hears what was saved, or why not.
    """
    layer = found.record.layer
    proposed = str(user_documents_path() / f"{layer.name} {'classes' if listed.by_class else 'objects'}.csv")
    name, _ = QFileDialog.getSaveFileName(parent, "Save the table", proposed, "Table (*.csv)")
    if not name:
        return None
    target = Path(name if name.lower().endswith(".csv") else f"{name}.csv")
    job = Job(_save(target, listed, rows, names_in(layer)), name=f"Saving {target.name}", parent=parent)
    job.succeeded.connect(say)
    job.start()
    return job


def _save(target: Path, listed: Listed, rows: Ints, names: dict[int, str]) -> Generator[Progress, None, str]:
    yield Progress(phase=f"Saving {target.name}")
    table, geometry = listed.table, listed.geometry
    text = objects_csv(table, rows, names=names, places=places_of(table, geometry), unit=geometry.unit)
    write_text(target, text)
    return f"Saved {target.name} in {target.parent}"
