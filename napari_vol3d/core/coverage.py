"""Which voxels are final already: boxes that were finished by another plan, or before a run was interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from napari_vol3d.core.box import Box, Triple


class Coverage:
    """A growing union of boxes; they may overlap. Its memory is theirs, never a volume's."""

    def __init__(self, boxes: Iterable[Box] = ()) -> None:
        self._boxes: dict[Box, None] = dict.fromkeys(boxes)

    def __bool__(self) -> bool:
        return bool(self._boxes)

    def add(self, box: Box) -> None:
        """Take in a box."""
        self._boxes[box] = None

    def rest(self, box: Box) -> list[Box]:
        """Cut what is not covered yet of `box` into disjoint boxes; there are none where all of it is covered."""
        pieces = [box] if box.size and box not in self._boxes else []
        for known in self._boxes:
            if not pieces:
                break
            if known.intersect(box).size:
                pieces = [left for piece in pieces for left in _without(piece, known)]
        return pieces


def _without(box: Box, hole: Box) -> Iterator[Box]:
    """Give what is left of a box around another, at most six boxes."""
    common = box.intersect(hole)
    if not common.size:
        yield box
        return
    start, stop = list(box.start), list(box.stop)
    for axis in range(3):
        if start[axis] < common.start[axis]:
            yield Box(start=_triple(start), stop=_triple([*stop[:axis], common.start[axis], *stop[axis + 1 :]]))
        if common.stop[axis] < stop[axis]:
            yield Box(start=_triple([*start[:axis], common.stop[axis], *start[axis + 1 :]]), stop=_triple(stop))
        start[axis], stop[axis] = common.start[axis], common.stop[axis]


def _triple(values: list[int]) -> Triple:
    return (values[0], values[1], values[2])
