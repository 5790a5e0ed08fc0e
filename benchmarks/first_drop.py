"""How long the window stands still at the first of each: project, model, DICOM folder, tab, dialog, labels.

Run by hand: `python benchmarks/first_drop.py [--json FILE] [--quick] [--repeats N]`; where there is no display the
window opens in a virtual one (xvfb-run). Each is measured in a fresh process, medians over the repeats. A drop is one
on the window, as a file manager does it; napari's canvas is not painted, so that software OpenGL does not count.

- `project_still_ms`, `model_still_ms`, `dicom_still_ms`: of what is dropped; the longest time between two ticks of a
  5 ms timer, from the drop until it is there and the window is quiet again
- `review_still_ms`, `models_still_ms`, `correct_still_ms`: of a tab that is opened for the first time
- `new_still_ms`: of the dialog for a new project, the first thing that is pressed in the Review tab
- `labels_still_ms`: of the first labels beside a scan, from when on nothing that is painted is lost
- `*_s`: from the drop or the click until it is there
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from common import DATA, Figures, Side, arguments, finish, machine, tell
from reading import SCREEN, WINDOW, until, wait

if TYPE_CHECKING:
    from napari_vol3d.gui.workbench import Workbench

TICK_MS = 5
QUIET_S, AFTER_S = 3.0, 1.0
SMALL = (16, 24, 20)
KINDS = ("project", "model", "dicom", "review", "models", "correct", "new", "labels")
REPEATS = 3


def main() -> None:
    """Open a window for each, print what was measured."""
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    chosen = parser.parse_args()
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.execvp(SCREEN[0], [*SCREEN, sys.executable, *sys.argv])
    repeats = 1 if chosen.quick else chosen.repeats
    figures: Figures = machine("napari", "sqlalchemy", "PyQt5") | {"repeats": repeats}
    with tempfile.TemporaryDirectory(prefix="vol3d-bench-") as folder:
        os.environ["VOL3D_JOURNALS"] = str(Path(folder) / "journals")
        project = a_project(Path(folder) / "study")
        for kind in chosen.kinds:
            path = {"project": project, "dicom": DATA / "dicom" / "hippocrop", "model": a_model()}.get(kind, project)
            if path.exists():
                figures |= measured(kind, path, repeats)
            else:
                tell(f"Left out: {kind}, for want of {path.name}. Set VOL3D_DATA to the folder of the data.")
    finish(figures, chosen.json)


def measured(kind: str, path: Path, repeats: int) -> Figures:
    """Measure one kind of beginning, each time in a process of its own."""
    still, there = [], []
    for _ in range(repeats):
        with Side("first_drop") as side, tempfile.TemporaryDirectory(prefix="vol3d-bench-") as settings:
            one = side("begin", kind, path, Path(settings))
        still.append(one[0])
        there.append(one[1])
    return {f"{kind}_still_ms": statistics.median(still), f"{kind}_s": statistics.median(there)}


def a_project(folder: Path) -> Path:
    """Make a project of two small scans; gives its file."""
    import nibabel as nib

    from napari_vol3d.review.project.records import Case, ImageRef
    from napari_vol3d.review.project.store import Project

    (folder / "images").mkdir(parents=True)
    cases = []
    for name in ("one", "two"):
        voxels = np.random.default_rng(1).integers(0, 900, SMALL).astype(np.int16)
        nib.save(nib.Nifti1Image(voxels, np.eye(4)), folder / "images" / f"{name}.nii.gz")
        cases.append(Case(name=name, code=name, images=(ImageRef(path=f"images/{name}.nii.gz"),)))
    return Project.create(folder / "study.vol3d", name="study", cases=cases).path


def a_model() -> Path:
    """Give the file of the bundled model."""
    from napari_vol3d.models.store import find_model

    return find_model("hippocampus-t1").weights


# ---- in a process of its own ----------------------------------------------------------------------------------------


def begin(kind: str, path: Path, settings: Path) -> tuple[float, float]:
    """Do it in a new window; gives the longest time it stood still, in ms, and the seconds until it was there."""
    os.environ["NAPARI_CONFIG"] = str(settings / "settings.yaml")
    import napari

    from napari_vol3d.gui.consent import open_drops_here

    open_drops_here()
    viewer = napari.Viewer(title="first drop")
    viewer.window.resize(*WINDOW)
    viewer.window._qt_viewer.canvas.native.setUpdatesEnabled(False)
    _, bench = viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
    if kind == "new":
        bench._show_review()
        until(lambda: bench.reviewing is not None)
    elif kind == "labels":
        viewer.add_image(np.zeros(SMALL, np.int16), name="scan")
    wait(QUIET_S)
    found = watched(lambda: act(kind, viewer, bench, path), lambda: there(kind, viewer, bench))
    bench.let_go()
    viewer.close()
    wait(AFTER_S)
    return found


def act(kind: str, viewer: Any, bench: Workbench, path: Path) -> None:
    """Do what a person does."""
    if kind in ("project", "model", "dicom"):
        drop(viewer, path)
    elif kind in ("review", "models", "correct"):
        bench._pages.setCurrentIndex(1)
        bench.tabs.setCurrentWidget(
            {"review": bench._review_page, "models": bench._models_page, "correct": bench._correct_page}[kind]
        )
    elif kind == "new":
        assert bench.reviewing is not None
        bench.reviewing.panel.ui.new.click()
    else:
        viewer.add_labels(np.zeros(SMALL, np.uint8))


def there(kind: str, viewer: Any, bench: Workbench) -> bool:
    """Whether what was begun is on the screen."""
    if kind == "project":
        session = bench.reviewing.session if bench.reviewing is not None else None
        return session is not None and bool(session.rows)
    if kind == "dicom":
        return bool(viewer.layers)
    if kind == "new":
        return bench.reviewing is not None and bench.reviewing._dialog is not None
    if kind == "model":
        return bench.modelling is not None and bench.modelling.adding.source is not None
    room = {"review": bench.reviewing, "models": bench.modelling}.get(kind, bench.correcting)
    return room is not None


def drop(viewer: Any, path: Path) -> None:
    """Drop a file on the window."""
    from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
    from qtpy.QtGui import QDropEvent

    window, mime = viewer.window._qt_viewer, QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    place, copy = QPointF(window.rect().center()), Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(place, copy, mime, buttons, keys))


def watched(what: Callable[[], None], is_there: Callable[[], bool]) -> tuple[float, float]:
    """Give the longest time between two ticks, in ms, and the seconds until it is there."""
    from qtpy.QtCore import Qt, QTimer

    ticks: list[float] = []
    clock = QTimer()
    clock.setTimerType(Qt.TimerType.PreciseTimer)
    clock.timeout.connect(lambda: ticks.append(time.perf_counter()))
    clock.start(TICK_MS)
    wait(0.1)
    began = time.perf_counter()
    what()
    until(is_there)
    seconds = time.perf_counter() - began
    wait(AFTER_S)
    clock.stop()
    return float(np.diff(ticks).max()) * 1e3, seconds


if __name__ == "__main__":
    main()
