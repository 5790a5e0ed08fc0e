"""Where the mouse is in voxels, and which mark it points at."""

from __future__ import annotations

import numpy as np
from napari.layers import Image

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.tool import Place
from napari_vol3d.gui.correct.tools.marking import NEAR, color_of, inside, nearest, voxel_of
from tests.gui.bench.conftest import SHAPE, opened, view_of
from tests.gui.correct.mousing import go_to, pixel_of
from tests.gui.correct.tools.told import corrected

AT = (7, 21, 13)


def test_a_place_is_in_the_voxel_of_its_slice(desk: Desk, views: Bench, scan: Image) -> None:
    record = corrected(desk, scan, np.zeros(SHAPE, np.uint8))
    opened(views)
    go_to(views, record, AT)
    view = view_of(views, Plane.CORONAL)
    pixel = pixel_of(view, record, AT)
    place = Place(view=view, voxel=(7.49, 20.6, 12.51), axis=1, index=21, pixel=pixel)
    assert voxel_of(place) == AT
    # Of two marks on a slice the nearer one, none that is far, and none of another slice that looks as near.
    x, y = pixel
    there = Place(view=view, voxel=AT, axis=1, index=21, pixel=(x + NEAR / 2, y))
    assert nearest([(7, 20, 13), (20, 21, 30), AT], there, record) == 2
    away = Place(view=view, voxel=AT, axis=1, index=21, pixel=(x + NEAR + 1, y))
    assert nearest([(7, 20, 13), AT], away, record) is None


def test_only_voxels_of_the_volume_are_inside() -> None:
    assert inside((0, 0, 0), SHAPE)
    assert inside((23, 39, 31), SHAPE)
    assert not any(inside(voxel, SHAPE) for voxel in ((-1, 0, 0), (24, 0, 0), (0, 40, 0), (0, 0, 32)))


def test_a_class_without_a_name_has_a_colour() -> None:
    assert color_of({1: "#010203"}, 1) == "#010203"
    assert color_of({1: "#010203"}, 2).startswith("#")
