"""The tab for correcting: labels, classes with locks, tools with their options, history, and whether it is saved."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.windows import LOOKED_THROUGH, thinned
from napari_vol3d.gui.correct.correctable import can_correct
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.keeping import Keeping
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.runner import Runner
from napari_vol3d.gui.correct.tool import MouseTool, Tool
from napari_vol3d.gui.forms.tool_grid import ToolEntry
from napari_vol3d.gui.label_looks import names_in
from napari_vol3d.gui.panels.classes import ClassesPanel
from napari_vol3d.gui.panels.correct_classes import CorrectClasses
from napari_vol3d.gui.panels.correct_ui import CorrectUi

OPTIONS_WIDTH = 260  # pixels: a form that wants more is squeezed, for the dock is narrow


class CorrectPanel(QWidget):
    """Joins the controls with the desk.

    Attributes
    ----------
    ui : CorrectUi
    runner : Runner
        Computes what the tool in hand does.
    tools : dict of str to Tool
        By the name of their class.
    """

    toolTaken = Signal()  # by key or button: the tab should be seen

    def __init__(self, desk: Desk, classes: ClassesPanel, tools: Sequence[Tool]) -> None:
        super().__init__()
        self._desk = desk
        self.tools = {type(tool).__name__: tool for tool in tools}
        entries = [ToolEntry(name=name, title=tool.title, tip=tool.tip) for name, tool in self.tools.items()]
        self.ui = CorrectUi(desk.viewer.layers, can_correct, entries)
        self.runner = Runner(desk, self)
        self.keeping = Keeping(desk, self.ui.save_line, self)
        self.classes = CorrectClasses(desk, classes, self.ui)
        for tool in tools:
            tool.setMinimumWidth(OPTIONS_WIDTH)
            self.ui.options.addWidget(tool)
            tool.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.ui)
        self._record: Record | None = None
        self._told = ""  # of what goes on
        self._connect()
        self._follow_record()
        self._follow_tool()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Apply with Return, once a number box has taken what was typed."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.ui.apply.isVisible():
            self._apply_now()
        else:
            super().keyPressEvent(event)

    def let_go(self) -> None:
        """Let go of the viewer."""
        self._desk.choose(None)
        self._watch(None)
        self.runner.let_go()
        self.ui.labels.let_go()
        self.classes.let_go()
        self.keeping.let_go()
        for tool in self.tools.values():
            tool.let_go()

    def take(self, name: str | None) -> None:
        """Take a tool in hand by the name of its class; one that is in hand stays there: a key may be hit twice."""
        self._take(name)
        if self._desk.tool is not None:
            self.toolTaken.emit()

    def _connect(self) -> None:
        desk, ui, runner = self._desk, self.ui, self.runner
        for signal, slot in (
            (desk.recordChanged, self._follow_record), (desk.changed, self._list),
            (desk.toolChanged, self._follow_tool), (desk.said, ui.say), (ui.tools.valueChanged, self._take),
            (ui.labels.valueChanged, self._choose_labels),
            (ui.labels.activated, self._choose_shown), (ui.limits.valueChanged, self._limit),
            (ui.preview.toggled, self._preview), (ui.apply.clicked, self._apply_now),
            (desk.applyAsked, self._apply_asked), (ui.cancel.clicked, runner.cancel),
            (ui.save.clicked, self.keeping.save_elsewhere),
            (runner.progressed, self._follow_progress), (runner.busyChanged, self._follow_runner),
            (ui.history.jumpAsked, self._jump), (ui.history.undoAsked, self.undo), (ui.history.redoAsked, self.redo),
        ):  # fmt: skip
            signal.connect(slot)

    def undo(self) -> None:
        """Take back the last step of the labels that are chosen."""
        if self._desk.record is not None:
            self._desk.record.undo()

    def redo(self) -> None:
        """Do the next step again."""
        if self._desk.record is not None:
            self._desk.record.redo()

    def _jump(self, token: str | None) -> None:
        if self._desk.record is not None:
            self._desk.record.jump(token)

    def _take(self, name: str | None) -> None:
        self._desk.choose(None if name is None else self.tools[name])

    def _apply_asked(self) -> None:
        """Apply with Return over a view, too, where a person has pointed at something; it may end napari's polygon."""
        tool, record = self._desk.tool, self._record
        if tool is not None and has_plan(tool) and record is not None and str(record.layer.mode) == "pan_zoom":
            self._apply_now()

    def _apply_now(self) -> None:
        self.runner.apply()

    def _preview(self, wanted: bool) -> None:
        self.runner.previewing = wanted

    def _choose_labels(self) -> None:
        """Follow the form, which moves too as layers come and go: a person who looks at other labels is left there."""
        if not self._desk.why_none:
            self._choose_shown()

    def _choose_shown(self, *_: object) -> None:
        layer, record = self.ui.labels.value(), self._desk.record
        if layer is not None and (record is None or layer is not record.layer):
            self._desk.viewer.layers.selection.active = layer

    def _limit(self) -> None:
        self._desk.inside, self._desk.intensity = self.ui.limits.value()

    def _follow_record(self) -> None:
        record = self._desk.record
        self._watch(record)
        self.ui.show_labels(record is not None, self._desk.why_none)
        self.ui.labels.blockSignals(True)
        self.ui.labels.setValue(None if record is None else record.layer)
        self.ui.labels.blockSignals(False)
        if record is not None:
            self.ui.limits.set_classes(names_in(record.layer))
        self._free_button()
        self._follow_values()
        self._list()

    def _follow_values(self) -> None:
        values = self._desk.values()
        if values is None:
            self.ui.limits.set_range(None)
            return
        some = thinned(values, LOOKED_THROUGH)  # finite values only: of a scan without any there is no range
        self.ui.limits.set_range((float(some.min()), float(some.max())) if some.size else None)

    def _follow_tool(self) -> None:
        chosen = self._desk.tool
        for tool in self.tools.values():
            tool.setVisible(tool is chosen)
        name = None if chosen is None else type(chosen).__name__
        self.ui.tools.setValue(name)
        self.ui.show_tool(
            has_plan=chosen is not None and has_plan(chosen), chosen=chosen is not None,
            previews=chosen is None or type(chosen).verb is Tool.verb,
        )  # fmt: skip
        self.ui.say("")
        self._free_button()

    def _free_button(self) -> None:
        """Have the left button for the tool in hand, not for napari's brush."""
        if isinstance(self._desk.tool, MouseTool) and self._record is not None:
            self._record.layer.mode = "pan_zoom"

    def _follow_runner(self) -> None:
        self.ui.show_busy(self.runner.busy)
        if not self.runner.busy and self.ui.said.text() == self._told:
            self.ui.say("")  # that it goes on

    def _follow_progress(self, progress: Progress) -> None:
        self.ui.show_progress(progress)
        self._told = self.ui.said.text()

    def _follow_mode(self, event: object = None) -> None:
        """Put our tool down when one of napari's is taken."""
        layer = None if self._record is None else self._record.layer
        if layer is not None and str(layer.mode) != "pan_zoom" and isinstance(self._desk.tool, MouseTool):
            self._desk.choose(None)

    def _watch(self, record: Record | None) -> None:
        if self._record is not None:
            self._record.layer.events.mode.disconnect(self._follow_mode)
        self._record = record
        if record is not None:
            record.layer.events.mode.connect(self._follow_mode)

    def _list(self) -> None:
        record = self._desk.record
        if record is None:
            self.ui.history.set_steps((), 0)
        else:
            self.ui.history.set_steps(record.history.steps, record.history.at)


def has_plan(tool: Tool) -> bool:
    """Whether there is something to apply, besides what the mouse does."""
    return type(tool).plan is not Tool.plan or type(tool).verb is not Tool.verb
