"""The Segment panel: which scan, which model, what will happen, Run."""

from __future__ import annotations

import numpy as np
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_vol3d.core.amounts import class_amounts
from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ModelProblem, Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import labels_layer, probability_layers, to_volume
from napari_vol3d.gui.overlay import Overlay
from napari_vol3d.gui.panels.segment_ui import SegmentUi
from napari_vol3d.gui.region import drawn_region, focus_voxel, region_in_view, start_drawing
from napari_vol3d.gui.saving import ask_and_save
from napari_vol3d.gui.speeds import expected_seconds, remember_speed
from napari_vol3d.models.store import Model, list_models
from napari_vol3d.pipeline.checks import check_fit
from napari_vol3d.pipeline.segment import Prediction, SegmentPlan, plan_segment, segment
from napari_vol3d.pipeline.settings import SegmentSettings

UPDATE_MS = 150


class SegmentPanel(QWidget):
    """Joins the form, the viewer and the verb `segment`.

    Attributes
    ----------
    ui : SegmentUi
        The widgets.
    job : Job or None
        The run in progress.
    summary : str
        What the last run found.
    """

    def __init__(self, viewer: Viewer, keeper: EngineKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._keeper = keeper
        self._models: list[Model] = list_models()
        self._overlay: Overlay | None = None
        self.job: Job | None = None
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
            signal.connect(self._soon.start)
        self.ui.draw.clicked.connect(self._draw)
        self.ui.run.clicked.connect(self.run)
        self.ui.cancel.clicked.connect(self.cancel)
        self.ui.save.clicked.connect(self.save)
        for event in (viewer.layers.events.removed, viewer.layers.selection.events.active):
            event.connect(self._follow_selection)
        viewer.dims.events.current_step.connect(self._follow_view)
        viewer.scene.camera.events.zoom.connect(self._follow_view)
        self.update_plan()

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
            plan = plan_segment(scan, model.card, self.settings, self._region(layer, scan, model))
        except Vol3dError as problem:
            self._block(str(problem))
            return
        device = self._keeper.device_name
        self.ui.show_plan(plan, device, expected_seconds(model, plan, device))
        if not self._running:
            self.ui.allow_run()

    def run(self) -> None:
        """Segment."""
        self.update_plan()
        layer, model = self.ui.scan.value(), self.model
        if layer is None or model is None or self._running or not self.ui.run.isEnabled():
            return
        scan = to_volume(layer)
        region = self._region(layer, scan, model)
        plan = plan_segment(scan, model.card, self.settings, region)
        self._begin(layer, scan, model, region, plan)

    def cancel(self) -> None:
        """Stop the run; finished tiles stay."""
        if self.job is not None:
            self.ui.status.setText("Cancelling ...")
            self.job.stop()

    def save(self) -> None:
        """Save the labels that are selected, or those of the last run."""
        layer = self._labels_to_save()
        if layer is not None:
            ask_and_save(self, layer, self.ui.say)

    def let_go(self) -> None:
        """Let go of the viewer and stop what runs; also when Qt has destroyed the widgets already."""
        self.ui.scan.let_go()
        for event in (self._viewer.layers.events.removed, self._viewer.layers.selection.events.active):
            event.disconnect(self._follow_selection)
        self._viewer.dims.events.current_step.disconnect(self._follow_view)
        self._viewer.scene.camera.events.zoom.disconnect(self._follow_view)
        if self.job is not None:
            self.job.stop()

    @property
    def _running(self) -> bool:
        return self.job is not None and self.job.running

    def _begin(self, layer: Image, scan: Volume, model: Model, region: Box | None, plan: SegmentPlan) -> None:
        settings, engine = self.settings, self._keeper.get(self.settings.device)
        verb = segment(
            scan, model, settings, region=region, focus=focus_voxel(self._viewer, layer), engine=engine
        )  # fmt: skip
        labels = self._new_labels(layer, scan, model)
        self._overlay = Overlay(self._viewer, labels, self)
        self.job = Job(verb, name=f"Segmenting {scan.name}", parent=self)
        self.job.progressed.connect(self._on_progress)
        self.job.succeeded.connect(self._on_success)
        self.job.failed.connect(self._on_failure)
        self.job.cancelled.connect(self._on_cancel)
        self.job.ended.connect(self._on_end)
        self._run = (layer, scan, model, plan)
        self.ui.show_running(plan)
        self.job.start()

    def _new_labels(self, layer: Image, scan: Volume, model: Model) -> Labels:
        """Add the layer that this run fills: always a new one, so that no correction is ever overwritten."""
        classes = model.card.output.classes
        dtype = np.uint16 if max(c.id for c in classes) < 2**16 else np.uint32
        labels = labels_layer(
            np.zeros(scan.shape, dtype), scan, classes, name=f"{scan.name} labels",
            model=f"{model.card.name} {model.card.version}", like=layer,
        )  # fmt: skip
        labels.selected_label = classes[0].id
        for other in self._viewer.layers:
            if isinstance(other, Labels) and other.name.startswith(f"{scan.name} labels"):
                other.visible = False  # two label maps over each other can't be read
        active = self._viewer.layers.selection.active
        self._viewer.add_layer(labels)
        if active is not None:
            self._viewer.layers.selection.active = active
        return labels

    def _on_progress(self, progress: Progress) -> None:
        if progress.finished is not None and progress.labels is not None and self._overlay is not None:
            self._overlay.write(progress.finished, progress.labels)
        self.ui.show_progress(progress)

    def _on_success(self, prediction: Prediction) -> None:
        layer, scan, model, plan = self._run
        overlay = self._overlay
        if overlay is None:
            return
        overlay.finish()
        remember_speed(model, plan, prediction.device, prediction.compute_seconds)
        if overlay.layer not in self._viewer.layers:
            self.ui.say("Done, but its layer was removed. Press Segment to run again.")
            return
        if prediction.probabilities is not None:
            for image in probability_layers(prediction.probabilities, scan, prediction.classes, like=layer):
                self._viewer.add_layer(image)
        self._viewer.layers.selection.active = overlay.layer
        amounts = class_amounts(overlay.layer.data, prediction.classes, scan.geometry)
        self.summary = ", ".join(f"{item.name} {text}" for item, text in amounts)
        self.ui.show_result(prediction, amounts)

    def _on_failure(self, problem: Vol3dError) -> None:
        self._drop_empty_layer()
        self.ui.say(str(problem), bad=True)

    def _on_cancel(self) -> None:
        self._drop_empty_layer()
        self.ui.say("Cancelled; finished tiles stay.")

    def _on_end(self) -> None:
        if self._overlay is not None:
            self._overlay.finish()
            self._overlay.deleteLater()
            self._overlay = None
        self.ui.show_idle()
        self.update_plan()

    def _drop_empty_layer(self) -> None:
        """Take the run's layer away again if neither the model nor the person put anything into it."""
        if self._overlay is not None:
            layer = self._overlay.layer
            if layer in self._viewer.layers and not layer.data.any():
                self._viewer.layers.remove(layer)

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
            if not self._keeper.device_name:
                self._device_clock.start()

    def _show_device(self) -> None:
        if self._keeper.device_name:
            self._device_clock.stop()
            self.update_plan()

    def _follow_selection(self, event: object = None) -> None:
        layer = self._labels_to_save()
        self.ui.save.setEnabled(layer is not None)
        self.ui.save.setToolTip(f"Save {layer.name}" if layer is not None else "There are no labels yet")

    def _follow_view(self, event: object = None) -> None:
        if self.ui.region.currentIndex() != 0 and not self._running:
            self._soon.start()

    def _labels_to_save(self) -> Labels | None:
        active = self._viewer.layers.selection.active
        if isinstance(active, Labels):
            return active
        found = [layer for layer in self._viewer.layers if isinstance(layer, Labels)]
        return found[-1] if found else None

    def _block(self, reason: str) -> None:
        if not self._running:
            self.ui.block_run(reason)


