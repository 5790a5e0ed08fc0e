"""The widgets of the Segment panel, and how each state of the work looks."""

from __future__ import annotations

from html import escape

from napari.components import LayerList
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_vol3d.core.box import Box
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.say import say_seconds
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.forms.layer_choice import LayerChoice
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


class SegmentUi(QWidget):
    """The form; it shows and asks, and knows no verb."""

    def __init__(self, layers: LayerList, models: list[Model], parent: QWidget) -> None:
        super().__init__(parent)
        self.scan = LayerChoice(layers)
        self.scan_line = _line()
        self.model = QComboBox()
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.model.setMinimumContentsLength(12)
        self.model.addItems([f"{m.card.title}  {m.card.version}" for m in models])
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
        self._arrange(parent)
        self.show_idle()

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
        rows = [f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{text}</td></tr>" for key, text in card.summary().items()]
        self.model.setToolTip(f"<table>{''.join(rows)}</table>")

    def show_fit(self, fit: Fit, scan: Volume, card: ModelCard) -> None:
        """Show warnings, and offer to resample where the spacings differ."""
        spacing = spacing_in(scan.geometry, card.input.unit)
        differ = fit.resampled and spacing is not None and card.input.spacing is not None
        self.resample.setVisible(differ)
        lines = list(fit.warnings)
        if differ and self.resample.isChecked() and spacing and card.input.spacing:
            lines.insert(0, f"Scan {lengths(spacing)}, model {lengths(card.input.spacing)} {card.input.unit}")
        self.warning.setText("<br>".join(map(warning_words, lines)))
        self.warning.setVisible(bool(lines))

    def show_plan(self, plan: SegmentPlan, device: str, seconds: float | None) -> None:
        """Say what a run will do."""
        self.plan_line.setToolTip(PLAN_TIP)
        self.plan_line.setText(f"{plan.sentence(seconds)} · {device or 'getting ready ...'}")

    def show_region(self, region: Box | None, axis: int | None = None) -> None:
        """Say what a region holds, which is not the whole scan; `axis` is the one that the slider moves along."""
        text = region_words(region, axis)
        self.region_line.setText(text)
        self.region_line.setVisible(bool(text))

    def show_running(self) -> None:
        """Look busy."""
        self.run.setEnabled(False)
        self.run.setToolTip("A run is in progress; cancel it or wait")
        self.cancel.setEnabled(True)
        self.cancel.setToolTip("Stop now; finished tiles stay")
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

    def forget(self) -> None:
        """Take back what was said of another scan; why there can be no run is said until there can."""
        if not self.status.property("blocked"):
            self.say("")

    def _arrange(self, parent: QWidget) -> None:
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        for row, (name, editor, line) in enumerate(
            (("Scan", self.scan, self.scan_line), ("Model", self.model, self.model_line))
        ):
            grid.addWidget(QLabel(name), 2 * row, 0)
            grid.addWidget(editor, 2 * row, 1)
            grid.addWidget(line, 2 * row + 1, 1)
        grid.addWidget(self.warning, 4, 0, 1, 2)
        grid.addWidget(self.resample, 5, 0, 1, 2)
        where = QHBoxLayout()
        where.addWidget(self.region, 1)
        where.addWidget(self.draw)
        grid.addWidget(QLabel("Region"), 6, 0)
        grid.addLayout(where, 6, 1)
        grid.addWidget(self.region_line, 7, 1)
        grid.addWidget(QLabel("Plan"), 8, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.plan_line, 8, 1)
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


def _line() -> QLabel:
    label = QLabel("")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    return label
