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
from napari_vol3d.io.tiff_gate import AGAIN, count_pages, only_series

log = logging.getLogger(__name__)

MOST_FLAT_CHANNELS = 4  # of a single slice
AXIS_NAMES = {"C": "channels", "T": "time points"}
SAMPLES = ("red", "green", "blue", "alpha")


def read_tiff(path: Path) -> Volume:
    """Read a TIFF stack; the voxels of one that is stored in one piece stay in the file until they are asked for.

    Slices are the Z axis, or the one axis that the file does not name; a single page is one slice. Channels, time
    points and colour samples become the last axis, one kind of them at a time. Where they are the only axis beside
    Y and X and more than four, they are taken as the slices: that is how stacks look whose writer named no axes.

    Returns
    -------
    Volume
        (Z, Y, X) or (Z, Y, X, C). Spacing from ImageJ or OME metadata in "mm" or "um", else "pixel". `is_labels` is
        True where `write_tiff` said so, else None.

    Raises
    ------
    FileProblem
        If it is truncated or damaged, too large, has parts in other files, or its axes are not clear.
    """
    magic.require(path, "a TIFF file")
    with gate.reading(path) as size:
        pages = count_pages(path, size)
        with tifffile.TiffFile(path) as tif:
            root = ome.read_root(tif, path)
            series = only_series(tif, path, pages, size)
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
            arranged, kind = _arrange(voxels, series.axes, path)
            held = native(path, arranged)
            geometry = ome.read_geometry(root) if root is not None else _imagej_geometry(tif)
        gate.check_affine(path, geometry.affine)
        classes, is_labels = ome.read_classes(root) if root is not None else ((), False)
    return Volume(
        data=held, geometry=geometry, name=path.name.split(".tif")[0].removesuffix(".ome"), source=path,
        channels=_channel_names(held, kind, root), is_labels=True if is_labels else None, classes=classes,
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
    planes = held if held.ndim == 3 else np.moveaxis(held, -1, 0)
    description = ome.describe(volume, held)

    def write(path: Path) -> None:
        tifffile.imwrite(
            path, planes, description=description, metadata=None, photometric="minisblack", compression="zlib",
            software="napari-vol3d",
        )  # fmt: skip

    def check(path: Path) -> None:
        found = read_tiff(path)
        where = np.allclose(found.geometry.spacing, volume.geometry.spacing, rtol=1e-9)
        meant = held[..., 0] if held.ndim == 4 and held.shape[3] == 1 else held  # one channel has no axis in a file
        if not where or not same_voxels(found.data, meant):
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")

    return write_safely(target, write, check)


def _arrange(voxels: NDArray[Any], axes: str, path: Path) -> tuple[NDArray[Any], str]:
    """Order an array as (Z, Y, X) or (Z, Y, X, C); gives also the letter of the channel axis, or ""."""
    if len(axes) == 3 and axes[0] in "CT" and voxels.shape[0] > MOST_FLAT_CHANNELS:
        log.info("%s: its %d %s are taken as slices", path.name, len(voxels), AXIS_NAMES[axes[0]])
        axes = f"Z{axes[1:]}"
    spare = axes.replace("Y", "", 1).replace("X", "", 1)
    depths = [a for a in spare if a not in "CTS"]
    depth = "Z" if "Z" in depths else "".join(depths[:1])
    channel = spare.replace(depth, "", 1) if depth else spare
    if len(spare) != len(axes) - 2 or len(set(axes)) != len(axes) or len(channel) > 1 or channel not in "CTS":
        raise FileProblem(
            f"Axes that are not clear: {path.name} has {axes} of shape {voxels.shape}.",
            hint="Save one stack, or a stack with channels, with named axes (in Fiji: Image > Hyperstacks).",
        )
    order = [axes.index(letter) for letter in f"{depth}YX{channel}"]
    held = voxels.transpose(order)
    return (held if depth else held[None]), channel


def _channel_names(held: NDArray[Any] | LazyArray, kind: str, root: ElementTree.Element | None) -> tuple[str, ...]:
    if held.ndim == 3:
        return ()
    count = held.shape[3]
    if kind == "S" and count <= len(SAMPLES):
        return SAMPLES[:count]
    names = ome.read_channel_names(root) if root is not None else []
    if kind == "C" and len(names) == count and all(names):
        return tuple(names)
    word = "time" if kind == "T" else "channel"
    return tuple(f"{word} {i + 1}" for i in range(count))


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
