"""The verb `foresee`: a prediction made ahead of a person, with the places that deserve a look and a score.

The places come from the entropy of the model's probabilities, or from where it says something else of the mirrored
scan; the score from how much its labels change when the scan is altered a little, which takes a run for each way.
It gives way as every run does: each report is a point where it can be closed. Between runs the engine is free.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.entropy import WHOLE, disagreement_slabs, entropy_slabs
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.plausible import Features, Outlier, features, outliers
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.suspicion import Place, find_places, scan_score
from napari_vol3d.core.unsteady import unsteady_score
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.altered import ALTERED, Alteration
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.prediction import Prediction
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings

PHASE, CHECKING = "Looking for places", "Checking"
Slabs = Iterator[NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foresight:
    """What is known of a scan before a person sees it.

    Attributes
    ----------
    labels : ndarray of uint8 or uint16, shape (Z, Y, X)
    uncertainty : ndarray of uint8, shape (Z, Y, X)
        0: the model is sure.
    places : tuple of Place
        The most suspicious first.
    score : float
        0: looks sound; towards 1: deserves the first look.
    outliers : tuple of Outlier
        Against the accepted scans that were given.
    features : mapping
        Of these labels, as `core.plausible` gives them.
    model : str
        Name and version.
    settings : mapping
        As JSON can hold them.
    seconds : float
        Of wall clock, from the first report to the last.
    """

    labels: NDArray[Any]
    uncertainty: NDArray[np.uint8]
    classes: tuple[LabelClass, ...]
    geometry: Geometry
    places: tuple[Place, ...]
    score: float
    outliers: tuple[Outlier, ...]
    features: Features
    model: str
    model_sha256: str
    settings: Mapping[str, Any]
    seconds: float
    notes: tuple[str, ...] = field(default=())


def foresee(
    scan: Volume,
    model: Model,
    settings: SegmentSettings,
    *,
    engine: Engine | None = None,
    accepted: Sequence[Features] = (),
    altered: Sequence[Alteration] = ALTERED,
) -> Generator[Progress, None, Foresight]:
    """Segment a scan, and look for what deserves a look by the entropy of the model's probabilities.

    Parameters
    ----------
    scan : Volume
        Without time.
    settings : SegmentSettings
        `probabilities` is of no account: they are made, and let go of afterwards.
    engine : Engine, optional
        A running engine process to use; it is left running. Without one, a process is started and ended by each run.
    accepted : sequence of mapping
        What `core.plausible.features` gave of accepted labels.
    altered : sequence of callable
        Each changes the scan a little; the score is by how much the labels change. Without any it is by their mean
        uncertainty, which tells less and takes no more runs.

    Yields
    ------
    Progress
        Tiles with their labels, as `segment` does, of the scan as it is; of all else signs of life. Closing the
        generator cancels.

    Returns
    -------
    Foresight

    Raises
    ------
    Vol3dError
        As `segment` does.
    """
    began = time.monotonic()
    found = yield from segment(scan, model, _with_probabilities(settings), engine=engine)
    try:
        uncertainty = yield from _gathered(entropy_slabs(found.probabilities), scan)
    finally:
        _let_go(found)
    others = yield from _others(scan, model, settings, engine, altered)
    return (yield from _looked(found, uncertainty, others, model, settings, accepted, began))


def foresee_mirrored(
    scan: Volume,
    model: Model,
    settings: SegmentSettings,
    *,
    engine: Engine | None = None,
    accepted: Sequence[Features] = (),
    altered: Sequence[Alteration] = ALTERED,
) -> Generator[Progress, None, Foresight]:
    """Segment a scan twice, the second time also mirrored, and look where the two disagree; else as `foresee`.

    Raises
    ------
    ScanMismatch
        If the model's card names no axis along which scans may be mirrored.
    """
    began = time.monotonic()
    plain, mirrored = (settings.model_copy(update={"mirror": mirror}) for mirror in (False, True))
    both = yield from _quiet(segment(scan, model, _with_probabilities(mirrored), engine=engine))
    try:
        found = yield from segment(scan, model, _with_probabilities(plain), engine=engine)
        try:
            apart = disagreement_slabs(found.probabilities, both.probabilities)
            uncertainty = yield from _gathered(map(_unmixed(model), apart), scan)
        finally:
            _let_go(found)
    finally:
        _let_go(both)
    others = yield from _others(scan, model, plain, engine, altered)
    return (yield from _looked(found, uncertainty, others, model, plain, accepted, began))


def _others(
    scan: Volume, model: Model, settings: SegmentSettings, engine: Engine | None, altered: Sequence[Alteration]
) -> Generator[Progress, None, list[NDArray[Any]]]:
    """Segment the scan altered in each way."""
    plain, found = settings.model_copy(update={"probabilities": False}), []
    for alter in altered:
        other = yield from _quiet(segment(alter(scan), model, plain, engine=engine))
        found.append(np.asarray(other.labels))
    return found


def _quiet(verb: Generator[Progress, None, Prediction]) -> Generator[Progress, None, Prediction]:
    """Pass on signs of life and notes, but no tiles: their labels are not those of the scan as it is."""
    with contextlib.closing(verb):
        while True:
            try:
                report = next(verb)
            except StopIteration as end:
                found: Prediction = end.value
                return found
            yield replace(report, phase=CHECKING, finished=None, labels=None)


def _with_probabilities(settings: SegmentSettings) -> SegmentSettings:
    return settings.model_copy(update={"probabilities": True})


def _unmixed(model: Model) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Give what turns the difference from a mean over all passes, the plain one among them, into that from the rest."""
    passes = 2 ** len(model.card.input.flip_axes)
    factor = passes / (passes - 1)
    return lambda apart: np.minimum(np.rint(apart * factor), WHOLE).astype(np.uint8)


def _gathered(slabs: Slabs, scan: Volume) -> Generator[Progress, None, NDArray[np.uint8]]:
    """Put slabs along z together."""
    whole, z = np.zeros(scan.shape, np.uint8), 0
    for slab in slabs:
        whole[z : z + len(slab)] = slab
        z += len(slab)
        yield Progress(phase=PHASE)
    return whole


def _looked(
    found: Prediction, uncertainty: NDArray[np.uint8], others: Sequence[NDArray[Any]], model: Model,
    settings: SegmentSettings, accepted: Sequence[Features], began: float,
) -> Generator[Progress, None, Foresight]:  # fmt: skip
    labels, geometry, names = np.asarray(found.labels), found.geometry, model.card.label_names
    places: tuple[Place, ...] = ()
    for step in find_places(labels, uncertainty, geometry.spacing, names=names, unit=geometry.unit):
        places = step or ()
        yield Progress(phase=PHASE)
    measured = features(labels, geometry.spacing)
    yield Progress(phase=PHASE)
    far = outliers(measured, accepted, names=names)
    score = unsteady_score(labels, others, outliers=far) if others else scan_score(labels, uncertainty, outliers=far)
    return Foresight(
        labels=labels, uncertainty=uncertainty, classes=found.classes, geometry=geometry, places=places,
        score=score, outliers=far, features=measured,
        model=f"{model.card.name} {model.card.version}", model_sha256=model.card.weights.sha256,
        settings=settings.model_dump(mode="json"), seconds=time.monotonic() - began, notes=found.notes,
    )  # fmt: skip


def _let_go(found: Prediction) -> None:
    """Free the room on disk that probabilities take: of a day's scans they would fill it; chunks of zeros have none."""
    found.probabilities[:] = 0
