"""One run of the verb `segment` in the viewer: the layer it fills, the job that relays, what is left at its end."""

from __future__ import annotations

import numpy as np
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import labels_layer, probability_layers
from napari_vol3d.gui.overlay import Overlay
from napari_vol3d.gui.region import focus_on
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.plan import SegmentPlan
from napari_vol3d.pipeline.prediction import Prediction
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings


class SegmentRun(QObject):
    """Runs a model over a layer and fills a new Labels layer, tile by tile.

    Exactly one of `succeeded` (with the prediction), `failed` (with the problem) and `cancelled` is sent, then
    `ended`.

    Attributes
    ----------
    job : Job
        The thread that relays.
    plan : SegmentPlan
        What it does.
    labels : Labels
        The layer it fills; always a new one, so that no correction is ever overwritten.
    overlay : Overlay
        What writes into it.
    """

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    ended = Signal()

    def __init__(
        self, viewer: Viewer, layer: Image, scan: Volume, model: Model, settings: SegmentSettings, *,
        region: Box | None, plan: SegmentPlan, engine: Engine, parent: QObject,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._viewer, self._layer, self._scan = viewer, layer, scan
        self.model = model
        self.plan = plan
        self._focus = focus_on(viewer, layer)
        # The verb asks from its own thread, which must not touch the viewer: it is told what was seen last.
        self._frame = self._shown_frame()
        verb = segment(
            scan, model, settings, region=region, focus=lambda: self._focus, engine=engine, shown=lambda: self._frame
        )  # fmt: skip
        self._hidden: list[Labels] = []
        self.labels = self._add_labels()
        self.overlay = Overlay(viewer, self.labels, self)
        self.job = Job(verb, name=f"Segmenting {scan.name}", parent=self)
        self.job.progressed.connect(self._on_progress)
        self.job.succeeded.connect(self._on_success)
        self.job.failed.connect(self._on_failure)
        self.job.cancelled.connect(self._on_cancel)
        self.job.ended.connect(self._on_end)

    @property
    def layer(self) -> Image:
        """The layer it runs over."""
        return self._layer

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.job.running

    @property
    def labels_shown(self) -> bool:
        """Whether the layer is still in the viewer: a person may have removed it."""
        return self.labels in self._viewer.layers

    def start(self) -> None:
        """Begin."""
        self.job.start()

    def follow(self) -> None:
        """Note where the person looks now: tiles near it come first."""
        if self._layer in self._viewer.layers:
            self._focus = focus_on(self._viewer, self._layer)
            self._frame = self._shown_frame()

    def _shown_frame(self) -> int:
        """Give the time point on the screen: the first of a series' sliders."""
        return int(self._viewer.dims.current_step[-self._layer.ndim]) if self._scan.timed else 0

    def _add_labels(self) -> Labels:
        classes = self.model.card.output.classes
        dtype = np.uint16 if max(item.id for item in classes) < 2**16 else np.uint32
        name = f"{self._scan.name} labels"
        shape = (*(self._scan.frames,) * self._scan.timed, *self._scan.shape)
        labels = labels_layer(
            np.zeros(shape, dtype), self._scan, classes, name=name,
            model=f"{self.model.card.name} {self.model.card.version}", like=self._layer,
        )  # fmt: skip
        labels.selected_label = classes[0].id
        for other in self._viewer.layers:
            if isinstance(other, Labels) and other.visible and other.name.startswith(name):
                other.visible = False  # two label maps over each other can't be read
                self._hidden.append(other)
        active = self._viewer.layers.selection.active
        self._viewer.add_layer(labels)
        if active is not None:
            self._viewer.layers.selection.active = active
        return labels

    def _on_progress(self, progress: Progress) -> None:
        if progress.finished is not None and progress.labels is not None:
            self.overlay.write(progress.finished, progress.labels, progress.frame)
        self.progressed.emit(progress)

    def _on_success(self, prediction: Prediction) -> None:
        self.overlay.finish()
        if self.labels_shown:
            if prediction.probabilities is not None:
                maps = probability_layers(
                    prediction.probabilities, self._scan, prediction.classes, like=self._layer
                )  # fmt: skip
                for image in maps:
                    self._viewer.add_layer(image)
            self._viewer.layers.selection.active = self.labels
        self.succeeded.emit(prediction)

    def _on_failure(self, problem: Vol3dError) -> None:
        self._step_back()
        self.failed.emit(problem)

    def _on_cancel(self) -> None:
        self._step_back()
        self.cancelled.emit()

    def _on_end(self) -> None:
        self.overlay.finish()
        self.ended.emit()

    def _step_back(self) -> None:
        """Take the layer away where neither model nor person put anything into it; show the older ones again."""
        if self.labels_shown and not self.labels.data.any():
            self._viewer.layers.remove(self.labels)
        older = [layer for layer in self._hidden if layer in self._viewer.layers]
        for layer in older:
            layer.visible = True
        if older and self.labels_shown and not self.overlay.corrected:
            self.labels.visible = False
