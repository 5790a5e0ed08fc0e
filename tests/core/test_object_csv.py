"""The text is a table that reads back, whatever the names."""

from __future__ import annotations

import csv

import numpy as np

from napari_vol3d.core.object_csv import objects_csv
from tests.core.test_object_table import measured

LABELS = np.array([[[1, 1, 0, 1], [0, 0, 0, 0], [2, 0, 0, 0]]], np.uint8)
GREY = np.array([[[1, 2, 9, 5], [9, 9, 9, 9], [np.nan, 9, 9, 9]]])


def test_rows_stand_in_the_order_that_was_asked_for() -> None:
    table = measured(LABELS, image=GREY)
    text = objects_csv(
        table, np.array([2, 0]), names={1: 'left, "upper"\npart'}, places=table.centre[:, ::-1] * 10, unit="mm"
    )
    first, second = csv.DictReader(text.splitlines())
    assert first == {
        "class": "2", "name": "class 2", "object": "1", "voxels": "1", "volume_mm3": "2.2", "mean_intensity": "",
        "centre_x_mm": "0", "centre_y_mm": "20", "centre_z_mm": "0",
    }  # fmt: skip
    assert (second["name"], second["mean_intensity"], second["centre_x_mm"]) == ('left, "upper" part', "1.5", "5")


def test_without_a_spacing_there_is_no_volume() -> None:
    table = measured(LABELS)
    head, *rows = objects_csv(
        table, np.arange(3), names={}, places=table.centre, unit="pixel"
    ).splitlines()
    assert head == "class,name,object,voxels,mean_intensity,centre_x_pixel,centre_y_pixel,centre_z_pixel"
    assert len(rows) == 3
