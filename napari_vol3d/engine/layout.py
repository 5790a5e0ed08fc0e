"""Which axes a tensor has, and which those of its stand-in are: what `relaid` reckons with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

LAST, FIRST, VECTOR, AS_IT_WAS = "nzyxc", "nczyx", "nc", ""
TURNS = ("Permute", "Transpose", "Moveaxis", "Swapaxes")


class Untranslatable(Exception):
    """A layer that can't be called with other axes, or at other sizes; says which and why."""


@dataclass(frozen=True, slots=True)
class Held:
    """A new tensor, and the axes and shape of the one it stands for; without letters both have the same axes."""

    value: Any
    order: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the original."""

    held: list[Held]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    node: Any

    @property
    def first(self) -> Held:
        """The first tensor that goes in."""
        return self.held[0]

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of the original's first result."""
        return tuple(self.node.outputs[0].shape)

    def filled(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments with the new tensors in them."""

        def value(item: Any) -> Any:
            return item.value if isinstance(item, Held) else item

        return keras.tree.map_structure(value, self.args), keras.tree.map_structure(value, self.kwargs)


def same_as(order: str) -> bool:
    """Tell whether the new tensor has the axes of the original."""
    return order in (LAST, VECTOR, AS_IT_WAS)


def new_axis(order: str, axis: int) -> tuple[int, ...]:
    """Say which axes of the new tensor an axis of the original is."""
    letter = order[axis % len(order)]
    if letter == "v":
        return (1, 2, 3)
    return ((VECTOR if order == VECTOR else LAST).index(letter),)


def turn_of(layer: Any, rank: int) -> tuple[int, ...]:
    """Say which axis of what comes in each axis of what a layer of `TURNS` gives is."""
    axes = list(range(rank))
    if hasattr(layer, "dims"):
        return (0, *layer.dims)
    if hasattr(layer, "axes"):
        return tuple(layer.axes or axes[::-1])
    if hasattr(layer, "axis1"):
        axes[layer.axis1], axes[layer.axis2] = axes[layer.axis2], axes[layer.axis1]
        return tuple(axes)
    moved = {there % rank: here % rank for here, there in zip(layer.source, layer.destination, strict=True)}
    rest = iter(axis for axis in axes if axis not in moved.values())
    return tuple(moved[axis] if axis in moved else next(rest) for axis in axes)


def order_of_shape(shape: Sequence[Any]) -> str:
    """Give the axes of a tensor that has those of the original."""
    return {5: LAST, 2: VECTOR}.get(len(shape), AS_IT_WAS)


def regrouped(order: str, old: Sequence[int | None], new: Sequence[int | None]) -> str | None:
    """Give the letters of a reshaped tensor's axes; None where an axis was torn apart.

    Axes of space become one, "v", or come apart again; those of length 1 come and go.
    """
    letters = order.replace("v", "zyx")[1:]
    target = list(new[1:])
    if None in target or None in old[1:]:  # nothing to compare; the two ways in which people write it
        rank, last = len(target), order[-1] == "c"
        return {2: "nvc" if last else "ncv", 4: LAST if last else FIRST}.get(rank)
    space = {"z", "y", "x"} & set(order)
    sizes = dict(zip(order, old, strict=True))
    if "v" in order:
        return LAST if target[-1:] == [sizes.get("c", 1)] and len(target) == 4 else (
            FIRST if target[:1] == [sizes.get("c", 1)] and len(target) == 4 else None
        )
    found, at = "n", 0
    for length in target:
        group, product = "", 1
        while at < len(letters) and (product != length or not group):
            product, group, at = product * (sizes[letters[at]] or 1), group + letters[at], at + 1
        if product != length or len(group) not in (0, 1, 3) or (len(group) == 3 and group != "zyx"):
            return None
        found += "v" if group == "zyx" else group or "c" * (length == 1 and "c" not in found)
    if at < len(letters) and all(sizes[letter] == 1 for letter in letters[at:]):
        at = len(letters)
    known = sorted(found) in (sorted("nzyxc"), sorted("nvc"), sorted("nzyx"), sorted("nv"))
    return found if known and space and at == len(letters) else None
