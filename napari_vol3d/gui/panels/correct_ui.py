"""The widgets of the Correct tab, and how each state of the work looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari.components import LayerList
from napari.layers import Layer
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.say import say_seconds, shortened
from napari_vol3d.gui.correct.save_line import SaveLine
from napari_vol3d.gui.forms.class_list import ClassList
from napari_vol3d.gui.forms.history_list import HistoryList
from napari_vol3d.gui.forms.layer_choice import LayerChoice
from napari_vol3d.gui.forms.limits import LimitsForm
from napari_vol3d.gui.forms.tool_grid import ToolEntry, ToolGrid

LONG_NAME = 16  # letters
NARROW = (2, 2, 2, 2)
NO_LABELS = "There are no labels to correct. Segment a scan, or open a label map."
NO_TOOL = "Choose a tool; its tooltip names its key. napari's own brush, fill and polygon are kept in the history too."
LIMITS = "Limits of all tools"
PREVIEW = "Show what would change as options are moved, before it does; red is what would be erased"
NO_PREVIEW = "This tool asks the model, which takes too long for a preview; Ctrl+Z takes it back"
NEW_CLASS = "Begin a new class, and paint with it"
SAVE = "Write a file of these labels, on the scan's own grid; the journal keeps the corrections themselves"
CLASS_ROWS = (4, 4)  # always: else all below would move away under the mouse when classes come
SAID_LINES = 2


class CorrectUi(QWidget):
    """The controls; they show and ask, and know no tool by itself."""

    def __init__(self, layers: LayerList, correctable: Callable[[Layer], bool], tools: Sequence[ToolEntry]) -> None:
        super().__init__()
        self.labels = LayerChoice(layers, wanted=correctable, tip="The labels to correct")
        self.save_line = SaveLine()
        self.classes = ClassList(locks=True, rows=CLASS_ROWS)
        self.new_class = QPushButton("+ class")
        self.corrected = QLabel()
        self.tools = ToolGrid(tools)
        self.options = QVBoxLayout()
        self.hint = _line(NO_TOOL)
        self.hint.setEnabled(False)
        self.limits = LimitsForm()
        self.preview = QCheckBox("Preview")
        self.apply = QPushButton("Apply")
        self.apply.setToolTip("Do it (Enter); Ctrl+Z takes it back")
        self.cancel = QPushButton("Cancel")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(6)
        self.said = _line("")
        self.said.setMinimumHeight(SAID_LINES * self.said.fontMetrics().lineSpacing())
        self.history = HistoryList()
        self.save = QPushButton("Save labels ...")
        self._run = QWidget()
        self._lay_out()
        self.show_labels(there=True)
        self.show_tool(has_plan=False, chosen=False)
        self.show_busy(False)

    def add_section(self, title: str, widget: QWidget, *, folded: bool) -> QCollapsible:
        """Put a part under the others."""
        section = QCollapsible(title)
        section.layout().setContentsMargins(*NARROW)
        section.content().layout().setContentsMargins(*NARROW)
        section.addWidget(widget)
        if folded:
            section.collapse(animate=False)
        else:
            section.expand(animate=False)
        self._column.insertWidget(self._column.count() - 1, section)
        return section

    def show_labels(self, there: bool, why: str = "") -> None:
        """Offer what works with labels, or say what is missing, or why those that are chosen can't be corrected."""
        why = "" if there else why or NO_LABELS
        for part in (self.tools, self.limits, self.new_class, self.classes, self.history):
            part.setEnabled(there)
            part.setToolTip(why)
        self.tools.set_why_off(why)
        self.new_class.setToolTip(why or NEW_CLASS)
        self.save.setEnabled(there)
        self.save.setToolTip(why or SAVE)
        self.hint.setText(why or NO_TOOL)

    def show_tool(self, *, has_plan: bool, chosen: bool, previews: bool = True) -> None:
        """Offer Apply for a tool that has something to apply, and a preview where it can be had before."""
        self._run.setVisible(has_plan)
        self.preview.setEnabled(previews)
        self.preview.setToolTip(PREVIEW if previews else NO_PREVIEW)
        self.hint.setVisible(not chosen)

    def show_busy(self, busy: bool) -> None:
        """Look busy or ready."""
        self.cancel.setEnabled(busy)
        self.cancel.setToolTip("Give up what is being computed" if busy else "Nothing is being computed")
        self.bar.setVisible(busy)
        self.bar.setRange(0, 0)

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is."""
        if progress.total:
            self.bar.setRange(0, progress.total)
            self.bar.setValue(progress.done)
        left = progress.seconds_left
        self.say(f"{progress.phase} ..." if left is None else f"{progress.phase}, {say_seconds(left)} left")

    def say(self, sentence: str) -> None:
        """Show one sentence under the tool; its place stays, so that nothing moves away under the mouse."""
        self.said.setText(sentence)

    def _name_limits(self) -> None:
        """Say on the fold what holds: folded limits that nobody remembers look like tools that do not work."""
        inside, values = self.limits.value()
        held = [] if inside is None else [shortened(self.limits.inside.currentText(), LONG_NAME)]
        held += [] if values is None else [f"{values[0]:.4g} to {values[1]:.4g}"]
        self._limits.setText(f"Limits: only {', '.join(held)}" if held else LIMITS)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Labels"))
        row.addWidget(self.labels, 1)
        classes = QHBoxLayout()
        classes.addWidget(self.corrected, 1)
        classes.addWidget(self.new_class)
        run = QHBoxLayout(self._run)
        run.setContentsMargins(0, 0, 0, 0)
        for widget, share in ((self.preview, 0), (self.apply, 2), (self.cancel, 1)):
            run.addWidget(widget, share)
        self._limits = limits = QCollapsible(LIMITS)
        limits.layout().setContentsMargins(*NARROW)
        limits.content().layout().setContentsMargins(*NARROW)
        limits.addWidget(self.limits)
        self.limits.valueChanged.connect(self._name_limits)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 6)
        column.addLayout(row)
        column.addWidget(self.save_line)
        column.addWidget(self.classes)
        column.addLayout(classes)
        column.addWidget(self.tools)
        column.addWidget(self.hint)
        column.addLayout(self.options)
        for widget in (self._run, self.bar, self.said, limits, self.history, self.save):
            column.addWidget(widget)
        column.addStretch(1)


def _line(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # names may be long
    return label
