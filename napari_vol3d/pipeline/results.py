"""Where the results of a run go: labels and probabilities on the scan's own grid, and how often each id occurs."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.amounts import count_voxels
from napari_vol3d.core.box import Box
from napari_vol3d.core.coverage import Coverage
from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.core.labels import label_dtype
from napari_vol3d.core.tidy import BYTES_PER_VOXEL, drop_small, fill_holes, keep_largest
from napari_vol3d.io.scratch import scratch_array
from napari_vol3d.models.card import ModelCard, PostProcessing
from napari_vol3d.pipeline.plan import wanted_of
from napari_vol3d.pipeline.sink import LabelSink
from napari_vol3d.pipeline.stage import Staged

Part = tuple[Box, NDArray[Any]]


@dataclass(slots=True, kw_only=True, eq=False)
class Results:
    """Takes what becomes final on the stage, and puts it where it lies in the scan.

    Attributes
    ----------
    wanted : Box
        What is segmented, in voxels of the scan.
    probabilities : array of uint8, shape (classes, Z, Y, X), or None
    counts : Counter
        Voxels of each id.
    """

    staged: Staged
    target: LabelSink
    wanted: Box
    dtype: np.dtype[Any]
    probabilities: Any = None
    counts: Counter[int] = field(default_factory=Counter)
    _written: dict[Box, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._written = dict.fromkeys(self.target.finished)
        for box in self._written:  # an earlier run's count too
            with contextlib.suppress(SaveProblem):  # what can't be read is told, and computed again, at the end
                self.counts += count_voxels(self.target.read(box))

    @classmethod
    def of(cls, staged: Staged, card: ModelCard, target: LabelSink, region: Box | None) -> Results:
        """Take the results of a run over a region of a scan, or all of it."""
        return cls(
            staged=staged, target=target, wanted=wanted_of(staged.scan, region),
            dtype=label_dtype(max(card.label_names)),
        )  # fmt: skip

    def keep_probabilities(self, classes: int) -> None:
        """Make room on disk for probabilities."""
        self.probabilities = scratch_array((classes, *self.staged.scan.shape), np.dtype(np.uint8))

    @property
    def finished(self) -> list[Box]:
        """What is final, in voxels of the stage."""
        return [self.staged.forth(box) for box in self._written]

    def keep(self, box: Box, labels: NDArray[Any], probabilities: NDArray[np.uint8] | None = None) -> Part:
        """Write a box of the stage, and give it as it lies in the scan."""
        place = self.staged.back(box)
        turned = self._write(place, self.staged.back_array(labels))
        if probabilities is not None:
            scores = self.staged.back_array(probabilities, lead=1)
            self.probabilities[(slice(None), *place.slices)] = np.ascontiguousarray(scores)
        return place, turned

    def clear_beyond(self, frame: Box) -> Iterator[Part]:
        """Make background of what is wanted outside the frame, all that the network is shown; give each part of it."""
        for box in Coverage([self.staged.back(frame), *self._written]).rest(self.wanted):
            yield box, self._write(box, np.zeros(box.shape, self.dtype))

    def tidy(self, post: PostProcessing, *, most_bytes: float, voxels: float) -> tuple[Part | None, str]:
        """Tidy the finished labels.

        Parameters
        ----------
        most_bytes : float
            Memory that this may take.
        voxels : float
            How many of the scan's voxels there are for one of the network's, in which the card counts.

        Returns
        -------
        Part or None
            What has changed.
        str
            What a person should know; empty where nothing has.
        """
        if post == PostProcessing():
            return None, ""
        if self.wanted.size * BYTES_PER_VOXEL > most_bytes:
            return None, "The labels were not tidied, as the card asks: they are too large for the memory budget."
        before = self.target.read(self.wanted)
        after = before.copy()
        note = _tidied(after, post, voxels)
        box = _changed(before, after)
        if box is None:
            return None, ""
        self._rewrite(before, after)
        self.counts = count_voxels(after)
        start = self.wanted.start
        return (box.shifted(start), after[box.slices]), note

    def _write(self, place: Box, labels: NDArray[Any]) -> NDArray[Any]:
        self.counts += count_voxels(labels)
        self.target.write(place, labels)
        self._written[place] = None
        return labels

    def _rewrite(self, before: NDArray[Any], after: NDArray[Any]) -> None:
        """Write the boxes again in which something has changed: a store on disk takes no others."""
        start = self.wanted.start
        for box in list(self._written):
            inside = box.intersect(self.wanted)
            cut = inside.shifted((-start[0], -start[1], -start[2])).slices
            if inside.size and not np.array_equal(before[cut], after[cut]):
                labels = after[cut] if inside == box else self._joined(box, inside, after[cut])
                self.target.write(box, labels)

    def _joined(self, box: Box, inside: Box, labels: NDArray[Any]) -> NDArray[Any]:
        """Give the labels of a box of which a part alone was wanted."""
        whole = self.target.read(box).copy()
        whole[inside.shifted((-box.start[0], -box.start[1], -box.start[2])).slices] = labels
        return whole


def _tidied(labels: NDArray[Any], post: PostProcessing, voxels: float) -> str:
    # Crumbs first: one that holds two pieces together would make them one, and with it gone there would be two. In this
    # order what was tidied halfway, before a run was killed, and is tidied again becomes what it would have become.
    said = []
    if post.min_voxels:
        said.append((drop_small(labels, round(post.min_voxels * voxels)), "in small pieces became background"))
    if post.largest_component:
        said.append((keep_largest(labels), "outside the largest piece became background"))
    if post.fill_holes:
        said.append((fill_holes(labels), "in holes were filled"))
    parts = [f"{count:,} voxel{'s' * (count != 1)} {what}" for count, what in said if count]
    return f"Labels tidied: {', '.join(parts)}." if parts else ""


def _changed(before: NDArray[Any], after: NDArray[Any]) -> Box | None:
    """Give the box around all that differs."""
    differing = before != after
    spans = []
    for axis in range(3):
        places = np.flatnonzero(differing.any(axis=tuple(other for other in range(3) if other != axis)))
        if not places.size:
            return None
        spans.append((int(places[0]), int(places[-1]) + 1))
    (z0, z1), (y0, y1), (x0, x1) = spans
    return Box(start=(z0, y0, x0), stop=(z1, y1, x1))
