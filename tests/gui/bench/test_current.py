"""Layers that go free what they held on the graphics card, and nothing of another window: all canvases still draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from qtpy.QtGui import QOpenGLContext
from vispy.gloo import glir

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import opened, settle


@pytest.fixture
def freed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, object]]:
    """For each program that is freed, where it was made and where it is freed; before the first viewer is made."""
    made: dict[int, object] = {}
    found: list[tuple[object, object]] = []
    create, delete = glir.GlirProgram.create, glir.GlirProgram.delete

    def watched_create(program: Any) -> None:
        made[id(program)] = window_of_context()
        create(program)

    def watched_delete(program: Any) -> None:
        found.append((made[id(program)], window_of_context()))
        delete(program)

    monkeypatch.setattr(glir.GlirProgram, "create", watched_create)
    monkeypatch.setattr(glir.GlirProgram, "delete", watched_delete)
    return found


def window_of_context() -> object:
    """Give what the contexts of one window have in common."""
    context = QOpenGLContext.currentContext()
    return None if context is None else context.shareContext()


def two_windows(viewer: Viewer, bench: Bench, scan: Image) -> None:
    """Draw a second layer everywhere; the second window comes last."""
    viewer.add_image(np.asarray(scan.data), name="second", scale=scan.scale, translate=scan.translate, units=scan.units)
    opened(bench)
    assert bench.arrangement is not None
    bench.arrangement.open_window(Plane.CORONAL)
    settle()


def test_a_layer_goes_from_each_window_by_itself(
    freed: list[tuple[object, object]], qtbot: Any, viewer: Viewer, views: Bench, scan: Image
) -> None:
    """One alone, and several by the button of napari's list; then all are drawn again."""
    two_windows(viewer, views, scan)
    viewer.layers.remove("second")
    assert len({home for home, _ in freed}) == 2
    assert all(home is there for home, there in freed)
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    assert all(home is there for home, there in freed)
    drawn: list[int] = []
    for number, view in enumerate(views.views):
        view.qt_viewer.canvas._scene_canvas.events.draw.connect(_note(drawn, number))
    viewer.add_image(np.ones((5, 6, 7)))
    qtbot.waitUntil(lambda: set(drawn) == set(range(5)))


def test_a_window_and_the_bench_close(
    freed: list[tuple[object, object]], viewer: Viewer, views: Bench, scan: Image
) -> None:
    """And the canvas of napari's own that stays can still draw."""
    two_windows(viewer, views, scan)
    views.close()
    settle()
    assert freed
    assert all(home is there for home, there in freed)


def _note(drawn: list[int], number: int) -> Any:
    def note(event: object) -> None:
        drawn.append(number)

    return note
