"""The layer that shows where two readings differ, and of these regions only those that are left."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import napari
import numpy as np

from napari_vol3d.core.disagreement import disagreement_classes
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.gui.layers import labels_layer, to_volume
from napari_vol3d.gui.review.showing import Shown, look_at
from napari_vol3d.review.project.differences import Differences

ONLY_LOOKED_AT = "The layer of differences is only looked at: decide with the keys, or correct the labels."
OUTLINE = 1  # pixels: the scan is seen inside


class DifferenceLayer:
    """Lies over a case until it is taken away, or the case goes.

    Parameters
    ----------
    frame : int
        The time point that the readings were compared at; 0 where there is no time.
    """

    def __init__(self, viewer: napari.Viewer, shown: Shown, found: Differences, *, frame: int) -> None:
        self._viewer, self._shown, self._found = viewer, shown, found
        self._hidden: frozenset[int] = frozenset()
        image, name = shown.images[0], f"{shown.loaded.row.case.name} differences"
        self.layer = labels_layer(
            found.kinds.copy(), to_volume(image).frame(frame), _classes(shown, found), name=name, model="", like=image
        )
        self.layer.contour = OUTLINE
        look_at(shown, viewer, self.layer, ONLY_LOOKED_AT)

    def hide(self, regions: Collection[int]) -> None:
        """Show all regions but these, by their place in the list of regions."""
        now = frozenset(regions)
        if now == self._hidden or self.layer not in self._viewer.layers:
            return
        for place in now ^ self._hidden:
            region = self._found.regions[place]
            box = region.box.slices
            where, kinds = self._found.numbers[box] == region.id, self._found.kinds[box]
            np.copyto(self.layer.data[box], 0 if place in now else kinds, where=where)
        self._hidden = now
        self.layer.refresh(extent=False, thumbnail=False, highlight=False)

    def take_away(self) -> None:
        """Take it off the canvas."""
        if self.layer in self._shown.extra:
            self._shown.extra.remove(self.layer)
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)


def _classes(shown: Shown, found: Differences) -> tuple[LabelClass, ...]:
    """Name the differences after the readers, in colours that no class of the case has."""
    first, second = (opinion.who for opinion in found.opinions[:2])
    highest = max((item.id for item in shown.loaded.classes), default=0)
    named = disagreement_classes(first, second)
    return tuple(replace(item, color=default_color(highest + item.id)) for item in named)
