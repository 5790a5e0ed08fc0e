"""Pictures come back as they were, by another library."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from napari_vol3d.io.png_write import png_bytes


def test_pillow_reads_the_same_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    with Image.open(io.BytesIO(png_bytes(pixels[::-1]))) as image:
        assert image.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(image), pixels[::-1])
