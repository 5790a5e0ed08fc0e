"""Edits of a layer are kept from the first on: before its scan is known, without a scan, and when it is taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.label_looks import give_name
from napari_vol3d.gui.placing import placed_like
from napari_vol3d.review.about import About
from napari_vol3d.review.fallback import journal_of_scan, journals_folder
from napari_vol3d.review.identity import array_sha256, scan_sha256
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.recovery import unsaved_in
from napari_vol3d.review.replay import replay
from tests.builders import phantom, save_nifti
from tests.gui.conftest import PLUGIN
from tests.gui.correct.conftest import WAIT_MS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A scan on a disk."""
    return save_nifti(tmp_path / "scan.nii.gz", phantom()[0], spacing=(1.0, 2.0, 3.0))


@pytest.fixture
def opened(viewer: Viewer, file: Path) -> Image:
    """The scan, opened by us."""
    (scan,) = viewer.open(file, plugin=PLUGIN)
    assert isinstance(scan, Image)
    return scan


@pytest.fixture
def mine(viewer: Viewer, desk: Desk, opened: Image) -> Record:
    """Empty labels on it, under correction."""
    layer = viewer.add_labels(np.zeros(opened.data.shape, np.uint8), name="mine", **placed_like(opened))
    assert isinstance(layer, Labels)
    assert desk.record is not None
    assert desk.record.layer is layer
    return desk.record


def change(record: Record, class_id: int) -> None:
    """Give one more slice to a class."""
    before = record.labels[class_id : class_id + 1].copy()
    edit = Edit.between(f"Slice {class_id}", before, np.full_like(before, class_id), start=(class_id, 0, 0))
    assert edit is not None
    record.do(edit)


def written(qtbot: Any, record: Record) -> Path:
    """Wait until all is on the disk, and give the journal."""
    book = record.book
    qtbot.waitUntil(lambda: book.ledger is not None and not book.waiting, timeout=WAIT_MS)
    assert book.ledger is not None
    assert book.ledger.writer.flush(10)
    return book.ledger.path


def test_the_journal_is_that_of_the_scans_file(qtbot: Any, mine: Record, file: Path) -> None:
    assert mine.book.ledger is None  # nobody waits for the checksum
    for class_id in (1, 2, 3):
        change(mine, class_id)
    assert mine.book.waiting == 3
    path = written(qtbot, mine)
    assert path == journal_of_scan(scan_sha256(file))
    (known,) = Journal(path).layers()
    assert np.array_equal(replay(Journal(path), known), mine.labels)
    about = About.read(known.about)
    assert about.source == file
    assert about.geometry is not None
    assert mine.book.words.startswith("saved ")


def test_nothing_is_made_where_nothing_was_corrected(qtbot: Any, desk: Desk, mine: Record) -> None:
    mine.book.mark_saved(Path("somewhere.nii.gz"), at=None)
    qtbot.wait(50)
    desk.let_go()
    assert not journals_folder().exists()
    desk.__init__(desk.viewer, desk.bench)  # type: ignore[misc] - the fixture lets go once more


def test_of_a_scan_whose_file_is_gone_the_labels_say_which_they_are(
    qtbot: Any, viewer: Viewer, desk: Desk, opened: Image, file: Path
) -> None:
    file.unlink()
    layer = viewer.add_labels(np.zeros(opened.data.shape, np.uint8), **placed_like(opened))
    sha256 = array_sha256(layer.data)
    assert desk.record is not None
    qtbot.waitUntil(lambda: desk.record.book._known is not None, timeout=WAIT_MS)
    change(desk.record, 1)
    assert written(qtbot, desk.record) == journal_of_scan(sha256)


def test_labels_taken_away_at_once_are_kept_all_the_same(viewer: Viewer, desk: Desk, mine: Record) -> None:
    change(mine, 1)
    change(mine, 2)
    final = mine.labels.copy()
    viewer.layers.remove(mine.layer)  # before anybody knows which scan it is
    (ledger,) = desk.ledgers
    assert ledger.writer.flush(10)
    desk.let_go()
    (found,) = unsaved_in()
    assert found.edits == 2
    assert np.array_equal(replay(Journal(found.journal), found.layer), final)
    desk.__init__(desk.viewer, desk.bench)  # type: ignore[misc] - the fixture lets go once more


def test_what_was_saved_is_not_to_be_recovered_and_what_came_later_is(qtbot: Any, desk: Desk, mine: Record) -> None:
    change(mine, 1)
    here = mine.history.cursor
    change(mine, 2)  # while the file is being written
    mine.book.mark_saved(Path("labels.nii.gz"), at=here)
    journal = Journal(written(qtbot, mine))
    assert [one.edits for one in journal.unsaved()] == [1]
    mine.book.mark_saved(Path("labels.nii.gz"), at=mine.history.cursor)
    written(qtbot, mine)
    assert journal.unsaved() == ()
    mine.undo()
    written(qtbot, mine)
    assert [one.edits for one in journal.unsaved()] == [1]


def test_names_that_classes_get_later_are_kept(qtbot: Any, mine: Record) -> None:
    change(mine, 1)
    path = written(qtbot, mine)
    give_name(mine.layer, 2, "tumour")
    mine.layer.name = "second reading"
    change(mine, 2)
    assert written(qtbot, mine) == path
    (known,) = Journal(path).layers()
    assert {item.id: item.name for item in About.read(known.about).classes}[2] == "tumour"
    assert known.name == "second reading"


def test_steps_are_read_back(qtbot: Any, mine: Record) -> None:
    with pytest.raises(FileProblem, match="not in the journal"):
        mine.book.read("no such token")
    change(mine, 1)
    change(mine, 2)
    written(qtbot, mine)
    edits = [mine.book.read(step.token) for step in mine.history.steps]
    assert [edit.name for edit in edits] == ["Slice 1", "Slice 2"]
    assert edits[1].box.start == (2, 0, 0)
    with pytest.raises(FileProblem, match="not in the journal"):
        mine.book.read("no such token")


def test_each_edit_is_acknowledged_once(qtbot: Any, mine: Record) -> None:
    heard: list[str] = []
    mine.book.acknowledged.connect(heard.extend)
    for class_id in (1, 2, 3):
        change(mine, class_id)
    written(qtbot, mine)
    qtbot.waitUntil(lambda: len(heard) == 3, timeout=WAIT_MS)
    assert set(heard) == {step.token for step in mine.history.steps}
