"""What can be compared in a project: its readers' accepted labels with each other's and with the model's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import combinations
from typing import Any

from numpy.typing import NDArray

from napari_vol3d.core.volume import Spacing
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.project.accepting import accepted_versions, labels_of_version
from napari_vol3d.review.project.agreement import Compared, pseudonyms
from napari_vol3d.review.project.foreseen import labels_of_prediction, newest_prediction
from napari_vol3d.review.project.records import Case, Reading
from napari_vol3d.review.project.store import Project

MM_PER_UNIT = {"mm": 1.0, "um": 1e-3, "nm": 1e-6}
EVERYBODY, MODEL = "worklist", "model"
KEPT = 4  # label volumes in memory: each of a case is compared with several others


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Labels:
    """Labels of a case: whose, how they are read, and their shape; `reader` is None where they are the model's."""

    name: str
    reader: str | None
    repeat: int
    shape: tuple[int, ...]
    read: Callable[[], NDArray[Any]]


def pairs_of(project: Project, *, called: Mapping[str, str] | None = None) -> tuple[Compared, ...]:
    """Find what can be compared in a project, case by case; no voxel is read yet.

    These are, of the versions that are accepted now: the first readings of each two readers, a reader's first reading
    and each repeat, and every reading and the newest prediction. The worklist that everybody works on counts as a
    reader called "worklist". Of a series each time point is compared, as "case-0001 frame 0".

    Parameters
    ----------
    called : mapping of str to str, optional
        What readers are called in it, by default as `pseudonyms` says.
    """
    known = pseudonyms(project.readers()) if called is None else called
    names = {item.id: item.name for item in project.classes}
    spacing_of = lru_cache(maxsize=None)(partial(_spacing, project))
    found: list[Compared] = []
    for case, labels in _by_case(project, known):
        spacing = partial(spacing_of, case.images[0].path)
        for one, other in _pairs(labels):
            for code, frame in _frames(case.code, one.shape, other.shape):
                both = partial(_both, one, other, frame)
                found.append(
                    Compared(case=code, first=one.name, second=other.name, labels=both, spacing=spacing, names=names)
                )
    return tuple(found)


def _by_case(project: Project, called: Mapping[str, str]) -> Iterator[tuple[Case, list[_Labels]]]:
    """Give the cases that have accepted readings, with these and with the prediction, the model's last."""
    version = lru_cache(maxsize=KEPT)(partial(labels_of_version, project))
    prediction = lru_cache(maxsize=1)(partial(labels_of_prediction, project))
    accepted: dict[str, list[_Labels]] = {}
    for reader in ("", *project.readers()):
        versions = accepted_versions(project, reader)
        for row in project.rows(reader):
            if (kept := versions.get(row.reading.key)) is not None:
                name, read = _name(row.reading, called), partial(version, kept.key)
                one = _Labels(name=name, reader=reader, repeat=row.reading.repeat, shape=kept.shape, read=read)
                accepted.setdefault(row.case.key, []).append(one)
    for case in project.cases():
        labels = sorted(accepted.get(case.key, []), key=lambda one: (one.reader, one.repeat))
        made = newest_prediction(project, case.key) if labels else None
        if made is not None:
            read = partial(prediction, made.key)
            labels.append(_Labels(name=MODEL, reader=None, repeat=0, shape=made.shape, read=read))
        yield case, labels


def _pairs(labels: Sequence[_Labels]) -> Iterator[tuple[_Labels, _Labels]]:
    for one, other in combinations(labels, 2):
        own = one.reader == other.reader and one.repeat == 0
        if own or other.reader is None or (one.reader != other.reader and one.repeat == other.repeat == 0):
            yield one, other


def _name(reading: Reading, called: Mapping[str, str]) -> str:
    name = called.get(reading.reader, "reader") if reading.reader else EVERYBODY
    return f"{name} repeat {reading.repeat}" if reading.repeat else name


def _frames(code: str, shape: tuple[int, ...], other: tuple[int, ...]) -> list[tuple[str, int | None]]:
    """Give the time points to compare, each under a name of its own; labels of other shapes are refused as a whole."""
    series = len(shape) == 4 and shape == other
    return [(f"{code} frame {frame}", frame) for frame in range(shape[0])] if series else [(code, None)]


def _both(one: _Labels, other: _Labels, frame: int | None) -> tuple[Any, Any]:
    first, second = one.read(), other.read()
    return (first, second) if frame is None else (first[frame], second[frame])


def _spacing(project: Project, path: str) -> Spacing | None:
    geometry = read_volume(project.place_of(path)).geometry
    factor = MM_PER_UNIT.get(geometry.unit)
    if factor is None:
        return None
    z, y, x = (factor * length for length in geometry.spacing)
    return (z, y, x)
