"""A tool that is told places with the mouse, and shows on the canvas which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal

from napari_vol3d.core.box import Triple
from napari_vol3d.core.labels import default_color
from napari_vol3d.gui.correct.box_tool import BoxTool
from napari_vol3d.gui.correct.mark import Mark, Projection
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import MouseTool, Place

if TYPE_CHECKING:
    from napari_vol3d.gui.correct.desk import Desk

NEAR = 8.0  # pixels from the mouse to a mark


class MarkingTool(BoxTool, MouseTool):
    """Has marks, which `gui.correct.marks` draws; they belong to the record that they were made on."""

    marksChanged = Signal()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What is to be seen now."""
        raise NotImplementedError

    def forget(self) -> None:
        """Take back all that it was told."""
        raise NotImplementedError

    def begun(self, desk: Desk) -> None:
        """Begin without marks."""
        super().begun(desk)
        desk.changed.connect(self.followed_history)

    def ended(self) -> None:
        """Take the marks off the canvas."""
        if self.desk is not None:
            self.desk.changed.disconnect(self.followed_history)
        self.forget()
        super().ended()

    def say(self, sentence: str) -> None:
        """Tell the person something, in the line under the tools."""
        if self.desk is not None:
            self.desk.say(sentence)

    def followed_history(self) -> None:
        """Fit what was told to labels that have changed."""

    def _on_record(self) -> None:
        self.forget()
        super()._on_record()


def voxel_of(place: Place) -> Triple:
    """Give the voxel (z, y, x) that the mouse is in; on the slice that the view shows."""
    voxel = [int(np.floor(v + 0.5)) for v in place.voxel]
    voxel[place.axis] = place.index
    z, y, x = voxel
    return (z, y, x)


def inside(voxel: Triple, shape: Sequence[int]) -> bool:
    """Whether there is such a voxel."""
    return all(0 <= v < length for v, length in zip(voxel, shape, strict=True))


def nearest(voxels: Sequence[Triple], place: Place, record: Record) -> int | None:
    """Give which of the marked voxels on this slice the mouse points at."""
    projection = Projection(place.view, record)
    away = np.linalg.norm(projection.pixels(voxels) - place.pixel, axis=1)
    here = [k for k in range(len(voxels)) if voxels[k][place.axis] == place.index and away[k] <= NEAR]
    return min(here, key=lambda k: away[k], default=None)


def colors_of(record: Record) -> dict[int, str]:
    """Give the colour of each class."""
    return {item.id: item.color for item in record.classes()}


def color_of(colors: dict[int, str], class_id: int) -> str:
    """Give a class's colour, also where it has no name yet."""
    return colors.get(class_id) or default_color(class_id)
