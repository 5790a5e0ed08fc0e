"""OME-Zarr (0.4 on Zarr 2, 0.5 on Zarr 3) and plain Zarr arrays: a chunk is read when a slice of it is asked for.

Label images are written by `label_image`, and box by box by `label_store`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, ngff
from napari_vol3d.io.folders import lies_aside
from napari_vol3d.io.ngff import OWN, SPATIAL, Axes, tell_axes
from napari_vol3d.io.times import with_time_step
from napari_vol3d.io.zarr_parts import Found, find_image, ome_of
from napari_vol3d.io.zarr_store import AGAIN, attributes_of, damage, inner, is_node, kind_of, lazy, open_array

LABELS = "labels"


def read_zarr(path: Path, part: str | None = None) -> Volume:
    """Read a Zarr folder: an OME-Zarr image or label image, or a plain array; its voxels stay in it until asked for.

    Parameters
    ----------
    path : Path
    part : str, optional
        Which image of a plate, a well, or of several series: the key of one of those that `SeveralParts` lists.

    Returns
    -------
    Volume
        (Z, Y, X), with channels and time behind where the metadata names such an axis of more than one. `data` is a
        `LazyArray` of the finest level. `is_labels` is True for label images, False for other OME-Zarr images, None
        for plain arrays. `source` is the folder of the image itself.

    Raises
    ------
    SeveralParts
        If there are several images and none is named.
    FileProblem
        If metadata or array are missing or damaged, or it is no single volume.
    """
    if _kind(path) == "array":
        return _read_plain(path, part)
    found = find_image(path, part)
    with damage(path):
        return _read_level(found, 0)


def read_levels(path: Path, part: str | None = None) -> tuple[Volume, ...]:
    """Read all levels of an image, the finest first; each knows where it lies; of the voxels nothing is read.

    A plain array is one level.

    Raises
    ------
    SeveralParts
        If there are several images and none is named.
    FileProblem
        As `read_zarr`, and if the levels are not those of one image: other axes, type, channels or times, or another
        place.
    """
    if _kind(path) == "array":
        return (_read_plain(path, part),)
    found = find_image(path, part)
    with damage(path):
        finest = _read_level(found, 0)
        levels = [_read_level(found, index) for index in range(1, len(found.image["datasets"]))]
        return (finest, *(_fitted(path, finest, level, found, i + 1) for i, level in enumerate(levels)))


def label_paths(path: Path) -> tuple[Path, ...]:
    """List the label images that an image says it has, each to be opened by its own path."""
    if _kind(path) == "array" or not is_node(path / LABELS):
        return ()
    with damage(path):
        names = [f"{LABELS}/{name}" for name in ome_of(attributes_of(path / LABELS)).get("labels") or ()]
        return tuple(inner(path, name, "image of labels") for name in names if is_node(path / name))


def _kind(path: Path) -> str:
    try:
        is_folder = path.is_dir()
    except (OSError, ValueError):  # the gate says why
        is_folder = False
    if not is_folder:
        if lies_aside(path):
            raise FileProblem(
                f"Half replaced: {path.name} was being saved when the program ended.",
                hint=f"What was there before lies in {path.name}.replaced; move it back, or save the labels again.",
            )
        gate.regular_file(path)
        raise FileProblem(f"A file, not a folder: {path.name} is no Zarr store.", hint="Unpack it if it is zipped.")
    return kind_of(path)


def _read_plain(path: Path, part: str | None) -> Volume:
    if part is not None:
        raise FileProblem(f"One volume only: {path.name} has no parts to choose from.", hint="Leave the part out.")
    array = open_array(path, path)
    with damage(path):
        named = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
        if named is None or not all(isinstance(name, str) for name in named):
            if array.ndim != 3:
                raise FileProblem(
                    f"Axes that are not clear: {path.name} has the shape {array.shape} and names no axes.",
                    hint="Save one 3-D array (Z, Y, X), or OME-Zarr, which names its axes.",
                )
            named = SPATIAL
        axes = tell_axes(path, [{"name": name} for name in named], array.shape)
        return Volume(
            data=lazy(path, array, axes.order), geometry=Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel"),
            name=path.stem, source=path, channels=_channel_names([], array, axes), is_labels=None, timed=axes.timed,
        )  # fmt: skip


def _read_level(found: Found, index: int) -> Volume:
    path, metadata, image = found.folder, found.metadata, found.image
    array = open_array(path, inner(path, str(image["datasets"][index]["path"]), "array"))
    axes = tell_axes(path, ngff.described_axes(image), array.shape)
    plain, _ = ngff.read_geometry(path, image, axes, index)
    whole = ngff.own_geometry(path, plain, found.attributes.get(OWN, {})) if index == 0 else plain
    labelled = "image-label" in metadata or path.parent.name == LABELS
    channels = (metadata.get("omero") or {}).get("channels") or []
    return Volume(
        data=lazy(path, array, axes.order), geometry=with_time_step(whole, ngff.read_step(image, axes)), source=path,
        name=path.stem.removesuffix(".ome"), is_labels=labelled and np.dtype(array.dtype).kind in "iub",
        channels=_channel_names([str(channel.get("label", "")) for channel in channels], array, axes),
        classes=ngff.read_classes(metadata.get("image-label") or {}), timed=axes.timed,
    )  # fmt: skip


def _channel_names(named: list[str], array: Any, axes: Axes) -> tuple[str, ...]:
    return () if axes.channel is None else ngff.channel_names(named, int(array.shape[axes.channel]))


def _fitted(path: Path, finest: Volume, level: Volume, found: Found, index: int) -> Volume:
    """Put a coarser level in the finest one's world, after proving that it shows the same."""
    image = found.image
    axes = tell_axes(path, ngff.described_axes(image), [2] * len(image["axes"]))
    plain, known = ngff.read_geometry(path, image, axes)
    coarse, said = ngff.read_geometry(path, image, axes, index)
    sizes = np.array([finest.shape, level.shape], np.float64)
    if known and said:
        step = np.linalg.solve(plain.affine, coarse.affine)
        ratio = np.diag(step)[:3]
        covered = bool((np.abs(sizes[1] * ratio - sizes[0]) <= ratio + 0.5).all())
        covered &= bool((np.abs(step[:3, 3]) <= ratio).all())  # levels may begin at a corner or at a centre
    else:
        step, covered = np.diag([*(sizes[0] / sizes[1]), 1.0]), bool((sizes[0] >= sizes[1]).all())
    same = (level.data.shape[3:], level.data.dtype, level.timed) == (
        finest.data.shape[3:], finest.data.dtype, finest.timed
    )  # fmt: skip
    if not same or not covered:
        name = image["datasets"][index]["path"]
        raise FileProblem(
            f"Levels that do not fit: {path.name} has {finest.data.shape} {finest.data.dtype} and, as {name!r}, "
            f"{level.data.shape} {level.data.dtype}.",
            hint=AGAIN,
        )
    return replace(level, geometry=replace(finest.geometry, affine=finest.geometry.affine @ step))
