"""Pictures of where the prediction and the accepted labels are apart: a slice of the scan with both outlines."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.labels import default_color
from napari_vol3d.core.volume import Volume

MARGIN = 10  # voxels around the labels
LONGEST = 320  # pixels; longer slices are drawn with every second or third
DARKEST, BRIGHTEST = 1.0, 99.5  # percentiles


def picture_of(
    scan: Volume, before: NDArray[Any], after: NDArray[Any], colors: Mapping[int, str]
) -> str | None:  # fmt: skip
    """Draw the slice with the most voxels that differ.

    Parameters
    ----------
    scan : Volume
        On the grid of the labels; of several channels the first is shown, of a series the frame that differs most.
    before, after : ndarray of integers, shape (Z, Y, X) or (T, Z, Y, X)
        Predicted, drawn dashed, and accepted.
    colors : mapping of int to str
        "#rrggbb" by id.

    Returns
    -------
    str or None
        An `<svg>` with the slice as PNG inside; None where nothing differs, or the scan has another shape.
    """
    spatial = tuple(before.shape[-3:])
    if before.shape != after.shape or spatial != scan.shape or not (before != after).any():
        return None
    if before.ndim == 4:
        frame = int(np.argmax([np.count_nonzero(a != b) for a, b in zip(before, after, strict=True)]))
        before, after, scan = before[frame], after[frame], scan.frame(frame)
    z = int(np.argmax(np.count_nonzero(before != after, axis=(1, 2))))
    rows, columns = _around((before[z] > 0) | (after[z] > 0))
    grey = np.asarray(scan.data[z, rows, columns])
    grey = grey if grey.ndim == 2 else grey[..., 0]
    _, height, width = scan.geometry.spacing
    outlines = [
        _outlines(labels[z, rows, columns], colors, (height, width), kind)
        for labels, kind in ((after, "accepted"), (before, "predicted"))
    ]
    size = (grey.shape[0] * height, grey.shape[1] * width)
    return _svg(grey, size, "".join(outlines), f"Slice {z + 1} of {scan.shape[0]}")


def png(grey: NDArray[Any]) -> bytes:
    """Pack a picture, uint8 (Y, X), as PNG.

    As the standard has it: https://www.w3.org/TR/png-3/
    """
    height, width = grey.shape
    lines = np.zeros((height, width + 1), np.uint8)  # a filter of 0 before each line
    lines[:, 1:] = grey
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def _around(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Give the box of a mask with some room around it, as wide as high where the slice is."""
    (rows, columns), = ndimage.find_objects(mask.astype(np.int8))
    side = max(s.stop - s.start for s in (rows, columns)) + 2 * MARGIN
    found = []
    for span, length in zip((rows, columns), mask.shape, strict=True):
        start = max(0, min((span.start + span.stop - side) // 2, length - side))
        found.append(slice(start, min(length, start + side)))
    return found[0], found[1]


def _outlines(labels: NDArray[Any], colors: Mapping[int, str], pixel: tuple[float, float], kind: str) -> str:
    from skimage.measure import find_contours

    paths = []
    for i in (int(i) for i in np.unique(labels) if i):
        mask = np.pad(labels == i, 1).astype(np.float32)
        lines = (
            "M" + "L".join(f"{(x - 0.5) * pixel[1]:.2f} {(y - 0.5) * pixel[0]:.2f}" for y, x in line) + "Z"
            for line in find_contours(mask, 0.5)
        )
        paths.append(f'<path class="{kind}" stroke="{colors.get(i, default_color(i))}" d="{"".join(lines)}"/>')
    return "".join(paths)


def _svg(grey: NDArray[Any], size: tuple[float, float], outlines: str, title: str) -> str:
    step = -(-max(grey.shape) // LONGEST)
    packed = base64.b64encode(png(_as_bytes(grey[::step, ::step]))).decode()
    height, width = (f"{length:.2f}" for length in size)
    data = f'preserveAspectRatio="none" href="data:image/png;base64,{packed}"'
    image = f'<image width="{width}" height="{height}" {data}/>'
    return f'<svg role="img" aria-label="{title}" class="slice" viewBox="0 0 {width} {height}">{image}{outlines}</svg>'


def _as_bytes(grey: NDArray[Any]) -> NDArray[np.uint8]:
    values = np.nan_to_num(grey.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = np.percentile(values, (DARKEST, BRIGHTEST))
    scaled = (values - low) / max(float(high - low), 1e-12)
    return np.asarray(np.round(np.clip(scaled, 0, 1) * 255), np.uint8)
