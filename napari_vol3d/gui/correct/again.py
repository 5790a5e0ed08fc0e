"""Running a model again in a box of a scan: what it finds there becomes an edit of labels that a person corrects."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.labels import LabelClass, label_dtype
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.correct.limits import FREE, Held, propose
from napari_vol3d.gui.layers import origin_of
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.store import Model, list_models
from napari_vol3d.pipeline.checks import check_fit, spacing_in
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Again:
    """A run in a box.

    Attributes
    ----------
    scan : Volume
        One time point, on the grid of the labels.
    box : Box
        Where labels are wanted, inside the scan.
    ids : mapping of int to int
        What each of the model's classes is called in the labels.
    """

    scan: Volume
    model: Model
    settings: SegmentSettings
    box: Box
    ids: Mapping[int, int]


def predict_again(
    labels: NDArray[Any], run: Again, *, engine: Engine, name: str, **held: Unpack[Held]
) -> Generator[Progress, None, Edit | None]:
    """Run a model in a box, with the scan around it as context.

    Voxels of classes that the model does not know stay.

    Parameters
    ----------
    labels : ndarray of an unsigned integer type, shape (Z, Y, X)
        Read when the model is through.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`.

    Yields
    ------
    Progress
        As the verb `segment` does.

    Returns
    -------
    Edit or None
        None where nothing would change.
    """
    sink = BoxLabels(run.box, label_dtype(max(run.ids)))
    settings = run.settings.model_copy(update={"probabilities": False})
    yield from segment(run.scan, run.model, settings, region=world_of(run), engine=engine, sink=sink)
    table = np.zeros(max(run.ids) + 1, label_dtype(max(run.ids.values())))
    table[list(run.ids)] = list(run.ids.values())
    known = frozenset((0, *run.ids.values()))
    limits = held.get("limits", FREE)
    held["limits"] = replace(limits, inside=known if limits.inside is None else limits.inside & known)
    return propose(name, labels[run.box.slices], table[sink.array], box=run.box, **held)


def world_of(run: Again) -> Box:
    """Give what the model has to see so that it finds in the box what it would find in a whole run.

    Of a scan that is much larger than what it knows, a run takes the region alone for the whole world, and a small box
    would be a strange one: it is grown to what the model was trained on.
    """
    card, spacing = run.model.card, spacing_in(run.scan.geometry, run.model.card.input.unit)
    view = card.input.field_of_view
    if view is None or spacing is None or not check_fit(run.scan, card).beyond_field_of_view:
        return run.box
    margin = [max(0, math.ceil((f / s - n) / 2)) for f, s, n in zip(view, spacing, run.box.shape, strict=True)]
    return run.box.grown((margin[0], margin[1], margin[2])).intersect(Box.of(run.scan.shape))


def box_around(marked: Sequence[Box], scan: Volume, card: ModelCard) -> Box:
    """Give the box around what is marked; as deep as the model's field of view where that is one slice.

    Where the card names no field of view, it goes through the whole scan.
    """
    box = marked[0]
    for other in marked[1:]:
        box = box.joined(other)
    for axis in range(3):
        if box.shape[axis] <= 1:
            box = deepened(box, axis, box.start[axis], scan, card)
    return box.intersect(Box.of(scan.shape))


def deepened(box: Box, axis: int, at: int, scan: Volume, card: ModelCard) -> Box:
    """Let a box reach along an axis as far as the model's field of view around a slice."""
    view, spacing = card.input.field_of_view, spacing_in(scan.geometry, card.input.unit)
    low, high = 0, scan.shape[axis]
    if view is not None and spacing is not None:
        reach = math.ceil(view[axis] / spacing[axis] / 2)
        low, high = max(low, at - reach), min(high, at + reach + 1)
    return Box(start=_put(box.start, axis, low), stop=_put(box.stop, axis, high))


def maker_of(layer: Labels) -> Model | None:
    """Find the model that made labels; None where none did, or it is no longer here in that version."""
    origin = origin_of(layer)
    made = "" if origin is None else origin.model
    return next((model for model in list_models() if f"{model.card.name} {model.card.version}" == made), None)


def ids_in(card: ModelCard, classes: Sequence[LabelClass], *, same: bool) -> dict[int, int]:
    """Find a model's classes among those of labels.

    Parameters
    ----------
    same : bool
        Whether it made the labels: its ids are then theirs, whatever a person calls them now. Of another model the
        names count.

    Raises
    ------
    ScanMismatch
        If labels lack a class.
    """
    if same:
        return {item.id: item.id for item in card.output.classes}
    ids = {item.name.casefold(): item.id for item in classes}
    lacking = [item.name for item in card.output.classes if item.name.casefold() not in ids]
    if lacking:
        raise ScanMismatch(
            f"These labels have no {lacking[0]}, which {card.title} finds.",
            hint="Choose the model that made them, or give a class that name.",
        )
    return {item.id: ids[item.name.casefold()] for item in card.output.classes}


class BoxLabels:
    """A sink that keeps the labels of a box alone.

    Attributes
    ----------
    array : ndarray, shape of the box
    """

    def __init__(self, box: Box, dtype: np.dtype[Any]) -> None:
        self._box = box
        self.array: NDArray[Any] = np.zeros(box.shape, dtype)

    @property
    def finished(self) -> Sequence[Box]:
        """Nothing: it begins empty."""
        return ()

    def write(self, box: Box, labels: NDArray[Any]) -> None:
        """Take what of a finished part lies in the box."""
        shared = box.intersect(self._box)
        if shared.size:
            here, there = (shared.shifted(_minus(each.start)).slices for each in (self._box, box))
            self.array[here] = labels[there]

    def read(self, box: Box) -> NDArray[Any]:
        """Give what is kept of a box; 0 beyond it."""
        shared, found = box.intersect(self._box), np.zeros(box.shape, self.array.dtype)
        if shared.size:
            here, there = (shared.shifted(_minus(each.start)).slices for each in (box, self._box))
            found[here] = self.array[there]
        return found


def _put(triple: Triple, axis: int, value: int) -> Triple:
    z, y, x = (value if k == axis else old for k, old in enumerate(triple))
    return (z, y, x)


def _minus(offset: Triple) -> Triple:
    return (-offset[0], -offset[1], -offset[2])
