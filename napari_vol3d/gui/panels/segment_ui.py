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

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.forms.layer_choice import LayerChoice
from napari_vol3d.gui.forms.options import OptionsForm
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.checks import Fit, spacing_in
from napari_vol3d.pipeline.segment import Prediction, SegmentPlan

REGIONS = ("Whole scan", "What is in view", "Drawn box")
PLAN_TIP = (
    "Patches that the network computes; voxels computed over voxels of the scan; memory of one patch; time; device. "
    "The memory budget under Advanced decides the patch size."
)
WARNING_COLOR = "#e69f00"
BAD_COLOR = "#d55e00"
LINK_COLOR = "#56b4e9"  # readable in the dark theme and in the light one, where Qt's own blue is not
GO = "go"  # the link in the result


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
        self.warning = _line()
        self.region = QComboBox()
        self.region.addItems(REGIONS)
        self.region.setToolTip(
            "What to segment. In view: what the canvas shows, as deep as the model's field of view around this "
            "slice. Drawn box: around the rectangles you drew; on two slices they also give the depth."
        )
        self.draw = QPushButton("Draw")
        self.draw.setToolTip("Drag a rectangle over the organ; a second one on another slice limits the depth")
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
        if scan is None:
            self.scan_line.setText("")
            return
        size = " x ".join(map(str, scan.shape))
        spacing = scan.geometry.spacing
        same = max(spacing) - min(spacing) < 1e-3 * max(spacing)
        edges = f"{spacing[0]:.3g}" if same else " x ".join(f"{s:.3g}" for s in spacing)
        unit = {"um": "µm", "pixel": "(no voxel size)"}.get(scan.geometry.unit, scan.geometry.unit)
        parts = [size, f"{edges} {unit}", " ".join(scan.geometry.orientation), str(scan.data.dtype)]
        self.scan_line.setText(" · ".join(part for part in parts if part))

    def show_model(self, model: Model | None) -> None:
        """Show the classes in their colours, the licence, and the rest as a tooltip."""
        if model is None:
            self.model_line.setText("")
            return
        card = model.card
        self.model_line.setText(f"{chips(card.output.classes)}<br>{card.license}")
        rows = [f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{text}</td></tr>" for key, text in card.summary().items()]
        self.model.setToolTip(f"<table>{''.join(rows)}</table>")

    def show_fit(self, fit: Fit, scan: Volume, card: ModelCard) -> None:
        """Show warnings, and offer to resample where the spacings differ."""
        spacing = spacing_in(scan.geometry, card.input.unit)
        differ = fit.resampled and spacing is not None and card.input.spacing is not None
        self.resample.setVisible(differ)
        lines = list(fit.warnings)
        if differ and self.resample.isChecked() and spacing and card.input.spacing:
            lines.insert(0, f"Scan {_edges(spacing)}, model {_edges(card.input.spacing)} {card.input.unit}")
        self.warning.setText("<br>".join(f"<span style='color:{WARNING_COLOR}'>⚠</span> {line}" for line in lines))
        self.warning.setVisible(bool(lines))

    def show_plan(self, plan: SegmentPlan, device: str, seconds: float | None) -> None:
        """Say what a run will do."""
        patches = f"{plan.count} patch" + ("es" if plan.count != 1 else "")
        self.plan_line.setToolTip(PLAN_TIP)
        parts = [patches, f"{plan.tiles.redundancy:.1f}x work", _bytes(plan.patch_bytes)]
        if seconds is not None:
            parts.append(f"about {_seconds(seconds)}")
        parts.append(device or "waking TensorFlow ...")
        self.plan_line.setText(" · ".join(parts))

    def show_running(self) -> None:
        """Look busy."""
        self.run.setEnabled(False)
        self.run.setToolTip("A run is in progress; cancel it or wait")
        self.cancel.setEnabled(True)
        self.cancel.setToolTip("Stop now; finished patches stay")
        self.bar.setRange(0, 0)
        self.bar.setVisible(True)
        self.result.setText("")
        self.status.setText("Starting ...")

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is and how long it takes."""
        if progress.phase != "Segmenting" or not progress.total:
            self.status.setText(f"{progress.phase} ...")
            return
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)
        left = progress.seconds_left
        text = f"{progress.done} of {progress.total} patches"
        self.status.setText(text if left is None else f"{text}, {_seconds(left)} left")

    def show_result(self, prediction: Prediction, amounts: list[tuple[LabelClass, str]]) -> None:
        """Say what came out and what to do next."""
        listed = ", ".join(f"{chip(item.color)} {item.name} {text}" for item, text in amounts)
        self.result.setText(
            f"<b>Done in {_seconds(prediction.seconds)}</b> on {prediction.device}: {listed}<br>"
            f"<a style='color:{LINK_COLOR}' href='{GO}'>Go to the slice with most of it</a>. "
            "Correct with the brush (2), eraser (1), fill (4); Ctrl+Z undoes. Then save."
        )
        self.status.setText("")

    def show_idle(self) -> None:
        """Look ready."""
        self.bar.setVisible(False)
        self.cancel.setEnabled(False)
        self.cancel.setToolTip("Nothing is running")

    def allow_run(self) -> None:
        """Offer the run."""
        self.run.setEnabled(True)
        self.run.setToolTip("Run the model over the scan; labels appear as patches finish")
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
        grid.addWidget(QLabel("Plan"), 7, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.plan_line, 7, 1)
        folded = QCollapsible("Advanced")
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


def chip(color: str) -> str:
    """Give a little square in a class's colour, as rich text."""
    return f"<span style='color:{color}'>■</span>"


def chips(classes: tuple[LabelClass, ...], most: int = 12) -> str:
    """Give the classes with their colours; more than `most` are counted."""
    text = "&nbsp; ".join(f"{chip(item.color)} {item.name}" for item in classes[:most])
    return text if len(classes) <= most else f"{text} and {len(classes) - most} more"


def _line() -> QLabel:
    label = QLabel("")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    return label


def _edges(spacing: tuple[float, float, float]) -> str:
    return " x ".join(f"{value:.3g}" for value in spacing)


def _bytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _seconds(value: float) -> str:
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 100 else f"{value / 60:.0f} min"
