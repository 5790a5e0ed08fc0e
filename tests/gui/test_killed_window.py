"""The whole window is killed (SIGKILL) at some moment of a save, or in the middle of a run: files are whole, the engine
does not outlive it, and nothing of it lies about for long."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import psutil
import pytest
from napari import Viewer
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtWidgets import QWidget

from napari_vol3d.gui.saving import save_in_background
from napari_vol3d.io.registry import read_volume, write_labels
from napari_vol3d.models.store import find_model
from tests.builders import save_nifti
from tests.gui.conftest import PLUGIN, RUN_MS

ROOT = Path(__file__).parents[2]
SHAPE = (64, 256, 256)  # a second of packing
SOON = 20.0  # seconds, within which a process that has nothing left to do must be gone
LOOK = 0.002
PATIENCE = 300.0  # seconds, after which a window that did not come to the moment is given up
TRIES = 5  # who looks may be held up on a busy machine, and miss the moment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")

# A window as a person has it, with our dock; it opens a scan, says which process its engine is, makes labels, and then
# presses either "Save labels ..." or "Segment". The labels are those of `noise`, the file is named in a file dialog.
WINDOW = """
import sys

import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog

from napari_vol3d.gui.layers import labels_layer, to_volume
from tests.gui.test_killed_window import noise

scan_file, target, what = sys.argv[1:]
viewer = napari.Viewer()
_, bench = viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
(scan,) = viewer.open(scan_file, plugin="napari-vol3d")
panel = bench.segment
panel.update_plan()


def use() -> None:
    engine = panel._keeper.get("auto")
    print("engine", engine.process.pid, engine.folder, flush=True)
    if what == "save":
        volume = to_volume(scan)
        viewer.add_layer(labels_layer(noise(), volume, panel.model.card.output.classes, name="l", model="", like=scan))
        QFileDialog.getSaveFileName = lambda *_: (target, "")
        panel.ui.save.click()
    elif what == "segment":
        panel.ui.options.memory.setValue(0.2)
        panel.update_plan()
        panel.ui.run.click()
        panel.job.progressed.connect(lambda progress: print("done" if progress.done else "begun", flush=True))
        panel.job.ended.connect(lambda: print("ended", panel.ui.status.text(), flush=True))


QTimer.singleShot(0, use)
napari.run()
"""


def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 3, SHAPE, dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A folder with a scan and older labels, and what a window that runs there leaves in it."""

    folder: Path
    scan: Path
    target: Path
    old: bytes
    inode: int

    @property
    def written(self) -> int:
        """Bytes of the file that is being written beside the target; -1 while there is none."""
        sizes = [path.stat().st_size for path in self.folder.glob(".saving-*/*") if path.exists()]
        return sizes[0] if sizes else -1

    @property
    def replaced(self) -> bool:
        return self.target.stat().st_ino != self.inode

    @property
    def left(self) -> list[Path]:
        """Folders that a killed save left."""
        return list(self.folder.glob(".saving-*"))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return set_scene(tmp_path / "patient")


def set_scene(folder: Path) -> Scene:
    folder.mkdir()
    scan = save_nifti(folder / "scan.nii.gz", noise().astype(np.int16) * 50, spacing=(2, 1, 0.5))
    target = save_nifti(folder / "labels.nii.gz", np.ones((4, 5, 6), np.uint8))
    return Scene(folder=folder, scan=scan, target=target, old=target.read_bytes(), inode=target.stat().st_ino)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the save gives where nobody kills it: the same labels give the same bytes."""
    folder = tmp_path_factory.mktemp("whole")
    scan = read_volume(save_nifti(folder / "scan.nii.gz", np.zeros(SHAPE, np.int16), spacing=(2, 1, 0.5)))
    classes = find_model("hippocampus-t1").card.output.classes
    return write_labels(folder / "l.nii.gz", scan.with_data(noise(), classes=classes)).read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    process: subprocess.Popen[str]
    engine: psutil.Process
    engine_folder: Path

    def until(self, condition: Callable[[], bool]) -> None:
        """Look, often, until it is so; the window must live meanwhile."""
        while not condition():
            with pytest.raises(subprocess.TimeoutExpired):
                self.process.wait(timeout=LOOK)


@contextmanager
def window(scene: Scene, what: str, temporary: Path) -> Iterator[Window]:
    """A window in a process of its own, whose temporary files lie in a folder of their own; killed at the end.

    Or earlier, where it takes too long: napari keeps a window open in which something fails, and nobody waits for ever.
    """
    temporary.mkdir(exist_ok=True)
    log = temporary.with_suffix(".log")
    command = [sys.executable, "-c", WINDOW, str(scene.scan), str(scene.target), what]
    with log.open("w") as errors, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=os.environ | {"TMPDIR": str(temporary)}
    ) as process:  # fmt: skip
        patience = threading.Timer(PATIENCE, process.kill)
        patience.start()
        try:
            said = hear(process, "engine").split(maxsplit=2)
            assert len(said) == 3, log.read_text()
            yield Window(process=process, engine=psutil.Process(int(said[1])), engine_folder=Path(said[2].strip()))
        finally:
            patience.cancel()
            process.kill()
    assert process.returncode == -9


def hear(process: subprocess.Popen[str], start: str | tuple[str, ...]) -> str:
    """Give the next line that begins so, past what napari prints; empty where the process has ended."""
    assert process.stdout is not None
    return next((line for line in process.stdout if line.startswith(start)), "")


def voxels(path: Path) -> NDArray[Any]:
    """The file, read by nibabel to its last byte."""
    return np.asarray(nib.load(path).dataobj)


# ---- saving --------------------------------------------------------------------------------------------------------

# What is passed too, so that nobody waits for a moment that was missed.
MOMENTS: dict[str, Callable[[Scene, int], bool]] = {
    "before anything": lambda scene, size: True,
    "as it begins": lambda scene, size: scene.written >= 0 or scene.replaced,
    "at half of it": lambda scene, size: scene.written >= size // 2 or scene.replaced,
    "while it is read back": lambda scene, size: scene.written >= size or scene.replaced,
    "when it is done": lambda scene, size: scene.replaced,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_window_killed_while_it_saves_leaves_a_whole_file(whole: bytes, tmp_path: Path, moment: str) -> None:
    assert any(killed_at(moment, whole, tmp_path / str(number)) for number in range(TRIES))


def killed_at(moment: str, whole: bytes, folder: Path) -> bool:
    """Kill a window then, and check what it left; False where that was too late, the save was over."""
    folder.mkdir()
    scene, temporary = set_scene(folder / "patient"), folder / "temporary"
    with window(scene, "save", temporary) as shown:
        shown.until(lambda: MOMENTS[moment](scene, len(whole)))
        assert shown.engine.is_running()
        shown.process.kill()
        shown.process.wait()
        found = scene.target.read_bytes()
        shown.engine.wait(SOON)
    # The old file, or the new one; nothing else can be.
    assert found in (scene.old, whole)
    assert scene.target.read_bytes() == found
    assert voxels(scene.target).shape == ((6, 5, 4) if found == scene.old else SHAPE[::-1])
    # The scan that the engine was given, and its log, are gone with it.
    assert list(temporary.glob("vol3d-*")) == []
    if moment == "when it is done":
        assert found == whole
    in_the_middle = found == scene.old and bool(scene.left)
    return in_the_middle or moment not in ("as it begins", "at half of it")


def half_saved(folder: Path, whole: bytes) -> tuple[Scene, Path] | None:
    """Kill a window in the middle of a save, and give the folder that it left; None where that was too late."""
    folder.mkdir()
    scene = set_scene(folder / "patient")
    with window(scene, "save", folder / "temporary") as shown:
        shown.until(lambda: scene.written >= len(whole) // 2 or scene.replaced)
        shown.process.kill()
        shown.engine.wait(SOON)
    return (scene, scene.left[0]) if scene.left and scene.target.read_bytes() == scene.old else None


def test_a_later_save_takes_away_what_the_killed_one_left(
    qtbot: Any, viewer: Viewer, whole: bytes, tmp_path: Path
) -> None:
    scene, left = next(filter(None, (half_saved(tmp_path / str(number), whole) for number in range(TRIES))))
    for path in (*left.iterdir(), left):
        os.utime(path, (1e9, 1e9))  # younger ones are left alone: another machine may be writing there
    (scan,) = viewer.open(scene.scan, plugin=PLUGIN)
    labels = Labels(np.ones(SHAPE, np.uint8), scale=scan.scale, translate=scan.translate, units=scan.units)
    viewer.add_layer(labels)
    parent = QWidget()
    qtbot.addWidget(parent)
    said: list[str] = []
    job = save_in_background(parent, labels, scene.target, said.append)
    with qtbot.waitSignal(job.ended, timeout=RUN_MS):
        pass
    assert said[-1].startswith("Saved labels.nii.gz")
    assert sorted(path.name for path in scene.folder.iterdir()) == ["labels.nii.gz", "scan.nii.gz"]
    assert voxels(scene.target).all()


# ---- segmenting ----------------------------------------------------------------------------------------------------


def test_a_window_killed_in_the_middle_of_a_run_takes_its_engine_along(scene: Scene, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    with window(scene, "segment", temporary) as shown:
        assert shown.engine_folder.parent == temporary
        said = hear(shown.process, ("done", "ended"))
        assert said == "done\n", temporary.with_suffix(".log").read_text()  # a part of it; it is at the next
        assert list(shown.engine_folder.glob("*.npy"))
        shown.process.kill()
        shown.engine.wait(SOON)
    assert list(temporary.glob("vol3d-*")) == []
    assert scene.target.read_bytes() == scene.old
