"""Inputs and outputs of a package, in one form for the specifications 0.3, 0.4 ("bczyx") and 0.5 (a record an axis)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from napari_vol3d.io.lengths import convert, length_unit, positive
from napari_vol3d.models.card import Lengths
from napari_vol3d.models.zoo.description import items, mapping, mappings, number, text
from napari_vol3d.models.zoo.steps import Step

SPACE = ("z", "y", "x")
KINDS = {"batch": "b", "channel": "c", "time": "t", "index": "i"}
LONG_UNITS = {"meter": ("mm", 1e3), "centimeter": ("mm", 10.0), "angstrom": ("um", 1e-4)}
NOBODYS_NAME = re.compile(r"(channel|class|c|output|input|score)?[ _-]*\d*")
BACKGROUND = re.compile(r"(back[ _-]?ground|bg|outside|unlabell?ed|0)", re.IGNORECASE)
RANGES = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0), "bool": (0.0, 1.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of a tensor; `kind` is "b", "c", "t", "i", "z", "y" or "x".

    Attributes
    ----------
    names : tuple of str
        Of the channels.
    scale, unit
        Distance of two voxels, and the unit's name; "" where no unit is said, and the scale means nothing then.
    size : int or None
        Where only one will do.
    halo : int
        Voxels that an output owes to context.
    """

    kind: str
    names: tuple[str, ...] = ()
    scale: float = 1.0
    unit: str = ""
    size: int | None = None
    halo: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One input or output.

    Attributes
    ----------
    axes : tuple of Axis
        In the order of the array.
    steps : tuple of Step
        What is done to an input before the network, or to an output after it.
    limits : tuple of float, or None
        Between these its values lie, where its type says so.
    test : str
        The file with an example; "" where there is none.
    sha256 : str
        Of that file, where it is said.
    """

    name: str
    axes: tuple[Axis, ...]
    steps: tuple[Step, ...] = ()
    limits: tuple[float, float] | None = None
    test: str = ""
    sha256: str = ""

    @property
    def kinds(self) -> str:
        """The axes in letters, as "bzyxc"."""
        return "".join(axis.kind for axis in self.axes)

    @property
    def space(self) -> str:
        """Axes of space in the order of the array, as "zyx"."""
        return "".join(kind for kind in self.kinds if kind in SPACE)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels that somebody chose: not "channel0"; empty where any has none."""
        names = next((axis.names for axis in self.axes if axis.kind == "c"), ())
        return names if not any(NOBODYS_NAME.fullmatch(name.lower()) for name in names) else ()

    @property
    def channels(self) -> int | None:
        """Number of channels, None where it is not said."""
        found = next((axis for axis in self.axes if axis.kind == "c"), None)
        return 1 if found is None else len(found.names) or found.size

    @property
    def halo(self) -> int:
        """The largest halo of its axes."""
        return max((axis.halo for axis in self.axes if axis.kind in SPACE), default=0)

    def spacing(self) -> tuple[Lengths, str] | None:
        """Give the voxel size along its axes of space, and its unit, "mm" or "um"; None where it is not said."""
        known = [axis for axis in self.axes if axis.kind in SPACE]
        units = [LONG_UNITS.get(axis.unit.lower()) or length_unit(axis.unit) for axis in known]
        if len(known) != 3 or any(unit == "pixel" for unit, _ in units):
            return None
        unit = units[-1][0]
        z, y, x = (convert(a.scale * factor, own, unit) for a, (own, factor) in zip(known, units, strict=True))
        return (z, y, x), unit


def read_tensors(said: dict[str, Any], key: str) -> tuple[Tensor, ...]:
    """Give the "inputs" or "outputs" of a description."""
    tests = items(said.get("test_" + key))  # before 0.5 they stand apart
    found = []
    for index, entry in enumerate(mappings(said.get(key))):
        test = entry.get("test_tensor") or (tests[index] if index < len(tests) else None)
        file = mapping(test) or {"source": test}
        found.append(
            Tensor(
                name=text(entry.get("id") or entry.get("name")), axes=_axes(entry), steps=_steps(entry, key),
                limits=_limits(entry), test=text(file.get("source")), sha256=text(file.get("sha256")),
            )
        )  # fmt: skip
    return tuple(found)


def _axes(entry: dict[str, Any]) -> tuple[Axis, ...]:
    axes = entry.get("axes")
    if isinstance(axes, str):
        return _lettered(axes, entry)
    return tuple(_recorded(axis) for axis in mappings(axes))


def _lettered(letters: str, entry: dict[str, Any]) -> tuple[Axis, ...]:
    shape, halos = entry.get("shape"), items(entry.get("halo"))
    sizes = items(shape) if not isinstance(shape, dict) else []
    least, steps = (items(mapping(shape).get(key)) for key in ("min", "step"))
    if least and len(least) == len(steps):  # step 0: only this one
        sizes = [size if step == 0 else None for size, step in zip(least, steps, strict=True)]
    return tuple(
        Axis(kind="c" if letter == "s" else letter, size=_whole(sizes, i), halo=_whole(halos, i) or 0)
        for i, letter in enumerate(letters.lower())
    )


def _recorded(axis: dict[str, Any]) -> Axis:
    kind, name = text(axis.get("type")).lower(), text(axis.get("id")).lower()
    return Axis(
        kind=KINDS.get(kind, name[:1]), names=tuple(text(name) for name in items(axis.get("channel_names"))),
        scale=positive(axis.get("scale")) or 1.0, unit=text(axis.get("unit")), size=_whole([axis.get("size")], 0),
        halo=_whole([axis.get("halo")], 0) or 0,
    )  # fmt: skip


def _whole(values: list[Any], index: int) -> int | None:
    value = number(values[index]) if index < len(values) else None
    return int(value) if value is not None and value > 0 else None


def _steps(entry: dict[str, Any], key: str) -> tuple[Step, ...]:
    listed = entry.get("preprocessing" if key == "inputs" else "postprocessing")
    return tuple(
        Step(name=text(step.get("id") or step.get("name")), options=mapping(step.get("kwargs")))
        for step in mappings(listed)
    )


def _limits(entry: dict[str, Any]) -> tuple[float, float] | None:
    """Give the limits that the type sets; a range that is only said may not be kept."""
    data = entry.get("data")
    first = mapping(next(iter(items(data)), None))
    return RANGES.get(text(first.get("type") or entry.get("data_type")).lower())
