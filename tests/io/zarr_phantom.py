"""OME-Zarr images of known content as other programs write them, for the tests of this room."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.storage import LocalStore

SHAPE = (7, 20, 18)
DATA = np.random.default_rng(0).integers(0, 4000, SHAPE, dtype=np.uint16)
SCALE, SHIFT = [2.5, 0.5, 0.25], [10.0, -20.0, 30.0]


def axes_of(names: str, unit: str | None = "micrometer") -> list[dict[str, str]]:
    kinds = {"t": "time", "c": "channel"}
    units = {"unit": unit} if unit else {}
    return [{"name": n, "type": kinds.get(n, "space"), **({} if n in kinds else units)} for n in names]


def write_image(path: Path, data=DATA, *, version: str = "0.5", axes: Any = None, **changes: Any) -> Path:
    """An OME-Zarr image with two levels as other programs write it; `changes` replace parts of its metadata."""
    axes = axes_of("zyx") if axes is None else axes
    extra = [1.0] * (data.ndim - 3)
    transforms = [
        {"type": "scale", "scale": extra + SCALE}, {"type": "translation", "translation": [0] * len(extra) + SHIFT},
    ]  # fmt: skip
    coarse = [{"type": "scale", "scale": extra + [2 * s for s in SCALE]}, transforms[1]]
    image = {
        "axes": axes,
        "datasets": [
            {"path": "0", "coordinateTransformations": changes.pop("transforms", transforms)},
            {"path": "1", "coordinateTransformations": changes.pop("coarse", coarse)},
        ],
        **changes.pop("image", {}),
    }  # fmt: skip
    metadata = {"multiscales": [image], **changes}
    attributes = {"ome": {"version": "0.5", **metadata}} if version == "0.5" else metadata
    kind: Any = 3 if version == "0.5" else 2
    group = zarr.create_group(LocalStore(path), zarr_format=kind, attributes=attributes)
    for name, level in (("0", data), ("1", data[..., ::2, ::2, ::2])):
        chunks = tuple(min(n, 8) for n in level.shape)
        group.create_array(name, shape=level.shape, dtype=level.dtype, chunks=chunks)[...] = level
    return path


def edit(file: Path, change) -> None:
    content = json.loads(file.read_bytes())
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")
