"""A window with a project is killed (SIGKILL) in the middle of corrections: whoever opens the project next is at the
same case and slice, has every stroke that was acknowledged, and nobody holds the case any more."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from napari import Viewer
from numpy.typing import NDArray

from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review.project import claims
from napari_vol3d.review.project.accepting import verify, versions_of
from napari_vol3d.review.project.foreseen import labels_of_prediction
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.replay import replay
from tests.gui.review.conftest import WAIT_MS, key, there, written
from tests.gui.review.conftest import project as project

ROOT = Path(__file__).parents[2]
CASE, SLICE, ZOOM = 2, 7, 6.5
STROKES = 6  # that are acknowledged before the kill
SOON = 20.0  # seconds, within which a process that has nothing left to do must be gone
PATIENCE = 300.0  # seconds, after which a window that did not come so far is given up

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")

# A window as a person has it: a case is opened, and painted stroke after stroke; each is said with its checksum, and
# when it is acknowledged. In the middle of a stroke the hand rests, for good.
WINDOW = """
import sys
from pathlib import Path

import napari
from qtpy.QtCore import QTimer

from tests.gui.correct.mousing import drag, go_to, move, pixel_of, press
from tests.gui.test_killed_review import CASE, SLICE, STROKES, ZOOM, checksum

path, moment = sys.argv[1:]
viewer = napari.Viewer()
_, bench = viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
room = bench.review()
known, strokes = set(), 0


def say(*words):
    print(*words, flush=True)


def opened(project):
    room.session.listed.connect(lambda: room.session.open(list(room.session.rows)[CASE]))
    room.session.changed.connect(shown)


def shown():
    if room.session.shown is not None:
        record = room.session.shown.record
        go_to(bench.reading.bench, record, (SLICE, 8, 8))
        viewer.scene.camera.zoom = ZOOM
        bench.correct().panel.take("BallBrush")
        bench.correct().panel.tools["BallBrush"].size_form.setValue(6.0)
        record.book.acknowledged.connect(acknowledged)
        timer.start(20)


def acknowledged(tokens):
    known.update(tokens)
    for token in tokens:
        say("ack", token)


def paint():
    global strokes
    record, view = room.session.shown.record, bench.reading.bench.views[0]
    record.layer.selected_label = 1 + strokes % 2
    way = [pixel_of(view, record, (SLICE, 4 + strokes % 7, x)) for x in (4, 8, 12)]
    if moment == "in the middle of a stroke" and len(known) >= STROKES:
        timer.stop()
        press(view, way[0])
        move(view, way[1])
        say("held", record.drawing)
        return
    drag(view, way)
    strokes += 1
    say("put", record.history.cursor, checksum(record.labels))


timer = QTimer()
timer.timeout.connect(paint)
room.opened.connect(opened)
QTimer.singleShot(0, lambda: bench.open_project(Path(path)))
napari.run()
"""


def checksum(labels: NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(labels, np.uint16).tobytes())


@dataclass
class Said:
    """What a window said while it lived."""

    put: dict[str, int] = field(default_factory=dict)  # checksum of the labels after each stroke, by its token
    known: list[str] = field(default_factory=list)  # tokens, as they were acknowledged
    held: bool = False

    def hear(self, line: str) -> None:
        word, *rest = line.split() or [""]
        if word == "put":
            self.put[rest[0]] = int(rest[1])
        elif word == "ack":
            self.known.append(rest[0])
        elif word == "held":
            self.held = rest == ["True"]


@contextmanager
def window(path: Path, moment: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], Said]]:
    """A window in a process of its own, killed at the end, and what it said until then."""
    log, command = folder / "window.log", [sys.executable, "-c", WINDOW, str(path), moment]
    with log.open("w") as errors, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=os.environ | {"TMPDIR": str(folder)}
    ) as process:  # fmt: skip
        patience = threading.Timer(PATIENCE, process.kill)
        patience.start()
        said = Said()
        try:
            yield process, said
        finally:
            patience.cancel()
            process.kill()
        assert process.stdout is not None
        for line in process.stdout:  # what it said before the end
            said.hear(line)
    assert process.returncode == -9, log.read_text()


def kill(process: subprocess.Popen[str]) -> None:
    """Kill it; an engine that it has ends by itself."""
    engines = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(engines, timeout=SOON)
    assert not alive


def listen(process: subprocess.Popen[str], said: Said, moment: str) -> None:
    """Hear what it says until the moment has come."""
    assert process.stdout is not None
    for line in process.stdout:
        said.hear(line)
        if said.held if moment == "in the middle of a stroke" else len(said.known) >= STROKES:
            return


def wait_for_place(project: Project, process: subprocess.Popen[str]) -> None:
    """Wait until it is in the project where the person is: that is kept a moment after they came there."""
    reading = project.rows()[CASE].reading.key
    while not project.reading(reading).place:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)


@pytest.mark.parametrize("moment", ["between strokes", "in the middle of a stroke"])
def test_who_opens_the_project_next_goes_on_where_the_killed_one_was(
    qtbot: Any, bench: Workbench, viewer: Viewer, project: Project, tmp_path: Path, moment: str
) -> None:
    with window(project.path, moment, tmp_path) as (process, said):
        listen(process, said, moment)
        wait_for_place(project, process)
        assert claims.holders(project.journal).keys() == {project.rows()[CASE].reading.key}
        kill(process)
    assert len(said.known) >= STROKES
    assert not claims.holders(project.journal)  # as soon as it is gone

    bench.open_project(project.path)
    session = opened(qtbot, bench)
    there(qtbot, session, CASE)
    assert session.held is None
    assert viewer.dims.current_step[0] == SLICE
    assert viewer.scene.camera.zoom == ZOOM
    assert type(bench.correct().desk.tool).__name__ == "BallBrush"
    assert_whole(session, project, said)
    assert_goes_on(qtbot, bench, session, project)


def opened(qtbot: Any, bench: Workbench) -> Session:
    room = bench.review()
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=WAIT_MS)
    assert room.session is not None
    return room.session


def assert_whole(session: Session, project: Project, said: Said) -> None:
    """Every stroke that was acknowledged is there, in order, and the labels are those after the last one."""
    assert session.shown is not None
    record = session.shown.record
    assert record is not None
    tokens = [step.token for step in record.history.steps]
    assert tokens[: len(said.known)] == said.known
    assert set(tokens[:-1]) <= said.put.keys()  # the last may have been written before it was said
    if tokens[-1] in said.put:
        assert checksum(record.labels) == said.put[tokens[-1]]
    (layer,) = [layer for layer in project.journal.layers() if layer.key == session.current]
    assert np.array_equal(replay(project.journal, layer), record.labels)


def assert_goes_on(qtbot: Any, bench: Workbench, session: Session, project: Project) -> None:
    """What was done can be undone to the prediction, done again, and accepted: the log gives the same labels."""
    assert session.shown is not None
    record, start = session.shown.record, session.shown.loaded.start
    assert record is not None
    assert start is not None
    last, now = record.history.cursor, record.labels.copy()
    record.jump(None)
    assert np.array_equal(record.labels, labels_of_prediction(project, start.key))
    record.jump(last)
    assert np.array_equal(record.labels, now)
    bench.review().panel.accept()
    written(qtbot, session)
    (version,) = versions_of(project, key(session, CASE))
    assert np.array_equal(verify(project, version), now)
