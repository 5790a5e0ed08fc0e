"""The verb `segment`: a scan and a model in, labels on the scan's own grid out, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.labels import label_dtype
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.models.ensemble import join_cards
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.frames import segment_frames
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.prediction import Prediction
from napari_vol3d.pipeline.run import TiledRun
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.sink import LabelSink, MemoryLabels
from napari_vol3d.pipeline.stage import stage


def segment(
    volume: Volume,
    model: Model,
    settings: SegmentSettings,
    *,
    region: Box | None = None,
    focus: Callable[[], Focus] | None = None,
    engine: Engine | None = None,
    others: Sequence[Model] = (),
    sink: LabelSink | None = None,
    mask: NDArray[np.bool_] | None = None,
    shown: Callable[[], int] | None = None,
) -> Generator[Progress, None, Prediction]:
    """Segment a scan; of a time series each time point.

    Parameters
    ----------
    region : Box, optional
        What to segment, in voxels of the scan.
    focus : callable, optional
        Gives where the person looks, in voxels of the scan: tiles near it come first. Asked from the verb's thread.
    engine : Engine, optional
        A running engine process to use; it is left running. Without one, a process is started and ended.
    others : sequence of Model
        More models, whose probabilities are averaged with those of `model`.
    sink : LabelSink, optional
        Takes the labels instead of memory; what it says is finished is not computed again.
    mask : ndarray of bool, shape (Z, Y, X), optional
        Tiles that hold no voxel of it are background.
    shown : callable, optional
        Gives the time point on the screen, which comes first.

    Yields
    ------
    Progress
        Each finished tile with its labels, and a sign of life about 20 times a second: every one is a point where
        closing the generator cancels the run.

    Returns
    -------
    Prediction

    Raises
    ------
    Vol3dError
        If model and scan don't fit, the model can't be loaded, or the engine dies and smaller patches don't help.
    """
    models = (model, *others)
    card = join_cards([each.card for each in models])
    plan = plan_segment(volume, card, settings, region, models=len(models))
    if volume.timed and (settings.probabilities or sink is not None):
        what = "Probabilities of" if settings.probabilities else "Labels on disk, tile by tile, of"
        raise ScanMismatch(f"{what} a time series can't be kept.", hint="Segment one time point, or do without.")
    used = engine or Engine(device=settings.device, backend=settings.backend, precision=settings.precision)

    def one(part: Volume) -> Generator[Progress, None, Prediction]:
        run = TiledRun(
            staged=stage(part, card, settings), models=models, settings=settings, region=region, focus=focus,
            engine=used, mask=mask, plan=replace(plan, frames=1),
            target=sink or MemoryLabels(part.shape, label_dtype(max(model.card.label_names))),
        )  # fmt: skip
        return run.go()

    try:
        return (yield from segment_frames(volume, one, shown=shown) if volume.timed else one(volume))
    finally:
        if engine is None:
            used.close()


def warm_up(volume: Volume, model: Model, settings: SegmentSettings, engine: Engine) -> Generator[Progress, None, None]:
    """Make an engine ready for a run: network loaded, its function compiled, one patch of the planned shape opened."""
    plan = plan_segment(volume, model.card, settings)
    run = TiledRun(
        staged=stage(volume.frame(0), model.card, settings), models=(model,), settings=settings, region=None,
        focus=None, engine=engine, mask=None, target=MemoryLabels((1, 1, 1), np.dtype(np.uint8)), plan=plan,
    )  # fmt: skip
    yield from run.prepare_only()
