"""What is applied is what the options say, and what the preview showed; nothing that was given up is ever done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels
from qtpy.QtWidgets import QSpinBox

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.preview import NAME
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.runner import Runner
from napari_vol3d.gui.correct.tool import Plan, Task, Tool, Verb
from napari_vol3d.gui.correct.tools.edges import MoveEdge
from napari_vol3d.gui.forms.where import Area, Where
from tests.gui.bench.conftest import SHAPE
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.tools.told import take


class Slow(Tool):
    """Gives the first rows to the chosen class, as many as the box says; each takes as long as the test wants."""

    title: ClassVar[str] = "Rows"

    def __init__(self) -> None:
        super().__init__()
        self.rows = QSpinBox(self)
        self.rows.valueChanged.connect(self.optionsChanged)
        self.go, self.begun_to = threading.Event(), threading.Semaphore(0)
        self.go.set()

    def plan(self, task: Task) -> Plan | None:
        rows, labels, class_id = self.rows.value(), task.labels, task.class_id
        if rows > SHAPE[1]:
            raise Vol3dError("There are not so many rows.", hint="Choose fewer.")

        def give() -> Edit | None:
            self.begun_to.release()
            assert self.go.wait(20)
            if rows == 13:
                raise Vol3dError("Thirteen rows can't be had.", hint="Choose twelve.")
            return rows_of(labels, rows, class_id)

        return give


class Other(Slow):
    """Another one."""

    title: ClassVar[str] = "Other rows"


class Model(Slow):
    """As a model does."""

    by_model: ClassVar[bool] = True


class Sliced(Slow):
    """Shows one row of what it would do."""

    def __init__(self) -> None:
        super().__init__()
        self.only_slice = False

    def plan(self, task: Task) -> Plan | None:
        rows = 1 if self.only_slice else self.rows.value()
        return lambda: rows_of(task.labels, rows, task.class_id)


class Long(Tool):
    """Says how far it is, and can be stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = threading.Event()
        self.last = threading.Event()

    def verb(self, task: Task) -> Verb | None:
        def give() -> Verb:
            try:
                done = 0
                while not self.last.is_set():
                    yield Progress(phase="Rows", done=done, total=10)
                return rows_of(task.labels, 2, task.class_id)
            finally:
                self.closed.set()

        return give()


def rows_of(labels: np.ndarray, rows: int, class_id: int) -> Edit | None:
    before = labels[:, :rows].copy()
    return Edit.between(f"{rows} rows", before, np.full_like(before, class_id)) if rows else None


@pytest.fixture
def runner(desk: Desk, record: Record) -> Iterator[Runner]:
    record.layer.selected_label = 2
    made = Runner(desk)
    yield made
    made.let_go()
    made.deleteLater()


@pytest.fixture
def said(desk: Desk) -> list[str]:
    heard: list[str] = []
    desk.said.connect(heard.append)
    return heard


def shown(viewer: Viewer) -> Labels | None:
    """Give the preview."""
    return next((layer for layer in viewer.layers if layer.name == NAME), None)


def quiet(qtbot: Any, runner: Runner) -> None:
    """Wait until nothing is computed, nor about to be."""
    qtbot.waitUntil(lambda: not runner.busy and not runner._soon.isActive(), timeout=WAIT_MS)


def await_preview(qtbot: Any, viewer: Viewer, rows: int) -> None:
    """Wait until so many rows are shown."""
    qtbot.waitUntil(lambda: (layer := shown(viewer)) is not None and layer.data.shape[1] == rows, timeout=WAIT_MS)


def names(record: Record) -> list[str]:
    return [step.name for step in record.history.steps]


def test_apply_does_what_the_preview_shows(
    qtbot: Any, viewer: Viewer, desk: Desk, record: Record, runner: Runner, said: list[str]
) -> None:
    tool = Slow()
    take(qtbot, desk, tool)
    runner.previewing = True
    tool.rows.setValue(3)
    await_preview(qtbot, viewer, 3)
    tool.rows.setValue(5)
    await_preview(qtbot, viewer, 5)
    layer = shown(viewer)
    assert layer is not None
    seen = layer.data.copy()
    assert said[-1] == f"5 rows: {5 * SHAPE[0] * SHAPE[2]:,} voxels would change."
    assert not record.labels.any()  # it shows, and changes nothing
    with qtbot.waitSignal(runner.applied, timeout=WAIT_MS) as told:
        runner.apply()
    assert np.array_equal(record.labels[:, :5], seen)
    assert np.count_nonzero(record.labels) == np.count_nonzero(seen)
    assert told.args[0].name == "5 rows"
    assert said[-1] == f"5 rows: {5 * SHAPE[0] * SHAPE[2]:,} voxels changed."
    assert shown(viewer) is None
    assert tool.begun_to._value == 2  # it was not computed once more


def test_without_a_preview_apply_computes(
    qtbot: Any, viewer: Viewer, desk: Desk, record: Record, runner: Runner
) -> None:
    tool = Slow()
    take(qtbot, desk, tool)
    tool.rows.setValue(4)
    with qtbot.waitSignal(runner.applied, timeout=WAIT_MS):
        runner.apply()
        assert runner.busy
        runner.apply()  # once is enough
    quiet(qtbot, runner)
    assert names(record) == ["4 rows"]
    assert shown(viewer) is None


def test_apply_takes_the_options_of_now_though_older_ones_are_being_computed(
    qtbot: Any, desk: Desk, record: Record, runner: Runner
) -> None:
    tool = Slow()
    take(qtbot, desk, tool)
    runner.previewing = True
    tool.go.clear()
    tool.rows.setValue(3)
    qtbot.waitUntil(lambda: tool.begun_to.acquire(blocking=False), timeout=WAIT_MS)
    tool.rows.setValue(6)
    runner.apply()
    tool.go.set()
    qtbot.waitUntil(lambda: bool(names(record)), timeout=WAIT_MS)
    quiet(qtbot, runner)
    assert names(record) == ["6 rows"]


def test_apply_takes_a_preview_that_is_being_computed(qtbot: Any, desk: Desk, record: Record, runner: Runner) -> None:
    tool = Slow()
    take(qtbot, desk, tool)
    tool.go.clear()
    tool.rows.setValue(3)
    runner.previewing = True
    qtbot.waitUntil(lambda: tool.begun_to.acquire(blocking=False), timeout=WAIT_MS)
    runner.apply()
    tool.go.set()
    qtbot.waitUntil(lambda: names(record) == ["3 rows"], timeout=WAIT_MS)
    assert not tool.begun_to.acquire(blocking=False)


def test_a_tool_put_down_does_nothing_any_more(qtbot: Any, desk: Desk, record: Record, runner: Runner) -> None:
    tool, other = Slow(), Other()
    take(qtbot, desk, tool)
    tool.go.clear()
    tool.rows.setValue(3)
    other.rows.setValue(7)
    runner.apply()
    qtbot.waitUntil(lambda: tool.begun_to.acquire(blocking=False), timeout=WAIT_MS)
    take(qtbot, desk, other)
    runner.apply()  # the other's, while the first can't be stopped
    tool.go.set()
    qtbot.waitUntil(lambda: bool(names(record)), timeout=WAIT_MS)
    quiet(qtbot, runner)
    assert names(record) == ["7 rows"]


def test_what_was_cancelled_is_not_done_and_the_next_is(qtbot: Any, desk: Desk, record: Record, runner: Runner) -> None:
    tool = Slow()
    take(qtbot, desk, tool)
    tool.go.clear()
    tool.rows.setValue(3)
    runner.apply()
    qtbot.waitUntil(lambda: tool.begun_to.acquire(blocking=False), timeout=WAIT_MS)
    runner.cancel()
    tool.go.set()
    quiet(qtbot, runner)
    assert names(record) == []
    tool.go.clear()
    runner.apply()
    runner.cancel()
    tool.rows.setValue(2)
    runner.apply()  # at once after Cancel
    tool.go.set()
    qtbot.waitUntil(lambda: names(record) == ["2 rows"], timeout=WAIT_MS)


def test_a_long_one_tells_how_far_it_is_and_is_stopped(qtbot: Any, desk: Desk, record: Record, runner: Runner) -> None:
    tool = Long()
    take(qtbot, desk, tool)
    runner.previewing = True
    quiet(qtbot, runner)  # it has no preview
    with qtbot.waitSignal(runner.progressed, timeout=WAIT_MS) as told:
        runner.apply()
    assert (told.args[0].phase, told.args[0].total) == ("Rows", 10)
    assert runner.busy
    runner.cancel()
    quiet(qtbot, runner)
    assert tool.closed.is_set()
    assert names(record) == []
    tool.last.set()
    with qtbot.waitSignal(runner.applied, timeout=WAIT_MS):
        runner.apply()
    assert names(record) == ["2 rows"]


def test_an_error_becomes_the_sentence(
    qtbot: Any, viewer: Viewer, desk: Desk, record: Record, runner: Runner, said: list[str]
) -> None:
    tool = Slow()
    take(qtbot, desk, tool)
    runner.previewing = True
    tool.rows.setValue(3)
    await_preview(qtbot, viewer, 3)
    tool.rows.setValue(13)  # fails in its thread
    qtbot.waitUntil(lambda: said[-1:] == ["Thirteen rows can't be had. Choose twelve."], timeout=WAIT_MS)
    assert shown(viewer) is None
    tool.rows.setValue(12)
    await_preview(qtbot, viewer, 12)
    assert said[-1].startswith("12 rows: ")
    tool.rows.setValue(99)  # refused at once
    qtbot.waitUntil(lambda: said[-1:] == ["There are not so many rows. Choose fewer."], timeout=WAIT_MS)
    assert shown(viewer) is None
    runner.apply()
    assert names(record) == []
    tool.rows.setValue(0)
    runner.apply()
    qtbot.waitUntil(lambda: said[-1:] == [Slow.nothing], timeout=WAIT_MS)
    assert names(record) == []


def test_labels_that_changed_meanwhile_are_not_written_over(
    qtbot: Any, desk: Desk, record: Record, runner: Runner, said: list[str]
) -> None:
    tool = Slow()
    take(qtbot, desk, tool)
    tool.go.clear()
    tool.rows.setValue(3)
    runner.apply()
    qtbot.waitUntil(lambda: tool.begun_to.acquire(blocking=False), timeout=WAIT_MS)
    late = rows_of(record.labels, 2, 5)
    held = rows_of(record.labels, 3, 2)
    assert late is not None
    assert held is not None
    record.do(late)
    tool.plan = lambda task: lambda: held  # type: ignore[method-assign]
    tool.go.set()
    quiet(qtbot, runner)
    runner.apply()
    qtbot.waitUntil(lambda: said[-1:] == ["The labels have changed meanwhile. Try again."], timeout=WAIT_MS)
    assert "2 rows" in names(record)


def test_the_preview_follows_history_class_and_limits(
    qtbot: Any, viewer: Viewer, desk: Desk, record: Record, runner: Runner, said: list[str]
) -> None:
    record.labels[8:16, 10:20, 10:20] = 1
    record.layer.selected_label = 1
    tool = MoveEdge()
    take(qtbot, desk, tool)
    tool.by.setValue(1.2)
    runner.previewing = True

    def seen() -> int | None:
        layer = shown(viewer)
        quiet(qtbot, runner)
        return None if layer is None else int(np.count_nonzero(layer.data == 1))

    qtbot.waitUntil(lambda: bool(seen()), timeout=WAIT_MS)
    first = seen()
    desk.inside = frozenset({5})
    qtbot.waitUntil(lambda: shown(viewer) is None, timeout=WAIT_MS)  # there is no background to grow into
    desk.inside = None
    qtbot.waitUntil(lambda: seen() == first, timeout=WAIT_MS)
    with qtbot.waitSignal(runner.applied, timeout=WAIT_MS):
        runner.apply()
    assert shown(viewer) is None  # nobody asked to see it done twice
    record.undo()
    qtbot.waitUntil(lambda: seen() == first, timeout=WAIT_MS)
    runner.previewing = False
    assert shown(viewer) is None
    assert said[-1] == ""


def test_this_slice_is_the_one_that_is_seen(
    qtbot: Any, viewer: Viewer, desk: Desk, record: Record, runner: Runner
) -> None:
    record.labels[8:16, 10:20, 10:20] = 1
    record.layer.selected_label = 1
    viewer.dims.set_current_step(0, 10)
    tool = MoveEdge()
    take(qtbot, desk, tool)
    tool.by.setValue(1.2)
    tool.where.setValue(Where(area=Area.SLICE))
    runner.previewing = True

    def slice_shown() -> int | None:
        layer = shown(viewer)
        return None if layer is None else round(float(record.to_voxel(layer.data_to_world((0, 0, 0)))[0]))

    qtbot.waitUntil(lambda: slice_shown() == 10, timeout=WAIT_MS)
    viewer.dims.set_current_step(0, 13)
    qtbot.waitUntil(lambda: slice_shown() == 13, timeout=WAIT_MS)
    viewer.dims.set_current_step(0, 12)
    runner.apply()  # before there is a preview
    qtbot.waitUntil(lambda: bool(names(record)), timeout=WAIT_MS)
    assert np.flatnonzero(record.corrected.any(axis=(1, 2))).tolist() == [12]


def test_an_edit_goes_to_the_moment_that_it_was_computed_for(
    qtbot: Any, viewer: Viewer, desk: Desk, runner: Runner
) -> None:
    layer = viewer.add_labels(np.zeros((3, *SHAPE), np.uint8))
    record = desk.record
    assert record is not None
    layer.selected_label = 2
    viewer.dims.set_current_step(0, 1)
    tool = Slow()
    take(qtbot, desk, tool)
    tool.go.clear()
    tool.rows.setValue(3)
    runner.apply()
    qtbot.waitUntil(lambda: tool.begun_to.acquire(blocking=False), timeout=WAIT_MS)
    viewer.dims.set_current_step(0, 2)
    tool.go.set()
    qtbot.waitUntil(lambda: names(record) == ["3 rows"], timeout=WAIT_MS)
    assert layer.data.any(axis=(1, 2, 3)).tolist() == [False, True, False]
    runner.previewing = True
    await_preview(qtbot, viewer, 3)
    viewer.dims.set_current_step(0, 0)
    runner.apply()  # what was shown is of another moment
    qtbot.waitUntil(lambda: len(names(record)) == 2, timeout=WAIT_MS)
    assert layer.data.any(axis=(1, 2, 3)).tolist() == [True, True, False]


def test_a_preview_of_one_slice_is_not_all_that_is_applied(
    qtbot: Any, viewer: Viewer, desk: Desk, record: Record, runner: Runner, said: list[str]
) -> None:
    tool = Sliced()
    take(qtbot, desk, tool)
    runner.previewing = True
    tool.rows.setValue(6)
    await_preview(qtbot, viewer, 1)
    assert said[-1].endswith(" voxels would change in this slice.")
    with qtbot.waitSignal(runner.applied, timeout=WAIT_MS):
        runner.apply()
    assert names(record) == ["6 rows"]


def test_what_a_model_gave_is_no_correction(qtbot: Any, desk: Desk, record: Record, runner: Runner) -> None:
    tool = Model()
    take(qtbot, desk, tool)
    tool.rows.setValue(2)
    with qtbot.waitSignal(runner.applied, timeout=WAIT_MS):
        runner.apply()
    assert record.labels.any()
    assert not record.corrected.any()


def test_a_preview_does_not_stay_over_other_labels(
    qtbot: Any, viewer: Viewer, desk: Desk, record: Record, runner: Runner
) -> None:
    tool = Slow()
    take(qtbot, desk, tool)
    runner.previewing = True
    tool.rows.setValue(3)
    await_preview(qtbot, viewer, 3)
    other = viewer.add_labels(np.zeros((8, 9, 10), np.uint8), scale=(3, 3, 3), name="other")
    assert shown(viewer) is None
    other.selected_label = 1
    await_preview(qtbot, viewer, 3)
    layer = shown(viewer)
    assert layer is not None
    assert tuple(layer.scale) == (3, 3, 3)
    assert layer.data.shape == (8, 3, 10)
    viewer.layers.remove(other)
    assert shown(viewer) is None or shown(viewer).data.shape == (SHAPE[0], 3, SHAPE[2])


def test_letting_go_takes_the_preview_along(qtbot: Any, viewer: Viewer, desk: Desk, runner: Runner) -> None:
    tool = Slow()
    take(qtbot, desk, tool)
    runner.previewing = True
    tool.rows.setValue(3)
    await_preview(qtbot, viewer, 3)
    runner.let_go()
    assert shown(viewer) is None
    desk.bench.moved.connect(runner._slice_turned)  # the fixture lets go once more
