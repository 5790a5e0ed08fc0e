"""A view of ours: its plane for good, the viewer's layers and theme, and nothing left of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.extra_views import ExtraView
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import settle

OURS = (Plane.SAGITTAL, Plane.CORONAL, Plane.VOLUME)


@pytest.fixture(params=OURS, ids=[plane.name for plane in OURS])
def extra(request: pytest.FixtureRequest, viewer: Viewer, labels: Labels) -> Iterator[ExtraView]:
    """A view beside the window, with a scan and its labels."""
    made = ExtraView(viewer, request.param)
    yield made
    made.let_go()
    QApplication.processEvents()
    vars(made).clear()  # pytest holds it, and it holds napari's canvas


def test_it_shows_the_viewer_s_layers(viewer: Viewer, extra: ExtraView, scan: Image) -> None:
    """Each by a twin of its own; only a 3D view draws its crosshair itself."""
    assert set(extra.view.twins) == set(viewer.layers)
    assert list(extra.view.model.layers) == [extra.view.twins[layer] for layer in viewer.layers]
    assert scan not in extra.view.model.layers
    assert (extra.cross is not None) is (extra.plane is Plane.VOLUME)


def test_it_keeps_its_plane(viewer: Viewer, extra: ExtraView) -> None:
    """Whatever axes come and go."""
    assert extra.view.plane is extra.plane
    series = viewer.add_image(np.zeros((2, 5, 6, 7), np.uint8))
    assert extra.view.model.dims.ndim == (4 if extra.plane is not Plane.VOLUME else extra.view.model.dims.ndim)
    assert extra.view.plane is extra.plane
    viewer.layers.remove(series)
    assert extra.view.plane is extra.plane


def test_it_wears_the_viewer_s_theme(viewer: Viewer, extra: ExtraView) -> None:
    """From the start, and when it changes."""
    assert extra.view.model.theme == viewer.theme == "dark"
    viewer.theme = "light"
    assert extra.view.model.theme == "light"


def test_nothing_of_it_is_left(viewer: Viewer, extra: ExtraView, scan: Image) -> None:
    """The viewer's events have as many listeners as before the next one came."""
    signals = (viewer.events.theme, viewer.layers.events.inserted, scan.events.contrast_limits, scan.events.opacity)
    before = [len(signal.callbacks) for signal in signals]
    second = ExtraView(viewer, extra.plane)
    assert all(len(signal.callbacks) > count for signal, count in zip(signals, before, strict=True))
    second.let_go()
    assert [len(signal.callbacks) for signal in signals] == before
    assert not second.view.twins
    assert not second.view.model.layers
    settle()
    viewer.theme = "light"
    assert second.view.model.theme == "dark"
