"""The ring is drawn on the canvas where it is shown, and nowhere once it is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from napari import Viewer
from numpy.typing import NDArray
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.ring import ERASING, LEAST, Look, Ring

GREEN, RED = Look(color="#00ff00"), Look(color=ERASING, dashed=True)


@contextmanager
def a_ring(viewer: Viewer) -> Iterator[Ring]:
    """No fixture: pytest would hold the canvas longer than the window is there."""
    viewer.add_image(np.zeros((4, 60, 60), np.uint8))
    ring = Ring(View(viewer, viewer.window._qt_viewer))
    QApplication.processEvents()
    yield ring
    ring.let_go()


def picture(viewer: Viewer) -> NDArray[Any]:
    """Give the canvas as it looks, a pixel of it each."""
    return np.asarray(viewer.screenshot(canvas_only=True, flash=False))[..., :3].astype(int)


def green(shot: NDArray[Any]) -> NDArray[Any]:
    """Give where it is green, (x, y)."""
    return np.argwhere((shot[..., 1] > 150) & (shot[..., 0] < 100) & (shot[..., 2] < 100))[:, ::-1]


def test_it_is_a_circle_of_its_radius_where_it_is_shown(viewer: Viewer) -> None:
    with a_ring(viewer) as ring:
        assert len(green(picture(viewer))) == 0
        for middle, radius in (((200.0, 150.0), 60.0), ((310.0, 240.0), 25.0)):
            ring.show(middle, radius, GREEN)
            away = np.linalg.norm(green(picture(viewer)) + 0.5 - middle, axis=1)
            assert len(away) > 3 * radius
            np.testing.assert_allclose(away, radius, atol=2)
            assert (ring.shown, ring.pixel, ring.radius) == (True, middle, radius)
        ring.hide()
        assert len(green(picture(viewer))) == 0
        assert not ring.shown


def test_an_eraser_is_dashed_and_red(viewer: Viewer) -> None:
    with a_ring(viewer) as ring:
        counts = []
        for look in (Look(color=ERASING), RED):
            ring.show((200.0, 150.0), 80.0, look)
            shot = picture(viewer)
            counts.append(((shot[..., 0] > 150) & (shot[..., 1] < 110) & (shot[..., 2] < 110)).sum())
        assert 0.35 < counts[1] / counts[0] < 0.65


def test_the_smallest_is_still_seen(viewer: Viewer) -> None:
    with a_ring(viewer) as ring:
        before = picture(viewer)
        ring.show((200.0, 150.0), 0.01, GREEN)
        assert ring.radius == LEAST
        changed = np.argwhere((picture(viewer) - before)[..., 1] > 60)[:, ::-1]
        assert len(changed) > 4
        assert np.linalg.norm(changed + 0.5 - (200.0, 150.0), axis=1).max() <= LEAST + 2
