"""Zarr arrays and groups in folders, of format 2 and 3: what is proved about them, and how their voxels are read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.zarr_chunks import ProvedStore

METADATA = ("zarr.json", ".zarray", ".zgroup")
AGAIN = "Copy or download it again, or convert it."
# Of Zarr 2, where a codec is a name in a file; "pickle" is one too, and old versions of numcodecs run it.
CODECS = {
    "adler32", "astype", "bitround", "blosc", "bz2", "crc32", "crc32c", "delta", "fixedscaleoffset", "fletcher32",
    "gzip", "lz4", "lzma", "packbits", "pcodec", "quantize", "shuffle", "zfpy", "zlib", "zstd",
}  # fmt: skip
LONGEST_REASON = 160


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn what zarr and its codecs raise on damaged stores into a `FileProblem`."""
    try:
        yield
    except KeyError as error:
        raise _unreadable(path, f"its metadata lacks {error}") from error
    except (OSError, *gate.DAMAGE) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or str(error) or type(error).__name__) from error


def _unreadable(path: Path, reason: str) -> FileProblem:
    first = reason.strip().partition("\n")[0]
    return FileProblem(f"Can't be read: {path.name} ({first[:LONGEST_REASON]}).", hint=AGAIN)


def kind_of(path: Path) -> str:
    """Tell an array from a group by the metadata file that lies in the folder.

    Raises
    ------
    FileProblem
        If there is none, or it is damaged.
    """
    if (path / ".zarray").is_file():
        return "array"
    if (path / ".zgroup").is_file():
        return "group"
    if not (path / "zarr.json").is_file():
        raise FileProblem(f"No Zarr metadata: {path.name} has no {', '.join(METADATA)}.", hint=AGAIN)
    with damage(path):
        return str(json.loads((path / "zarr.json").read_bytes())["node_type"])


def is_node(folder: Path) -> bool:
    """Whether there is an array or a group, by the names of its files."""
    return any((folder / name).is_file() for name in METADATA)


def inner(path: Path, name: str, what: str) -> Path:
    """Give the array or group of this name, "/" between folders, that metadata in `path` speak of.

    Raises
    ------
    FileProblem
        If it is not there, or lies outside the folder.
    """
    folder = path / name
    if not folder.resolve().is_relative_to(path.resolve()):
        raise FileProblem(f"Damaged metadata: {path.name} names an {what} outside its folder.", hint=AGAIN)
    if not is_node(folder):
        raise FileProblem(f"Missing {what}: {path.name} has no {name!r}.", hint=AGAIN)
    return folder


def attributes_of(path: Path) -> dict[str, Any]:
    """Give the attributes of a group."""
    with damage(path):
        return dict(zarr.open_group(ProvedStore(path, read_only=True), mode="r").attrs)


def open_array(path: Path, folder: Path) -> Any:
    """Open an array and prove that it holds plain numbers, in chunks that fit into memory and may be unpacked."""
    with damage(path):
        store = ProvedStore(folder, read_only=True)
        array: Any = zarr.open_array(store, mode="r")
        dtype = np.dtype(array.dtype)
        if dtype.kind not in "buif":
            raise FileProblem(f"Not plain numbers: {path.name} holds {dtype}.", hint="Convert it first.")
        gate.declared_bytes(path, array.shape, dtype.itemsize)
        if array.metadata.zarr_format == 2:
            used = [array.metadata.compressor, *(array.metadata.filters or ())]
            unknown = [codec.codec_id for codec in used if codec is not None and codec.codec_id not in CODECS]
            if unknown:
                raise FileProblem(f"Compression not supported: {path.name} uses {unknown[0]}.", hint=AGAIN)
        gate.check_memory(path, math.prod(array.chunks) * dtype.itemsize)
        store.prove_chunks_of(array)
        own = array.attrs.get("napari_vol3d")
        store.whole = isinstance(own, dict) and own.get("whole") is True
    return array


def lazy(path: Path, array: Any, axes: tuple[int, ...]) -> LazyArray:
    """Wrap an array so that its slices come as (Z, Y, X) or (Z, Y, X, C), in native byte order."""
    dtype = np.dtype(array.dtype).newbyteorder("=")
    spare = tuple(index for index in range(array.ndim) if index not in axes)  # of length one

    def read(index: tuple[slice, ...]) -> NDArray[Any]:
        wanted = [slice(0, 1)] * array.ndim
        for own, part in zip(axes, index, strict=True):
            wanted[own] = part
        if not path.is_dir():  # zarr would give zeros for chunks that are not there
            raise FileProblem(f"It is gone: {path.name} was moved or removed.", hint="Open it again where it is now.")
        with damage(path):
            voxels = np.asarray(array[tuple(wanted)])
        held = voxels.transpose(*axes, *spare)
        return held.reshape(held.shape[: len(axes)]).astype(dtype, copy=False)

    return LazyArray(path, [array.shape[own] for own in axes], dtype, read)
