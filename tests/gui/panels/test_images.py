"""The panel for several images is as narrow as the dock, and puts channels together."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.panels.images import NO_CHANNELS, ImagesPanel

WIDEST = 320


def test_channels_are_put_together(viewer: Viewer, qtbot: Any, request: Any) -> None:
    foot = QWidget()
    qtbot.addWidget(foot)
    bench = Bench(viewer, foot)
    request.addfinalizer(bench.let_go)
    panel = ImagesPanel(viewer, bench)
    qtbot.addWidget(panel)
    request.addfinalizer(panel.let_go)
    assert panel.minimumSizeHint().width() <= WIDEST
    viewer.add_image(np.zeros((6, 7, 8)), name="an image with a name that is far longer than any dock is wide")
    assert panel.channels.toolTip() == NO_CHANNELS
    assert panel.minimumSizeHint().width() <= WIDEST
    data = np.random.default_rng(0).integers(0, 200, (6, 7, 8, 2), dtype=np.uint8)
    volume = Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)), name="cells", channels=("DAPI", "GFP"))
    voxels, keywords, _ = to_layer(volume, as_labels=False)
    cells = viewer.add_image(voxels, **keywords)
    qtbot.mouseClick(panel.channels, Qt.MouseButton.LeftButton)
    assert [layer.name for layer in viewer.layers[1:]] == ["cells", "cells DAPI", "cells GFP"]
    assert not cells.visible
    assert [panel.images.list.item(row).text() for row in range(2)] == ["cells GFP", "cells DAPI"]
