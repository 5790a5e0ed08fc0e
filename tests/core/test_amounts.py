"""Amounts are what a person would have counted, in the unit they would have used."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.amounts import amount, class_amounts, count_voxels
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry


@pytest.mark.parametrize(
    ("voxels", "spacing", "unit", "text"),
    [
        (1000, (1.0, 1.0, 1.0), "mm", "1 mL"),
        (1715, (1.0, 1.0, 1.0), "mm", "1.72 mL"),
        (1715, (2.0, 0.5, 0.5), "mm", "0.858 mL"),
        (1_528_400, (1.0, 1.0, 1.0), "mm", "1528 mL"),
        (0, (1.0, 1.0, 1.0), "mm", "0 mL"),
        (2000, (2.0, 0.5, 0.5), "um", "1,000 µm³"),
        (2000, (50.0, 10.0, 10.0), "nm", "10,000,000 nm³"),
        (12345, (1.0, 1.0, 1.0), "pixel", "12,345 voxels"),
    ],
)
def test_amount(voxels, spacing, unit, text):
    assert amount(voxels, Geometry.from_spacing(spacing, unit=unit)) == text


def test_each_class_is_counted_and_only_the_given_ones():
    labels = np.zeros((4, 5, 6), np.uint16)
    labels[0, :2] = 2
    labels[3, 4, :3] = 300
    labels[2, 2, 2] = 9
    classes = tuple(LabelClass(id=i, name=str(i), color="#ffffff") for i in (300, 2, 7))
    found = class_amounts(count_voxels(labels), classes, Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel"))
    assert found == [(classes[0], "3 voxels"), (classes[1], "12 voxels"), (classes[2], "0 voxels")]


@pytest.mark.parametrize("shape", [(0, 0, 0), (1, 1, 1)])
def test_nothing_to_count(shape):
    assert class_amounts(count_voxels(np.zeros(shape, np.uint8)), (), Geometry.from_spacing((1.0, 1.0, 1.0))) == []
