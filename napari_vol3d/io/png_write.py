"""Pictures for people, as PNG."""

from __future__ import annotations

import imagecodecs
import numpy as np
from numpy.typing import NDArray


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """Give a picture (Y, X, 3), red, green, blue from 0 to 255, as the content of a PNG file."""
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))
