"""What a hand needs to know of a place on a canvas: the voxel, and how the ring looks there."""

from __future__ import annotations

from napari_vol3d.gui.bench.view import Pixel, View
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.ring import ERASING, Look
from napari_vol3d.gui.correct.tool import Place, Tool
from napari_vol3d.gui.correct.tools.painting import PaintingTool
from napari_vol3d.gui.label_looks import true_color

FAR = 100.0  # pixels over which is measured


def place_at(view: View, record: Record, pixel: Pixel, *, erasing: bool = False, pressure: float = 1.0) -> Place:
    """Say where a pixel of a view that is cut is in the labels."""
    voxel, axis = record.to_voxel(view.to_world(pixel)), view.plane.value
    return Place(
        view=view, voxel=voxel, axis=axis, index=round(voxel[axis]), pixel=pixel, erasing=erasing, pressure=pressure
    )


def look_of(tool: Tool, record: Record, *, erasing: bool) -> Look:
    """Say how the ring looks: in the colour of the class that is painted with, unless it would erase."""
    class_id = int(record.layer.selected_label)
    if erasing or class_id == 0 or (isinstance(tool, PaintingTool) and tool.erases):
        return Look(color=ERASING, dashed=True)
    return Look(color=true_color(record.layer, class_id))


def pixels_per_unit(view: View, record: Record) -> float:
    """Give how many pixels of the canvas one unit of the labels is; that of the world may be another."""
    first, last = (record.to_voxel(view.to_world(pixel)) for pixel in ((0.0, 0.0), (FAR, 0.0)))
    squares = (((b - a) * edge) ** 2 for a, b, edge in zip(first, last, record.spacing, strict=True))
    return FAR / max(sum(squares) ** 0.5, 1e-12)
