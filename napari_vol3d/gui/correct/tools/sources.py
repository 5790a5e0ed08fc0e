"""Where labels can be copied from: layers on the same grid, and the labels as they were before any correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.record import Record

NEAR_ENOUGH = 0.01  # of a voxel edge


def why_not(layer: Labels, record: Record) -> str:
    """Say why labels can't be copied from a layer voxel by voxel; nothing where they can."""
    own = record.layer
    if layer.ndim not in (3, own.ndim) or (layer.ndim == 4 and len(layer.data) != len(own.data)):
        return f"It has {layer.ndim} axes or another number of time points."
    theirs, ours = tuple(layer.data.shape[-3:]), tuple(own.data.shape[-3:])
    if theirs != ours:
        return f"It has {_by(theirs)} voxels, these labels have {_by(ours)}."
    away = np.abs(_frame(layer) - _frame(own)) / np.asarray(record.spacing)
    if away[1:].max() * max(ours) > NEAR_ENOUGH * max(ours):
        return "It has another spacing or direction."
    return "" if away[0].max() <= NEAR_ENOUGH else "It lies elsewhere."


def voxels_of(layer: Labels, record: Record) -> Any:
    """Give the labels (Z, Y, X) of a layer that fits, of the time point shown."""
    return layer.data if layer.ndim == 3 else layer.data[record.frame]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FirstState:
    """Labels as they were when the first correction was made, and with what a model did since; any box can be read.

    Attributes
    ----------
    labels : ndarray, shape (Z, Y, X)
        As they are now.
    steps : sequence of Edit
        What led here, in order.
    by_model : sequence of bool
        Which of these a model did.
    """

    labels: NDArray[Any]
    steps: Sequence[Edit]
    by_model: Sequence[bool]

    @classmethod
    def of(cls, record: Record) -> FirstState:
        """Take what is done in a record, of the time point shown.

        Raises
        ------
        Vol3dError
            If a step can't be read from the journal.
        """
        history = record.history
        done = [(history.edit(step.token), step.by_model) for step in history.steps[: history.at]]
        here = [(edit, by_model) for edit, by_model in done if edit.frame == record.frame]
        return cls(labels=record.labels, steps=[e for e, _ in here], by_model=[m for _, m in here])

    @property
    def shape(self) -> tuple[int, ...]:
        """(Z, Y, X)"""
        return self.labels.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the labels."""
        return self.labels.dtype

    def __getitem__(self, slices: tuple[slice, slice, slice]) -> NDArray[Any]:
        (z0, z1), (y0, y1), (x0, x1) = ((part.start, part.stop) for part in slices)
        box, found = Box(start=(z0, y0, x0), stop=(z1, y1, x1)), self.labels[slices].copy()
        for edit in reversed(self.steps):
            _write(found, box, edit.inverse())
        for edit, by_model in zip(self.steps, self.by_model, strict=True):
            if by_model:
                _write(found, box, edit)
        return found


def _write(found: NDArray[Any], box: Box, edit: Edit) -> None:
    """Apply the part of a change that lies in a box to the labels of that box."""
    shared = box.intersect(edit.box)
    if shared.size:
        inner = shared.shifted(_minus(edit.box.start)).slices
        changed = edit.changed[inner]
        found[shared.shifted(_minus(box.start)).slices][changed] = edit.after[inner][changed]


def _frame(layer: Labels) -> NDArray[np.float64]:
    """Give where the first voxel of a layer is, and the steps to its neighbours along z, y, x."""
    lead = (0.0,) * (layer.ndim - 3)
    corner, *ends = (
        np.asarray(layer.data_to_world((*lead, *voxel)))[-3:]
        for voxel in ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    )
    return np.stack([corner, *(end - corner for end in ends)])


def _minus(start: Triple) -> Triple:
    z, y, x = start
    return (-z, -y, -x)


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
