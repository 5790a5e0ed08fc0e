"""Letters say which side of the patient is where, however the view is turned, and only where there is a patient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.components import ViewerModel
from napari.qt import QtViewer
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.letters import FROM_EDGE, Letters
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.space import reference_of
from tests.gui.conftest import PLUGIN

SIDES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}


@contextmanager
def lettered(viewer: Viewer) -> Iterator[Letters]:
    """Letters on napari's own view. No fixture: pytest would hold the canvas longer than the window is there."""
    letters = Letters(View(viewer, viewer.window._qt_viewer), lambda: reference_of(viewer) is not None)
    yield letters
    letters.let_go()
    assert letters.writing._nodes[0].parent is None


@pytest.fixture
def patient(viewer: Viewer, shared_data: Path) -> Viewer:
    """A viewer that shows an oblique scan."""
    viewer.open(shared_data / "scans" / "MR_Gd.nii.gz", plugin=PLUGIN)
    return viewer


def test_letters_are_true_however_the_view_is_turned(patient: Viewer) -> None:
    with lettered(patient) as letters:
        assert letters.writing.words == ("R", "L", "A", "P")
        patient.dims.order = Plane.CORONAL.order
        assert letters.writing.words == ("R", "L", "I", "S")
        patient.scene.camera.orientation2d = ("up", "left")
        assert letters.writing.words == ("L", "R", "S", "I")
        view, layer = View(patient, patient.window._qt_viewer), patient.layers[0]
        affine = reference_of(patient).geometry.affine  # type: ignore[union-attr]
        for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL):
            patient.dims.order = plane.order
            places = dict(zip(letters.writing.words, letters.writing.places, strict=True))
            ras = {word: affine[:3, :3] @ layer.world_to_data(view.to_world(at)) for word, at in places.items()}
            for word, place in ras.items():
                axis, sign = SIDES[word]
                away = place - np.mean(list(ras.values()), axis=0)
                assert np.argmax(np.abs(away)) == axis
                assert np.sign(away[axis]) == sign


def test_letters_are_drawn_at_the_edges_also_when_the_window_grows(patient: Viewer) -> None:
    with lettered(patient) as letters:
        patient.window.resize(1400, 900)
        QApplication.processEvents()
        size = patient.window._qt_viewer.canvas.native.size()
        width, height = size.width(), size.height()
        assert letters.writing.places == (
            (FROM_EDGE, height / 2), (width - FROM_EDGE, height / 2),
            (width / 2, FROM_EDGE), (width / 2, height - FROM_EDGE),
        )  # fmt: skip
        picture = patient.screenshot(canvas_only=True, flash=False).astype(int)
        for x, y in letters.writing.places:
            part = picture[round(y) - 9 : round(y) + 9, round(x) - 9 : round(x) + 9]
            assert (part[..., 0] - part[..., 2] > 80).sum() > 10  # yellow on a grey scan


def test_there_are_none_in_3d_and_without_a_patient(patient: Viewer) -> None:
    with lettered(patient) as letters:
        patient.dims.ndisplay = 3
        assert letters.writing.words == ()
        patient.dims.ndisplay = 2
        assert letters.writing.words == ("R", "L", "A", "P")
        scan = patient.layers.pop()
        assert letters.writing.words == ()
        patient.add_image(np.zeros((20, 30, 40), np.uint8))
        assert letters.writing.words == ()
        patient.layers.clear()
        patient.layers.append(scan)
        assert letters.writing.words == ("R", "L", "A", "P")


def test_the_scale_bar_of_a_view_of_ours_is_in_mm(qtbot: Any, viewer: Viewer) -> None:
    model = ViewerModel()
    model.add_image(np.zeros((9, 60, 80), np.uint8), scale=(5, 0.9, 0.9), units=("mm",) * 3)
    qt_viewer = QtViewer(model)
    qt_viewer.resize(500, 400)
    qt_viewer.show()
    model.canvas.overlays.scale_bar.visible = True
    model.fit_to_view()
    QApplication.processEvents()
    qt_viewer.screenshot(flash=False)
    (bar,) = qt_viewer.canvas._viewer_overlay_to_visual[model.canvas.overlays.scale_bar]
    length, unit = bar.node.text.text.split()
    assert unit == "mm"
    assert bar._current_length == pytest.approx(float(length) * model.scene.camera.zoom)
    qt_viewer.close()
    qt_viewer.deleteLater()
    qtbot.wait(50)
