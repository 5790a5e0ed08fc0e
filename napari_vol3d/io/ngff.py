"""What OME's metadata say of a Zarr image (0.1 to 0.5): its axes, sizes, units, classes; and how labels are described.

NGFF is the name of these metadata where they are specified.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate
from napari_vol3d.io.lengths import convert, length_unit
from napari_vol3d.io.times import seconds, time_step
from napari_vol3d.io.zarr_store import AGAIN

log = logging.getLogger(__name__)

OWN = "napari_vol3d"  # attributes of ours
TIMES, CHANNELS, SPATIAL = ("t", "time"), ("c", "channel", "channels"), ("z", "y", "x")
UNITS = {"meter": "m", "centimeter": "cm", "millimeter": "mm", "micrometer": "um"}  # as OME-Zarr spells them


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Which axes of an array are held, by their places: z, y, x, then channel, then time.

    Attributes
    ----------
    order : tuple of int
        Channel and time only where there is more than one.
    timed : bool
        Whether the last one is time.
    """

    order: tuple[int, ...]
    timed: bool

    @property
    def channel(self) -> int | None:
        """Place of the channels in the array."""
        return self.order[3] if len(self.order) == 4 + self.timed else None


def described_axes(image: dict[str, Any]) -> list[dict[str, Any]]:
    """List the axes of an image as records."""
    return [{"name": axis} if isinstance(axis, str) else axis for axis in image["axes"]]  # names alone until 0.3


def tell_axes(path: Path, described: Sequence[dict[str, Any]], shape: Sequence[int]) -> Axes:
    """Find z, y, x, channel and time among an array's axes.

    Raises
    ------
    FileProblem
        If they are not those of one volume or one series.
    """
    if len(described) != len(shape):
        raise ValueError(f"its metadata names {len(described)} axes, the array has {len(shape)}")
    names = [str(axis["name"]).lower() for axis in described]
    kinds = [str(axis.get("type", "")).lower() for axis in described]
    found: dict[str, list[int]] = {"time": [], "channel": [], "space": []}
    for index, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        is_time, is_channel = kind == "time" or name in TIMES, kind == "channel" or name in CHANNELS
        found["time" if is_time else "channel" if is_channel else "space"].append(index)
    if len(found["space"]) != 3 or len(found["channel"]) > 1 or len(found["time"]) > 1:
        listed = ", ".join(f"{name} ({length})" for name, length in zip(names, shape, strict=True))
        raise FileProblem(f"Not one volume: {path.name} has the axes {listed}.", hint="Save one stack (z, y, x).")
    spatial = found["space"]
    if {names[index] for index in spatial} == set(SPATIAL):
        spatial = [names.index(letter) for letter in SPATIAL]
    several = [index for index in (*found["channel"], *found["time"]) if shape[index] > 1]
    return Axes(order=(*spatial, *several), timed=any(index in found["time"] for index in several))


def channel_names(named: Sequence[str], count: int) -> tuple[str, ...]:
    """Name so many channels: as the file does if it names all."""
    return tuple(named) if len(named) == count and all(named) else tuple(f"channel {i + 1}" for i in range(count))


def read_geometry(path: Path, image: dict[str, Any], axes: Axes, level: int = 0) -> tuple[Geometry, bool]:
    """Give spacing, origin and unit of a level, and whether the metadata say a scale."""
    described = described_axes(image)
    scale, shift, known = _transform(image, level)
    spatial = list(axes.order[:3])
    named = [str(described[axis].get("unit") or "") if known else "" for axis in spatial]
    units = [length_unit(UNITS.get(name, name)) for name in named]
    unit = next((name for name, _ in reversed(units) if name != "pixel"), "pixel")
    if scale.min() <= 0:
        raise FileProblem(f"Damaged geometry: {path.name} has a voxel size that is not positive.", hint=AGAIN)
    # An axis without a unit has its neighbours' one.
    factors = np.array([convert(factor, name, unit) for name, factor in units])
    (z, y, x), (z0, y0, x0) = scale[spatial] * factors, shift[spatial] * factors
    plain = Geometry.from_spacing((z, y, x), unit=unit, origin=(z0, y0, x0))
    gate.check_affine(path, plain.affine)
    return plain, known


def read_step(image: dict[str, Any], axes: Axes) -> float | None:
    """Give the seconds between time points, or None where there is one or the metadata do not say."""
    if not axes.timed:
        return None
    axis = axes.order[-1]
    scale, _, known = _transform(image, 0)
    return seconds(scale[axis], str(described_axes(image)[axis].get("unit") or "")) if known else None


def own_geometry(path: Path, plain: Geometry, own: Any) -> Geometry:
    """Give the whole matrix that `describe_labels` keeps, unless another program changed the voxel size since."""
    if not isinstance(own, dict) or "affine" not in own:
        return plain
    affine = np.asarray(own["affine"], np.float64).reshape(4, 4)
    gate.check_affine(path, affine)
    whole = Geometry(affine=affine, unit=plain.unit, anatomical=bool(own.get("anatomical")))
    if np.allclose(whole.spacing, plain.spacing, rtol=1e-6):
        return whole
    log.warning("%s: its voxel size was changed; its orientation is left out", path.name)
    return plain


def read_classes(image_label: dict[str, Any]) -> tuple[LabelClass, ...]:
    """Give the classes that have a name or a colour; background has none."""
    named = {item["label-value"]: str(item.get("name") or "") for item in image_label.get("properties") or ()}
    coloured = {item["label-value"]: item.get("rgba") for item in image_label.get("colors") or ()}
    numbers = {int(value) for value in (*named, *coloured)} - {0}
    return tuple(
        LabelClass(id=number, name=named.get(number) or f"class {number}", color=_color(coloured.get(number), number))
        for number in sorted(numbers)
    )


def describe_labels(
    name: str, volume: Volume, levels: Mapping[str, Triple], *, version: str = "0.5", image: str | None = None
) -> dict[str, Any]:
    """Give the attributes of an OME-Zarr label image, and our own where OME can't hold the whole geometry.

    Parameters
    ----------
    name : str
        Of the folder.
    volume : Volume
        For geometry, classes and time; the voxels are not looked at.
    levels : mapping
        The arrays inside it, finest first, each with its step along (z, y, x) in voxels of the finest.
    version : str
        "0.4" for Zarr 2, "0.5" for Zarr 3.
    image : str, optional
        Path from the label image to the image that it belongs to.
    """
    geometry = volume.geometry
    x, y, z = geometry.origin
    if geometry.anatomical:  # held axes run to superior, posterior, left; OME's scale has no sign
        x, y = -x, -y
    units = [{"unit": spelt} for spelt, unit in UNITS.items() if unit == geometry.unit]
    axes: list[dict[str, Any]] = [{"name": axis, "type": "space", **(units[0] if units else {})} for axis in SPATIAL]
    step, time = time_step(volume), [1.0] if volume.timed else []
    if volume.timed:
        axes.insert(0, {"name": "t", "type": "time", **({"unit": "second"} if step else {})})
        time = [step or 1.0]
    datasets = [
        {"path": level, "coordinateTransformations": [
            {"type": "scale", "scale": [*time, *(n * s for n, s in zip(steps, geometry.spacing, strict=True))]},
            {"type": "translation", "translation": [*(0.0 for _ in time), z, y, x]},
        ]}
        for level, steps in levels.items()
    ]  # fmt: skip
    title = name.split(".zarr")[0].removesuffix(".ome")
    multiscale: dict[str, Any] = {"name": title, "axes": axes, "datasets": datasets}
    colors = [{"label-value": c.id, "rgba": [*bytes.fromhex(c.color[1:]), 255]} for c in volume.classes]
    label: dict[str, Any] = {
        "colors": colors,
        "properties": [{"label-value": c.id, "name": c.name} for c in volume.classes],
        **({"source": {"image": image}} if image else {}),
    }
    own = {OWN: {"affine": geometry.affine.tolist(), "anatomical": geometry.anatomical}}
    plain = Geometry.from_spacing(geometry.spacing, unit=geometry.unit, origin=(z, y, x))
    told = not geometry.anatomical and np.array_equal(plain.affine, geometry.affine)
    rest = {} if told else own
    if version == "0.5":
        return {"ome": {"version": version, "multiscales": [multiscale], "image-label": label}, **rest}
    return {"multiscales": [{"version": version, **multiscale}], "image-label": {"version": version, **label}, **rest}


def _transform(image: dict[str, Any], level: int) -> tuple[Any, Any, bool]:
    """Give scale and shift of each axis of the array, and whether a scale is said."""
    dataset, count = image["datasets"][level], len(image["axes"])
    scale, shift = np.ones(count), np.zeros(count)
    known = False
    for transform in (*dataset.get("coordinateTransformations", ()), *image.get("coordinateTransformations", ())):
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
    return scale, shift, known


def _color(rgba: Any, number: int) -> str:
    if rgba is None:
        return default_color(number)
    red, green, blue = (min(max(int(share), 0), 255) for share in rgba[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
