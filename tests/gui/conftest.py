"""A real viewer with the dock in it, and hands to use it."""

from __future__ import annotations

import gc
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.qt.threading import WorkerBase
from qtpy.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDropEvent, QMouseEvent
from qtpy.QtWidgets import QApplication, QLabel, QWidget

from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.models.store import find_recipe
from napari_vol3d.review import writer
from tests.gui.patient_bot import PatientBot

ENDING_MS = 30_000
RUN_MS = 120_000  # TensorFlow wakes up on a busy machine
ANSWERED_WITHIN_SECONDS = 60.0
PLUGIN = "napari-vol3d"


class Impatience(QObject):
    """Dismisses a modal dialog that nobody answers: it would wait until pytest's clock ends the run."""

    def __init__(self) -> None:
        super().__init__()
        self.dismissed: list[str] = []
        self._dialog: QWidget | None = None
        self._since = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(1000)

    def end(self) -> None:
        self._timer.stop()
        self._dialog = None

    def _look(self) -> None:
        dialog, now = QApplication.activeModalWidget(), time.monotonic()
        if dialog is not self._dialog:
            self._dialog, self._since = dialog, now
        elif dialog is not None and now - self._since > ANSWERED_WITHIN_SECONDS:
            words = [label.text() for label in dialog.findChildren(QLabel)]
            self.dismissed.append(" ".join([type(dialog).__name__, dialog.windowTitle(), *words]))
            dialog.close()


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    """Take the place of pytest-qt's own."""
    return PatientBot(request)


@pytest.fixture(autouse=True)
def only_what_a_test_makes_is_looked_through() -> None:
    """Take what is there before a test out of the garbage collector's sight.

    napari collects for each layer that leaves a canvas, and we do before and after each test. Through all that napari,
    Qt and pytest have loaded it takes a quarter second, a third of a test's time. What is there now is no garbage:
    `nothing_left_behind` has just collected it.
    """
    gc.freeze()


@pytest.fixture(autouse=True)
def a_journal_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a disk that others write to keep a journal waiting: only tests of that very delay make it short again."""
    monkeypatch.setattr(writer, "PATIENCE", 5.0)


@pytest.fixture(autouse=True, scope="session")
def no_words_of_welcome() -> Iterator[None]:
    """Leave napari's welcome page as it was made: no test shows it, and each canvas writes it for each shortcut."""
    from napari._qt.widgets.qt_welcome import QtWelcomeWidget

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QtWelcomeWidget, "refresh", lambda self, event=None: None)
        yield


@pytest.fixture(autouse=True)
def nobody_is_asked_in_vain(qapp: QApplication) -> Iterator[None]:
    """Fail a test in which a dialog waits for a person."""
    impatience = Impatience()
    yield
    impatience.end()
    assert not impatience.dismissed


@pytest.fixture
def vol3d(npe2pm: Any) -> Iterator[Any]:
    """Our manifest, and only ours: npe2pm blocks what else is installed."""
    from npe2 import PluginManifest

    with npe2pm.tmp_plugin(manifest=PluginManifest.from_distribution(PLUGIN)):
        yield npe2pm


@pytest.fixture
def viewer(make_napari_viewer: Any, vol3d: Any, plugin_settings: Any) -> Iterator[Viewer]:
    """A shown viewer; threads that were told to stop have ended before anybody asks who still holds it."""
    viewer: Viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    yield viewer
    del viewer
    WorkerBase.await_workers(ENDING_MS)
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()


@pytest.fixture
def bench(viewer: Viewer) -> Iterator[Workbench]:
    """The dock in `viewer`; every job has ended when the test is over."""
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Vol3D")
    QApplication.processEvents()
    yield widget
    widget.let_go()


@pytest.fixture(scope="session")
def real_case(shared_data: Path) -> tuple[Path, Path]:
    """Scan and reference labels of a person whom the bundled model has never seen."""
    name = json.loads(find_recipe("hippocampus-t1").read_text())["test"][0]
    folder = shared_data / "hippocampus"
    return folder / "images" / f"{name}.nii.gz", folder / "labels" / f"{name}.nii.gz"


@pytest.fixture
def scan_file(real_case: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the real scan in a folder of its own."""
    return Path(shutil.copy(real_case[0], tmp_path / "patient one.nii.gz"))


def drop(viewer: Viewer, *paths: Path) -> None:
    """Drop files on the window, as a file manager does."""
    window = viewer.window._qt_viewer
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    window.dropEvent(
        QDropEvent(
            QPointF(window.rect().center()), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip
    QApplication.processEvents()


def press_segment(qtbot: Any, bench: Workbench) -> None:
    """Press the button and wait for the end of the run."""
    start_segment(qtbot, bench)
    job = bench.segment.job
    assert job is not None
    qtbot.waitUntil(lambda: not job.running, timeout=RUN_MS)


def start_segment(qtbot: Any, bench: Workbench) -> None:
    """Press the button when it is offered."""
    qtbot.waitUntil(bench.segment.ui.run.isEnabled, timeout=20_000)
    qtbot.mouseClick(bench.segment.ui.run, Qt.MouseButton.LeftButton)
    assert bench.segment.job is not None


def canvas_point(viewer: Viewer, world: tuple[float, float]) -> QPoint:
    """Where a world point (y, x) lies on the canvas, in a 2D view."""
    camera, native = viewer.scene.camera, viewer.window._qt_viewer.canvas.native
    y, x = camera.center[-2:]
    return QPoint(
        round((world[1] - x) * camera.zoom + native.width() / 2),
        round((world[0] - y) * camera.zoom + native.height() / 2),
    )


def move_mouse(
    widget: QWidget,
    pixel: QPoint,
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Move the mouse over a widget with a button down, now.

    qtbot's own moves set the pointer of the screen. They say that no button is down, and on a busy machine the screen
    may tell of them when the button was let go already.
    """
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(pixel), QPointF(widget.mapToGlobal(pixel)), Qt.MouseButton.NoButton, button,
        modifier,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    QApplication.processEvents()


def stroke(qtbot: Any, viewer: Viewer, start: tuple[float, float], stop: tuple[float, float]) -> None:
    """Drag with the left button between two world points."""
    native = viewer.window._qt_viewer.canvas.native
    first, last = canvas_point(viewer, start), canvas_point(viewer, stop)
    qtbot.mouseMove(native, first)
    qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=first)
    for share in np.linspace(0, 1, 7)[1:]:
        move_mouse(native, first + (last - first) * float(share))
        qtbot.wait(5)
    qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=last)
    QApplication.processEvents()


Stroke = Callable[..., None]
