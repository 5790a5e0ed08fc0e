"""Pictures: the slice with the most changed voxels, as PNG that others read, with outlines where the labels end."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.review.project.pictures import picture_of, png

COLORS = {1: "#e69f00", 2: "#56b4e9"}


def image_in(svg):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", svg)[1]))))


def made(*, shape=(6, 40, 50), channels=()):
    data = np.zeros((*shape, *channels), np.float32)
    for z in range(shape[0]):
        data[z, :, :] = 100 * z
        data[z, :, 25:] = 100 * z + 50
    before, after = np.zeros((2, *shape), np.uint8)
    before[2:5, 10:20, 20:30] = 1
    after[2:5, 10:20, 20:30] = 1
    after[3, 10:20, 20:24] = 2
    return Volume(data=data, geometry=Geometry.from_spacing((3.0, 2.0, 1.0))), before, after


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (256, 3)])
def test_png_is_read_by_another_library(shape):
    grey = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(grey)))), grey)


def test_it_is_the_slice_that_differs_most_with_outlines_at_the_faces_of_the_voxels():
    svg = picture_of(*made(), COLORS)
    assert 'aria-label="Slice 4 of 6"' in svg
    root = ElementTree.fromstring(svg)
    paths = [node for node in root if node.tag.endswith("path") or node.tag == "path"]
    assert [(p.get("class"), p.get("stroke")) for p in paths] == [
        ("accepted", "#e69f00"), ("accepted", "#56b4e9"), ("predicted", "#e69f00"),
    ]  # fmt: skip
    points = np.array([[float(v) for v in pair.split()] for pair in re.findall(r"[\d.]+ [\d.]+", paths[2].get("d"))])
    np.testing.assert_allclose(np.ptp(points, axis=0), (10, 20))  # ten voxels of 1 and of 2 mm
    grey = image_in(svg)
    width, height = (float(v) for v in root.get("viewBox").split()[2:])
    assert (height, width) == (grey.shape[0] * 2, grey.shape[1])
    assert set(np.unique(grey)) == {0, 255}


def test_of_channels_the_first_is_shown_and_of_a_series_the_frame_that_differs_most():
    scan, before, after = made(channels=(2,))
    assert image_in(picture_of(scan, before, after, COLORS)).ndim == 2
    scan, before, after = made()
    timed = Volume(data=np.stack([scan.data * 0, scan.data], axis=-1), geometry=scan.geometry, timed=True)
    svg = picture_of(timed, np.stack([before, before]), np.stack([before, after]), COLORS)
    assert image_in(svg).max() == 255


def test_nothing_is_drawn_where_nothing_differs_or_the_scan_is_another():
    scan, before, after = made()
    assert picture_of(scan, before, before, COLORS) is None
    assert picture_of(scan, before[1:], after[1:], COLORS) is None


def test_large_slices_and_values_that_are_none_stay_small():
    scan = Volume(data=np.full((2, 900, 900), np.nan, np.float32), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    before, after = np.zeros((2, 2, 900, 900), np.uint8)
    after[0] = 1
    assert max(image_in(picture_of(scan, before, after, COLORS)).shape) <= 320
