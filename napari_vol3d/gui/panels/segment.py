"""The Segment panel: which scan, which model, what will happen, Run."""

from __future__ import annotations

from typing import Any

from napari import Viewer
from napari.layers import Image
from qtpy.compat import isalive
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_vol3d.core.amounts import class_amounts
from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import to_volume
from napari_vol3d.gui.panels.findings import Findings
from napari_vol3d.gui.panels.intake import Intake
from napari_vol3d.gui.panels.segment_ui import SegmentUi
from napari_vol3d.gui.panels.segment_words import result_words
from napari_vol3d.gui.region import drawn_region, looks_at, region_in_view, sliced_axis, start_drawing
from napari_vol3d.gui.run import SegmentRun
from napari_vol3d.models.record import expected_rate
from napari_vol3d.models.store import Model, list_models
from napari_vol3d.pipeline.plan import SegmentPlan, plan_segment
from napari_vol3d.pipeline.prediction import Prediction
from napari_vol3d.pipeline.segment import warm_up
from napari_vol3d.pipeline.settings import SegmentSettings

UPDATE_MS = 150
IN_VIEW, DRAWN = 1, 2  # places in the Region box


class SegmentPanel(QWidget):
    """Joins the form, the viewer and the verb `segment`.

    Attributes
    ----------
    ui : SegmentUi
        The widgets.
    findings : Findings
        What was found in each scan, and saving it.
    summary : str
        What the last run found.
    """

    def __init__(self, viewer: Viewer, keeper: EngineKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._keeper = keeper
        self._run: SegmentRun | None = None
        self._warming: Job | None = None
        self._warm_for: tuple[str, str, int] | None = None
        self._intent: tuple[Image, Volume, Model, Box | None, SegmentPlan] | None = None  # what Segment would do now
        self.summary = ""  # what the last run found, in words
        self.ui = SegmentUi(viewer.layers, list_models(), self)
        self.findings, self._intake = Findings(viewer, self.ui, self), Intake(self.ui.channels)
        self._scan = self.ui.scan.value()  # whose region was asked for
        # Typing in a spin box and a burst of layer events end in one update.
        self._soon = QTimer(self, singleShot=True, interval=UPDATE_MS)
        self._soon.timeout.connect(self.update_plan)
        self._device_clock = QTimer(self, interval=500)
        self._device_clock.timeout.connect(self._show_device)
        for signal in (
            self.ui.scan.valueChanged, self.ui.model.currentIndexChanged, self.ui.region.currentIndexChanged,
            self.ui.options.valueChanged, self.ui.resample.toggled, self.ui.channels.valueChanged,
        ):  # fmt: skip
            signal.connect(self._update_soon)
        self.ui.scan.valueChanged.connect(self._follow_scan)
        self.ui.draw.clicked.connect(self._draw)
        self.ui.run.clicked.connect(self.run)
        self.ui.cancel.clicked.connect(self.cancel)
        for event in self._view_events():
            event.connect(self._follow_view)
        self.update_plan()

    @property
    def job(self) -> Job | None:
        """The job of the last run."""
        return self._run.job if self._run is not None else None

    @property
    def model(self) -> Model | None:
        """The chosen model."""
        return self.ui.model.value()

    @property
    def settings(self) -> SegmentSettings:
        """What the form says."""
        return self.ui.options.value(resample=self.ui.resample.isChecked())

    def choose_model(self, name: str) -> None:
        """Choose a model by its card's name.

        Raises
        ------
        ModelProblem
            If there is none of that name.
        """
        self.ui.model.choose(name)

    def reload_models(self, choose: str | None = None) -> None:
        """List what models there are now, and choose one by its name or folder; else the one chosen stays so."""
        self.ui.model.setModels(list_models(), choose=choose or "")
        self._update_soon()

    def update_plan(self) -> None:
        """Show what a run would do, or why there can't be one."""
        self._soon.stop()
        self._intent = None
        layer, model = self.ui.scan.value(), self.model
        self.ui.show_model(model)
        self.ui.show_region(None)
        if layer is None or model is None:
            self.ui.show_scan(None)
            self._block("Open a scan first." if layer is None else "There is no model; add one to the models folder.")
            return
        self._wake_engine()
        try:
            self.ui.show_scan(to_volume(layer))
            scan = self._intake.scan(layer, model.card)
            fit = self._intake.fit(layer, scan, model.card, self.settings)
            self.ui.show_fit(fit, scan, model.card)
            region = self._region(layer, scan, model)
            if region is not None and region.size:
                fit = self._intake.fit(layer, scan, model.card, self.settings, region)
                self.ui.show_fit(fit, scan, model.card)
                self.ui.show_region(region, sliced_axis(self._viewer) if self._viewer.dims.ndisplay == 2 else None)
            plan = plan_segment(scan, model.card, self.settings, region)
        except Vol3dError as problem:
            self._block(str(problem))
            return
        self._intent = (layer, scan, model, region, plan)
        refusal = self._keeper.refusal
        if refusal is not None:
            self._block(str(refusal))
            return
        device = self._keeper.device_name
        rate = expected_rate(model.card, device)
        self.ui.show_plan(plan, device, None if rate is None else rate * plan.megavoxels)
        if not self._running:
            self.ui.allow_run()
            self._warm_up(scan, model)

    def run(self) -> None:
        """Segment."""
        self.update_plan()
        intent = self._intent
        if intent is None or self._running or not self.ui.run.isEnabled():
            return
        layer, scan, model, region, plan = intent
        run = SegmentRun(
            self._viewer, layer, scan, model, self.settings, region=region, plan=plan,
            engine=self._keeper.get(self.settings.device, self.settings.precision), parent=self,
        )  # fmt: skip
        run.progressed.connect(self.ui.show_progress)
        run.succeeded.connect(self._on_success)
        run.failed.connect(self._on_failure)
        run.cancelled.connect(self._on_cancel)
        run.ended.connect(self._on_end)
        if self._run is not None:
            self._run.deleteLater()
        self._run = run
        self.findings.begin(layer, run.labels, run.overlay)
        self.ui.show_running(model.card.title)
        run.start()

    def cancel(self) -> None:
        """Stop the run; finished tiles stay."""
        if self.job is not None:
            self.ui.status.setText("Cancelling ...")
            self.job.stop()

    def let_go(self) -> None:
        """Let go of the viewer and stop what runs; also when Qt has destroyed the widgets already."""
        self.ui.let_go()
        self.findings.let_go()
        for event in self._view_events():
            event.disconnect(self._follow_view)
        for clock in (self._soon, self._device_clock):
            if isalive(clock):  # else the next update would start an engine for nobody
                clock.stop()
        for job in (self.job, self._warming):
            if job is not None:
                job.stop()

    @property
    def _running(self) -> bool:
        return self._run is not None and self._run.running

    def _on_success(self, prediction: Prediction) -> None:
        run = self._run
        if run is None:
            return
        if not run.labels_shown:
            self.ui.say("Done, but its layer was removed. Press Segment to run again.")
            return
        amounts = class_amounts(prediction.mean_counts, prediction.classes, prediction.geometry)
        self.summary = ", ".join(f"{item.name} {text}" for item, text in amounts)
        self.findings.finish(run.layer, run.labels, result_words(run.layer.name, prediction, amounts))

    def _on_failure(self, problem: Vol3dError) -> None:
        self.ui.say(str(problem), bad=True)

    def _on_cancel(self) -> None:
        run = self._run
        if run is None or not run.labels_shown:
            self.ui.say("Cancelled before a tile was finished.")
        elif run.labels.visible:
            self.ui.say("Cancelled; finished tiles stay.")
        else:
            self.ui.say(f"Cancelled; the older labels are back. Finished tiles are in {run.labels.name}, hidden.")

    def _on_end(self) -> None:
        self.ui.show_idle()
        self.findings.show()
        self.update_plan()

    def _region(self, layer: Image, scan: Volume, model: Model) -> Box | None:
        choice = self.ui.region.currentIndex()
        if choice == IN_VIEW:
            return region_in_view(self._viewer, layer, scan, model.card)
        if choice == DRAWN:
            return drawn_region(self._viewer, layer, scan, model.card)
        return None

    def _draw(self) -> None:
        layer = self.ui.scan.value()
        if layer is not None:
            self.ui.region.setCurrentIndex(DRAWN)
            shapes = start_drawing(self._viewer, layer)
            shapes.events.data.connect(self._follow_view)

    def _wake_engine(self) -> None:
        """Start the engine ahead: TensorFlow takes seconds, and the person still looks at the form."""
        if not self._running:
            self._keeper.get(self.settings.device, self.settings.precision)
            if not self._keeper.device_name and self._keeper.refusal is None:
                self._device_clock.start()

    def _warm_up(self, scan: Volume, model: Model) -> None:
        """Load the network while the person still looks at the form: the run then starts at once."""
        if (self._warming is not None and self._warming.running) or not self._keeper.device_name:
            return
        engine = self._keeper.get(self.settings.device, self.settings.precision)
        wanted = (model.card.model_dump_json(), str(scan.data.dtype), engine.process.pid)
        if wanted != self._warm_for:
            self._warm_for = wanted
            verb = warm_up(scan, model, self.settings, engine)
            self._warming = Job(verb, name=f"Loading {model.card.title}", parent=self, quiet=True)
            self._warming.start()

    def _show_device(self) -> None:
        if self._keeper.device_name or self._keeper.refusal is not None:
            self._device_clock.stop()
            self.update_plan()

    def _view_events(self) -> tuple[Any, ...]:
        dims, camera = self._viewer.dims.events, self._viewer.scene.camera.events
        return dims.current_step, dims.order, dims.ndisplay, camera.zoom, camera.center

    def _follow_scan(self) -> None:
        """Another scan was chosen: a region that means nothing on it is given up."""
        layer = self.ui.scan.value()
        if layer is self._scan:
            return  # the list changed, the choice did not
        self._scan = layer
        if not self._running:
            self.ui.forget()
        if layer is not None and self.ui.region.currentIndex() and not self._region_meets(layer):
            self.ui.region.setCurrentIndex(0)

    def _region_meets(self, layer: Image) -> bool:
        """Whether the kind of region that is chosen means something on another scan."""
        model = self.model
        try:
            scan = to_volume(layer)
            if self.ui.region.currentIndex() == IN_VIEW:
                return looks_at(self._viewer, layer, scan)
            return model is not None and drawn_region(self._viewer, layer, scan, model.card).size > 0
        except Vol3dError:
            return False

    def _update_soon(self, *_: object) -> None:
        self._soon.start()  # not connected itself: a signal's value would become the interval

    def _follow_view(self, event: object = None) -> None:
        if self._run is not None and self._run.running:
            self._run.follow()
        elif self.ui.region.currentIndex() != 0:
            self._soon.start()

    def _block(self, reason: str) -> None:
        if not self._running:
            self.ui.block_run(reason)


