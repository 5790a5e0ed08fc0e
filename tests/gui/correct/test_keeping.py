"""The line says whether corrections are safe, of the labels that are chosen; what is wrong stays on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.keeping import Keeping
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.save_line import SaveLine
from napari_vol3d.review import lock
from napari_vol3d.review.fallback import journal_of_scan, journals_folder
from napari_vol3d.review.identity import array_sha256
from napari_vol3d.review.journal import Journal
from tests.gui.bench.conftest import SHAPE
from tests.gui.correct.conftest import WAIT_MS


class Page:
    """The line in a window of its own, and what keeps it."""

    def __init__(self, desk: Desk) -> None:
        self.window, self.line = QWidget(), SaveLine()
        QVBoxLayout(self.window).addWidget(self.line)
        self.keeping = Keeping(desk, self.line, self.window)
        self.window.show()

    @property
    def text(self) -> str:
        return self.line.state.text()


@pytest.fixture
def page(qtbot: Any, desk: Desk) -> Iterator[Page]:
    made = Page(desk)
    qtbot.addWidget(made.window)
    yield made
    made.keeping.let_go()


def change(record: Record, class_id: int) -> None:
    before = record.labels[class_id : class_id + 1].copy()
    edit = Edit.between(f"Slice {class_id}", before, np.full_like(before, class_id), start=(class_id, 0, 0))
    assert edit is not None
    record.do(edit)


def test_a_correction_is_saved_and_that_is_said(qtbot: Any, record: Record, page: Page) -> None:
    assert page.text == ""
    change(record, 1)
    qtbot.waitUntil(lambda: page.text.startswith("saved "), timeout=WAIT_MS)
    assert not record.book.waiting
    assert not page.line.trouble.isVisible()
    assert not page.line.elsewhere.isVisible()


def test_each_layer_has_its_own_line(qtbot: Any, viewer: Viewer, desk: Desk, record: Record, page: Page) -> None:
    change(record, 1)
    qtbot.waitUntil(lambda: page.text.startswith("saved "), timeout=WAIT_MS)
    words = page.text
    other = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="other")
    assert page.text == ""
    viewer.layers.selection.active = record.layer
    assert page.text == words
    viewer.layers.remove(other)
    viewer.layers.remove(record.layer)
    assert desk.record is None
    assert page.text == ""


def test_trouble_stays_on_the_screen_until_it_is_mended(qtbot: Any, viewer: Viewer, record: Record, page: Page) -> None:
    folder = journals_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file stands where the folder should be")
    change(record, 1)
    qtbot.waitUntil(lambda: page.text == "not saved", timeout=WAIT_MS)
    assert page.line.trouble.isVisible()
    assert page.line.elsewhere.isVisible()
    assert page.line.trouble.text()
    image = next(layer for layer in viewer.layers if not isinstance(layer, Labels))
    viewer.layers.selection.active = image  # the labels stay under correction
    assert page.line.trouble.isVisible()
    other = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="other")
    assert not page.line.trouble.isVisible()
    viewer.layers.selection.active = record.layer
    assert page.line.trouble.isVisible()
    assert page.text == "not saved"
    viewer.layers.remove(other)
    folder.unlink()
    qtbot.waitUntil(lambda: page.text.startswith("saved "), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not page.line.trouble.isVisible(), timeout=WAIT_MS)
    assert not page.line.elsewhere.isVisible()
    assert not record.book.waiting


def test_saving_elsewhere_is_told(
    qtbot: Any, record: Record, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "elsewhere.nii.gz"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    folder = journals_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file stands where the folder should be")
    change(record, 1)
    qtbot.waitUntil(page.line.elsewhere.isVisible, timeout=WAIT_MS)
    with qtbot.waitSignals([page.keeping.savingBegun, page.keeping.saved], timeout=WAIT_MS) as told:
        qtbot.mouseClick(page.line.elsewhere, Qt.MouseButton.LeftButton)
    assert [each.args[0] for each in told.all_signals_and_args] == [record.layer, record.layer]
    assert np.count_nonzero(np.asarray(nib.load(target).dataobj)) == SHAPE[1] * SHAPE[2]
    folder.unlink()


def test_who_else_has_the_journal_is_said_and_it_can_be_taken_over(qtbot: Any, record: Record, page: Page) -> None:
    journal = Journal.open(journal_of_scan(array_sha256(record.layer.data)))
    taken = lock.acquire(journal, who="Ada")  # a window of this program is another one, too
    assert isinstance(taken, lock.Lock)
    change(record, 1)
    qtbot.waitUntil(page.line.held.isVisible, timeout=WAIT_MS)
    assert page.line.held.text().startswith("Ada on ")
    qtbot.waitUntil(lambda: page.text.startswith("saved "), timeout=WAIT_MS)  # it is kept all the same
    qtbot.mouseClick(page.line.take_over, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page.line.held.isVisible(), timeout=WAIT_MS)
    assert not taken.beat()


def test_nothing_is_shown_any_more_when_it_has_let_go(qtbot: Any, viewer: Viewer, desk: Desk, record: Record) -> None:
    page = Page(desk)
    page.keeping.let_go()
    change(record, 1)
    qtbot.waitUntil(lambda: record.book.words.startswith("saved "), timeout=WAIT_MS)
    viewer.add_labels(np.zeros(SHAPE, np.uint8))
    assert page.text == ""
    page.window.deleteLater()
