"""The words of the Segment panel: scans, models, regions and results said in a line, as rich text."""

from __future__ import annotations

from html import escape

import numpy as np

from napari_vol3d.core.box import Box
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.say import say_seconds
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.card import ModelCard
from napari_vol3d.pipeline.prediction import Prediction

WARNING_COLOR = "#e69f00"
BAD_COLOR = "#d55e00"
LINK_COLOR = "#56b4e9"  # readable in the dark theme and in the light one, where Qt's own blue is not
GO, CORRECT = "go", "correct"  # the links in the result
DIRECTIONS = (("L", "R"), ("P", "A"), ("I", "S"))  # of world axis x, y, z: where negative and positive steps lead


def scan_words(scan: Volume) -> str:
    """Say size, voxel size, type, and how the view has the patient."""
    spacing = scan.geometry.spacing
    same = max(spacing) - min(spacing) < 1e-3 * max(spacing)
    edges = f"{spacing[0]:.3g}" if same else lengths(spacing)
    unit = {"um": "µm", "pixel": "(no voxel size)"}.get(scan.geometry.unit, scan.geometry.unit)
    line = f"{' x '.join(map(str, scan.shape))} · {edges} {unit} · {scan.data.dtype}"
    line += f" · {scan.frames:,} time points" * scan.timed
    side = side_words(scan.geometry)
    return f"{line}<br>{side}" if side else line


def side_words(geometry: Geometry) -> str:
    """Say how the view has the patient, and on which side of the screen their left is; "" where nobody knows."""
    if not geometry.anatomical:
        return ""
    letters = view_letters(geometry)
    left = {"L": " · patient's left is on the right", "R": " · patient's left is on the left"}.get(letters[2], "")
    return f"{' '.join(letters)}{left}"


def view_letters(geometry: Geometry) -> str:
    """Give where the layer's axes z, y, x run to, such as "SPL": the view's orientation, not the file's."""
    letters = ""
    for held in range(3):
        world = int(np.argmax(np.abs(geometry.direction[:, held])))
        letters += DIRECTIONS[world][int(geometry.direction[world, held] > 0)]
    return letters


def scan_tip(geometry: Geometry) -> str:
    """Spell the orientation out, for the tooltip."""
    if not geometry.anatomical:
        return "The file does not say how the patient lies"
    names = {"R": "right", "L": "left", "A": "anterior", "P": "posterior", "S": "superior", "I": "inferior"}
    z, y, x = (names[letter] for letter in view_letters(geometry))
    return (
        f"In the view, the slider (z) leads to {z}; down (y) is {y}; right (x) is {x}. "
        f"The file's own axes run {geometry.orientation}, and labels are saved so."
    )


def model_words(card: ModelCard) -> str:
    """Give the classes in their colours, and the licence."""
    return f"{chips(card.output.classes)}<br>Model licence: {escape(card.license or 'not said', quote=False)}"


def region_words(region: Box | None, axis: int | None) -> str:
    """Say what a region holds: "slices 10-52, 40 x 30 voxels".

    Parameters
    ----------
    axis : int or None
        Axis that the slider moves along (0 z, 1 y, 2 x); None in a 3D view.
    """
    if region is None or not region.size:
        return ""
    if axis is None:
        spans = zip("zyx", region.start, region.stop, strict=True)
        return ", ".join(f"{name} {start}-{stop - 1}" for name, start, stop in spans)
    others = " x ".join(str(n) for a, n in enumerate(region.shape) if a != axis)
    return f"slices {region.start[axis]}-{region.stop[axis] - 1}, {others} voxels"


def result_words(name: str, prediction: Prediction, amounts: list[tuple[LabelClass, str]]) -> str:
    """Say what was found in the scan of this name, and what to do next."""
    shown, took = escape(name, quote=False), f"in {say_seconds(prediction.seconds)}</b> on {prediction.device}"
    notes = "".join(f"<br>{escape(note, quote=False)}" for note in prediction.notes)
    if not any(prediction.counts.get(item.id, 0) for item, _ in amounts):
        return (
            f"<b>Done {took}.<br><b>Nothing was found</b> in {shown}. Is it what this model was made for, and is all "
            f"of it inside the region?{notes}"
        )
    listed = ", ".join(f"{chip(item.color)} {escape(item.name, quote=False)} {text}" for item, text in amounts)
    return (
        f"<b>Done {took}.<br>{shown}: {listed}<br>"
        f"<a style='color:{LINK_COLOR}' href='{GO}'>Go to the slice with most of it</a>, "
        f"<a style='color:{LINK_COLOR}' href='{CORRECT}'>correct it</a>, then save.{notes}"
    )


def warning_words(text: str) -> str:
    """Give a sentence behind a warning sign; what a person or a file wrote into it is no markup."""
    return f"<span style='color:{WARNING_COLOR}'>⚠</span> {escape(text, quote=False)}"


def chip(color: str) -> str:
    """Give a little square in a class's colour, as rich text."""
    return f"<span style='color:{color}'>■</span>"


def chips(classes: tuple[LabelClass, ...], most: int = 12) -> str:
    """Give the classes with their colours; more than `most` are counted."""
    text = "&nbsp; ".join(f"{chip(item.color)} {escape(item.name, quote=False)}" for item in classes[:most])
    return text if len(classes) <= most else f"{text} and {len(classes) - most} more"


def lengths(values: tuple[float, float, float]) -> str:
    """Say three lengths along z, y, x."""
    return " x ".join(f"{value:.3g}" for value in values)
