"""A verb beside the window: one end, told once, with its `finally` run where it ran; whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QEvent, QObject, QThread
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.errors import EngineProblem, FileProblem, Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.jobs import Job, report

WAIT_MS = 10_000
Verb = Generator[Progress, None, Any]


@pytest.fixture(autouse=True)
def notifications(qapp: Any) -> Iterator[list[Any]]:
    """What the person was told in this test."""
    notification_manager.records.clear()
    yield notification_manager.records
    notification_manager.records.clear()


@pytest.fixture
def log() -> list[str]:
    return []


class Watch:
    """Runs a job and writes down its signals in their order."""

    def __init__(self, qtbot: Any, verb: Verb) -> None:
        self.qtbot, self.job = qtbot, Job(verb, name="Testing")
        self.signals: list[tuple[str, Any]] = []
        self.threads: set[QThread] = set()
        for name in ("progressed", "succeeded", "failed"):
            getattr(self.job, name).connect(self._with_value(name))
        for name in ("cancelled", "ended"):
            getattr(self.job, name).connect(self._without_value(name))

    def _with_value(self, name: str) -> Callable[[Any], None]:
        return lambda value: self._note(name, value)

    def _without_value(self, name: str) -> Callable[[], None]:
        return lambda: self._note(name, None)

    def _note(self, name: str, value: Any) -> None:
        self.threads.add(QThread.currentThread())
        self.signals.append((name, value))

    def finish(self) -> list[str]:
        """Wait for the end and give the names of the signals but progress."""
        self.qtbot.waitUntil(lambda: not self.job.running, timeout=WAIT_MS)
        QApplication.processEvents()
        self.qtbot.waitUntil(lambda: not self.job._worker.is_running, timeout=WAIT_MS)
        QApplication.processEvents()
        assert self.threads == {QApplication.instance().thread()}
        return [name for name, _ in self.signals if name != "progressed"]


def counting(log: list[str], *, to: int, then: Any) -> Verb:
    """Report `to` times; then give `then`, or raise it."""
    try:
        for done in range(to):
            yield Progress(phase="Counting", done=done + 1, total=to)
        if isinstance(then, BaseException):
            raise then
        return then
    finally:
        log.append(threading.current_thread().name)


def endless(log: list[str], begun: threading.Event, go_on: threading.Event) -> Verb:
    """Report once, block until told, then report without an end."""
    try:
        yield Progress(phase="Begun")
        begun.set()
        go_on.wait()
        while True:
            yield Progress(phase="Going on")
    finally:
        log.append(threading.current_thread().name)


def test_success_gives_the_result_once_and_then_ends(qtbot: Any, log: list[str], notifications: list[Any]) -> None:
    watch = Watch(qtbot, counting(log, to=3, then="result"))
    watch.job.start()
    assert watch.finish() == ["succeeded", "ended"]
    assert ("succeeded", "result") in watch.signals
    assert [value.done for name, value in watch.signals if name == "progressed"] == [1, 2, 3]
    assert not notifications


def test_a_verb_without_a_result_still_succeeds(qtbot: Any, log: list[str]) -> None:
    watch = Watch(qtbot, counting(log, to=0, then=None))
    watch.job.start()
    assert watch.finish() == ["succeeded", "ended"]


def test_a_problem_is_told_in_one_sentence_once(qtbot: Any, log: list[str], notifications: list[Any]) -> None:
    problem = FileProblem("The file is broken.", hint="Fetch it again.")
    watch = Watch(qtbot, counting(log, to=2, then=problem))
    watch.job.start()
    assert watch.finish() == ["failed", "ended"]
    assert ("failed", problem) in watch.signals
    assert [record.message for record in notifications] == ["The file is broken. Fetch it again."]


def test_a_runtime_error_of_a_library_is_no_silence(qtbot: Any, log: list[str], notifications: list[Any]) -> None:
    # napari's own workers swallow it and never end.
    watch = Watch(qtbot, counting(log, to=1, then=RuntimeError("ITK says no")))
    watch.job.start()
    assert watch.finish() == ["failed", "ended"]
    (problem,) = [value for name, value in watch.signals if name == "failed"]
    assert isinstance(problem, EngineProblem)
    assert "ITK says no" in str(problem)
    assert len(notifications) == 1


def test_an_error_that_nobody_foresaw_is_told_once_without_a_traceback(
    qtbot: Any, log: list[str], notifications: list[Any]
) -> None:
    watch = Watch(qtbot, counting(log, to=1, then=ValueError("surprise")))
    watch.job.start()
    assert watch.finish() == ["failed", "ended"]
    (problem,) = [value for name, value in watch.signals if name == "failed"]
    assert isinstance(problem, Vol3dError)
    assert "surprise" in str(problem)
    assert [record.message for record in notifications] == [str(problem)]


@pytest.mark.parametrize("then", ["result", FileProblem("No."), RuntimeError("no"), ValueError("no")])
def test_cleaning_up_happens_beside_the_window(qtbot: Any, log: list[str], then: Any) -> None:
    watch = Watch(qtbot, counting(log, to=1, then=then))
    watch.job.start()
    watch.finish()
    assert len(log) == 1
    assert log[0] != threading.main_thread().name


def test_cancel_ends_at_the_next_report_and_cleans_up_in_the_thread(
    qtbot: Any, log: list[str], notifications: list[Any]
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    watch = Watch(qtbot, endless(log, begun, go_on))
    watch.job.start()
    assert begun.wait(WAIT_MS / 1000)
    watch.job.stop()
    watch.job.stop()
    assert watch.job.running  # it is still in a call that can't be interrupted
    assert not log
    go_on.set()
    assert watch.finish() == ["cancelled", "ended"]
    assert len(log) == 1
    assert log[0] != threading.main_thread().name
    assert not notifications


def test_cancel_before_the_start_runs_nothing(qtbot: Any, log: list[str]) -> None:
    watch = Watch(qtbot, counting(log, to=3, then="result"))
    watch.job.stop()
    watch.job.start()
    assert watch.finish() == ["cancelled", "ended"]
    assert not [name for name, _ in watch.signals if name == "progressed"]
    assert not log  # a generator that never began has nothing to clean up


def test_a_result_that_was_ready_before_the_cancel_is_not_thrown_away(qtbot: Any) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def verb() -> Verb:
        yield Progress(phase="Begun")
        begun.set()
        go_on.wait()
        return "result"

    watch = Watch(qtbot, verb())
    watch.job.start()
    assert begun.wait(WAIT_MS / 1000)
    watch.job.stop()
    go_on.set()
    assert watch.finish() == ["succeeded", "ended"]


def test_a_failure_while_cancelling_is_told(qtbot: Any, notifications: list[Any]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def verb() -> Verb:
        yield Progress(phase="Begun")
        begun.set()
        go_on.wait()
        raise FileProblem("The disk is full.")

    watch = Watch(qtbot, verb())
    watch.job.start()
    assert begun.wait(WAIT_MS / 1000)
    watch.job.stop()
    go_on.set()
    assert watch.finish() == ["failed", "ended"]
    assert len(notifications) == 1


def test_napari_may_stop_the_worker_itself(qtbot: Any, log: list[str]) -> None:
    # viewer.close() tells all workers to quit, past our own stop.
    begun, go_on = threading.Event(), threading.Event()
    watch = Watch(qtbot, endless(log, begun, go_on))
    watch.job.start()
    assert begun.wait(WAIT_MS / 1000)
    watch.job._worker.quit()
    go_on.set()
    assert watch.finish() == ["cancelled", "ended"]
    assert len(log) == 1


def test_closing_the_viewer_stops_what_runs(qtbot: Any, log: list[str], make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    begun, go_on = threading.Event(), threading.Event()
    watch = Watch(qtbot, endless(log, begun, go_on))
    watch.job.setParent(None)
    watch.job.start()
    assert begun.wait(WAIT_MS / 1000)
    go_on.set()
    viewer.close()
    assert watch.finish() == ["cancelled", "ended"]
    assert len(log) == 1


@pytest.mark.parametrize(
    ("then", "told"), [(None, "cancelled"), ("result", "succeeded"), (FileProblem("No."), "failed")]
)
def test_the_end_is_told_of_a_job_that_napari_stops_in_its_last_step(qtbot: Any, then: Any, told: str) -> None:
    # superqt checks before a step and after the last: whoever is told to quit between the two says nothing.
    begun, go_on = threading.Event(), threading.Event()

    def verb() -> Verb:
        yield Progress(phase="Begun")
        begun.set()
        go_on.wait()
        if isinstance(then, BaseException):
            raise then
        if then is None:
            yield Progress(phase="Going on")
        return then

    watch = Watch(qtbot, verb())
    watch.job.start()
    assert begun.wait(WAIT_MS / 1000)
    watch.job.stop()
    watch.job._worker.quit()
    go_on.set()
    assert watch.finish() == [told, "ended"]


def test_a_job_whose_parent_is_destroyed_is_stopped_and_does_not_seem_to_run_for_ever(
    qtbot: Any, log: list[str]
) -> None:
    begun, go_on, parent = threading.Event(), threading.Event(), QObject()
    job = Job(endless(log, begun, go_on), name="Testing", parent=parent)
    job.start()
    assert begun.wait(WAIT_MS / 1000)
    parent.deleteLater()
    QApplication.sendPostedEvents(parent, QEvent.Type.DeferredDelete)
    assert job.running
    go_on.set()
    qtbot.waitUntil(lambda: not job.running, timeout=WAIT_MS)
    assert len(log) == 1


def test_jobs_that_wait_keep_no_other_from_beginning(qtbot: Any, log: list[str]) -> None:
    go_on, watches = threading.Event(), []
    for _ in range(QThread.idealThreadCount() + 1):  # Qt's pool has a thread a core
        begun = threading.Event()
        watches.append(Watch(qtbot, endless(log, begun, go_on)))
        watches[-1].job.start()
        assert begun.wait(WAIT_MS / 1000)
    late = Watch(qtbot, counting([], to=1, then="result"))
    late.job.start()
    assert late.finish() == ["succeeded", "ended"]
    for watch in watches:
        watch.job.stop()
    go_on.set()
    assert [watch.finish() for watch in watches] == [["cancelled", "ended"]] * len(watches)


def test_reporting_says_message_and_hint(notifications: list[Any]) -> None:
    report(Vol3dError("Nothing works.", hint="Try later."))
    (record,) = notifications
    assert record.message == "Nothing works. Try later."
    assert str(record.severity) == "error"
