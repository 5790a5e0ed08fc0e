"""How a model fits what a layer shows."""

from __future__ import annotations

from dataclasses import replace

from napari.layers import Image

from napari_vol3d.core.box import Box
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.space import resampled
from napari_vol3d.models.card import ModelCard
from napari_vol3d.pipeline.checks import Fit, check_fit
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.stage import stage

ELSEWHERE = "It is shown on another scan's grid, and segmented on that: open it first to use its own voxels."


def fit_of(layer: Image, scan: Volume, card: ModelCard, settings: SegmentSettings, region: Box | None = None) -> Fit:
    """Hold a model's card against a layer's scan, and say where its voxels are not the file's."""
    seen, part = stage(scan.frame(0), card, settings).shown_with(region)  # a card speaks of the network's axes
    fit = check_fit(seen, card, resample=settings.resample, region=part)
    return replace(fit, warnings=(*fit.warnings, ELSEWHERE)) if resampled(layer) else fit
