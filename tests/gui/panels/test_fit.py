"""What is said of a scan that is shown on another's grid."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_vol3d.core.onto import Onto
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.layers import to_layer, to_volume
from napari_vol3d.gui.panels.fit import ELSEWHERE, fit_of
from napari_vol3d.gui.space import resampled
from napari_vol3d.models.store import find_model
from napari_vol3d.pipeline.settings import SegmentSettings


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_scan_on_another_grid_says_so(elsewhere: bool) -> None:
    geometry = Geometry.from_spacing((1, 1, 1))
    scan = Volume(data=np.random.default_rng(0).normal(size=(40, 50, 36)).astype(np.float32), geometry=geometry)
    shown = scan.with_data(Onto(scan, Geometry.from_spacing((1, 1, 1.5)), (40, 50, 24))) if elsewhere else scan
    data, keywords, _ = to_layer(shown, as_labels=False)
    layer = Image(data, **keywords)
    assert resampled(layer) is elsewhere
    fit = fit_of(layer, to_volume(layer), find_model("hippocampus-t1").card, SegmentSettings())
    assert (ELSEWHERE in fit.warnings) is elsewhere
