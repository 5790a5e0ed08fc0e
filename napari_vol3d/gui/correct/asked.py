"""What a person asks of a tool that works on a part of the volume: classes, and the box."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.seek import ids_in
from napari_vol3d.correct.limits import FREE
from napari_vol3d.correct.naming import name_class
from napari_vol3d.gui.correct.tool import Task
from napari_vol3d.gui.forms.where import Area, Where
from napari_vol3d.gui.forms.which_classes import Which

MOST_CLASSES = 300  # tools take them one by one


def chosen(task: Task) -> int:
    """Give the class that is painted with.

    Raises
    ------
    Vol3dError
        If it is the background, or locked.
    """
    if not task.class_id:
        raise Vol3dError("The background is chosen.", hint="Choose a class in the list above.")
    if not task.held.get("limits", FREE).takes(task.class_id):
        name = name_class(task.class_id, task.names)
        raise Vol3dError(f"{name} is locked.".capitalize(), hint="Unlock it in the list above.")
    return task.class_id


def called(task: Task, which: Which) -> str:
    """Say which classes are asked for; see `chosen` for what is refused."""
    return name_class(chosen(task), task.names) if which is Which.CHOSEN else which.value


def classes(task: Task, which: Which) -> tuple[int, ...]:
    """Give the classes that are asked for; of all it is looked through the labels, so not in the window's thread.

    Raises
    ------
    Vol3dError
        If there are none, or too many; and see `chosen`.
    """
    if which is Which.CHOSEN:
        return (chosen(task),)
    limits = task.held.get("limits", FREE)
    found = tuple(i for i in sorted(_present(task.labels)) if limits.takes(i))
    if not found:
        raise Vol3dError("There is no class that may change.", hint="Paint one, or unlock one in the list above.")
    if len(found) > MOST_CLASSES:
        raise Vol3dError(f"{len(found):,} classes are too many at once.", hint="Choose one of them.")
    return found


def box_of(task: Task, where: Where) -> Box | None:
    """Give the box in which voxels may change; None for the whole volume."""
    if where.area is Area.VOLUME:
        return None
    if where.area is Area.VIEW:
        return task.in_view
    z, y, x = (int(length) for length in task.labels.shape)
    first, last = task.index - where.neighbours, task.index + where.neighbours
    whole = Box.of((z, y, x))
    slab = replace(
        whole, start=_put(whole.start, task.axis, first), stop=_put(whole.stop, task.axis, last + 1)
    )
    return slab.intersect(whole)


def _put(triple: Triple, axis: int, value: int) -> Triple:
    z, y, x = (value if k == axis else old for k, old in enumerate(triple))
    return (z, y, x)


def _present(labels: Any) -> frozenset[int]:
    looking = ids_in(labels)
    while True:
        try:
            next(looking)
        except StopIteration as end:
            found: frozenset[int] = end.value
            return found
