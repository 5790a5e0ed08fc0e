"""What leaves a project, from the tab: real exports of real scans, one at a time, stopped, and found again."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.panels.review_out import BUSY, CANCEL_TIP, NO_PROJECT, STOPPING, ReviewOut
from napari_vol3d.gui.panels.ways_out import BIDS, FIGURES, LABELS, REPORT, TRAINING, WAYS, Way
from napari_vol3d.review.project.store import Project
from tests.review.project.studies import hippocampi

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def project(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Five cases, four of which are accepted; called as their scans are."""
    names = [f"case-{number:04d}" for number in range(1, 6)]
    return hippocampi(shared_data, tmp_path_factory.mktemp("study"), names=names)


@pytest.fixture
def box(qtbot: Any) -> Iterator[ReviewOut]:
    box = ReviewOut()
    qtbot.addWidget(box)
    box.resize(320, 300)
    box.show()
    yield box
    box.let_go()
    if box.job is not None:
        qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)


def press(qtbot: Any, box: ReviewOut, way: Way) -> str:
    """Press the button of a way, and wait; gives what is said then, without the markup."""
    qtbot.mouseClick(box.buttons[WAYS.index(way)], LEFT)
    assert box.job is not None
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    return re.sub("<[^>]*>", "", box.said.text())


class Slow:
    """A way that waits where it is told to; it writes nothing."""

    def __init__(self, *, total: int = 3) -> None:
        self.go, self.closed, self.total = threading.Semaphore(0), threading.Event(), total
        self.way = replace(LABELS, write=self._write)

    def _write(self, _: Project, folder: Path) -> Generator[Progress, None, tuple[Path, ...]]:
        folder.mkdir()
        try:
            for done in range(self.total):
                yield Progress(phase="Exporting", done=done, total=self.total, seconds=10.0 * done)
                assert self.go.acquire(timeout=WAIT_MS / 1000)
        finally:
            self.closed.set()
        return (folder,) * self.total


def test_without_a_project_the_buttons_say_so(box: ReviewOut, project: Project) -> None:
    assert not any(button.isEnabled() for button in box.buttons)
    assert {button.toolTip() for button in box.buttons} == {NO_PROJECT}
    assert box.bar.isHidden()
    assert box.cancel.isHidden()
    box.set_project(project)
    assert all(button.isEnabled() for button in box.buttons)
    assert [button.toolTip() for button in box.buttons] == [way.tip for way in WAYS]
    box.set_project(None)
    assert not any(button.isEnabled() for button in box.buttons)


def test_each_way_out_writes_and_says_where(
    qtbot: Any, box: ReviewOut, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:  # fmt: skip
    (tmp_path / "there").touch()
    box.set_project(project)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "report.html"), ""))
    for way, words in (
        (LABELS, "4 files in …/labels. Open folder"),
        (BIDS, f"4 label maps in …/{tmp_path.name}/derivatives/napari-vol3d. Open folder"),
        (TRAINING, "4 scans (2 train, 1 validation, 1 test) in …/training. Open folder"),
        (FIGURES, "3 files in …/figures. Open folder"),
        (REPORT, f"report.html in …/{tmp_path.name}. Open it, Open folder"),
    ):  # fmt: skip
        with subtests.test(way.name):
            assert press(qtbot, box, way) == words
            assert Path(box.said.toolTip()).is_dir()
    assert len(list((tmp_path / "labels").glob("case-*.nii.gz"))) == 4
    assert (tmp_path / "derivatives" / "napari-vol3d" / "dseg.tsv").is_file()
    assert {"images", "labels", "splits.json"} <= {path.name for path in (tmp_path / "training").iterdir()}
    assert len(json.loads((tmp_path / "figures" / "provenance.json").read_text())) > 0
    assert "<html" in (tmp_path / "report.html").read_text()


def test_labels_never_replace_the_scans_that_they_are_called_as(
    qtbot: Any, box: ReviewOut, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.path.parent
    before = {path.name: path.read_bytes() for path in folder.glob("*.nii.gz")}
    assert before
    box.set_project(project)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    assert press(qtbot, box, LABELS).startswith("4 files in …/labels.")
    assert press(qtbot, box, LABELS).startswith("4 files in …/labels_2.")
    assert {path.name: path.read_bytes() for path in folder.glob("*.nii.gz")} == before


def test_what_was_written_is_opened(
    qtbot: Any, box: ReviewOut, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    box.set_project(project)
    box.start(REPORT, tmp_path / "a report.html")
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    for target in re.findall("href='([^']*)'", box.said.text()):
        box.said.linkActivated.emit(target)
    assert opened == [str(tmp_path / "a report.html"), str(tmp_path)]


def test_one_thing_is_written_at_a_time(qtbot: Any, box: ReviewOut, project: Project, tmp_path: Path) -> None:
    slow = Slow()
    box.set_project(project)
    box.start(slow.way, tmp_path / "out")
    job = box.job
    qtbot.waitUntil(lambda: box.bar.maximum() == slow.total, timeout=WAIT_MS)
    assert not any(button.isEnabled() for button in box.buttons)
    assert {button.toolTip() for button in box.buttons} == {BUSY}
    assert not box.bar.isHidden()
    assert box.cancel.toolTip() == CANCEL_TIP
    box.start(LABELS, tmp_path / "second")
    assert box.job is job
    slow.go.release()
    qtbot.waitUntil(lambda: box.bar.value() == 1, timeout=WAIT_MS)
    assert box.doing.text() == "Exporting: 1 of 3, 20 s left"
    box.set_project(None)  # it goes on
    slow.go.release(slow.total)
    qtbot.waitUntil(lambda: not job.running, timeout=WAIT_MS)
    assert box.said.text().startswith("3 files in …/out.")
    assert box.bar.isHidden()
    assert not (tmp_path / "second").exists()


def test_it_is_stopped(qtbot: Any, box: ReviewOut, project: Project, tmp_path: Path) -> None:
    slow = Slow()
    box.set_project(project)
    box.start(slow.way, tmp_path / "out")
    qtbot.waitUntil(lambda: box.bar.maximum() == slow.total, timeout=WAIT_MS)
    qtbot.mouseClick(box.cancel, LEFT)
    assert not box.cancel.isEnabled()
    assert box.cancel.toolTip() == STOPPING
    slow.go.release()
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    assert slow.closed.is_set()
    assert box.said.text().startswith("Cancelled. What was written stays in …/out.")
    assert all(button.isEnabled() for button in box.buttons)
    again = Slow(total=1)
    again.go.release()
    box.start(again.way, tmp_path / "again")
    assert box.cancel.isEnabled()
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    assert box.said.text().startswith("1 file in …/again.")


def test_letting_go_stops_it(qtbot: Any, box: ReviewOut, project: Project, tmp_path: Path) -> None:
    slow = Slow()
    box.set_project(project)
    box.start(slow.way, tmp_path / "out")
    box.let_go()
    slow.go.release()
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    box.start(slow.way, tmp_path / "more")
    assert not (tmp_path / "more").exists()


def test_a_problem_and_notes_are_said(qtbot: Any, box: ReviewOut, project: Project, tmp_path: Path) -> None:
    def noting(_: Project, __: Path) -> Generator[Progress, None, tuple[Path, ...]]:
        for number in range(5):
            yield Progress(phase="Exporting", note=f"case-{number} <b> has two grids.")
        return ()

    def failing(_: Project, __: Path) -> Generator[Progress, None, tuple[Path, ...]]:
        yield Progress(phase="Exporting")
        raise FileProblem("No labels are accepted yet.", hint="Accept the labels of a scan first.")

    box.set_project(project)
    box.start(replace(LABELS, write=noting), tmp_path / "out")
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    assert box.said.text().count("&lt;b&gt; has two grids.") == 3
    assert "2 more notes" in box.said.text()
    box.start(replace(LABELS, write=failing), tmp_path / "out")
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    assert "No labels are accepted yet. Accept the labels of a scan first." in box.said.text()
    assert "grids" not in box.said.text()
    box.set_project(project)
    assert box.said.isHidden()


def test_dismissing_the_dialog_starts_nothing(
    qtbot: Any, box: ReviewOut, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    box.set_project(project)
    qtbot.mouseClick(box.buttons[0], LEFT)
    assert box.job is None


def test_it_fits_the_dock(qtbot: Any, box: ReviewOut, project: Project, tmp_path: Path) -> None:
    box.set_project(project)
    box.start(LABELS, tmp_path / ("x" * 200))
    assert box.minimumSizeHint().width() <= 320
    qtbot.waitUntil(lambda: not box.job.running, timeout=WAIT_MS)
    assert box.minimumSizeHint().width() <= 320
