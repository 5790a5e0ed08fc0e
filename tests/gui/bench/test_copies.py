"""Points and shapes are seen in every view, as they are now."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer
from napari.layers import Image, Shapes

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import opened, view_of


def test_what_is_drawn_comes_to_the_other_views(qtbot: Any, viewer: Viewer, views: Bench, scan: Image) -> None:
    """Shapes of several kinds, added one after the other; points that get another size and colour."""
    shapes = viewer.add_shapes(ndim=3, name="shapes")
    points = viewer.add_points(np.asarray([scan.data_to_world((3, 4, 5))]), size=4, name="points")
    view = view_of(opened(views), Plane.CORONAL)
    z, y, x = scan.data_to_world((5, 6, 7))
    shapes.add([[z, y, x], [z, y, x + 3], [z, y + 3, x + 3], [z, y + 3, x]], shape_type="rectangle")
    shapes.add([[z, y, x], [z, y + 9, x + 9]], shape_type="line")

    def same() -> bool:
        twin = view.shows(shapes)
        return isinstance(twin, Shapes) and list(twin.shape_type) == ["rectangle", "line"]

    qtbot.waitUntil(same)
    points.size, points.face_color = 9, "red"
    qtbot.waitUntil(lambda: float(np.max(view.shows(points).size)) == 9)
    np.testing.assert_array_equal(view.shows(points).face_color, points.face_color)
    assert [layer.name for layer in view.model.layers] == [layer.name for layer in viewer.layers]
