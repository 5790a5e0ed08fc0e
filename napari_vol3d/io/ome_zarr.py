"""OME-Zarr (0.4 on Zarr 2, 0.5 on Zarr 3) and plain Zarr arrays: a chunk is read when a slice of it is asked for.

Of an image's levels the finest is taken. Written are label images, by `label_store`.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import LocalStore

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate
from napari_vol3d.io.lengths import convert, length_unit
from napari_vol3d.io.npy import LazyArray

log = logging.getLogger(__name__)

OWN = "napari_vol3d"  # attributes of ours
METADATA = ("zarr.json", ".zarray", ".zgroup")
AGAIN = "Copy or download it again, or convert it."
TIMES, CHANNELS, SPATIAL = ("t", "time"), ("c", "channel", "channels"), ("z", "y", "x")
UNITS = {"meter": "m", "centimeter": "cm", "millimeter": "mm", "micrometer": "um"}  # as OME-Zarr spells them
# Of Zarr 2, where a codec is a name in a file; "pickle" is one too, and old versions of numcodecs run it.
CODECS = {
    "adler32", "astype", "bitround", "blosc", "bz2", "crc32", "crc32c", "delta", "fixedscaleoffset", "fletcher32",
    "gzip", "lz4", "lzma", "packbits", "pcodec", "quantize", "shuffle", "zfpy", "zlib", "zstd",
}  # fmt: skip
LONGEST_REASON = 160


def read_zarr(path: Path) -> Volume:
    """Read a Zarr folder: an OME-Zarr image or label image, or a plain array; its voxels stay in it until asked for.

    Returns
    -------
    Volume
        (Z, Y, X), or (Z, Y, X, C) where the metadata names a channel axis of more than one. `data` is a `LazyArray`
        of the finest level. `is_labels` is True for label images, False for other OME-Zarr images, None for plain
        arrays.

    Raises
    ------
    FileProblem
        If metadata or array are missing or damaged, or it is no single volume.
    """
    if not path.is_dir():
        gate.regular_file(path)
        raise FileProblem(f"A file, not a folder: {path.name} is no Zarr store.", hint="Unpack it if it is zipped.")
    if _kind(path) == "array":
        return _read_plain(path)
    with _damage(path):
        attributes: dict[str, Any] = dict(zarr.open_group(LocalStore(path, read_only=True), mode="r").attrs)
        metadata = attributes.get("ome", attributes)
        if "multiscales" not in metadata:
            raise _no_image(path)
        return _read_image(path, metadata, attributes.get(OWN, {}))


def describe_labels(name: str, geometry: Geometry, classes: Sequence[LabelClass], level: str) -> dict[str, Any]:
    """Give the attributes of an OME-Zarr 0.5 label image, and our own where OME can't hold the whole geometry.

    Parameters
    ----------
    name : str
        Of the folder.
    level : str
        The array inside it.
    """
    x, y, z = geometry.origin
    if geometry.anatomical:  # held axes run to superior, posterior, left; OME's scale has no sign
        x, y = -x, -y
    units = [{"unit": spelt} for spelt, unit in UNITS.items() if unit == geometry.unit]
    scale = {"type": "scale", "scale": list(geometry.spacing)}
    translation = {"type": "translation", "translation": [z, y, x]}
    image = {
        "name": name.split(".zarr")[0].removesuffix(".ome"),
        "axes": [{"name": axis, "type": "space", **(units[0] if units else {})} for axis in SPATIAL],
        "datasets": [{"path": level, "coordinateTransformations": [scale, translation]}],
    }
    colors = [{"label-value": c.id, "rgba": [*bytes.fromhex(c.color[1:]), 255]} for c in classes]
    label = {"colors": colors, "properties": [{"label-value": c.id, "name": c.name} for c in classes]}
    own = {OWN: {"affine": geometry.affine.tolist(), "anatomical": geometry.anatomical}}
    plain = Geometry.from_spacing(geometry.spacing, unit=geometry.unit, origin=(z, y, x))
    told = not geometry.anatomical and np.array_equal(plain.affine, geometry.affine)
    return {"ome": {"version": "0.5", "multiscales": [image], "image-label": label}, **({} if told else own)}


@contextmanager
def _damage(path: Path) -> Iterator[None]:
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


def _kind(path: Path) -> str:
    """Tell an array from a group by the metadata file that lies in the folder."""
    if (path / ".zarray").is_file():
        return "array"
    if (path / ".zgroup").is_file():
        return "group"
    if not (path / "zarr.json").is_file():
        raise FileProblem(f"No Zarr metadata: {path.name} has no {', '.join(METADATA)}.", hint=AGAIN)
    with _damage(path):
        return str(json.loads((path / "zarr.json").read_bytes())["node_type"])


def _no_image(path: Path) -> FileProblem:
    inside = sorted(one.name for one in path.iterdir() if any((one / name).is_file() for name in METADATA))
    hint = f"Open one of the folders in it: {', '.join(inside[:5])}." if inside else AGAIN
    return FileProblem(f"No image in {path.name}: its metadata names none.", hint=hint)


def _read_plain(path: Path) -> Volume:
    array = _open_array(path, path)
    with _damage(path):
        named = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
        if named is None or not all(isinstance(name, str) for name in named):
            if array.ndim != 3:
                raise FileProblem(
                    f"Axes that are not clear: {path.name} has the shape {array.shape} and names no axes.",
                    hint="Save one 3-D array (Z, Y, X), or OME-Zarr, which names its axes.",
                )
            named = SPATIAL
        axes = _tell_axes(path, [{"name": name} for name in named], array.shape)
        return Volume(
            data=_lazy(path, array, axes), geometry=Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel"),
            name=path.stem, source=path, channels=_channel_names([], array, axes), is_labels=None,
        )  # fmt: skip


def _read_image(path: Path, metadata: dict[str, Any], own: Any) -> Volume:
    """Read the first image that OME's metadata describes, at its finest level."""
    image = metadata["multiscales"][0]
    level = str(image["datasets"][0]["path"])
    folder = path / level
    if not folder.resolve().is_relative_to(path.resolve()):
        raise FileProblem(f"Damaged metadata: {path.name} names an array outside its folder.", hint=AGAIN)
    if not any((folder / name).is_file() for name in METADATA):
        raise FileProblem(f"Missing array: {path.name} has no level {level!r}.", hint=AGAIN)
    array = _open_array(path, folder)
    axes = _tell_axes(path, _described(image), array.shape)
    labelled = "image-label" in metadata or path.parent.name == "labels"
    channels = (metadata.get("omero") or {}).get("channels") or []
    return Volume(
        data=_lazy(path, array, axes), geometry=_geometry(path, image, axes, own), source=path,
        name=path.stem.removesuffix(".ome"), is_labels=labelled and np.dtype(array.dtype).kind in "bui",
        channels=_channel_names([str(channel.get("label", "")) for channel in channels], array, axes),
        classes=_classes(metadata.get("image-label") or {}),
    )  # fmt: skip


def _described(image: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": axis} if isinstance(axis, str) else axis for axis in image["axes"]]  # names alone until 0.3


def _open_array(path: Path, folder: Path) -> Any:
    """Open an array and prove that it holds plain numbers, in chunks that fit into memory and may be unpacked."""
    with _damage(path):
        array: Any = zarr.open_array(LocalStore(folder, read_only=True), mode="r")
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
    return array


def _tell_axes(path: Path, described: Sequence[dict[str, Any]], shape: Sequence[int]) -> tuple[int, ...]:
    """Find z, y, x and the channel among an array's axes; an axis of one time point or one channel is left out."""
    if len(described) != len(shape):
        raise ValueError(f"its metadata names {len(described)} axes, the array has {len(shape)}")
    names = [str(axis["name"]).lower() for axis in described]
    kinds = [str(axis.get("type", "")).lower() for axis in described]
    found: dict[str, list[int]] = {"time": [], "channel": [], "space": []}
    for index, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        is_time, is_channel = kind == "time" or name in TIMES, kind == "channel" or name in CHANNELS
        found["time" if is_time else "channel" if is_channel else "space"].append(index)
    listed = ", ".join(f"{name} ({length})" for name, length in zip(names, shape, strict=True))
    if any(shape[index] > 1 for index in found["time"]):
        raise FileProblem(f"A time series: {path.name} has the axes {listed}.", hint="Save one time point of it.")
    if len(found["space"]) != 3 or len(found["channel"]) > 1:
        raise FileProblem(f"Not one volume: {path.name} has the axes {listed}.", hint="Save one stack (z, y, x).")
    spatial = found["space"]
    if {names[index] for index in spatial} == set(SPATIAL):
        spatial = [names.index(letter) for letter in SPATIAL]
    several = [index for index in found["channel"] if shape[index] > 1]
    return (*spatial, *several)


def _lazy(path: Path, array: Any, axes: tuple[int, ...]) -> LazyArray:
    """Wrap an array so that its slices come as (Z, Y, X) or (Z, Y, X, C), in native byte order."""
    dtype = np.dtype(array.dtype).newbyteorder("=")
    spare = tuple(index for index in range(array.ndim) if index not in axes)  # of length one

    def read(index: tuple[slice, ...]) -> NDArray[Any]:
        wanted = [slice(0, 1)] * array.ndim
        for own, part in zip(axes, index, strict=True):
            wanted[own] = part
        if not path.is_dir():  # zarr would give zeros for chunks that are not there
            raise FileProblem(f"It is gone: {path.name} was moved or removed.", hint="Open it again where it is now.")
        with _damage(path):
            voxels = np.asarray(array[tuple(wanted)])
        held = voxels.transpose(*axes, *spare)
        return held.reshape(held.shape[: len(axes)]).astype(dtype, copy=False)

    return LazyArray(path, [array.shape[own] for own in axes], dtype, read)


def _channel_names(named: Sequence[str], array: Any, axes: tuple[int, ...]) -> tuple[str, ...]:
    if len(axes) == 3:
        return ()
    count = int(array.shape[axes[3]])
    return tuple(named) if len(named) == count and all(named) else tuple(f"channel {i + 1}" for i in range(count))


def _geometry(path: Path, image: dict[str, Any], axes: tuple[int, ...], own: Any) -> Geometry:
    """Give spacing, origin and unit, or what our own attribute says of them where it still holds."""
    described, level = _described(image), image["datasets"][0]
    scale, shift = np.ones(len(described)), np.zeros(len(described))
    known = False
    for transform in (*level.get("coordinateTransformations", ()), *image.get("coordinateTransformations", ())):
        kind = transform["type"]
        if kind not in ("identity", "scale", "translation"):
            raise ValueError(f"its metadata has a transformation of the kind {kind!r}")
        if kind == "identity":
            continue
        values = np.asarray(transform[kind], np.float64)
        if values.shape != scale.shape:
            raise ValueError(f"its {kind} has {values.size} numbers for {scale.size} axes")
        known |= kind == "scale"
        scale, shift = (scale * values, shift * values) if kind == "scale" else (scale, shift + values)
    spatial = axes[:3]
    named = [str(described[axis].get("unit") or "") if known else "" for axis in spatial]
    units = [length_unit(UNITS.get(name, name)) for name in named]
    unit = next((name for name, _ in reversed(units) if name != "pixel"), "pixel")
    if scale.min() <= 0:
        raise FileProblem(f"Damaged geometry: {path.name} has a voxel size that is not positive.", hint=AGAIN)
    # An axis without a unit has its neighbours' one.
    factors = np.array([convert(factor, name, unit) for name, factor in units])
    (z, y, x), (z0, y0, x0) = scale[list(spatial)] * factors, shift[list(spatial)] * factors
    plain = Geometry.from_spacing((z, y, x), unit=unit, origin=(z0, y0, x0))
    gate.check_affine(path, plain.affine)
    return _own_geometry(path, plain, own)


def _own_geometry(path: Path, plain: Geometry, own: Any) -> Geometry:
    """Give the whole matrix that `label_store` keeps, unless another program changed the voxel size since."""
    if not isinstance(own, dict) or "affine" not in own:
        return plain
    affine = np.asarray(own["affine"], np.float64).reshape(4, 4)
    gate.check_affine(path, affine)
    whole = Geometry(affine=affine, unit=plain.unit, anatomical=bool(own.get("anatomical")))
    if np.allclose(whole.spacing, plain.spacing, rtol=1e-6):
        return whole
    log.warning("%s: its voxel size was changed; its orientation is left out", path.name)
    return plain


def _classes(image_label: dict[str, Any]) -> tuple[LabelClass, ...]:
    """Give the classes that have a name or a colour; background has none."""
    named = {item["label-value"]: str(item.get("name") or "") for item in image_label.get("properties") or ()}
    coloured = {item["label-value"]: item.get("rgba") for item in image_label.get("colors") or ()}
    numbers = {int(value) for value in (*named, *coloured)} - {0}
    return tuple(
        LabelClass(id=number, name=named.get(number) or f"class {number}", color=_color(coloured.get(number), number))
        for number in sorted(numbers)
    )


def _color(rgba: Any, number: int) -> str:
    if rgba is None:
        return default_color(number)
    red, green, blue = (min(max(int(share), 0), 255) for share in rgba[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
