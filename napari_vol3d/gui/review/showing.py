"""The layers of a case on the canvas: they come together, and they go together."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import napari
from napari.layers import Image, Labels, Layer

from napari_vol3d.gui.correct.book import Book
from napari_vol3d.gui.correct.correctable import ONLY_LOOKED_AT
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.layers import finest, labels_layer, to_volume
from napari_vol3d.gui.review.loading import Loaded
from napari_vol3d.review.project.store import Project

MUCH = 2**26  # bytes of voxels that are not left to Python's own time


@dataclass(slots=True, kw_only=True, eq=False)
class Shown:
    """A case on the canvas.

    Attributes
    ----------
    record : Record or None
        Of its labels; None where somebody else has the reading.
    extra : list of Layer
        What is shown with it for a while: an older version, where readers disagree.
    """

    loaded: Loaded
    images: tuple[Image, ...]
    labels: Labels
    record: Record | None
    extra: list[Layer]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All that go when the case goes."""
        return (*self.images, self.labels, *self.extra)


Looks: TypeAlias = Mapping[str, Mapping[str, Any]]  # of the images of a case, by their roles


def looks_of(shown: Shown) -> Looks:
    """Give what a person has chosen for the images of a case, for those of the next; not their grey levels."""
    roles = [image.role for image in shown.loaded.row.case.images]
    return {
        role: {name: getattr(layer, name) for name in ("visible", "opacity", "blending", "colormap", "gamma")}
        for role, layer in zip(roles, shown.images, strict=True)
    }


def show(loaded: Loaded, project: Project, desk: Desk, *, held: str, looks: Looks | None = None) -> Shown:
    """Put a case on the canvas, its labels under correction.

    Parameters
    ----------
    looks : mapping, optional
        Of the case before.
    held : str
        Why it can only be looked at; "" where it can be corrected.
    """
    viewer = desk.viewer
    chosen = [(looks or {}).get(image.role, {}) for image in loaded.row.case.images]
    images = tuple(
        Image(data, **{**keywords, **look}) for (data, keywords, _), look in zip(loaded.images, chosen, strict=True)
    )
    for image in images:
        viewer.add_layer(image)
    labels = _labels_on(images[0], loaded)
    if held:
        labels.metadata[ONLY_LOOKED_AT] = held
        labels.editable = False
    record = None if held else _record(loaded, labels, project, desk)
    viewer.add_layer(labels)
    viewer.layers.selection.active = labels
    return Shown(loaded=loaded, images=images, labels=labels, record=record, extra=[])


def take_away(shown: Shown, viewer: napari.Viewer) -> None:
    """Take a case off the canvas; layers that a person has removed already are passed over."""
    there = [layer for layer in reversed(shown.layers) if layer in viewer.layers]
    with _few_collections():
        for layer in there:
            viewer.layers.remove(layer)
    if sum(_bytes(layer) for layer in there) > MUCH:
        gc.collect()  # the voxels would stay until Python thinks of it, and the next case's are there already


@contextmanager
def _few_collections() -> Iterator[None]:
    """Have Python not look through everything that there is at each layer that goes: in each view a quarter second.

    napari's canvases collect garbage for each layer that is removed; what was there before is not looked at meanwhile.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _bytes(layer: Layer) -> int:
    return int(getattr(finest(layer), "nbytes", 0))


def look_at(shown: Shown, viewer: napari.Viewer, layer: Labels, why: str) -> None:
    """Show other labels over a case, which can't be changed."""
    layer.metadata[ONLY_LOOKED_AT] = why
    layer.editable = False
    shown.extra.append(layer)
    viewer.add_layer(layer)
    viewer.layers.selection.active = shown.labels


def _labels_on(image: Image, loaded: Loaded) -> Labels:
    model = loaded.start.model if loaded.start is not None else ""
    labels = labels_layer(
        loaded.labels, to_volume(image), loaded.classes, name=f"{loaded.row.case.name} labels", model=model, like=image
    )  # fmt: skip
    labels.selected_label = loaded.classes[0].id
    return labels


def _record(loaded: Loaded, labels: Labels, project: Project, desk: Desk) -> Record:
    book = Book(labels, desk.ledger_of, known=loaded.layer, path=project.path)
    if loaded.line is not None:
        book.resume(loaded.line.cursor)
    return desk.adopt(Record(
        desk.viewer, labels, book, line=loaded.line, touched=loaded.touched, shadow=loaded.shadow
    ))  # fmt: skip
