"""HDF5 files, as ilastik, PlantSeg and h5py write them: each dataset of three to five axes is a volume.

A file is opened for each read and closed again, so that it can be replaced while its voxels are on the screen; what is
read from another file than the one that was opened first is said, not shown.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry, Spacing, Volume
from napari_vol3d.io import gate, magic, ngff
from napari_vol3d.io.hdf5_parts import ELSEWHERE, dataset_at, list_parts
from napari_vol3d.io.hdf5_proof import ChunkProof, prove_stored
from napari_vol3d.io.npy import MOST_CHANNELS, LazyArray
from napari_vol3d.io.parts import choose

log = logging.getLogger(__name__)

ELEMENT_SIZE = "element_size_um"
MOST_ATTRIBUTE_BYTES = 1 << 16
SPATIAL = ("z", "y", "x")


def read_hdf5(path: Path, part: str | None = None) -> Volume:
    """Read a dataset of an HDF5 file; its voxels stay in the file until they are asked for.

    Axes are named by the attribute ``axistags`` (vigra, ilastik) or by dimension labels. Three without names are
    (Z, Y, X); of four, the last is the channels if it is no longer than 16, else the first if that is. The spacing is
    that of ``element_size_um`` (PlantSeg: z, y, x), at the dataset or a group above it.

    Parameters
    ----------
    path : Path
    part : str, optional
        Path of the dataset inside the file.

    Returns
    -------
    Volume
        (Z, Y, X), with channels and time behind; `data` is a `LazyArray`.

    Raises
    ------
    SeveralParts
        If there are several datasets and none is named.
    FileProblem
        If the file is damaged, too large, has its voxels in other files, or its axes are not clear.
    """
    magic.require(path, "an HDF5 file")
    with gate.reading(path) as size, _opened(path, size) as file:
        key = choose(path, _parts(file, path), part).key
        dataset = dataset_at(file, key, path)
        if dataset is None:
            raise FileProblem(
                f"Voxels in other files: {path.name} only links to those of {key!r}.",
                hint="Open the file that holds them, or copy them into one file.",
            )
        prove_stored(dataset, path, size)
        axes = ngff.tell_axes(path, _named_axes(dataset, path), dataset.shape)
        volume = Volume(
            data=_lazy(path, dataset, key, axes.order), geometry=_geometry(file, key, path), name=path.stem,
            source=path, is_labels=False if key.rpartition("/")[2].lower() == "raw" else None, timed=axes.timed,
            channels=() if axes.channel is None else ngff.channel_names([], dataset.shape[axes.channel]),
        )  # fmt: skip
    gate.check_affine(path, volume.geometry.affine)
    return volume


def _opened(path: Path, size: int) -> h5py.File:
    try:
        # Without a lock: shares often have none, and whether the file changes is looked at by other means.
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if "truncated" in str(error):
            raise FileProblem(
                f"Truncated file: {path.name} has {size:,} bytes, its header says more.", hint="Copy it again."
            ) from error
        raise


def _parts(file: h5py.File, path: Path) -> Sequence[Any]:
    parts = list_parts(file, path)
    if not parts:
        raise FileProblem(
            f"No volume in {path.name}: no dataset of numbers has 3 to 5 axes.", hint="Save one as (Z, Y, X)."
        )
    if all(part.title == ELSEWHERE for part in parts):
        raise FileProblem(
            f"Voxels in other files: {path.name} only links to them.",
            hint="Open the file that holds them, or copy them into one file.",
        )
    return parts


def _named_axes(dataset: h5py.Dataset, path: Path) -> list[dict[str, Any]]:
    """List the axes in the words of OME-Zarr."""
    tags = _attribute(dataset, "axistags")
    if isinstance(tags, (str, bytes)):
        names = [str(axis["key"]) for axis in json.loads(tags)["axes"]]
    else:
        names = [str(dimension.label) for dimension in dataset.dims]
    if all(names):
        return [{"name": name} for name in names]
    shape = dataset.shape
    first = next((i for i, length in enumerate(shape[:-3]) if length > 1), len(shape) - 3)  # leading axes of one
    if len(shape) - first == 3:
        return [{"name": name} for name in (*("t", "c")[:first], *SPATIAL)]
    if len(shape) == 4 and shape[-1] <= MOST_CHANNELS:
        return [{"name": name} for name in (*SPATIAL, "c")]
    if len(shape) == 4 and shape[0] <= MOST_CHANNELS:
        return [{"name": name} for name in ("c", *SPATIAL)]
    raise FileProblem(
        f"Axes that are not clear: {path.name} has the shape {shape} and names no axes.",
        hint="Name them in the attribute axistags, or save a 3-D array (Z, Y, X).",
    )


def _geometry(file: h5py.File, key: str, path: Path) -> Geometry:
    """Give the size of a voxel that the dataset, or the nearest group above it, names."""
    nodes = ["/", *("/".join(key.split("/")[: k + 1]) for k in range(key.count("/") + 1))]
    for node in reversed(nodes):
        spacing = _spacing(_attribute(file[node], ELEMENT_SIZE))
        if spacing is not None:
            return Geometry.from_spacing(spacing, unit="um")
        if ELEMENT_SIZE in file[node].attrs:
            log.warning("%s: %s of %s is no voxel size and left out", path.name, ELEMENT_SIZE, node)
    return Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel")


def _spacing(value: Any) -> Spacing | None:
    try:
        z, y, x = (float(length) for length in np.asarray(value, np.float64).ravel())
    except (TypeError, ValueError):
        return None
    return (z, y, x) if min(z, y, x) > 0 and np.isfinite((z, y, x)).all() else None


def _attribute(node: Any, name: str) -> Any:
    """Give an attribute, or None where there is none or it is too long to be what is meant."""
    if name not in node.attrs or node.attrs.get_id(name).get_storage_size() > MOST_ATTRIBUTE_BYTES:
        return None
    return node.attrs[name]


def _lazy(path: Path, dataset: h5py.Dataset, key: str, order: tuple[int, ...]) -> LazyArray:
    """Wrap a dataset so that its slices come in this order of its axes, in native byte order."""
    dtype = np.dtype(dataset.dtype).newbyteorder("=")
    ndim, proof, known = dataset.ndim, ChunkProof(path), gate.regular_file(path)
    spare = tuple(axis for axis in range(ndim) if axis not in order)  # of length one

    def read(index: tuple[slice, ...]) -> NDArray[Any]:
        wanted = [slice(0, 1)] * ndim
        for own, part in zip(order, index, strict=True):
            wanted[own] = part
        now = gate.regular_file(path)
        if (now.st_size, now.st_mtime_ns, now.st_ino) != (known.st_size, known.st_mtime_ns, known.st_ino):
            raise FileProblem(f"The file was changed: {path.name} is another one now.", hint="Open it again.")
        with gate.reading(path) as size, _opened(path, size) as file:
            source = file[key]
            proof.prove(source, wanted)
            voxels = np.asarray(source[tuple(wanted)])
        held = voxels.transpose(*order, *spare)
        return held.reshape(held.shape[: len(order)]).astype(dtype, copy=False)

    return LazyArray(path, [dataset.shape[own] for own in order], dtype, read)
