"""Measurements are drawn where they lie, readable, and their values never leave the canvas."""

from __future__ import annotations

import numpy as np
from napari import Viewer

from napari_vol3d.gui.bench.measure_marks import Figure, Marks, segments
from napari_vol3d.gui.bench.view import View

RULER = Figure(kind="ruler", pixels=((100.0, 120.0), (220.0, 200.0)), text="23.4 mm")
CHOSEN = Figure(kind="ruler", pixels=RULER.pixels, text=RULER.text, chosen=True)
LONG = "mean 1234.5 sd 567.8 HU, 31.4 cm²"


def yellow(viewer: Viewer) -> np.ndarray:
    picture = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    return picture[..., 0] - picture[..., 2] > 80


def test_a_ruler_goes_from_end_to_end_and_leaves_nothing(viewer: Viewer) -> None:
    viewer.add_image(np.zeros((3, 200, 200), np.uint8))
    view = View(viewer, viewer.window._qt_viewer)
    children = list(view.glass.children)
    marks = Marks(view)
    assert not yellow(viewer).any()
    marks.draw([RULER])
    seen = yellow(viewer)
    for share in np.linspace(0, 1, 9):
        x, y = np.add(RULER.pixels[0], np.multiply(share, np.subtract(RULER.pixels[1], RULER.pixels[0])))
        assert seen[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].any()
    assert not seen[:100].any()
    assert not seen[:, :90].any()
    marks.draw([CHOSEN])
    assert yellow(viewer).sum() < seen.sum()  # the line is white
    marks.draw([])
    assert not yellow(viewer).any()
    marks.draw([RULER])
    marks.let_go()
    assert list(view.glass.children) == children


def test_the_value_is_seen_whole_in_every_corner(viewer: Viewer) -> None:
    viewer.add_image(np.zeros((3, 200, 200), np.uint8))
    marks = Marks(View(viewer, viewer.window._qt_viewer))
    size = viewer.window._qt_viewer.canvas.native.size()
    widths = []
    for corner in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.3, 0.5)):
        end = corner[0] * size.width(), corner[1] * size.height()
        marks.draw([Figure(kind="ruler", pixels=(end, end), text=LONG)])
        assert marks.writing.words == (LONG,)
        seen = np.argwhere(yellow(viewer))
        text = seen[(np.abs(seen - end[::-1]) > 7).any(axis=1)]  # without the handle
        low, high = text.min(axis=0), text.max(axis=0)
        assert (low >= 1).all()
        assert (high < (size.height() - 1, size.width() - 1)).all()
        widths.append(int(high[1] - low[1]))
    assert min(widths) > widths[-1] - 16  # as wide as where there is room
    marks.let_go()


def test_the_line_of_an_ellipse_touches_its_box() -> None:
    line = segments(Figure(kind="ellipse", pixels=((30.0, 80.0), (10.0, 20.0)), text=""))
    np.testing.assert_allclose(line.min(axis=0), (10, 20), atol=0.01)
    np.testing.assert_allclose(line.max(axis=0), (30, 80), atol=0.01)
    x, y = ((line - (20, 50)) / (10, 30)).T
    np.testing.assert_allclose(x**2 + y**2, 1, atol=1e-5)
    np.testing.assert_array_equal(line[1:-1:2], line[2::2])  # without a gap


def test_an_angle_has_two_legs() -> None:
    line = segments(Figure(kind="angle", pixels=((0.0, 9.0), (0.0, 0.0), (5.0, 0.0)), text=""))
    assert line.tolist() == [[0, 9], [0, 0], [0, 0], [5, 0]]
