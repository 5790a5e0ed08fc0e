"""Answering requests: load, segment, fit. One at a time, each a generator of reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import EngineProblem, Vol3dError
from napari_vol3d.core.resample import GridMap
from napari_vol3d.core.tiles import TilePlan
from napari_vol3d.engine.fit import fit
from napari_vol3d.engine.inbox import Inbox
from napari_vol3d.engine.kernel import nearest_to, segment_box
from napari_vol3d.engine.load import load_network
from napari_vol3d.engine.messages import Done, Fit, Loaded, LoadModel, Message, Segment, TileDone
from napari_vol3d.engine.predictor import NetworkPredictor
from napari_vol3d.models.card import ModelCard


class Server:
    """Holds the loaded network between requests."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.predictor: NetworkPredictor | None = None
        self.card: ModelCard | None = None

    def answer(self, request: LoadModel | Segment | Fit | None) -> Iterator[Message]:
        """Do what is asked and report on the way."""
        try:
            match request:
                case LoadModel():
                    yield self._load(request)
                case Segment():
                    yield from self._segment(request)
                case Fit():
                    yield from self._fit(request)
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(str(error)) from error
        except tf.errors.OpError as error:
            raise EngineProblem(f"TensorFlow failed: {error.message}.", hint="The log has the details.") from error

    def _load(self, request: LoadModel) -> Loaded:
        network = load_network(Path(request.weights), request.card)
        self.predictor = NetworkPredictor(network, request.card)
        self.card = request.card
        return Loaded()

    def _segment(self, request: Segment) -> Iterator[Message]:
        if self.predictor is None or self.card is None:
            raise Vol3dError("No model is loaded.", hint="Load a model first.")
        scan = np.load(request.scan, mmap_mode="r")
        labels = np.load(request.labels, mmap_mode="r+")
        scores_file = np.load(request.probabilities, mmap_mode="r+") if request.probabilities else None
        grid = GridMap(scan_shape=scan.shape[:3], model_shape=request.model_shape, ratio=request.ratio)
        plan = TilePlan(
            shape=grid.model_shape, patch_size=request.patch_size, halo=request.halo,
            multiple=self.card.input.multiple,
        )  # fmt: skip
        box = Box(start=request.start, stop=request.stop)
        self.inbox.focus = request.focus or box.centre
        order = nearest_to(lambda: self.inbox.focus or box.centre, grid)
        total = grid.tiles_meeting(plan, box)
        parts = segment_box(
            order, plan, box, lambda part: scan[part.slices], grid, request.intensity, self.predictor
        )
        for done, (part, scores) in enumerate(parts, start=1):
            labels[part.slices] = self.predictor.decide(scores)
            if scores_file is not None:
                probabilities = self.predictor.probabilities(scores)
                scores_file[(slice(None), *part.slices)] = np.moveaxis(np.round(probabilities * 255), -1, 0)
            yield TileDone(done=done, total=total, start=part.start, stop=part.stop)
            if self.inbox.cancelled.is_set():
                break
        yield Done(cancelled=self.inbox.cancelled.is_set())

    def _fit(self, request: Fit) -> Iterator[Message]:
        for report in fit(request):
            yield report
            if self.inbox.cancelled.is_set():
                break
        yield Done(cancelled=self.inbox.cancelled.is_set())
