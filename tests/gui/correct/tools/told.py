"""Labels under correction, and tools that are told something, for the tests of tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtWidgets import QComboBox

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Tool
from napari_vol3d.gui.label_looks import class_looks
from napari_vol3d.gui.layers import KEY, Origin, to_volume
from napari_vol3d.gui.placing import placed_like

NAMES = ("anterior", "posterior", "cortex")


def labelled(viewer: Viewer, like: Image, data: np.ndarray, *, name: str = "mine", model: str = "") -> Labels:
    """Add labels on the grid of a scan; of the first three classes each has a name."""
    classes = [LabelClass(id=i, name=one, color=default_color(i)) for i, one in enumerate(NAMES, start=1)]
    lead = ("time",) * (data.ndim - 3)
    scan = to_volume(like)
    origin = Origin(geometry=scan.geometry, shape=scan.shape, classes=tuple(classes), timed=data.ndim == 4, model=model)
    return viewer.add_labels(
        data, name=name, metadata={KEY: origin}, **placed_like(like, leading=lead), **class_looks(classes)
    )


def corrected(desk: Desk, like: Image, data: np.ndarray, *, model: str = "") -> Record:
    """Put such labels under correction."""
    layer = labelled(desk.viewer, like, data, model=model)
    desk.viewer.layers.selection.active = layer
    assert desk.record is not None
    assert desk.record.layer is layer
    return desk.record


def take(qtbot: Any, desk: Desk, tool: Tool) -> None:
    """Take a tool in hand, and put it down before its form goes."""

    def put_down(_: Tool) -> None:
        desk.choose(None)

    qtbot.addWidget(tool, before_close_func=put_down)
    desk.choose(tool)


def planned(desk: Desk, tool: Tool) -> Edit | None:
    """Run what the options of a tool come to."""
    task = desk.task()
    assert task is not None
    plan = tool.plan(task)
    assert plan is not None
    return plan()


def applied(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    """Give labels after a change."""
    after = labels.copy()
    if edit is not None:
        edit.apply(after)
    return after


def choose(box: QComboBox, data: Any) -> None:
    """Choose an entry as a person does."""
    box.setCurrentIndex([box.itemData(k) for k in range(box.count())].index(data))


def balls(shape: Sequence[int], spacing: Sequence[float], *many: tuple[Sequence[float], float, int]) -> np.ndarray:
    """Give labels with balls: middle in voxels, radius in mm, class."""
    places = np.indices(tuple(shape)).transpose(1, 2, 3, 0)
    labels = np.zeros(tuple(shape), np.uint16)
    for middle, radius, class_id in many:
        labels[np.linalg.norm((places - middle) * spacing, axis=-1) <= radius] = class_id
    return labels
