"""Looking for cases: beside the window, one look at a time, and the last question is the one that is answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_vol3d.gui.review.case_finder import Asked, CaseFinder
from napari_vol3d.review.project import gather as gathering
from napari_vol3d.review.project.gather import Gathered
from tests.builders import phantom, save_nifti

WAIT_MS = 20_000


class Heard:
    """What a finder said, in order."""

    def __init__(self, finder: CaseFinder) -> None:
        self.found: list[list[str]] = []
        self.failed: list[str] = []
        finder.found.connect(lambda found: self.found.append([case.name for case in found.cases]))
        finder.failed.connect(lambda problem: self.failed.append(str(problem)))


@pytest.fixture
def finder(qtbot: Any) -> Iterator[CaseFinder]:
    finder = CaseFinder()
    yield finder
    finder.let_go()
    if finder._job is not None:
        qtbot.waitUntil(lambda: not finder._job.running, timeout=WAIT_MS)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        save_nifti(tmp_path / name / f"{name}.nii.gz", phantom()[0])
    return tmp_path / "one", tmp_path / "other"


def asked(folder: Path) -> Asked:
    return Asked(sources=(folder,), base=folder)


def test_cases_are_found_and_problems_told(qtbot: Any, finder: CaseFinder, folders: tuple[Path, Path]) -> None:
    heard = Heard(finder)
    finder.look(asked(folders[0]))
    qtbot.waitUntil(lambda: bool(heard.found), timeout=WAIT_MS)
    assert heard.found == [["one"]]
    (folders[0] / "empty").mkdir()
    finder.look(asked(folders[0] / "empty"))
    qtbot.waitUntil(lambda: bool(heard.failed), timeout=WAIT_MS)
    assert heard.failed[0].startswith("No scan was found.")


def test_only_the_last_question_is_answered_and_none_in_between_is_asked(
    qtbot: Any, finder: CaseFinder, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is slow: the first look ends when the third question is there."""
    go, looked, real = threading.Event(), [], gathering.gather

    def slow(sources: tuple[Path, ...], **keywords: Any) -> Gathered:
        looked.append(sources[0].name)
        assert go.wait(WAIT_MS / 1000)
        return real(sources, **keywords)

    monkeypatch.setattr(gathering, "gather", slow)
    heard, (one, other) = Heard(finder), folders
    finder.look(asked(one))
    qtbot.waitUntil(lambda: looked == ["one"], timeout=WAIT_MS)
    finder.look(asked(one.parent))
    finder.look(asked(other))
    go.set()
    qtbot.waitUntil(lambda: bool(heard.found), timeout=WAIT_MS)
    assert heard.found == [["other"]]
    assert looked == ["one", "other"]


def test_after_it_was_let_go_nothing_is_told(
    qtbot: Any, finder: CaseFinder, folders: tuple[Path, Path]
) -> None:
    heard = Heard(finder)
    finder.look(asked(folders[0]))
    job = finder._job
    finder.let_go()
    qtbot.waitUntil(lambda: not job.running, timeout=WAIT_MS)
    assert (heard.found, heard.failed) == ([], [])


def test_a_folder_that_cannot_be_read_is_told(
    qtbot: Any, finder: CaseFinder, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> Gathered:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(gathering, "gather", refused)  # root may read anything
    heard = Heard(finder)
    finder.look(asked(folders[0]))
    qtbot.waitUntil(lambda: bool(heard.failed), timeout=WAIT_MS)
    assert heard.failed == ["A folder can't be read: Permission denied. Choose one that you may read."]
