"""The widgets of the Segment panel, and how each state of the work looks."""

from __future__ import annotations

from html import escape

from napari.components import LayerList
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_vol3d.core.box import Box
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.say import say_seconds
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.forms.channel_choices import ChannelChoices
from napari_vol3d.gui.forms.layer_choice import LayerChoice
from napari_vol3d.gui.forms.model_box import ModelBox
from napari_vol3d.gui.forms.options import OptionsForm
from napari_vol3d.gui.panels.segment_words import (
    BAD_COLOR,
    lengths,
    model_words,
    region_words,
    scan_tip,
    scan_words,
    warning_words,
)
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.card_words import grid_words
from napari_vol3d.models.library import default_model
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.checks import Fit, spacing_in
from napari_vol3d.pipeline.plan import SegmentPlan
from napari_vol3d.pipeline.settings import SegmentSettings

REGIONS = ("Whole scan", "What is in view", "Drawn box")
PLAN_TIP = (
    "A tile is what the network sees at once. After their number: voxels computed over voxels of the scan, memory of "
    "one tile, time, device. The memory budget under Advanced decides how large a tile is."
)
NAME_WIDTH = 220  # pixels of a layer's name in a button
GRID_WORDS = "labels lie on this one's grid"


class SegmentUi(QWidget):
    """The form; it shows and asks, and knows no verb."""

    def __init__(self, layers: LayerList, models: list[Model], parent: QWidget) -> None:
        super().__init__(parent)
        self.scan = LayerChoice(layers)
        self.scan_line, self.grid_line = _line(), _line()
        self.grid_line.setText(GRID_WORDS)
        self.grid_line.setVisible(False)
        self.channels = ChannelChoices(layers)
        self.model = ModelBox()
        self.model.setModels(models, choose=default_model())
        self.models = QToolButton()
        self.models.setText("...")
        self.models.setToolTip("All models, and adding one")
        self.model_line = _line()
        self.resample = QCheckBox("resample; labels keep the scan's grid")
        self.resample.setChecked(True)
        self.resample.setToolTip(SegmentSettings.model_fields["resample"].description or "")
        self.warning = _line()
        self.region = QComboBox()
        self.region.addItems(REGIONS)
        self.region.setToolTip(
            "What to segment. In view: what the canvas shows, as deep as the model's field of view around this "
            "slice. Drawn box: around the rectangles you drew; on two slices they also give the depth."
        )
        self.draw = QPushButton("Draw")
        self.draw.setToolTip("Drag a rectangle over the organ; a second one on another slice limits the depth")
        self.region_line = _line()
        self.region_line.setToolTip("Slices as the slider counts them, and voxels across")
        self.region_line.setVisible(False)
        self.plan_line = _line()
        self.options = OptionsForm()
        self.run = QPushButton("Segment")
        self.run.setMinimumHeight(38)
        self.cancel = QPushButton("Cancel")
        self.cancel.setMinimumHeight(38)
        self.bar = QProgressBar()
        self.status = _line()
        self.result = _line()
        self.save = QPushButton("Save labels ...")
        self._picked: Image | None = None  # by a person, as the scan
        self._arrange(parent)
        self.show_idle()
        self.scan.activated.connect(self._note_hand)
        self.channels.valueChanged.connect(self._follow_channels)
        self._list_events = (layers.events.inserted, layers.events.removed)
        for event in self._list_events:  # once the choosers have followed: the scan's takes what is new
            event.connect(self._follow_channels, position="last")

    def show_scan(self, scan: Volume | None) -> None:
        """Say what the scan is."""
        self.scan_line.setText("" if scan is None else scan_words(scan))
        self.scan_line.setToolTip("" if scan is None else scan_tip(scan.geometry))

    def show_model(self, model: Model | None) -> None:
        """Show the classes in their colours, the licence, and the rest as a tooltip."""
        if model is None:
            self.model_line.setText("")
            return
        card = model.card
        self.model_line.setText(model_words(card))
        self.model_line.setToolTip("The licence says what the model, and labels made with it, may be used for")
        known = {**card.summary(), "input": f"{', '.join(card.input.channels)}; voxels: {grid_words(card)}"}
        said = [(key, escape(text, quote=False)) for key, text in known.items()]
        rows = [f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{text}</td></tr>" for key, text in said]
        self.model.setToolTip(f"<table>{''.join(rows)}</table>")

    def show_fit(self, fit: Fit, scan: Volume, card: ModelCard) -> None:
        """Show warnings, and offer to resample where the spacings differ."""
        spacing = spacing_in(scan.geometry, card.input.unit)
        differ = fit.resampled and spacing is not None and card.input.spacing is not None
        self.resample.setVisible(differ)
        lines = list(fit.warnings)
        if differ and self.resample.isChecked() and spacing and card.input.spacing:
            lines.insert(0, f"Scan {lengths(spacing)}, model {lengths(card.input.spacing)} {card.input.unit}")
        said = [*map(warning_words, lines), *(escape(note, quote=False) for note in fit.notes)]
        self.warning.setText("<br>".join(said))
        self.warning.setVisible(bool(said))

    def show_plan(self, plan: SegmentPlan, device: str, seconds: float | None) -> None:
        """Say what a run will do."""
        self.plan_line.setToolTip(PLAN_TIP)
        self.plan_line.setText(f"{plan.sentence(seconds)} · {device or 'getting ready ...'}")

    def show_region(self, region: Box | None, axis: int | None = None) -> None:
        """Say what a region holds, which is not the whole scan; `axis` is the one that the slider moves along."""
        text = region_words(region, axis)
        self.region_line.setText(text)
        self.region_line.setVisible(bool(text))

    def show_running(self, title: str) -> None:
        """Look busy, with the model of this title: another may be chosen meanwhile."""
        self.run.setEnabled(False)
        self.run.setToolTip("A run is in progress; cancel it or wait")
        self.cancel.setEnabled(True)
        self.cancel.setToolTip("Stop now; finished tiles stay")
        self.bar.setFormat(f"{title} · %p%")
        self.bar.setRange(0, 0)
        self.bar.setVisible(True)
        self.result.setText("")
        self.status.setText("Starting ...")

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is and how long it takes."""
        if progress.note:
            self.result.setText(warning_words(progress.note))
        if progress.phase != "Segmenting" or not progress.total:
            self.status.setText(f"{progress.phase} ...")
            return
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)
        left = progress.seconds_left
        text = f"{progress.done} of {progress.total} tiles"
        self.status.setText(text if left is None else f"{text}, {say_seconds(left)} left")

    def show_result(self, text: str) -> None:
        """Say what was found, as rich text; "" where there is nothing to say of this scan."""
        self.result.setText(text)

    def offer_save(self, name: str | None) -> None:
        """Offer to save the layer of this name, None where no labels lie on the scan."""
        self.save.setEnabled(name is not None)
        if name is None:
            self.save.setText("Save labels ...")
            self.save.setToolTip("There are no labels of this scan yet. Select a labels layer to save that one.")
            return
        short = self.save.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, NAME_WIDTH)
        self.save.setText(f"Save {short.replace('&', '&&')} ...")
        self.save.setToolTip(f"Save the layer {name}")

    def show_idle(self) -> None:
        """Look ready."""
        self.bar.setVisible(False)
        self.cancel.setEnabled(False)
        self.cancel.setToolTip("Nothing is running")

    def allow_run(self) -> None:
        """Offer the run."""
        self.run.setEnabled(True)
        self.run.setToolTip("Run the model over the scan; labels appear as tiles finish")
        if self.status.property("blocked"):
            self.say("")

    def block_run(self, reason: str) -> None:
        """Refuse the run, and say why where people look."""
        self.run.setEnabled(False)
        self.run.setToolTip(reason)
        self.plan_line.setText("")
        self.say(reason)
        self.status.setProperty("blocked", True)

    def say(self, text: str, *, bad: bool = False) -> None:
        """Show one sentence under the buttons."""
        self.status.setProperty("blocked", False)
        shown = escape(text, quote=False)  # names of files and layers may hold what looks like markup
        self.status.setText(f"<span style='color:{BAD_COLOR}'>{shown}</span>" if bad else shown)

    def let_go(self) -> None:
        """Stop following the layers."""
        for event in self._list_events:
            event.disconnect(self._follow_channels)
        self.scan.let_go()
        self.channels.let_go()

    def forget(self) -> None:
        """Take back what was said of another scan; why there can be no run is said until there can."""
        if not self.status.property("blocked"):
            self.say("")

    def pick_scan(self, layer: Image) -> None:
        """Choose a scan as a person does: labels then lie on its grid, whatever the channels."""
        self.scan.setValue(layer)
        self._note_hand()

    def _note_hand(self, *_: object) -> None:
        self._picked = self.scan.value()

    def _follow_channels(self, *_: object) -> None:
        """Lay labels of a model of several channels on its first one, unless a person chose another scan."""
        self.grid_line.setVisible(bool(self.channels.names))
        first = next(iter(self.channels.value()), None)
        by_hand = self._picked is not None and self.scan.findData(self._picked) >= 0
        if first is not None and not by_hand and self.scan.value() is not first:
            self.scan.setValue(first)

    def _arrange(self, parent: QWidget) -> None:
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        for row, name, editor, lines in (
            (0, "Scan", self.scan, (self.scan_line, self.grid_line)),
            (2, "Model", self._model_row(), (self.model_line,)),
        ):
            grid.addWidget(QLabel(name), row, 0)
            grid.addWidget(editor, row, 1)
            below = QVBoxLayout()
            for line in lines:
                below.addWidget(line)
            grid.addLayout(below, row + 1, 1)
        grid.addWidget(self.channels, 4, 0, 1, 2)
        grid.addWidget(self.warning, 5, 0, 1, 2)
        grid.addWidget(self.resample, 6, 0, 1, 2)
        where = QHBoxLayout()
        where.addWidget(self.region, 1)
        where.addWidget(self.draw)
        grid.addWidget(QLabel("Region"), 7, 0)
        grid.addLayout(where, 7, 1)
        grid.addWidget(self.region_line, 8, 1)
        grid.addWidget(QLabel("Plan"), 9, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.plan_line, 9, 1)
        folded = QCollapsible("Advanced")
        folded.layout().setContentsMargins(2, 2, 2, 2)  # the dock is narrow
        folded.content().layout().setContentsMargins(2, 2, 2, 2)
        folded.addWidget(self.options)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run, 2)
        buttons.addWidget(self.cancel, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(grid)
        layout.addWidget(folded)
        layout.addLayout(buttons)
        for widget in (self.bar, self.status, self.result, self.save):
            layout.addWidget(widget)
        layout.addStretch(1)
        outer = QVBoxLayout(parent)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self)

    def _model_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.model, 1)
        layout.addWidget(self.models)
        return row


def _line() -> QLabel:
    label = QLabel("")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    return label
