"""What a run is given: the scan of a layer, with the other images of its case as channels, held against the card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.joined import join_channels
from napari_vol3d.core.sliced import moved
from napari_vol3d.core.volume import Volume
from napari_vol3d.core.windows import thinned
from napari_vol3d.gui.forms.channel_choices import ChannelChoices
from napari_vol3d.gui.layers import finest, to_volume
from napari_vol3d.gui.panels.fit import fit_of
from napari_vol3d.models.card import ModelCard
from napari_vol3d.pipeline.checks import Fit
from napari_vol3d.pipeline.preflight import check_levels
from napari_vol3d.pipeline.settings import SegmentSettings


class Intake:
    """Between the layers and a model: asks for channels where a model has several.

    Parameters
    ----------
    channels : ChannelChoices
        The form that asks.
    """

    def __init__(self, channels: ChannelChoices) -> None:
        self._channels = channels
        self._looked_at: tuple[Any, NDArray[Any]] | None = None  # the voxels of a layer, and some of them

    def scan(self, layer: Image, card: ModelCard) -> Volume:
        """Give what a model would see of a layer, on the layer's grid.

        Raises
        ------
        ScanMismatch
            If the layer is no scan, a channel is not chosen yet, or an image can't be one.
        """
        scan, wanted = to_volume(layer), card.input.channels
        several = len(wanted) > 1 and not scan.timed and len(scan.data.shape) == 3
        self._channels.ask(wanted if several else (), layer.name)
        if not several:
            return scan
        chosen = self._channels.value()
        missing = [name for name, each in zip(wanted, chosen, strict=True) if each is None]
        if missing:
            raise ScanMismatch(
                f"Choose the image for {', '.join(missing)}: the model wants {len(wanted)} channels.",
                hint="Open it if it is not in the list.",
            )
        return join_channels(scan, [to_volume(each) for each in chosen if each is not None], wanted)

    def fit(
        self, layer: Image, scan: Volume, card: ModelCard, settings: SegmentSettings, region: Box | None = None
    ) -> Fit:
        """Hold the card against the scan and its grey levels."""
        fit = fit_of(layer, scan, card, settings, region)
        sample = self._sample(layer)
        return fit if sample is None else replace(fit, warnings=(*fit.warnings, *check_levels(sample, card)))

    def _sample(self, layer: Image) -> NDArray[Any] | None:
        """Give some voxels of a layer, looked at once; None of those in a file: reading takes its time."""
        data = finest(layer)
        if not isinstance(data, np.ndarray) or data.ndim < 3:
            return None
        if self._looked_at is None or self._looked_at[0] is not data:
            self._looked_at = (data, thinned(moved(data, range(data.ndim))))
        return self._looked_at[1]
