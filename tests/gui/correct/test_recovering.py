"""What a session that was killed had not saved comes back in a new window, bit for bit, and goes on in its journal."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.recovering import Recovering
from napari_vol3d.gui.layers import source_of
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review.about import About
from napari_vol3d.review.fallback import journals_folder
from napari_vol3d.review.history import MODEL
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Layer, edit_event, new_token
from napari_vol3d.review.recovery import Found, unsaved_in
from napari_vol3d.review.restore import Restored, restore
from tests.builders import phantom, save_nifti
from tests.gui.correct.conftest import WAIT_MS

ROOT = Path(__file__).parents[3]
PATIENCE = 240  # seconds: napari keeps a window open in which something fails
SHAPE = (20, 24, 18)

# A window with our dock, in which labels of a scan are corrected in every way; it says when all is on the disk, leaves
# what it holds in a file, and waits to be killed.
SESSION = """
import sys
import time

import napari
import numpy as np
from qtpy.QtCore import QTimer

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.label_looks import give_name
from napari_vol3d.gui.placing import placed_like

scan_file, left = sys.argv[1:]
viewer = napari.Viewer()
_, bench = viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
(scan,) = viewer.open(scan_file, plugin="napari-vol3d")
base = np.zeros(scan.data.shape, np.uint8)
base[3:9, 4:12, 5:9] = 1
labels = viewer.add_labels(base, name="reading", **placed_like(scan))
record = bench.correct().desk.record
rng = np.random.default_rng(1)


def change(by_model: bool = False) -> None:
    start = [int(rng.integers(0, n - 6)) for n in base.shape]
    box = tuple(slice(a, a + 6) for a in start)
    before = record.labels[box].copy()
    after = np.where(rng.random(before.shape) < 0.6, rng.integers(0, 5), before).astype(np.uint8)
    edit = Edit.between(f"Change {len(record.history.steps)}", before, after, start=tuple(start))
    if edit is not None:
        record.do(edit, by_model=by_model)


def work() -> None:
    for number in range(12):
        change(by_model=number % 4 == 3)
    labels.brush_size = 5
    labels.paint((10, 12, 9), 3)
    record.settle()
    give_name(labels, 4, "lesion")
    for _ in range(3):
        record.undo()
    change()
    record.jump(record.history.steps[-3].token)
    change()
    record.undo()
    waited = time.monotonic() + 60
    QTimer.singleShot(0, lambda: say(waited))


def say(until: float) -> None:
    ledger = record.book.ledger
    if ledger is None or record.book.waiting:
        assert time.monotonic() < until
        QTimer.singleShot(20, lambda: say(until))
        return
    assert ledger.writer.flush(30)
    steps = [step.name for step in record.history.steps]
    np.savez(left, labels=record.labels, touched=record.touched.mask, steps=steps, at=record.history.at)
    print("left", flush=True)


QTimer.singleShot(0, work)
napari.run()
"""


@pytest.fixture
def scan_file(tmp_path: Path) -> Path:
    return save_nifti(tmp_path / "patient.nii.gz", phantom(SHAPE)[0], spacing=(0.5, 1.0, 2.0))


@pytest.fixture
def killed(scan_file: Path, tmp_path: Path) -> dict[str, Any]:
    """What a session held when it was killed."""
    left, log = tmp_path / "left.npz", tmp_path / "session.log"
    command = [sys.executable, "-c", SESSION, str(scan_file), str(left)]
    with log.open("w") as errors, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=dict(os.environ)
    ) as process:  # fmt: skip
        patience = threading.Timer(PATIENCE, process.kill)
        patience.start()
        assert process.stdout is not None
        said = next((line for line in process.stdout if line.startswith("left")), "")
        process.kill()
        patience.cancel()
    assert said, log.read_text()
    return dict(np.load(left))


@pytest.fixture
def recovering(desk: Desk) -> Iterator[Recovering]:
    made = Recovering(desk)
    yield made
    made.let_go()
    made.deleteLater()


def journal_of(source: Path | None, base: np.ndarray, *, timed: bool = False) -> Found:
    """Leave a journal of two corrections, one of them a model's."""
    geometry = Geometry.from_spacing((2.0, 1.0, 0.5), unit="mm")
    about = About(
        source=source, geometry=geometry, classes=(LabelClass(id=2, name="liver", color="#112233"),), timed=timed
    )
    path = journals_folder() / "0123.journal"
    journal = Journal.open(path)
    layer = journal.add_layer(Layer.of(base, scan="0123", name="reading", about=about.plain()), base=base)
    frame, parent = len(base) - 1 if base.ndim == 4 else 0, None
    for place, who in ((1, ""), (3, MODEL)):
        before = np.zeros((2, 3, 4), base.dtype)
        edit = Edit.between(f"At {place}", before, before + place, start=(place, 2, 2), frame=frame)
        assert edit is not None
        token = new_token()
        journal.add(layer, [edit_event(layer.key, edit, parent=parent, token=token, who=who)])
        parent = token
    (found,) = unsaved_in()
    return found


def recover(qtbot: Any, recovering: Recovering, found: Found) -> Record:
    with qtbot.waitSignal(recovering.recovered, timeout=WAIT_MS) as told:
        recovering.recover([found])
    assert told.args == [found]
    record = recovering._desk.record
    assert record is not None
    return record


def test_a_killed_session_comes_back_and_goes_on(
    qtbot: Any, killed: dict[str, Any], bench: Workbench, viewer: Viewer, scan_file: Path
) -> None:
    qtbot.waitUntil(bench.recover.isVisible, timeout=WAIT_MS)
    (found,) = bench.recover.found
    qtbot.mouseClick(bench.recover.recover, Qt.MouseButton.LeftButton)
    recovering = bench.correct().recovering
    qtbot.waitUntil(lambda: bench.correct().desk.record is not None, timeout=WAIT_MS)
    assert recovering is bench.correct().recovering
    record = bench.correct().desk.record
    assert record is not None
    assert np.array_equal(record.layer.data, killed["labels"])
    assert np.array_equal(record.touched.mask, killed["touched"])
    assert [step.name for step in record.history.steps] == killed["steps"].tolist()
    assert record.history.at == killed["at"]
    assert bench.recover.found == ()
    assert not bench.recover.isVisible()
    scan, labels = viewer.layers
    assert isinstance(scan, Image)
    assert isinstance(labels, Labels)
    assert source_of(scan) == scan_file
    assert labels.name == "reading"
    assert labels.data_to_world((1, 2, 3)) == pytest.approx(scan.data_to_world((1, 2, 3)))
    assert {item.id: item.name for item in record.classes()}[4] == "lesion"
    # It goes on: in its history, and in its journal.
    here = record.history.cursor
    record.jump(None)
    assert not record.touched.mask.any()
    base = np.zeros(labels.data.shape, np.uint8)
    base[3:9, 4:12, 5:9] = 1
    assert np.array_equal(labels.data, base)
    record.jump(here)
    record.redo()
    assert record.history.at == killed["at"] + 1
    before = record.labels[:1].copy()
    edit = Edit.between("After the night", before, np.full_like(before, 9))
    assert edit is not None
    record.undo()
    record.do(edit)
    final = labels.data.copy()
    qtbot.waitUntil(lambda: record.book.ledger is not None and not record.book.waiting, timeout=WAIT_MS)
    assert record.book.ledger is not None
    assert record.book.ledger.path == found.journal
    bench.let_go()
    (again,) = unsaved_in()
    assert again.layer.key == found.layer.key
    restored = end_of_restore(again)
    assert np.array_equal(restored.labels, final)
    assert restored.line.entries[-1].name == "After the night"


def end_of_restore(found: Found) -> Restored:
    verb = restore(found.journal, found.layer)
    while True:
        try:
            next(verb)
        except StopIteration as end:
            restored: Restored = end.value
            return restored


def test_where_the_scan_is_gone_the_labels_come_alone(qtbot: Any, viewer: Viewer, recovering: Recovering) -> None:
    found = journal_of(Path("gone") / "scan.nii.gz", np.zeros((8, 9, 10), np.uint8))
    record = recover(qtbot, recovering, found)
    (labels,) = viewer.layers
    assert labels is record.layer
    assert np.unique(labels.data).tolist() == [0, 1, 3]
    assert tuple(labels.scale) == (2.0, 1.0, 0.5)
    assert [item.name for item in record.classes()] == ["liver"]
    assert np.array_equal(record.corrected, labels.data == 1)
    record.undo()
    assert np.unique(labels.data).tolist() == [0, 1]


def test_a_series_comes_alone_too(qtbot: Any, viewer: Viewer, recovering: Recovering) -> None:
    found = journal_of(None, np.zeros((3, 8, 9, 10), np.uint8), timed=True)
    record = recover(qtbot, recovering, found)
    (labels,) = viewer.layers
    assert labels.data.shape == (3, 8, 9, 10)
    assert labels.data.any(axis=(1, 2, 3)).tolist() == [False, False, True]
    viewer.dims.set_current_step(0, 2)
    assert np.array_equal(record.corrected, labels.data[2] == 1)
    record.jump(None)
    assert not labels.data.any()


def test_a_scan_that_cannot_be_read_any_more_keeps_nothing_from_coming_back(
    qtbot: Any, viewer: Viewer, recovering: Recovering, tmp_path: Path
) -> None:
    broken = tmp_path / "scan.nii.gz"
    broken.write_bytes(b"no scan")
    found = journal_of(broken, np.zeros((8, 9, 10), np.uint8))
    record = recover(qtbot, recovering, found)
    assert list(viewer.layers) == [record.layer]


def test_a_scan_of_another_shape_is_not_taken_for_it(
    qtbot: Any, viewer: Viewer, recovering: Recovering, scan_file: Path
) -> None:
    found = journal_of(scan_file, np.zeros((8, 9, 10), np.uint8))
    record = recover(qtbot, recovering, found)
    assert tuple(record.layer.scale) == (2.0, 1.0, 0.5)
    assert record.labels.any()


def test_the_scan_that_is_open_already_is_used(
    qtbot: Any, viewer: Viewer, recovering: Recovering, scan_file: Path
) -> None:
    (scan,) = viewer.open(scan_file, plugin="napari-vol3d")
    found = journal_of(scan_file, np.zeros(scan.data.shape, np.uint8))
    record = recover(qtbot, recovering, found)
    assert list(viewer.layers) == [scan, record.layer]
    assert record.layer.data_to_world((1, 2, 3)) == pytest.approx(scan.data_to_world((1, 2, 3)))


def test_what_cannot_be_had_is_said_and_the_next_comes(qtbot: Any, recovering: Recovering) -> None:
    found = journal_of(None, np.zeros((8, 9, 10), np.uint8))
    lost = Found(journal=found.journal.with_name("lost.journal"), layer=found.layer, edits=1, time=found.time)
    with qtbot.waitSignals([recovering.failed, recovering.recovered], timeout=WAIT_MS) as told:
        recovering.recover([lost, found])
    (failed, recovered) = told.all_signals_and_args
    assert failed.args[0] is lost
    assert failed.args[1]
    assert recovered.args == (found,)


def test_discarded_ones_are_not_offered_again(qtbot: Any, recovering: Recovering) -> None:
    found = journal_of(None, np.zeros((8, 9, 10), np.uint8))
    recovering.discard([found])
    qtbot.waitUntil(lambda: unsaved_in() == (), timeout=WAIT_MS)
    journal = Journal.open(found.journal)
    assert len(journal.line(found.layer).entries) == 2  # nothing is deleted
