"""A case from its files and its project, ready to be shown: in a thread, for voxels take their time."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.labels import LabelClass, classes_for, to_label_dtype
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.shadow import Shadow
from napari_vol3d.core.sliced import moved
from napari_vol3d.core.touched import Touched
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.layers import KEY as OURS
from napari_vol3d.gui.layers import LayerTuple, to_layer
from napari_vol3d.gui.space import Reference, in_space, reference_from
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.about import About
from napari_vol3d.review.identity import scan_sha256
from napari_vol3d.review.line import Line
from napari_vol3d.review.project.foreseen import labels_of_prediction, newest_prediction, prediction_of
from napari_vol3d.review.project.reading_plan import protocol_of
from napari_vol3d.review.project.records import Foreseen, Row
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.records import Layer
from napari_vol3d.review.restore import play

FROM = "prediction"  # in what the journal keeps about a layer: the prediction that its labels began with
LEAST = np.dtype(np.uint16)  # so that a new class needs no other array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """A reading with all that is shown of it.

    Attributes
    ----------
    images : tuple of LayerTuple
        The first is the grid that labels live on.
    scan : Volume
        Of the first.
    labels : ndarray, shape (Z, Y, X) or (T, Z, Y, X)
        As the reader left them, or what they start from.
    layer : Layer
        As the journal knows the labels.
    line, touched
        The history, where there is one.
    shadow : Shadow or None
        Of the labels, made here because it takes its time; for one record.
    start : Foreseen or None
        The prediction that the labels began with; None where they began with others, or with none.
    events : int
        How many the history had: if there are more by now, this is old.
    notes : tuple of str
        What the person should know.
    """

    row: Row
    images: tuple[LayerTuple, ...]
    scan: Volume
    labels: NDArray[Any]
    classes: tuple[LabelClass, ...]
    layer: Layer
    line: Line | None = None
    touched: Touched | None = None
    shadow: Shadow | None = None
    start: Foreseen | None = None
    events: int = 0
    notes: tuple[str, ...] = ()


def load(project: Project, reading: str) -> Generator[Progress, None, Loaded]:
    """Read a reading's images, and its labels as they were left.

    Raises
    ------
    FileProblem, ScanMismatch, JournalProblem
        If a file is gone or damaged, or labels do not fit their scan.
    """
    row = project.row(reading)
    images: list[LayerTuple] = []
    scan: Volume | None = None
    reference: Reference | None = None
    notes: list[str] = []
    for number, image in enumerate(row.case.images):
        yield Progress(phase=f"Opening {row.case.name}", done=number, total=len(row.case.images) + 1)
        volume = read_volume(project.place_of(image.path))
        shown = in_space(replace(volume, name=_title(row, image.role)), reference, as_labels=False)
        images.append(to_layer(shown.volume, as_labels=False, frame=shown.frame))
        notes += [shown.note] if shown.note else []
        if scan is None:
            scan = volume
            reference = reference_from(images[0][1]["metadata"][OURS], row.case.name)
    if scan is None:
        raise ScanMismatch(f"{row.case.name} has no image.", hint="Make the project again.")
    found = yield from _labels(project, row, scan, reference)
    if found.line is not None and scan.source is not None and found.layer.scan not in ("", scan_sha256(scan.source)):
        notes.append(f"{row.case.name} is another file than the one that was corrected: look whether the labels fit.")
    return replace(found, images=tuple(images), notes=tuple(notes), shadow=Shadow(found.labels))


def events_of(project: Project, reading: str) -> int:
    """Count what the journal has of a reading."""
    found = [layer for layer in project.journal.layers() if layer.key == reading]
    return len(project.journal.history(found[0])) if found else 0


def is_old(project: Project, loaded: Loaded) -> bool:
    """Whether a reading was corrected, or its case predicted, since it was read."""
    reading = loaded.row.reading
    if events_of(project, reading.key) != loaded.events:
        return True
    begun = loaded.line is not None or (loaded.start is None and loaded.labels.any())
    if reading.blind or begun:  # whoever has begun, or has labels to correct, goes on with what they have
        return False
    newest = newest_prediction(project, loaded.row.case.key)
    return newest is not None and (loaded.start is None or loaded.start.key != newest.key)


def _labels(
    project: Project, row: Row, scan: Volume, reference: Reference | None
) -> Generator[Progress, None, Loaded]:
    told = protocol_of(project).prediction_for(row.reading)
    common: dict[str, Any] = {"row": row, "images": (), "scan": scan}
    for layer in project.journal.layers():
        if layer.key == row.reading.key:
            restored = yield from play(project.journal, layer)
            if restored.labels.shape[-3:] != scan.shape:
                raise _another_grid(row, restored.labels.shape, scan.shape)
            known = _together(About.read(layer.about).classes, project.classes)
            kept = layer.about.get(FROM)
            start = None if kept is None else prediction_of(project, kept)
            return Loaded(
                **common, start=start, labels=restored.labels, layer=layer, line=restored.line, classes=known,
                touched=restored.touched, events=len(project.journal.history(layer)),
            )  # fmt: skip
    prior = row.case.prior if told else None
    start = newest_prediction(project, row.case.key) if told and prior is None else None
    labels, classes = _beginning(project, row, scan, start, reference, prior)
    about = About(source=None, geometry=scan.geometry, classes=classes, model=start.model if start else "",
                  timed=scan.timed)  # fmt: skip
    source = scan.source
    layer = Layer(
        scan="" if source is None else scan_sha256(source), name=f"{row.case.name} labels", shape=labels.shape,
        dtype=labels.dtype.name, key=row.reading.key,
        about=about.plain() | ({} if start is None else {FROM: start.key}),
    )  # fmt: skip
    return Loaded(**common, start=start, labels=labels, layer=layer, classes=classes)


def _beginning(
    project: Project, row: Row, scan: Volume, start: Foreseen | None, reference: Reference | None, prior: str | None
) -> tuple[NDArray[Any], tuple[LabelClass, ...]]:
    """Give what a reader starts from: labels that were there, which are to be corrected, else the prediction."""
    shape = (*(scan.frames,) * scan.timed, *scan.shape)
    if prior is not None:
        volume = read_volume(project.place_of(prior))
        shown = in_space(volume, reference, as_labels=True).volume
        axes = (*range(len(shown.data.shape) - 1, 2, -1), 0, 1, 2)
        labels, classes = moved(to_label_dtype(np.asarray(shown.data)), axes), project.classes or volume.classes
    elif start is not None:
        labels, classes = labels_of_prediction(project, start.key), project.classes
    else:
        labels, classes = np.zeros(shape, LEAST), project.classes
    if labels.shape != shape:
        raise _another_grid(row, labels.shape, shape)
    labels = np.ascontiguousarray(labels, np.promote_types(labels.dtype, LEAST))
    return labels, classes or classes_for(labels) or (LabelClass(id=1, name="class 1", color="#e69f00"),)


def _another_grid(row: Row, labels: tuple[int, ...], scan: tuple[int, ...]) -> ScanMismatch:
    return ScanMismatch(
        f"The labels of {row.case.name} have another grid: {labels}, its scan {scan}.",
        hint="Put the scan back that was labelled, or predict the case again.",
    )


def _together(own: tuple[LabelClass, ...], project: tuple[LabelClass, ...]) -> tuple[LabelClass, ...]:
    """Give the classes of a case as they were left, and those that the project has got since."""
    ids = {one.id for one in own}
    return (*own, *(one for one in project if one.id not in ids))


def _title(row: Row, role: str) -> str:
    return f"{row.case.name} {role}".strip() if len(row.case.images) > 1 else row.case.name
