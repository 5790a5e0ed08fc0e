"""Make docs/review.png: a project of scans that the bundled model has never seen, in the real window.

    xvfb-run -a -s "-screen 0 1600x1000x24" python scripts/review_picture.py

The scans lie where tests find them: `VOL3D_DATA`, by default ../shared/data (hippocampus, CC-BY-SA 4.0).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("VOL3D_DATA") or ROOT.parent / "shared" / "data")
TARGET = ROOT / "docs" / "review.png"
MODEL, SCANS, PATIENCE_S, SETTLE_S = "hippocampus-t1", 12, 120.0, 4.0
SIZE = (1500, 950)


def main() -> int:
    """Make the project, accept three cases, go to a place, and save what is seen."""
    with tempfile.TemporaryDirectory() as made:
        os.environ["NAPARI_CONFIG"] = str(Path(made) / "settings.yaml")
        os.environ["VOL3D_JOURNALS"] = str(Path(made) / "journals")
        work(project_in(Path(made)))
    return 0


def project_in(folder: Path) -> Path:
    """Copy the scans, and make a project of them."""
    from napari_vol3d.models.store import find_model, find_recipe
    from napari_vol3d.review.project.gather import gather
    from napari_vol3d.review.project.store import Project

    (folder / "images").mkdir()
    for name in json.loads(find_recipe(MODEL).read_text())["test"][:SCANS]:
        shutil.copy(DATA / "hippocampus" / "images" / f"{name}.nii.gz", folder / "images")
    card, path = find_model(MODEL).card, folder / "study.vol3d"
    model = {"name": card.name, "version": card.version, "sha256": card.weights.sha256}
    cases = gather([folder / "images"], base=folder).cases
    return Project.create(path, name="Hippocampus study", cases=cases, classes=card.output.classes, model=model).path


def work(path: Path) -> None:
    """Be the person."""
    import napari

    viewer = napari.Viewer(title="napari-vol3d")
    viewer.window.resize(*SIZE)
    _, bench = viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
    bench.consent.hide()
    bench.open_project(path)
    room = bench.review()
    wait(lambda: room.session is not None and bool(room.session.rows))
    session = room.session
    session.open(next(iter(session.rows)))
    for _ in range(3):
        wait(lambda: session.watch.seen and session.shown is not None and session.shown.labels.data.any())
        room.panel.accept()
    wait(lambda: session.watch.seen and bool(room.panel.ui.places.value()))
    bench.reading.bench.open()
    settle(SETTLE_S)
    room.panel.next_place()
    settle(SETTLE_S)
    viewer.window.screenshot(str(TARGET), flash=False)
    bench.let_go()
    viewer.close()


def wait(done: Callable[[], bool]) -> None:
    """Let the window work until something is so."""
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > PATIENCE_S:
            raise TimeoutError("the window does not get there")
        settle(0.05)


def settle(seconds: float) -> None:
    """Let the window work."""
    from qtpy.QtWidgets import QApplication

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main())
