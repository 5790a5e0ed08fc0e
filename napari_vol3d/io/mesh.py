"""Surfaces of label maps as STL and OBJ, for printing, planning and rendering: written, not read.

Coordinates are millimetres (or the volume's own unit). Patients are written in LPS, as 3D Slicer does, and the file
says so: "SPACE=LPS" stands in the header of an STL and in the first comment of an OBJ, where Slicer looks for it.
Other volumes keep their (x, y, z), and no space is named.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.regions import Region, as_ids, classes_in, find_regions
from napari_vol3d.core.surface import surface_of
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate
from napari_vol3d.io.safe_write import write_safely
from napari_vol3d.io.seg_nrrd import printable

HEADER_BYTES = 80  # of an STL file; they must not begin with "solid"
WALK_BYTES = 16  # for each voxel of a class' box while its surface is made: the mask, and scikit-image's own copies
LINES = 1 << 16  # of an OBJ file that are put together at one time


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shape:
    """A class' surface as a file holds it: vertices in its space, faces of vertex indices."""

    name: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]


def write_mesh(target: Path, volume: Volume) -> Path:
    """Write the surface of each class of a label map, closed and not smoothed.

    An .obj holds all classes, as groups with their names. An .stl holds one surface: of several classes each gets a
    file of its own, so that "liver.stl" and the classes "left" and "right" give "liver_left.stl" and
    "liver_right.stl". None of these may be there already: nobody was asked whether it may be replaced.

    Returns
    -------
    Path
        The file; the first one of several.

    Raises
    ------
    SaveProblem
        If there is no surface, or it can't be written, or does not read back the same; what was there before is
        untouched.
    FileProblem
        If a class needs more memory than there is.
    """
    if len(volume.data.shape) != 3:
        raise SaveProblem(
            f"{target.name} was not saved: a surface needs one volume; the shape is {tuple(volume.data.shape)}.",
            hint="Choose one time point or channel first.",
        )
    labels = as_ids(volume)
    regions = find_regions(labels.data)
    if not regions:
        raise SaveProblem(f"{target.name} was not saved: no voxel is labelled.", hint="Segment or paint first.")
    classes = [item for item in classes_in(regions, labels.classes) if item.id in regions]
    shapes = (_shape(target, labels, item, regions[item.id]) for item in classes)
    if target.suffix.lower() == ".obj":
        return _write_obj(target, list(shapes), _says(labels.geometry))
    targets = _targets(target, classes)
    written: list[Path] = []
    try:
        for one, shape in zip(targets, shapes, strict=True):
            _write_stl(one, shape, _says(labels.geometry))
            written.append(one)
    except (SaveProblem, FileProblem):
        if len(targets) > 1:  # all or none; none of these was there before
            for one in written:
                one.unlink(missing_ok=True)
        raise
    return targets[0]


def _shape(target: Path, labels: Volume, item: LabelClass, region: Region) -> _Shape:
    gate.check_memory(target, WALK_BYTES * region.box.grown((1, 1, 1)).size)
    surface = surface_of(labels, item.id, region.box)
    turn = (-1.0, -1.0, 1.0) if labels.geometry.anatomical else (1.0, 1.0, 1.0)  # a half turn: fronts stay fronts
    return _Shape(name=item.name, vertices=surface.vertices * turn, faces=surface.faces)


def _says(geometry: Geometry) -> str:
    """Give the words of the header, in the spelling that 3D Slicer understands."""
    return f"napari-vol3d. {'SPACE=LPS;' if geometry.anatomical else ''}UNIT={geometry.unit}"


def _targets(target: Path, classes: list[LabelClass]) -> list[Path]:
    """Name a file for each class; the target itself where there is only one."""
    if len(classes) == 1:
        return [target]
    names = [re.sub(r"[^\w.()-]+", "_", item.name).strip("._") for item in classes]
    doubtful = len({name.casefold() for name in names}) < len(names) or not all(names)
    ends = [f"{name}_{item.id}" if doubtful else name for name, item in zip(names, classes, strict=True)]
    targets = [target.with_name(f"{target.stem}_{end}{target.suffix}") for end in ends]
    taken = next((one for one in targets if one.exists()), None)
    if taken is not None:
        raise SaveProblem(
            f"{taken.name} is there already: each class gets a file of its own.",
            hint="Choose another name, remove that file, or save all classes in one .obj.",
        )
    return targets


def _write_stl(target: Path, shape: _Shape, says: str) -> None:
    mesh = trimesh.Trimesh(shape.vertices, shape.faces, process=False)
    content = says.encode().ljust(HEADER_BYTES)[:HEADER_BYTES] + trimesh.exchange.stl.export_stl(mesh)[HEADER_BYTES:]

    def write(path: Path) -> None:
        path.write_bytes(content)

    def check(path: Path) -> None:
        with gate.reading(path):
            found = trimesh.load_mesh(path, file_type="stl", process=False)
        if not np.array_equal(np.asarray(found.triangles, np.float32), mesh.triangles.astype(np.float32)):
            raise _differs(target)

    write_safely(target, write, check)


def _write_obj(target: Path, shapes: list[_Shape], says: str) -> Path:
    crc = 0

    def write(path: Path) -> None:
        nonlocal crc
        with path.open("wb") as file:
            for piece in _obj_text(shapes, says):
                crc = zlib.crc32(piece, crc)
                file.write(piece)

    def check(path: Path) -> None:
        if _crc_of(path) != crc:  # parsing the text again would take many times its size in memory
            raise _differs(target)

    return write_safely(target, write, check)


def _obj_text(shapes: list[_Shape], says: str) -> Iterator[bytes]:
    yield f"# {says}\n".encode()
    first = 1  # vertices are counted through the whole file, from 1
    for shape in shapes:
        # A blank would make two groups of one name.
        yield f"g {printable('_'.join(shape.name.split())) or 'unnamed'}\n".encode()
        yield from _lines("v %.9g %.9g %.9g\n", shape.vertices)
        yield from _lines("f %d %d %d\n", shape.faces + first)
        first += len(shape.vertices)


def _lines(pattern: str, rows: NDArray[Any]) -> Iterator[bytes]:
    for start in range(0, len(rows), LINES):
        part = rows[start : start + LINES]
        yield (pattern * len(part) % tuple(part.ravel().tolist())).encode()


def _crc_of(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while piece := file.read(gate.CHUNK):
            crc = zlib.crc32(piece, crc)
    return crc


def _differs(target: Path) -> SaveProblem:
    return SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")
