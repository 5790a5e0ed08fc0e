"""The bar drives a verb, shows what is news, and closes the verb however it ends."""

from __future__ import annotations

import sys

import pytest

from napari_vol3d.cli.bar import interrupted, run_with_bar
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.progress import Progress


def verb(closed, *, fail=None, lives=1):
    try:
        yield Progress(phase="Starting TensorFlow")
        for done in range(1, 4):
            for _ in range(lives):
                yield Progress(phase="Segmenting", done=done, total=3, figures={"loss": 0.5 * done})
            if fail is not None:
                raise fail
        yield Progress(phase="Testing", done=1, total=2)
        yield Progress(phase="Testing", done=2, total=2)
        return "result"
    finally:
        closed.append(True)


def test_the_result_comes_back_and_the_bar_was_shown(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    closed = []
    assert run_with_bar(verb(closed), title="scan", unit="tile") == "result"
    shown = capsys.readouterr()
    assert closed == [True]
    assert shown.out == ""  # results go to stdout, progress does not
    assert "scan: Starting TensorFlow" in shown.err
    assert "scan: Testing: 100%" in shown.err
    assert "2/2" in shown.err


def test_signs_of_life_are_no_news(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run_with_bar(verb([], lives=200), title="scan", unit="tile")
    assert len(capsys.readouterr().err) < 2000


def test_a_file_gets_lines_and_no_bar_that_is_written_over_and_over(capsys):
    def long():
        for done in range(1, 1001):
            yield Progress(phase="Segmenting", done=done, total=1000)

    run_with_bar(verb([], lives=200), title="scan", unit="tile")
    assert capsys.readouterr().err.splitlines() == [
        "scan: Starting TensorFlow", "scan: Segmenting 1 of 3 (loss 0.500)", "scan: Segmenting 2 of 3 (loss 1.000)",
        "scan: Segmenting 3 of 3 (loss 1.500)", "scan: Testing 1 of 2", "scan: Testing 2 of 2",
    ]  # fmt: skip
    run_with_bar(long(), title="scan", unit="tile")
    written = capsys.readouterr().err
    assert "\r" not in written
    assert written.splitlines() == [f"scan: Segmenting {n} of 1000" for n in (1, *range(100, 1001, 100))]


@pytest.mark.parametrize("error", [FileProblem("gone"), KeyboardInterrupt()])
def test_what_goes_wrong_goes_on_and_the_verb_is_closed(error):
    closed = []
    with pytest.raises(type(error)):
        run_with_bar(verb(closed, fail=error), title="scan", unit="tile")
    assert closed == [True]


def test_a_verb_that_has_nothing_to_report():
    def silent():
        return 7
        yield

    assert run_with_bar(silent(), title="t", unit="u") == 7


def test_an_interruption_whose_exception_was_lost_is_not():
    closed = []

    def verb():
        try:
            while True:
                yield Progress(phase="Segmenting")
                interrupted.set()
        finally:
            closed.append(True)

    try:
        with pytest.raises(KeyboardInterrupt):
            run_with_bar(verb(), title="scan", unit="tile")
    finally:
        interrupted.clear()
    assert closed
