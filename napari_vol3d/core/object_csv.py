"""A table of objects as text, one row an object: for statistics elsewhere.

Columns: class, name, object (its number within the class), voxels, the volume in the cube of the unit, the mean
intensity, and the centre (x, y, z) as the world has it. What is not known is empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.object_table import Ints, ObjectTable


def objects_csv(
    table: ObjectTable, rows: Ints, *, names: Mapping[int, str], places: NDArray[np.float64], unit: str
) -> str:
    """Write rows of a table, in their order.

    Parameters
    ----------
    names : mapping of int to str
        Of the classes, written in one line; one that is missing is "class 7".
    places : ndarray of float64, shape (n, 3)
        Centres of all objects of the table, (x, y, z) in `unit`.
    unit : str
        "mm", "um" or "nm"; or "pixel" where the spacing is not known, and there is no volume.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    known = [] if unit == "pixel" else [f"volume_{unit}3"]
    axes = [f"centre_{axis}_{unit}" for axis in "xyz"]
    writer.writerow(["class", "name", "object", "voxels", *known, "mean_intensity", *axes])
    ids = table.class_id[rows].tolist()
    columns: list[list[object]] = [ids, [" ".join(names.get(i, f"class {i}").split()) for i in ids]]
    columns += [table.number[rows].tolist(), table.voxels[rows].tolist()]
    columns += [_figures(table.volume[rows])] if known else []
    columns += [_figures(table.mean[rows]), *(_figures(axis) for axis in places[rows].T)]
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def _figures(values: NDArray[np.float64]) -> list[object]:
    return [f"{value:.10g}" if np.isfinite(value) else "" for value in values.tolist()]
