"""The ring's reach is the same number of mm in every direction and every view."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.correct.cursor import look_of, pixels_per_unit, place_at
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.ring import ERASING
from napari_vol3d.gui.correct.tool import MouseTool
from tests.gui.bench.conftest import FLAT, opened, view_of
from tests.gui.correct.mousing import go_to, pixel_of

MIDDLE = (12, 20, 16)


def test_pixels_and_voxels_agree_in_every_view(views: Bench, desk: Desk, record: Record) -> None:
    opened(views)
    go_to(views, record, MIDDLE)
    for plane in FLAT:
        view = view_of(views, plane)
        here = pixel_of(view, record, MIDDLE)
        place = place_at(view, record, here, pressure=0.5)
        np.testing.assert_allclose(place.voxel, MIDDLE)
        assert (place.axis, place.index, place.pixel) == (plane.value, MIDDLE[plane.value], here)
        for axis in {0, 1, 2} - {plane.value}:
            there = list(MIDDLE)
            there[axis] += 5
            away = np.linalg.norm(np.subtract(pixel_of(view, record, (there[0], there[1], there[2])), here))
            assert away == pytest.approx(5 * record.spacing[axis] * pixels_per_unit(view, record))


def test_what_erases_is_red(record: Record) -> None:
    tool = MouseTool()
    record.layer.selected_label = 2
    assert look_of(tool, record, erasing=False).color != ERASING
    assert look_of(tool, record, erasing=True).dashed
    record.layer.selected_label = 0
    assert look_of(tool, record, erasing=False).dashed
    tool.deleteLater()
