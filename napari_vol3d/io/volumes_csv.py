"""A table of what a label map holds, one row a class, for statistics: written, not read.

Columns: id, name, voxels; the volume in mL (in um3 or nm3 where the scan is in such units); the centroid and the box
around the class, in world coordinates: RAS+ of the patient where `space` says "RAS", plain (x, y, z) otherwise. The
box reaches to the outer faces of the voxels, along the world's axes. A class without voxels has its row, with 0 voxels
and no place. A series has a row for each class and time point; its `frame` counts from 0.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_vol3d.core.amounts import MICROLITRES_PER_ML
from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.regions import Region, as_ids, classes_in, find_regions
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.safe_write import write_safely
from napari_vol3d.io.seg_nrrd import printable

PLACES = ("centroid", "min", "max")


def write_volumes(target: Path, volume: Volume) -> Path:
    """Write a row for each class of a label map, background left out.

    Raises
    ------
    SaveProblem
        If it has channels, can't be written, or does not read back the same; what was there before is untouched.
    """
    if len(volume.data.shape) != 3 + volume.timed:
        raise SaveProblem(
            f"{target.name} was not saved: labels have no channels; the shape is {tuple(volume.data.shape)}.",
            hint="Choose one channel first.",
        )
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_heads(volume))
    table.writerows(_rows(as_ids(volume)))
    content = text.getvalue().encode()

    def write(path: Path) -> None:
        path.write_bytes(content)

    def check(path: Path) -> None:
        if path.read_bytes() != content:
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")

    return write_safely(target, write, check)


def _heads(volume: Volume) -> list[str]:
    unit = volume.geometry.unit
    amount = [f"volume_{_volume_unit(unit)[0]}"] if unit != "pixel" else []
    places = [f"{place}_{axis}_{unit}" for place in PLACES for axis in "xyz"]
    return [*["frame"] * volume.timed, "id", "name", "voxels", *amount, "space", *places]


def _rows(volume: Volume) -> Iterator[list[Any]]:
    found = [find_regions(volume.frame(index).data) for index in range(volume.frames)]
    classes = classes_in({class_id for regions in found for class_id in regions}, volume.classes)
    for frame, regions in enumerate(found):
        for item in classes:
            yield [*[frame] * volume.timed, *_row(item, regions.get(item.id), volume.geometry)]


def _row(item: LabelClass, region: Region | None, geometry: Geometry) -> list[Any]:
    voxels = region.voxels if region else 0
    # Not the product of the spacings: axes of a tilted CT are not at right angles.
    each = abs(float(np.linalg.det(geometry.affine[:3, :3]))) / _volume_unit(geometry.unit)[1]
    amount = [f"{voxels * each:.10g}"] if geometry.unit != "pixel" else []
    places = _places(region, geometry) if region else [""] * 3 * len(PLACES)
    return [item.id, printable(item.name), voxels, *amount, "RAS" if geometry.anatomical else "xyz", *places]


def _places(region: Region, geometry: Geometry) -> list[str]:
    """Give the centroid and the world's box of a region, each as x, y, z."""
    faces = [(a - 0.5, b - 0.5) for a, b in zip(region.box.start, region.box.stop, strict=True)]
    points = np.array([region.centroid, *itertools.product(*faces)])
    world = points @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]
    return [f"{value:.10g}" for value in (*world[0], *world[1:].min(axis=0), *world[1:].max(axis=0))]


def _volume_unit(unit: str) -> tuple[str, float]:
    return ("ml", MICROLITRES_PER_ML) if unit == "mm" else (f"{unit}3", 1.0)
