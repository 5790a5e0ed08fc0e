"""What the thread does when something happens that nobody foresaw; all else is in test_writer.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.review import keeper
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.reports import Trouble
from tests.review.test_writer import LONG, Desk


def test_edits_that_do_not_fit_into_memory_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "RETRY_FIRST", 0.05)
    desk = Desk(tmp_path, patience=LONG)
    assert desk.writer.flush(LONG)
    plain = keeper.Asked.made

    def made(asked: keeper.Asked) -> object:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(keeper.Asked, "made", made)
        desk.work(2)
        desk.wait_for(Trouble)
        assert desk.of(Trouble)[0].place == "memory"
        assert desk.writer.waiting == 2
    assert keeper.Asked.made is plain
    desk.writer.close(LONG)
    desk.is_right()


def test_the_thread_does_not_end_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def add(*given: object) -> int:
        raise ZeroDivisionError

    desk = Desk(tmp_path, patience=LONG)
    assert desk.writer.flush(LONG)
    monkeypatch.setattr(Journal, "add", add)
    desk.work(1)
    desk.wait_for(Trouble)
    assert "has ended" in desk.of(Trouble)[0].message
    with pytest.raises(SaveProblem, match="1 corrections"):
        desk.writer.close()
    assert "ZeroDivisionError" in caplog.text
