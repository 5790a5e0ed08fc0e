"""A scan as a network wants to see it: its axes turned, a cube around it; and the way back to the scan's own voxels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.padded import padded
from napari_vol3d.core.resample import GridMap, grid_map
from napari_vol3d.core.turned import Turn, turn_to
from napari_vol3d.core.volume import Spacing, Volume
from napari_vol3d.models.card import STORED, Conform, ModelCard
from napari_vol3d.pipeline.checks import spacing_in
from napari_vol3d.pipeline.settings import SegmentSettings

MILLIMETRES = "mm"  # in which a cube is described


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Staged:
    """A scan, and the same scan on the stage: as the network wants its axes. Nothing is read to make it.

    Attributes
    ----------
    scan : Volume
        As it came; without time.
    cube : Volume
        The scan with all that is added around it, along its own axes.
    volume : Volume
        The cube along the network's axes: boxes of a plan are boxes of this.
    world : Box
        The part of `volume` that the network may see.
    notes : tuple of str
        What a person should know about it.
    """

    scan: Volume
    cube: Volume
    volume: Volume
    world: Box
    notes: tuple[str, ...] = ()
    _turn: Turn
    _before: Triple  # voxels added before the scan's first, along its own axes

    @property
    def shown(self) -> Volume:
        """The scan along the network's axes, and nothing added: what a card is held against."""
        return replace(self._turn, shape=self.scan.shape).volume(self.scan)

    def shown_with(self, box: Box | None) -> tuple[Volume, Box | None]:
        """Give `shown`, and a box of the scan in its voxels."""
        return self.shown, None if box is None else replace(self._turn, shape=self.scan.shape).forth(box)

    def forth(self, box: Box) -> Box:
        """Give a box of the scan in voxels of `volume`."""
        return self._turn.forth(box.shifted(self._before))

    def back(self, box: Box) -> Box:
        """Give a box of `volume` in voxels of the scan: the inverse of `forth`."""
        return self._turn.back(box).shifted(_minus(self._before))

    def back_array(self, array: NDArray[Any], *, lead: int = 0) -> NDArray[Any]:
        """View what belongs to a box of `volume` as it lies in the scan; `lead` axes before the voxels' stay."""
        return self._turn.back_array(array, lead=lead)

    def focus(self, focus: Focus) -> Focus:
        """Give in voxels of `volume` where a person looks."""
        return self._turn.forth_focus(focus.moved(self._before))

    def seen(self, frame: Box) -> Volume:
        """Give a box of `volume` along the scan's own axes: planes of these are read the quickest."""
        return self.cube.cropped(self._turn.back(frame))

    def back_grid(self, grid: GridMap) -> GridMap:
        """Give a grid over a box of `volume` along the scan's own axes."""
        turn = self._turn
        (z, y, x), (c, b, a) = turn.back_each(grid.scan_shape), turn.back_each(grid.model_shape)
        return GridMap(
            scan_shape=(int(z), int(y), int(x)), model_shape=(int(c), int(b), int(a)), ratio=turn.back_each(grid.ratio)
        )

    def forth_frame(self, box: Box, frame: Box) -> Box:
        """Give a box of what `seen` shows of a frame in voxels of `volume`."""
        return self._turn.forth(box.shifted(self._turn.back(frame).start))


def stage(scan: Volume, card: ModelCard, settings: SegmentSettings) -> Staged:
    """Put a scan on the stage: in the orientation and, where the card says so, in the cube that it wants.

    Parameters
    ----------
    scan : Volume
        Without time. One without a patient's orientation keeps its axes.
    """
    before, shape = (0, 0, 0), scan.shape
    world = Box.of(shape)
    spacing = spacing_in(scan.geometry, MILLIMETRES)
    if card.input.conform is not None and spacing is not None and settings.resample:
        before, shape, world = _cube(scan.shape, spacing, card.input.conform)
    cube = padded(scan, before, shape)
    wanted = card.input.orientation
    letters = cube.geometry.orientation if wanted == STORED else wanted
    turn = turn_to(cube.geometry, cube.shape, letters)
    oblique = wanted not in ("", STORED) and scan.geometry.anatomical and scan.geometry.oblique
    return Staged(
        scan=scan, cube=cube, volume=turn.volume(cube), world=turn.forth(world), _turn=turn, _before=before,
        notes=("The scan is oblique: the model saw it along its own axes, the nearest to those it knows.",) * oblique,
    )  # fmt: skip


def stage_grid(staged: Staged, frame: Box, card: ModelCard, settings: SegmentSettings) -> GridMap:
    """Relate a frame of a staged scan to the grid that the network works on."""
    wanted = card.input.resize_to
    if wanted is not None and settings.resample:
        z, y, x = (w / n for w, n in zip(wanted, staged.world.shape, strict=True))
        c, b, a = (max(1, round(n * r)) for n, r in zip(frame.shape, (z, y, x), strict=True))
        return GridMap(scan_shape=frame.shape, model_shape=(c, b, a), ratio=(z, y, x))
    given, model = _spacings(staged.volume, card)
    return grid_map(frame.shape, given or (1.0, 1.0, 1.0), model if given and settings.resample else None)


def _spacings(volume: Volume, card: ModelCard) -> tuple[Spacing | None, Spacing | None]:
    """Give the scan's spacing and the network's, in one unit."""
    if card.input.conform is not None:
        edge = card.input.conform.spacing
        return spacing_in(volume.geometry, MILLIMETRES), (edge, edge, edge)
    return spacing_in(volume.geometry, card.input.unit), card.input.spacing


def _cube(shape: Triple, spacing: Spacing, conform: Conform) -> tuple[Triple, Triple, Box]:
    """Give the voxels added before the scan, the shape with all that are added, and the cube in it."""
    # As coarse as `grid_map`, so that a scan that is such a cube already stays one.
    grid = grid_map(shape, spacing, (conform.spacing,) * 3)
    edges = [max(1, round(conform.edge / ratio)) for ratio in grid.ratio]
    room = [edge - length for edge, length in zip(edges, shape, strict=True)]
    z, y, x = (max(0, each) // 2 for each in room)
    c, b, a = (max(edge, length) for edge, length in zip(edges, shape, strict=True))
    k, j, i = (max(0, -each) // 2 for each in room)
    start = Box.of((edges[0], edges[1], edges[2])).shifted((k, j, i))
    return (z, y, x), (c, b, a), start


def _minus(offset: Triple) -> Triple:
    return (-offset[0], -offset[1], -offset[2])
