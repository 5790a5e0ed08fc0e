"""The Segment panel: which scan, which model, what will happen, Run."""

from __future__ import annotations

from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_vol3d.core.amounts import class_amounts
from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ModelProblem, Vol3dError
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import to_volume
from napari_vol3d.gui.panels.segment_ui import SegmentUi
from napari_vol3d.gui.region import drawn_region, go_to_largest, region_in_view, start_drawing
from napari_vol3d.gui.run import SegmentRun
from napari_vol3d.gui.saving import ask_and_save
from napari_vol3d.gui.speeds import expected_seconds, remember_speed
from napari_vol3d.models.store import Model, list_models
from napari_vol3d.pipeline.checks import check_fit
from napari_vol3d.pipeline.segment import Prediction, SegmentPlan, plan_segment
from napari_vol3d.pipeline.settings import SegmentSettings

UPDATE_MS = 150


class SegmentPanel(QWidget):
    """Joins the form, the viewer and the verb `segment`.

    Attributes
    ----------
    ui : SegmentUi
        The widgets.
    summary : str
        What the last run found.
    """

    def __init__(self, viewer: Viewer, keeper: EngineKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._keeper = keeper
        self._models: list[Model] = list_models()
        self._run: SegmentRun | None = None
        self._saving: Job | None = None
        self._intent: tuple[Image, Volume, Model, Box | None, SegmentPlan] | None = None  # what Segment would do now
        self.summary = ""  # what the last run found, in words
        self.ui = SegmentUi(viewer.layers, self._models, self)
        # Typing in a spin box and a burst of layer events end in one update.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(UPDATE_MS)
        self._soon.timeout.connect(self.update_plan)
        self._device_clock = QTimer(self)
        self._device_clock.setInterval(500)
        self._device_clock.timeout.connect(self._show_device)
        for signal in (
            self.ui.scan.valueChanged, self.ui.model.currentIndexChanged, self.ui.region.currentIndexChanged,
            self.ui.options.valueChanged, self.ui.resample.toggled,
        ):  # fmt: skip
            signal.connect(self._update_soon)
        self.ui.draw.clicked.connect(self._draw)
        self.ui.run.clicked.connect(self.run)
        self.ui.cancel.clicked.connect(self.cancel)
        self.ui.save.clicked.connect(self.save)
        self.ui.result.linkActivated.connect(self._go)
        for event in (viewer.layers.events.removed, viewer.layers.selection.events.active):
            event.connect(self._follow_selection)
        viewer.dims.events.current_step.connect(self._follow_view)
        for event in (viewer.scene.camera.events.zoom, viewer.scene.camera.events.center):
            event.connect(self._follow_view)
        self._follow_selection()
        self.update_plan()

    @property
    def job(self) -> Job | None:
        """The job of the last run."""
        return self._run.job if self._run is not None else None

    @property
    def model(self) -> Model | None:
        """The chosen model."""
        index = self.ui.model.currentIndex()
        return self._models[index] if 0 <= index < len(self._models) else None

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
        names = [model.card.name for model in self._models]
        if name not in names:
            raise ModelProblem(f"No model called {name}.", hint=f"Known models: {', '.join(names)}.")
        self.ui.model.setCurrentIndex(names.index(name))

    def update_plan(self) -> None:
        """Show what a run would do, or why there can't be one."""
        self._soon.stop()
        self._intent = None
        layer, model = self.ui.scan.value(), self.model
        self.ui.show_model(model)
        if layer is None or model is None:
            self.ui.show_scan(None)
            self._block("Open a scan first." if layer is None else "There is no model; add one to the models folder.")
            return
        self._wake_engine()
        try:
            scan = to_volume(layer)
            self.ui.show_scan(scan)
            fit = check_fit(scan, model.card, resample=self.settings.resample)
            self.ui.show_fit(fit, scan, model.card)
            region = self._region(layer, scan, model)
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
        self.ui.show_plan(plan, device, expected_seconds(model, plan, device))
        if not self._running:
            self.ui.allow_run()

    def run(self) -> None:
        """Segment."""
        self.update_plan()
        intent = self._intent
        if intent is None or self._running or not self.ui.run.isEnabled():
            return
        layer, scan, model, region, plan = intent
        run = SegmentRun(
            self._viewer, layer, scan, model, self.settings, region=region, plan=plan,
            engine=self._keeper.get(self.settings.device), parent=self,
        )  # fmt: skip
        run.progressed.connect(self.ui.show_progress)
        run.succeeded.connect(self._on_success)
        run.failed.connect(self._on_failure)
        run.cancelled.connect(self._on_cancel)
        run.ended.connect(self._on_end)
        if self._run is not None:
            self._run.deleteLater()
        self._run = run
        self.ui.show_running()
        run.start()

    def cancel(self) -> None:
        """Stop the run; finished tiles stay."""
        if self.job is not None:
            self.ui.status.setText("Cancelling ...")
            self.job.stop()

    def save(self) -> None:
        """Save the labels that are selected, or those of the last run."""
        layer = self._labels_to_save()
        # One after the other: two savings to one file could end in the older one.
        if layer is not None and (self._saving is None or not self._saving.running):
            self._saving = ask_and_save(self, layer, self.ui.say)

    def let_go(self) -> None:
        """Let go of the viewer and stop what runs; also when Qt has destroyed the widgets already."""
        self.ui.scan.let_go()
        for event in (self._viewer.layers.events.removed, self._viewer.layers.selection.events.active):
            event.disconnect(self._follow_selection)
        self._viewer.dims.events.current_step.disconnect(self._follow_view)
        for event in (self._viewer.scene.camera.events.zoom, self._viewer.scene.camera.events.center):
            event.disconnect(self._follow_view)
        if self.job is not None:
            self.job.stop()

    @property
    def _running(self) -> bool:
        return self._run is not None and self._run.running

    def _on_success(self, prediction: Prediction) -> None:
        run = self._run
        if run is None:
            return
        remember_speed(run.model, run.plan, prediction.device, prediction.compute_seconds)
        if not run.labels_shown:
            self.ui.say("Done, but its layer was removed. Press Segment to run again.")
            return
        amounts = class_amounts(prediction.counts, prediction.classes, prediction.geometry)
        self.summary = ", ".join(f"{item.name} {text}" for item, text in amounts)
        self.ui.show_result(prediction, amounts)

    def _on_failure(self, problem: Vol3dError) -> None:
        self.ui.say(str(problem), bad=True)

    def _on_cancel(self) -> None:
        kept = self._run is not None and self._run.labels_shown
        self.ui.say("Cancelled; finished patches stay." if kept else "Cancelled before a patch was finished.")

    def _on_end(self) -> None:
        self.ui.show_idle()
        self.update_plan()

    def _region(self, layer: Image, scan: Volume, model: Model) -> Box | None:
        choice = self.ui.region.currentIndex()
        if choice == 1:
            return region_in_view(self._viewer, layer, scan, model.card)
        if choice == 2:
            return drawn_region(self._viewer, layer, scan, model.card)
        return None

    def _draw(self) -> None:
        layer = self.ui.scan.value()
        if layer is not None:
            self.ui.region.setCurrentIndex(2)
            shapes = start_drawing(self._viewer, layer)
            shapes.events.data.connect(self._follow_view)

    def _wake_engine(self) -> None:
        """Start the engine ahead: TensorFlow takes seconds, and the person still looks at the form."""
        if not self._running:
            self._keeper.get(self.settings.device)
            if not self._keeper.device_name and self._keeper.refusal is None:
                self._device_clock.start()

    def _show_device(self) -> None:
        if self._keeper.device_name or self._keeper.refusal is not None:
            self._device_clock.stop()
            self.update_plan()

    def _follow_selection(self, event: object = None) -> None:
        layer = self._labels_to_save()
        self.ui.save.setEnabled(layer is not None)
        self.ui.save.setToolTip(f"Save {layer.name}" if layer is not None else "There are no labels yet")

    def _update_soon(self, *_: object) -> None:
        self._soon.start()  # not connected itself: a signal's value would become the interval

    def _follow_view(self, event: object = None) -> None:
        if self._run is not None and self._run.running:
            self._run.follow()
        elif self.ui.region.currentIndex() != 0:
            self._soon.start()

    def _go(self, link: str) -> None:
        layer = self._labels_to_save()
        if layer is not None:
            go_to_largest(self._viewer, layer)

    def _labels_to_save(self) -> Labels | None:
        active = self._viewer.layers.selection.active
        if isinstance(active, Labels):
            return active
        found = [layer for layer in self._viewer.layers if isinstance(layer, Labels)]
        return found[-1] if found else None

    def _block(self, reason: str) -> None:
        if not self._running:
            self.ui.block_run(reason)


