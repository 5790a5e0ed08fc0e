"""Between volumes and napari layers: geometry goes with the voxels, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.labels import LabelClass, classes_for, default_color, looks_like_labels, to_label_dtype
from napari_vol3d.core.volume import Geometry, Volume

LayerTuple: TypeAlias = tuple[Any, dict[str, Any], str]
KEY = "napari-vol3d"  # our place in a layer's metadata
SPARE_COLORS = 32  # ids beyond the model's classes that a person may start to paint
CONTRAST_SAMPLES = 500_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Origin:
    """What a layer remembers of its volume."""

    geometry: Geometry
    shape: Triple | None = None
    source: Path | None = None
    classes: tuple[LabelClass, ...] = ()
    channels: tuple[str, ...] = ()
    model: str = ""
    probability: bool = False


def to_layer(volume: Volume, *, as_labels: bool) -> LayerTuple:
    """Give what napari needs to show a volume: axes z, y, x in the world's directions, its unit, its name.

    A volume (Z, Y, X, C) becomes one layer (C, Z, Y, X) whose first slider is the channel.
    """
    origin = Origin(
        geometry=volume.geometry, shape=volume.shape, source=volume.source, classes=volume.classes,
        channels=volume.channels,
    )  # fmt: skip
    keywords: dict[str, Any] = {"name": volume.name, "metadata": {KEY: origin}, **placement(volume.geometry)}
    if as_labels:
        labels = to_label_dtype(np.asarray(volume.data))
        classes = volume.classes or classes_for(labels)
        return labels, keywords | class_looks(classes), "labels"
    data = volume.data
    if len(data.shape) == 4:
        data = np.moveaxis(data, -1, 0)
        keywords |= _with_leading_axis(keywords)
    keywords |= {"contrast_limits": contrast_limits(data), "rendering": "attenuated_mip"}
    return data, keywords, "image"


def placement(geometry: Geometry) -> dict[str, Any]:
    """Give scale, translate, units and axis labels of a layer.

    Patient volumes are shown in (S, P, L) millimetres, so that axial slices are nose up; obliqueness is left out,
    because napari slices oblique layers poorly. The geometry in the layer's metadata stays the truth.
    """
    x, y, z = geometry.origin
    return {
        "scale": geometry.spacing,
        "translate": (z, -y, -x) if geometry.anatomical else (z, y, x),
        "units": (geometry.unit,) * 3,
        "axis_labels": ("z", "y", "x"),
    }


def class_looks(classes: Sequence[LabelClass]) -> dict[str, Any]:
    """Give names (as features) and colours of a Labels layer."""
    colors: dict[int | None, Any] = {i: default_color(i) for i in range(1, SPARE_COLORS)}
    colors |= {item.id: item.color for item in classes}
    colors |= {0: "transparent", None: "#ffffff"}
    names = pd.DataFrame(
        {"index": [0, *(c.id for c in classes)], "name": ["background", *(c.name for c in classes)]}
    )
    return {
        "colormap": DirectLabelColormap(color_dict=colors),
        "features": names,
        "iso_gradient_mode": "smooth",
        "opacity": 0.5,
    }


def contrast_limits(data: Any) -> tuple[float, float]:
    """Stretch grey levels from the 0.5th to the 99.5th percentile of a thinned volume."""
    step = max(1, round((float(np.prod(data.shape)) / CONTRAST_SAMPLES) ** (1 / 3)))
    sample = np.asarray(data[..., ::step, ::step, ::step]).astype(np.float64)
    sample = sample[np.isfinite(sample)]
    low, high = np.percentile(sample, (0.5, 99.5)) if sample.size else (0.0, 1.0)
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)


def to_volume(layer: Image | Labels) -> Volume:
    """Take a layer as a scan, whichever plug-in opened it.

    A layer of ours that still lies where it was put gives its file's geometry; any other gives the geometry of its
    transform, without a patient's orientation.

    Raises
    ------
    ScanMismatch
        If the layer is not a volume: RGB, two-dimensional, or with a time axis of unknown meaning.
    """
    data, origin = (layer.data[0] if layer.multiscale else layer.data), origin_of(layer)
    if getattr(layer, "rgb", False):
        raise ScanMismatch("The layer shows colours, not grey levels.", hint="Split its channels first.")
    channels = origin.channels if origin is not None and data.ndim == 4 else ()
    if channels:
        data = np.moveaxis(data, 0, -1)
    elif data.ndim == 4 and data.shape[0] == 1:
        data = data[0]
    elif data.ndim == 2:
        data = data[None]
    elif data.ndim != 3:
        raise ScanMismatch(
            f"The layer has {data.ndim} axes; a scan has three.", hint="Split it into volumes (layer menu) first."
        )
    placed = origin is not None and _still_placed(layer, origin, tuple(data.shape[:3]))
    geometry = origin.geometry if origin is not None and placed else _geometry_of(layer)
    return Volume(
        data=data,
        geometry=geometry,
        name=layer.name,
        source=source_of(layer),
        channels=channels,
        is_labels=isinstance(layer, Labels),
        classes=classes_of(layer) if isinstance(layer, Labels) else (),
    )


def classes_of(layer: Labels) -> tuple[LabelClass, ...]:
    """Give the classes that a Labels layer names in its features, in its colours; its voxels are not looked at."""
    names: dict[int, str] = {}
    features = layer.features
    if {"index", "name"} <= set(features.columns):
        names = {int(i): str(n) for i, n in zip(features["index"], features["name"], strict=True) if int(i) > 0}
    origin = origin_of(layer)
    known = {item.id: item for item in origin.classes} if origin else {}
    return tuple(
        LabelClass(id=i, name=name, color=known[i].color if i in known else _hex(layer.get_color(i), i))
        for i, name in sorted(names.items())
    )


def with_painted_classes(labels: Volume) -> Volume:
    """Add the ids that a person has painted beyond the classes that have names: nothing in the voxels goes unsaid.

    Goes through all voxels; not for the window's thread where the volume is large.
    """
    known = {item.id for item in labels.classes}
    found = {int(i) for plane in labels.data for i in np.unique(plane)} - known - {0}
    painted = (LabelClass(id=i, name=f"class {i}", color=default_color(i)) for i in found)
    return replace(labels, classes=tuple(sorted((*labels.classes, *painted), key=lambda item: item.id)))


def origin_of(layer: Layer) -> Origin | None:
    """Give what the layer remembers of its volume, if it is ours."""
    found = layer.metadata.get(KEY)
    return found if isinstance(found, Origin) else None


def source_of(layer: Layer) -> Path | None:
    """Give the file a layer came from."""
    origin = origin_of(layer)
    if origin is not None and origin.source is not None:
        return origin.source
    return Path(layer.source.path) if layer.source.path else None


def labels_layer(
    labels: NDArray[Any], scan: Volume, classes: tuple[LabelClass, ...], *, name: str, model: str, like: Layer
) -> Labels:
    """Make a Labels layer that lies exactly on a scan's layer."""
    origin = Origin(geometry=scan.geometry, shape=scan.shape, source=scan.source, classes=classes, model=model)
    return Labels(labels, name=name, metadata={KEY: origin}, **_placed_like(like), **class_looks(classes))


def probability_layers(
    probabilities: NDArray[np.uint8], scan: Volume, classes: Iterable[LabelClass], *, like: Layer
) -> list[Image]:
    """Make one Image layer a class, 0 to 255, hidden, in the class's colour."""
    origin = Origin(geometry=scan.geometry, shape=scan.shape, probability=True)
    return [
        Image(
            probability, name=f"{scan.name} p({item.name})", colormap=["black", item.color], blending="additive",
            contrast_limits=(0, 255), visible=False, metadata={KEY: origin}, **_placed_like(like),
        )
        for probability, item in zip(probabilities, classes, strict=True)
    ]  # fmt: skip


def guess_labels(volume: Volume) -> bool | None:
    """Whether a volume that was just read is a label map; None where a person should be asked."""
    if volume.is_labels is not None:
        return volume.is_labels
    return looks_like_labels(np.asarray(volume.data)) if len(volume.data.shape) == 3 else False


def _with_leading_axis(keywords: dict[str, Any]) -> dict[str, Any]:
    return {
        "scale": (1.0, *keywords["scale"]),
        "translate": (0.0, *keywords["translate"]),
        "units": ("pixel", *keywords["units"]),
        "axis_labels": ("channel", "z", "y", "x"),
    }


def _placed_like(layer: Layer) -> dict[str, Any]:
    """Copy the last three axes of a layer's placement: the world must agree, or units are dropped from the view."""
    if layer.ndim == 2:
        return {
            "scale": (1.0, *layer.scale), "translate": (0.0, *layer.translate), "units": (layer.units[0], *layer.units),
            "axis_labels": ("z", *layer.axis_labels),
        }  # fmt: skip
    affine = np.asarray(layer.affine.affine_matrix)
    keep = [*range(layer.ndim - 3, layer.ndim)]
    inner = np.eye(4)
    inner[:3, :3] = affine[np.ix_(keep, keep)]
    inner[:3, 3] = affine[keep, -1]
    return {
        "scale": layer.scale[-3:],
        "translate": layer.translate[-3:],
        "rotate": np.asarray(layer.rotate)[-3:, -3:],
        "shear": _inner_shear(layer),
        "units": layer.units[-3:],
        "axis_labels": layer.axis_labels[-3:],
        "affine": inner,
    }


def _still_placed(layer: Layer, origin: Origin, shape: tuple[int, ...]) -> bool:
    """Whether the layer, of this shape without channels, lies where its volume was put."""
    if layer.ndim < 3 or origin.shape not in (None, shape):  # a projection or a part that took our memory along
        return False
    wanted = placement(origin.geometry)
    same = all(np.allclose(getattr(layer, key)[-3:], wanted[key], atol=1e-9) for key in ("scale", "translate"))
    straight = (
        np.allclose(layer.affine.affine_matrix, np.eye(layer.ndim + 1))
        and np.allclose(layer.rotate, np.eye(layer.ndim))
        and np.allclose(_inner_shear(layer), np.eye(3))
    )
    # napari's Split Stack keeps scale, translate and metadata, and forgets the units: "pixel" is what nobody has set.
    return same and straight and _unit_of(layer) in (origin.geometry.unit, "pixel")


def _geometry_of(layer: Layer) -> Geometry:
    """Read the geometry off a layer's whole transform; world axes (z, y, x) become (x, y, z)."""
    ndim = layer.ndim
    unit, factors = _house_unit(layer)
    corner = np.asarray(layer.data_to_world(np.zeros(ndim)))
    steps = np.stack([np.asarray(layer.data_to_world(row)) - corner for row in np.eye(ndim)], axis=1)
    corner, steps = corner * factors, steps * factors[:, None]
    affine = np.eye(4)
    if ndim == 2:
        affine[:2, 1:3], affine[:2, 3], affine[2, :3] = steps[::-1, :], corner[::-1], (1, 0, 0)
        affine[:2, 0] = 0
    else:
        affine[:3, :3], affine[:3, 3] = steps[-3:, -3:][::-1, :], corner[-3:][::-1]
    return Geometry(affine=affine, unit=unit)


def _house_unit(layer: Layer) -> tuple[str, NDArray[np.float64]]:
    """Give "um" for layers in um or less, "mm" for other lengths, else "pixel"; and the factor of each world axis."""
    factors = np.ones(layer.ndim)
    if any(not unit.is_compatible_with("mm") for unit in layer.units[-3:]):
        return "pixel", factors
    wanted = "um" if (1 * layer.units[-1]).m_as("um") <= 1 else "mm"
    factors[-3:] = [(1 * unit).m_as(wanted) for unit in layer.units[-3:]]
    return wanted, factors


def _unit_of(layer: Layer) -> str:
    return {"millimeter": "mm", "micrometer": "um"}.get(str(layer.units[-1]), "pixel")


def _inner_shear(layer: Layer) -> NDArray[np.float64]:
    """Give the shear of the last three axes, which napari keeps as the values above the diagonal, or as a matrix."""
    shear = np.asarray(layer.shear, dtype=np.float64)
    if shear.ndim == 2:
        return shear[-3:, -3:]
    matrix = np.eye(3)
    matrix[np.triu_indices(3, 1)] = shear[-3:]
    return matrix


def _hex(color: Any, index: int) -> str:
    if color is None or np.asarray(color)[3] == 0:
        return default_color(index)
    red, green, blue = (round(float(value) * 255) for value in np.asarray(color)[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
