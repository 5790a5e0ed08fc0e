"""What is under the mouse: the voxel, its value, where it is in the patient, and the class it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_vol3d.core.box import Triple
from napari_vol3d.core.say import shortened
from napari_vol3d.gui.bench.under import Index, index_at, read_voxel, top_image, top_labels, true_place
from napari_vol3d.gui.bench.view import World
from napari_vol3d.gui.layers import CHANNEL, TIME, origin_of

IsCT: TypeAlias = Callable[[Image], bool]
FindObject: TypeAlias = Callable[[Labels, Index, int], "tuple[int, str] | None"]  # number and size, once they are known
LONG_NAME = 14  # letters: the line has to hold the place too
MOST_OTHERS = 3  # images whose values are told beside the topmost one's
UNITS = {"mm": "mm", "um": "µm", "pixel": "voxels"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What there is at a point; what is not there is None, or "" of texts.

    Attributes
    ----------
    voxel : tuple of int
        (x, y, z) of the topmost visible image, counted from 0 along its axes as it is held: x to the patient's left,
        y to the back, z to the head, as near as its axes come. That is the reverse of the index in `layer.data`.
    place : tuple of float
        (x, y, z) in `unit`; where `anatomical`, RAS+ of the patient, obliqueness included.
    value : float or tuple of float
        As the file means it; of an image of colours, one for each.
    value_unit : str
        "HU" of a CT.
    class_id : int
        Of the topmost visible labels; 0 is background.
    also : tuple of (str, float)
        Names and values of other grey images that are visible, from the top.
    object_number : int
        Of the part of the class that hangs together, by size: 1 is the largest.
    """

    voxel: Triple | None = None
    place: tuple[float, ...] | None = None
    unit: str = ""
    anatomical: bool = False
    image: str = ""
    value: float | tuple[float, ...] | None = None
    value_unit: str = ""
    channel: str = ""
    time_point: int | None = None
    also: tuple[tuple[str, float], ...] = ()
    labels: str = ""
    class_id: int | None = None
    class_name: str = ""
    object_number: int | None = None
    object_size: str = ""


def never(image: Image) -> bool:
    """Take no image for a CT."""
    return False


def describe(
    viewer: ViewerModel, point: World, *, is_ct: IsCT = never, find_object: FindObject | None = None
) -> Reading:
    """Tell what is at a point of the canvas; one voxel of each layer is read.

    Parameters
    ----------
    is_ct : callable
        Whether an image holds Hounsfield units.
    find_object : callable, optional
        Gives the number and the size of the object at a voxel of labels, or None while they are not known.
    """
    image, labels = top_image(viewer), top_labels(viewer)
    found: dict[str, Any] = {}
    if (true := true_place(viewer, image if image is not None else labels, point)) is not None:
        found |= {"place": true[0], "unit": UNITS[true[1].unit], "anatomical": true[1].anatomical}
    if image is not None:
        found |= _of_image(image, point, is_ct) | {"also": _of_others(viewer, image, point)}
    if labels is not None:
        found |= _of_labels(labels, point, find_object)
    return Reading(**found)


def one_line(reading: Reading) -> str:
    """Say a reading in a line, what is looked at most in front; "" where there is nothing.

    Examples
    --------
    >>> one_line(Reading(value=40.0, value_unit="HU", class_id=5, class_name="liver", voxel=(3, 4, 5)))
    '40 HU · liver (5) · voxel 3, 4, 5'
    """
    parts = (_value(reading), _class(reading), _place(reading), _voxel(reading), _object(reading))
    return " · ".join(part for part in parts if part)


def many_lines(reading: Reading) -> str:
    """Say a reading with the names of the layers, for a tooltip."""
    lines = [f"{reading.image}: {_value(reading) or 'nothing here'}"] if reading.image else []
    if reading.labels:
        told = ", ".join(part for part in (_class(reading), _object(reading)) if part)
        lines.append(f"{reading.labels}: {told or 'nothing here'}")
    return "\n".join([*lines, *(text for text in (_place(reading), _voxel(reading)) if text)])


def _of_image(image: Image, point: World, is_ct: IsCT) -> dict[str, Any]:
    index = index_at(image, point)
    if index is None:
        return {"image": image.name}
    found: dict[str, Any] = {"image": image.name, "value": _number(read_voxel(image, index))}
    if image.ndim >= 3:
        z, y, x = index[-3:]
        found["voxel"] = (x, y, z)
    origin = origin_of(image)
    for name, at in zip(origin.leading if origin is not None else (), index[:-3], strict=False):
        if name == TIME:
            found["time_point"] = at
        elif origin is not None and name == CHANNEL and at < len(origin.channels):
            found["channel"] = origin.channels[at]
    return found | ({"value_unit": "HU"} if is_ct(image) else {})


def _of_others(viewer: ViewerModel, image: Image, point: World) -> tuple[tuple[str, float], ...]:
    others = [
        layer for layer in reversed(viewer.layers)
        if isinstance(layer, Image) and layer.visible and not layer.rgb and layer is not image
    ]  # fmt: skip
    there = [(layer.name, index_at(layer, point), layer) for layer in others[:MOST_OTHERS]]
    return tuple((name, float(read_voxel(layer, index))) for name, index, layer in there if index is not None)


def _of_labels(labels: Labels, point: World, find_object: FindObject | None) -> dict[str, Any]:
    index = index_at(labels, point)
    if index is None:
        return {"labels": labels.name}
    class_id = int(read_voxel(labels, index))
    found = {"labels": labels.name, "class_id": class_id, "class_name": _name_of(labels, class_id)}
    known = find_object(labels, index, class_id) if find_object is not None and class_id else None
    return found if known is None else found | {"object_number": known[0], "object_size": known[1]}


def _name_of(labels: Labels, class_id: int) -> str:
    """Give the name of a class; `classes_of` would make all of them, each time the mouse moves."""
    features = labels.features
    if class_id and {"index", "name"} <= set(features.columns):
        names = features["name"][features["index"] == class_id]
        if len(names):
            return str(names.iloc[0])
    return f"class {class_id}" if class_id else "background"


def _number(value: Any) -> float | tuple[float, ...]:
    return tuple(float(part) for part in value) if np.ndim(value) else float(value)


def _value(reading: Reading) -> str:
    if reading.value is None:
        return ""
    values = reading.value if isinstance(reading.value, tuple) else (reading.value,)
    text = ", ".join(f"{value:.6g}" for value in values) + f" {reading.value_unit}".rstrip()
    text += f" ({reading.channel})" if reading.channel else ""
    text += "" if reading.time_point is None else f" at time point {reading.time_point}"
    if not reading.also:
        return text
    # Of several images each has its name.
    others = (f"{shortened(name, LONG_NAME)} {value:.4g}" for name, value in reading.also)
    return " · ".join((f"{shortened(reading.image, LONG_NAME)} {text}", *others))


def _class(reading: Reading) -> str:
    if not reading.class_id:
        return ""  # of background there is nothing to say
    own = f"class {reading.class_id}"
    return own if reading.class_name in ("", own) else f"{reading.class_name} ({reading.class_id})"


def _object(reading: Reading) -> str:
    known = reading.object_number is not None
    return f"object {reading.object_number}: {reading.object_size}" if known else ""


def _place(reading: Reading) -> str:
    if reading.place is None or reading.unit == UNITS["pixel"]:  # that would be the voxel again
        return ""
    letters = "RAS" if reading.anatomical else "xyz"
    numbers = (f"{letter} {round(value, 1) + 0.0:.1f}" for letter, value in zip(letters, reading.place, strict=True))
    return f"{' '.join(numbers)} {reading.unit}"


def _voxel(reading: Reading) -> str:
    return "" if reading.voxel is None else f"voxel {', '.join(map(str, reading.voxel))}"
