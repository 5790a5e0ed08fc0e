"""A layer that is drawn anew in place has other voxels; one that was turned has not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_vol3d.gui.redrawn import Redrawn


@pytest.fixture
def heard() -> tuple[ViewerModel, Labels, list[bool]]:
    """A viewer with labels, and what each `set_data` was taken for."""
    viewer = ViewerModel()
    labels = viewer.add_labels(np.zeros((6, 7, 8), np.uint8))
    redrawn, taken = Redrawn(viewer.dims), list[bool]()
    labels.events.set_data.connect(lambda event: taken.append(redrawn.in_place()))
    return viewer, labels, taken


@pytest.mark.parametrize(
    "turn",
    [
        lambda dims: dims.set_current_step(0, 4), lambda dims: setattr(dims, "order", (1, 0, 2)),
        lambda dims: setattr(dims, "ndisplay", 3), lambda dims: setattr(dims, "margin_left", (2.0, 0.0, 0.0)),
    ],
)  # fmt: skip
def test_another_slice_is_no_change(
    heard: tuple[ViewerModel, Labels, list[bool]], turn: Callable[[object], None]
) -> None:
    viewer, labels, taken = heard
    turn(viewer.dims)
    assert not any(taken)
    labels.refresh()
    assert taken[-1]


def test_undo_redo_and_a_refresh_are_changes(heard: tuple[ViewerModel, Labels, list[bool]]) -> None:
    _, labels, taken = heard
    labels.paint((3, 3, 3), 1)
    for change in (labels.undo, labels.redo, labels.refresh):
        taken.clear()
        change()
        assert taken == [True]
