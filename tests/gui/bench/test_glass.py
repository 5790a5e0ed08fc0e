"""Words lie where they were put, are seen on black and on white, and leave the canvas without a trace."""

from __future__ import annotations

import numpy as np
from napari import Viewer

from napari_vol3d.gui.bench.glass import Writing
from napari_vol3d.gui.bench.view import View


def test_words_are_seen_where_they_were_put(viewer: Viewer) -> None:
    levels = np.stack([np.full((3, 300, 300), level, np.uint8) for level in (0, 255)])
    viewer.add_image(levels, contrast_limits=(0, 255))
    view = View(viewer, viewer.window._qt_viewer)
    children = list(view.glass.children)
    writing = Writing(view, size=20, color="#ffd54f")
    assert writing.words == ()
    size = view.native.size()
    middle = size.width() / 2, size.height() / 2
    for level in (0, 1):
        viewer.dims.set_point(0, level)
        writing.write((), ())
        before = viewer.screenshot(canvas_only=True, flash=False).astype(int)
        writing.write(["H"], [middle])
        after = viewer.screenshot(canvas_only=True, flash=False).astype(int)
        changed = np.argwhere(np.abs(after - before).max(axis=2) > 60)
        assert len(changed) > 40
        np.testing.assert_allclose(changed.mean(axis=0), middle[::-1], atol=4)
    writing.write(["a", "bc"], [(10, 20), (30.5, 40)])
    assert (writing.words, writing.places) == (("a", "bc"), ((10, 20), (30.5, 40)))
    writing.let_go()
    assert list(view.glass.children) == children
