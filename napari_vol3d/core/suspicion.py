"""Places of a prediction that deserve a look first, ranked, and how much a whole scan deserves it.

Ranked by how much is expected to be wrong there: boxes around clusters of unsure voxels (`core.unsure`), and what looks
odd about the labels by themselves (`core.oddities`): islands and holes, which are nearly always wrong, and objects that
the scan's border cuts, which nobody can correct, but should know of.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.amounts import count_voxels
from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.objects import Objects, find_objects
from napari_vol3d.core.oddities import Oddity, cuts, holes, islands
from napari_vol3d.core.plausible import Outlier
from napari_vol3d.core.say import short_unit
from napari_vol3d.core.unsure import UnsureBox, cost_of_looking, unit_of, unsure_boxes
from napari_vol3d.core.volume import Spacing

MOST = 20
WRONG = 40.0  # cubic units expected to be wrong that make a score of 0.63: the first box of most scans
ODD_IS_WRONG = 0.9  # share of the voxels of islands and holes that are wrong
TYPICAL = 0.2  # mean uncertainty of what is labelled in a scan that is neither easy nor hard
FARTHEST, PER_SIGMA = 20.0, 0.001  # more was worse: an odd size or place says little of how many voxels are wrong
CUT = 10.0  # what an object that ends at the border in its largest section counts as


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place that deserves a look.

    Attributes
    ----------
    words : str
        "posterior, z 22, unsure", "island, 14 mm³, z 30".
    score : float
        0 to 1; the larger, the more is expected to be wrong there.
    centre : tuple of int
        Voxel (z, y, x) to jump to.
    box : Box
    class_id : int
        0 where nothing is labelled.
    voxels : int
        Of the box: those that are unsure, or the island's, the hole's, the cut object's at the border.
    """

    words: str
    score: float
    centre: Triple
    box: Box
    class_id: int
    voxels: int

    def plain(self) -> dict[str, Any]:
        """Give it as what JSON can hold."""
        return {
            "words": self.words, "score": self.score, "centre": list(self.centre), "start": list(self.box.start),
            "stop": list(self.box.stop), "class_id": self.class_id, "voxels": self.voxels,
        }  # fmt: skip

    @classmethod
    def read(cls, mapping: Mapping[str, Any]) -> Self:
        """Make one of what `plain` gave.

        Raises
        ------
        Vol3dError
            If something is missing or makes no sense.
        """
        try:
            centre, start, stop = (_triple(mapping[name]) for name in ("centre", "start", "stop"))
            return cls(
                words=str(mapping["words"]), score=float(mapping["score"]), centre=centre,
                box=Box(start=start, stop=stop), class_id=int(mapping["class_id"]), voxels=int(mapping["voxels"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise Vol3dError(
                f"A place to look at can't be read: {error}.", hint="Predict this scan again."
            ) from error


def suspicious_places(
    labels: NDArray[Any], uncertainty: NDArray[np.uint8], spacing: Spacing, *, names: Mapping[int, str],
    most: int = MOST, unit: str = "mm",
) -> tuple[Place, ...]:  # fmt: skip
    """Rank the places of a prediction that deserve a look.

    Parameters
    ----------
    labels : ndarray of an unsigned integer type, shape (Z, Y, X)
    uncertainty : ndarray of uint8, shape (Z, Y, X)
        What `core.entropy` gives: 0 is sure.
    spacing : tuple of float
        Voxel edges (z, y, x), in `unit`.
    names : mapping of int to str
        Of the classes, by id.
    most : int
        How many places at most.

    Returns
    -------
    tuple of Place
        The most suspicious first. Boxes of unsure places have no voxel in common.

    Raises
    ------
    ScanMismatch
        If the shapes differ.
    """
    *_, found = find_places(labels, uncertainty, spacing, names=names, most=most, unit=unit)
    return found or ()


def find_places(
    labels: NDArray[Any], uncertainty: NDArray[np.uint8], spacing: Spacing, *, names: Mapping[int, str],
    most: int = MOST, unit: str = "mm",
) -> Iterator[tuple[Place, ...] | None]:  # fmt: skip
    """Do what `suspicious_places` does, in steps.

    Yields
    ------
    tuple of Place or None
        None after each step, where one may stop; at last what was found.
    """
    if labels.shape != uncertainty.shape:
        raise ScanMismatch(
            f"Labels and uncertainty differ in shape: {labels.shape} and {uncertainty.shape}.",
            hint="Take both from one run.",
        )
    counts = count_voxels(labels)
    counts.pop(0, None)
    size = unit_of(list(counts.values()), spacing)
    say = _Words(names=names, volume=math.prod(spacing), unit=short_unit(unit), size=size)
    yield None
    cost = cost_of_looking(uncertainty)
    places: list[Place] = []
    for box in itertools.islice(unsure_boxes(uncertainty, spacing, unit=size, cost=cost), most):
        places.append(say.unsure(box, labels, uncertainty, cost))
        yield None
    for class_id, objects in _each_class(labels, sorted(counts)):
        if objects is not None:
            places += [say.odd("island", found) for found in islands(objects, class_id, most=most)]
            places += [say.cut(found) for found in cuts(objects, class_id, _triple(labels.shape))]
        yield None
    places += [say.odd("hole", found) for found in holes(labels, most=most)]
    yield None
    yield tuple(sorted(places, key=lambda place: -place.score)[:most])


def scan_score(
    labels: NDArray[Any], uncertainty: NDArray[np.uint8], *, outliers: Sequence[Outlier] = ()
) -> float:
    """Say how much a scan deserves the first look; to order scans that one model has labelled.

    The mean uncertainty of what is labelled: of some thirty figures of one run, the one that told scans with a low Dice
    best. What is implausible adds to it. `core.unsteady` does better, with more runs.

    Parameters
    ----------
    labels : ndarray of an unsigned integer type, shape (Z, Y, X)
    uncertainty : ndarray of uint8, shape (Z, Y, X)
        What `core.entropy` gives.
    outliers : sequence of Outlier
        What `core.plausible` found.

    Returns
    -------
    float
        0: looks sound; towards 1: deserves the first look. 1 where nothing is labelled.
    """
    inside = [uncertainty[z][plane > 0] for z, plane in enumerate(labels)]  # a whole volume would be copied
    voxels = sum(len(part) for part in inside)
    if not voxels:
        return 1.0
    mean = sum(int(part.sum(dtype=np.int64)) for part in inside) / voxels / 255
    return 1.0 - math.exp(-mean / TYPICAL - implausible(outliers))


def implausible(outliers: Sequence[Outlier]) -> float:
    """Give what outliers add to the exponent of a score: little, and more the farther they are."""
    return PER_SIGMA * sum(min(abs(one.sigma), FARTHEST) for one in outliers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Makes places of what was found: how they are said, and what they are worth."""

    names: Mapping[int, str]
    volume: float  # of a voxel
    unit: str
    size: float  # the unit of `core.unsure`

    def unsure(
        self, found: UnsureBox, labels: NDArray[Any], uncertainty: NDArray[np.uint8], cost: int
    ) -> Place:
        inside = uncertainty[found.box.slices]
        class_id = _main_class(labels[found.box.slices], inside)
        z, y, x = (round(at) for at in found.box.centre)
        return Place(
            words=f"{self._name(class_id)}, z {z}, unsure", score=_score(found.unsure), centre=(z, y, x), box=found.box,
            class_id=class_id, voxels=int(np.count_nonzero(inside > cost)),
        )  # fmt: skip

    def odd(self, kind: str, found: Oddity) -> Place:
        cubic = found.voxels * self.volume
        amount = f"{found.voxels} voxels" if self.unit == "px" else f"{cubic:.3g} {self.unit}³"
        return Place(
            words=f"{kind}, {amount}, z {found.centre[0]}", score=_score(ODD_IS_WRONG * cubic / self.size**3),
            centre=found.centre, box=found.box, class_id=found.class_id, voxels=found.voxels,
        )  # fmt: skip

    def cut(self, found: Oddity) -> Place:
        return Place(
            words=f"{self._name(found.class_id)} cut at the border, z {found.centre[0]}",
            score=_score(CUT * found.share), centre=found.centre, box=found.box, class_id=found.class_id,
            voxels=found.voxels,
        )  # fmt: skip

    def _name(self, class_id: int) -> str:
        return self.names.get(class_id, f"class {class_id}") if class_id else "unlabelled"


def _score(wrong: float) -> float:
    return 1.0 - math.exp(-wrong / WRONG)


def _main_class(labels: NDArray[Any], uncertainty: NDArray[np.uint8]) -> int:
    """Give the class that has the most of the uncertainty; 0 where nothing is labelled."""
    inside = labels > 0
    if not inside.any():
        return 0
    ids, place = np.unique(labels[inside], return_inverse=True)
    return int(ids[np.bincount(place, weights=uncertainty[inside]).argmax()])


def _each_class(labels: NDArray[Any], class_ids: Sequence[int]) -> Iterator[tuple[int, Objects | None]]:
    """Find the objects of each class, looking only where it is: there may be a hundred classes. None between steps."""
    boxes = ndimage.find_objects(labels)
    for class_id in class_ids:
        within = boxes[class_id - 1]
        start = _triple([part.start for part in within])
        for found in find_objects(labels[within], class_id):
            yield class_id, None if found is None else replace(found, box=found.box.shifted(start))


def _triple(values: Sequence[Any]) -> Triple:
    z, y, x = (int(value) for value in values)
    return (z, y, x)
