"""Computing what a tool does beside the window: a preview as options move, and the edit when it is asked for."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias

from qtpy.QtCore import QObject, QTimer, Signal

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.bench.planes import Axis
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.preview import Preview
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Plan, Tool, Verb
from napari_vol3d.gui.forms.where import Area, WhereForm
from napari_vol3d.gui.jobs import Job

Sights: TypeAlias = tuple[int, Axis, int | None, Box | None]  # time point, direction, slice, box; None: no matter
SOON_MS = 150  # after the last option that was moved


class Runner(QObject):
    """Runs the tool in hand; one computation at a time, the newest wins.

    Attributes
    ----------
    previewing : bool
        Whether a preview follows the options.
    """

    progressed = Signal(object)
    busyChanged = Signal()
    applied = Signal(object)  # the Edit

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._shown = Preview(desk.viewer)
        self._job: Job | None = None
        self._wish: str | None = None  # what the job's edit is for: "preview" or "apply"; None: nobody wants it
        self._next: str | None = None  # what is wanted when the job has ended: it can't be stopped in the middle
        self._seen: Sights | None = None  # what the job's edit, or that of the preview, depends on beside the options
        self._ready: tuple[Record, Edit] | None = None  # what the preview shows
        self._for: tuple[Tool, Record] | None = None
        self._previewing = False
        self._applying = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self._preview)
        self._tool: Tool | None = None
        desk.toolChanged.connect(self._follow)
        for signal in (desk.changed, desk.limitsChanged):
            signal.connect(self.options_moved)
        desk.recordChanged.connect(self._on_record)
        desk.bench.moved.connect(self._slice_turned)

    @property
    def busy(self) -> bool:
        """Whether something is computed."""
        return self._job is not None and self._job.running

    @property
    def previewing(self) -> bool:
        """Whether a preview follows the options."""
        return self._previewing

    @previewing.setter
    def previewing(self, wanted: bool) -> None:
        self._previewing = wanted
        if not wanted:
            self._desk.say("")  # what would change
        self.options_moved()

    def let_go(self) -> None:
        """Stop, and take the preview away."""
        self._desk.bench.moved.disconnect(self._slice_turned)
        self._soon.stop()
        self.cancel()
        self._shown.clear()

    def options_moved(self, *_: object) -> None:
        """What is shown is of before."""
        self._ready = None
        if self._applying:  # nobody wants to see it done twice
            return
        if self._wish == "preview":
            self._wish = None
        if self._previewing and self._tool is not None:
            self._soon.start()
        else:
            self._soon.stop()
            self._shown.clear()

    def _slice_turned(self) -> None:
        if (self._ready is not None or self._wish == "preview") and self._seen != self._sights():
            self.options_moved()

    def _on_record(self) -> None:
        self._shown.clear()  # it lies over other labels
        self.options_moved()

    def apply(self) -> None:
        """Do what the tool would do."""
        ready = self._ready
        if ready is not None and ready[0] is self._desk.record and not self._partly and self._seen == self._sights():
            self._do(*ready)
        else:
            self._begin("apply")

    def cancel(self) -> None:
        """Give up what is computed."""
        self._wish = self._next = None
        if self._job is not None and self._job.running:
            self._job.stop()

    def _follow(self) -> None:
        if self._tool is not None:
            self._tool.optionsChanged.disconnect(self.options_moved)
        self._tool = self._desk.tool
        if self._tool is not None:
            self._tool.optionsChanged.connect(self.options_moved)
        self.cancel()
        self.options_moved()

    @property
    def _partly(self) -> bool:
        """Whether a preview is of one slice, and what is applied is not."""
        return self._tool is not None and self._tool.only_slice is not None

    def _sights(self) -> Sights | None:
        """Give what the tool in hand depends on beside its options: time point, direction, place that is looked at."""
        task, record = self._desk.task(), self._desk.record
        if task is None or record is None or self._tool is None:
            return None
        areas = {form.value().area for form in self._tool.findChildren(WhereForm)}
        index = task.index if self._partly or Area.SLICE in areas else None
        return record.frame, task.axis, index, task.in_view if Area.VIEW in areas else None

    def _preview(self) -> None:
        self._begin("preview")

    def _begin(self, wish: str) -> None:
        tool, record = self._tool, self._desk.record
        if tool is None or record is None or self._wish == "apply":
            return
        if self.busy:
            self._wait(wish)
            return
        try:
            verb = self._verb(tool, wish)
        except Vol3dError as problem:
            self._desk.say(str(problem))
            self._shown.clear()
            return
        if verb is None:
            return
        self._desk.say("")
        self._wish, self._for, self._seen = wish, (tool, record), self._sights()
        self._job = Job(verb, name=tool.title, parent=self, quiet=True)
        self._job.progressed.connect(self.progressed)
        self._job.succeeded.connect(self._on_success)
        self._job.failed.connect(self._on_failure)
        self._job.ended.connect(self._on_end)
        self._job.start()
        self.busyChanged.emit()

    def _wait(self, wish: str) -> None:
        """Take what is computed for what is wanted, where it is just that; else begin when it has ended."""
        if wish == "apply" and self._wish == "preview" and not self._partly and self._seen == self._sights():
            self._wish = wish
        elif self._next != "apply":
            self._wish, self._next = None, wish
            if self._job is not None:
                self._job.stop()

    def _verb(self, tool: Tool, wish: str) -> Generator[Progress, None, Any] | None:
        task = self._desk.task()
        if task is None:
            return None
        long = tool.verb(task) if wish == "apply" else None
        if long is not None:
            return _told(long)
        if tool.only_slice is not None:
            tool.only_slice = wish == "preview"
        plan = tool.plan(task)
        return None if plan is None else _planned(plan, tool.title)

    def _on_success(self, found: tuple[Edit | None]) -> None:
        (edit,), record = found, self._for[1] if self._for else None
        if record is None or record is not self._desk.record or self._wish is None:
            return
        if edit is None:
            self._shown.clear()
            self._desk.say(self._for[0].nothing if self._for else "")
        elif self._wish == "apply":
            self._do(record, edit)
        elif self._previewing:
            self._ready = record, edit
            self._shown.show(record, edit)
            self._desk.say(self._foretold(edit))

    def _foretold(self, edit: Edit) -> str:
        """Say what a preview shows: it may lie in other slices than the one that is looked at."""
        where = " in this slice" if self._partly else ""
        return f"{edit.name}: {edit.count:,} voxels would change{where}."

    def _do(self, record: Record, edit: Edit) -> None:
        by_model = self._tool is not None and self._tool.by_model
        self._shown.clear()
        self._ready, self._applying = None, True
        try:
            record.do(edit, by_model=by_model, frame=None if self._seen is None else self._seen[0])
        except Vol3dError as problem:
            self._desk.say(str(problem))
            return
        finally:
            self._applying = False
        self._desk.say(f"{edit.name}: {edit.count:,} voxels changed.")
        self.applied.emit(edit)

    def _on_failure(self, problem: Vol3dError) -> None:
        if self._wish is not None:
            self._shown.clear()
            self._desk.say(str(problem))

    def _on_end(self) -> None:
        following, self._wish, self._next = self._next, None, None
        if self._job is not None:
            self._job.deleteLater()
            self._job = None
        self.busyChanged.emit()
        if following is not None and (following == "apply" or self._previewing):
            self._begin(following)


def _planned(plan: Plan, title: str) -> Generator[Progress, None, tuple[Edit | None]]:
    """Make a verb of a plan; its result is never None, for that says that a job was cancelled."""
    yield Progress(phase=title)
    return (plan(),)


def _told(verb: Verb) -> Generator[Progress, None, tuple[Edit | None]]:
    return ((yield from verb),)
