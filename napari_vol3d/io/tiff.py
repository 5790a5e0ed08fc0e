"""TIFF stacks: plain, ImageJ, OME, BigTIFF. No patient axes, so nothing is ever flipped.

Written is OME-TIFF: ImageJ's kind can't hold 32-bit ids.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import to_label_dtype
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, magic, ome
from napari_vol3d.io.lengths import length_unit, positive
from napari_vol3d.io.npy import LazyArray, map_voxels, native
from napari_vol3d.io.safe_write import same_voxels, write_safely
from napari_vol3d.io.tiff_codec import check_codec, tile_bytes
from napari_vol3d.io.tiff_gate import only_series
from napari_vol3d.io.tiff_pages import AGAIN, walk_pages
from napari_vol3d.io.times import seconds, with_time_step

log = logging.getLogger(__name__)

SOFTWARE = "napari-vol3d"
MOST_FLAT_CHANNELS = 4  # of a single slice
AXIS_NAMES = {"C": "channels", "T": "time points"}
SAMPLES = ("red", "green", "blue", "alpha")


def read_tiff(path: Path) -> Volume:
    """Read a TIFF stack; the voxels of one that is stored in one piece stay in the file until they are asked for.

    Slices are the Z axis, or the one axis that the file does not name; a single page is one slice. Channels or colour
    samples come after Y and X, and time is the last axis. Where channels or time points are the only axis beside Y
    and X and more than four, they are taken as the slices: that is how stacks look whose writer named no axes.

    Returns
    -------
    Volume
        (Z, Y, X), (Z, Y, X, C), (Z, Y, X, T) or (Z, Y, X, C, T). Spacing from ImageJ or OME metadata
        in "mm" or "um", else "pixel". `is_labels` is True where `write_tiff` said so, else None.

    Raises
    ------
    FileProblem
        If it is truncated or damaged, too large, has parts in other files, or its axes are not clear.
    """
    magic.require(path, "a TIFF file")
    with gate.reading(path) as size:
        chain = walk_pages(path, size)
        with tifffile.TiffFile(path) as tif:
            root = ome.read_root(tif, path)
            if root is not None:
                ome.check_planes(root, path, chain.count)
            series = only_series(tif, path, chain, size)
            if series.dtype is None or series.dtype.kind not in "buif":
                raise FileProblem(f"Not plain numbers: {path.name} holds {series.dtype}.", hint="Convert it first.")
            shape = tuple(int(n) for n in series.shape)
            check_codec(series, path)
            if series.dataoffset is not None and series.transform is None:
                stored = series.dtype.newbyteorder(tif.byteorder)
                voxels = map_voxels(path, stored, shape, offset=series.dataoffset)
            else:
                needed = gate.declared_bytes(path, shape, series.dtype.itemsize)
                gate.check_memory(path, needed + tile_bytes(series.keyframe))
                voxels = np.asarray(series.asarray())
            if voxels.shape != shape:
                raise FileProblem(f"Damaged file: {path.name} gives {voxels.shape} instead of {shape}.", hint=AGAIN)
            order = _order(series.axes, shape, path, named=tif.pages.first.software == SOFTWARE)
            held = native(path, _arrange(voxels, series.axes, order))
            geometry = ome.read_geometry(root) if root is not None else _imagej_geometry(tif)
            timed = order.endswith("T")
            if timed:
                geometry = with_time_step(geometry, ome.time_step(root) if root is not None else _imagej_step(tif))
        gate.check_affine(path, geometry.affine)
        classes, is_labels = ome.read_classes(root) if root is not None else ((), False)
    return Volume(
        data=held, geometry=geometry, name=path.name.split(".tif")[0].removesuffix(".ome"), source=path,
        channels=_channel_names(held, order, root), is_labels=True if is_labels else None, classes=classes, timed=timed,
    )  # fmt: skip


def write_tiff(target: Path, volume: Volume) -> Path:
    """Write a volume as OME-TIFF, compressed without loss.

    Spacing, unit, class names and colours are kept; the origin too, but not for patients' volumes: TIFF has no
    place for their axes, and without these it means nothing.

    Raises
    ------
    SaveProblem
        If it can't be written, or does not read back the same; what was there before is untouched.
    """
    voxels = np.asarray(volume.data)
    held = to_label_dtype(voxels) if volume.is_labels else _storable(target, voxels)
    planes = held.transpose(*range(held.ndim - 1, 2, -1), 0, 1, 2)
    description = ome.describe(volume, held)

    def write(path: Path) -> None:
        tifffile.imwrite(
            path, planes, description=description, metadata=None, photometric="minisblack", compression="zlib",
            software=SOFTWARE,
        )  # fmt: skip

    def check(path: Path) -> None:
        found = read_tiff(path)
        where = np.allclose(found.geometry.spacing, volume.geometry.spacing, rtol=1e-9)
        # One channel or time point has no axis in a file.
        meant = held.reshape(*held.shape[:3], *(length for length in held.shape[3:] if length > 1))
        if not where or not same_voxels(found.data, meant):
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")

    return write_safely(target, write, check)


def _order(axes: str, shape: tuple[int, ...], path: Path, *, named: bool) -> str:
    """Give the letters of the axes in the order in which they are held; a missing Z is "-" there.

    Parameters
    ----------
    named : bool
        Whether the names of the axes are to be believed even where they are those of channels or time alone.
    """
    depths = [letter for letter in axes if letter not in "CTSYX"]
    if len(axes) == 3 and axes[0] in "CT" and shape[0] > MOST_FLAT_CHANNELS and not named:
        log.info("%s: its %d %s are taken as slices", path.name, shape[0], AXIS_NAMES[axes[0]])
        depths = [axes[0]]
    depth = "Z" if "Z" in depths else "".join(depths[:1])
    channels = "".join(letter for letter in axes if letter in "CS" and letter != depth)
    time = "T" if "T" in axes and depth != "T" else ""
    order = f"{depth or '-'}YX{channels}{time}"
    if sorted(order.replace("-", "")) != sorted(axes) or len(channels) > 1:
        raise FileProblem(
            f"Axes that are not clear: {path.name} has {axes} of shape {shape}.",
            hint="Save one stack, or a stack with channels, with named axes (in Fiji: Image > Hyperstacks).",
        )
    return order


def _arrange(voxels: NDArray[Any], axes: str, order: str) -> NDArray[Any]:
    """View an array in this order of its axes."""
    held = voxels.transpose([axes.index(letter) for letter in order if letter != "-"])
    return held[None] if order.startswith("-") else held


def _channel_names(held: NDArray[Any] | LazyArray, order: str, root: ElementTree.Element | None) -> tuple[str, ...]:
    kind = order[3:].replace("T", "")
    if not kind:
        return ()
    count = held.shape[3]
    if kind == "S" and count <= len(SAMPLES):
        return SAMPLES[:count]
    names = ome.read_channel_names(root) if root is not None else []
    if kind == "C" and len(names) == count and all(names):
        return tuple(names)
    return tuple(f"channel {i + 1}" for i in range(count))


def _imagej_geometry(tif: tifffile.TiffFile) -> Geometry:
    metadata = tif.imagej_metadata
    if not metadata:  # the resolution of other TIFFs is dots per inch of paper
        return Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel")
    tags = tif.pages.first.tags
    unit, factor = length_unit(str(metadata.get("unit", "")))
    on_paper = unit == "pixel" and tags.valueof("ResolutionUnit", 1) in (2, 3)
    y, x = (1.0, 1.0) if on_paper else (_pixel_size(tags, "YResolution"), _pixel_size(tags, "XResolution"))
    z = positive(metadata.get("spacing")) or 1.0
    return Geometry.from_spacing((z * factor, y * factor, x * factor), unit=unit)


def _imagej_step(tif: tifffile.TiffFile) -> float | None:
    metadata = tif.imagej_metadata or {}
    return seconds(metadata.get("finterval"), str(metadata.get("tunit", "s")))


def _pixel_size(tags: tifffile.TiffTags, name: str) -> float:
    count, per = tags.valueof(name, (1, 1))
    return positive(per / count if count else None) or 1.0


def _storable(target: Path, voxels: NDArray[Any]) -> NDArray[Any]:
    if voxels.dtype.kind == "b":
        return voxels.view(np.uint8)
    if voxels.dtype == np.float16:
        return voxels.astype(np.float32)
    if voxels.dtype.name not in ome.TYPES:
        raise SaveProblem(
            f"{target.name} was not saved: OME-TIFF can't hold {voxels.dtype}.", hint="Save it as .nii.gz."
        )
    return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
