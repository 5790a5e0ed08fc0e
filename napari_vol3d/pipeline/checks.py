"""Does this model fit this scan? Asked before anything is computed, answered in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.joined import joined_in
from napari_vol3d.core.resample import SAME_SPACING
from napari_vol3d.core.say import say_count
from napari_vol3d.core.volume import Geometry, Spacing, Volume
from napari_vol3d.models.card import STORED, ModelCard
from napari_vol3d.models.edit_words import guess_words
from napari_vol3d.models.record import guesses_in
from napari_vol3d.pipeline.preflight import MILLIMETRES, preparation

MUCH_LARGER = 1.5  # times the field of view the model was trained on
FAR_TOO_SMALL = 0.2  # of it, along every axis: such a scan shows something else, or its voxel size is wrong
MUCH_SMALLER = 0.4  # of the cube that a model knows, along every axis
BEYOND_CUBE = 1.1  # times its edge along one axis: what is cut off is more than air
WHOLE_HEAD = 256.0  # mm, the cube that networks which see a scan as a whole mostly know
MOSTLY_COVERED = 0.9  # of a scan by another channel's image


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a model fits a scan.

    Attributes
    ----------
    problem : str
        Why the model can't be run; empty where it can.
    warnings : tuple of str
        What a person should know before they press the button.
    notes : tuple of str
        What is done to the scan first.
    resampled : bool
        Whether the scan's spacing differs from the model's.
    beyond_field_of_view : bool
        Whether the scan is much larger than what the model was trained on.
    """

    problem: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    resampled: bool = False
    beyond_field_of_view: bool = False


def spacing_in(geometry: Geometry, unit: str) -> Spacing | None:
    """Give the spacing (z, y, x) in `unit`, None where the scan's own unit says nothing about size."""
    if geometry.unit == unit:
        return geometry.spacing
    if geometry.unit not in MILLIMETRES or unit not in MILLIMETRES:
        return None
    factor = MILLIMETRES[geometry.unit] / MILLIMETRES[unit]
    z, y, x = (s * factor for s in geometry.spacing)
    return (z, y, x)


def check_fit(volume: Volume, card: ModelCard, *, resample: bool = True, region: Box | None = None) -> Fit:
    """Hold a model's card against a scan.

    Parameters
    ----------
    region : Box, optional
        The part of the scan that will be segmented, in its voxels: warnings are about that part alone.
    """
    volume = volume.frame(0)
    wanted, given = len(card.input.channels), volume.data.shape[3] if len(volume.data.shape) > 3 else 1
    if given != wanted:
        held = say_count(given, "channel")
        return Fit(problem=f"The scan has {held}, the model wants {wanted}{_way_on(card, given)}")
    if np.dtype(volume.data.dtype).kind not in "buif":
        return Fit(problem=f"The scan holds {volume.data.dtype}, not grey levels. Choose another layer.")
    warnings = []
    if min(volume.shape) == 1:
        warnings.append("The scan is one slice; the model was made for volumes and may find nothing in it.")
    spacing = spacing_in(volume.geometry, card.input.unit)
    resampled = False
    if card.input.spacing is not None and spacing is None:
        warnings.append(
            f"The scan does not say its voxel size; the model was trained at {_lengths(card.input.spacing)} "
            f"{card.input.unit}. Voxels are taken as they are."
        )
    elif card.input.spacing is not None and spacing is not None:
        resampled = any(abs(s / m - 1) > SAME_SPACING for s, m in zip(spacing, card.input.spacing, strict=True))
        if resampled and not resample:
            warnings.append(
                f"Scan {_lengths(spacing)} {card.input.unit}, model {_lengths(card.input.spacing)}: "
                "without resampling the labels may be poor."
            )
    if spacing is not None and resample and _far_too_small(volume.shape, spacing, card):
        return Fit(problem=_too_small(volume.shape, spacing, card), resampled=resampled)
    beyond = spacing is not None and _beyond(volume.shape, spacing, card)
    seen = volume.shape if region is None else region.shape
    if spacing is not None and card.input.field_of_view is not None and _beyond(seen, spacing, card):
        what, box = ("scan", "box") if region is None else ("region", "smaller box")
        warnings.append(
            f"The model knows pieces of {_lengths(card.input.field_of_view)} {card.input.unit}; this {what} is larger. "
            f"Draw a {box} around the organ, or expect labels in wrong places."
        )
    oriented = card.input.anatomical or card.input.orientation not in ("", STORED)
    if oriented and not volume.geometry.anatomical:
        warnings.append("The scan has no patient orientation, but the model was trained on oriented scans.")
    warnings += [*world_warnings(volume, card), *channel_warnings(volume)] if resample else channel_warnings(volume)
    notes = (*preparation(volume, card), *_unconfirmed(card))
    return Fit(warnings=tuple(warnings), notes=notes, resampled=resampled, beyond_field_of_view=beyond)


def _unconfirmed(card: ModelCard) -> tuple[str, ...]:
    guessed = guesses_in(card)
    way_on = f"Confirm them with Edit card in the tab Models, or: napari-vol3d models edit {card.name} --confirm all"
    return (f"Guessed when the model was added: {guess_words(guessed)}. {way_on}",) if guessed else ()


def channel_warnings(volume: Volume) -> tuple[str, ...]:
    """Tell of images that `core.joined.join_channels` made channels of: the same one twice, or one of another part."""
    joined = joined_in(volume.data)
    if joined is None:
        return ()
    names = volume.channels or tuple(f"Channel {k + 1}" for k in range(len(joined.covered)))
    same = [f"{names[a]} and {names[b]} are the same image. Choose the image of each." for a, b in joined.twins]
    less = [
        f"{name} covers {share:.0%} of the scan: the rest of it is made up. Choose an image of the whole, or draw a "
        "box where both are."
        for name, share in zip(names, joined.covered, strict=True) if share < MOSTLY_COVERED
    ]  # fmt: skip
    return (*same, *less)


def world_warnings(volume: Volume, card: ModelCard) -> tuple[str, ...]:
    """Tell of a scan that is much smaller or larger than the world of a model that sees scans as a whole."""
    cube = card.input.conform
    if cube is None and card.input.resize_to is None:
        return ()
    spacing = spacing_in(volume.geometry, "mm")
    if spacing is None:
        told = "its proportions are unknown, and it is stretched as it is" if cube is None else (
            f"it can't be laid into the model's cube of {cube.spacing:g} mm voxels. Voxels are taken as they are"
        )  # fmt: skip
        return (f"The scan does not say its voxel size: {told}.",)
    extent = [n * s for n, s in zip(volume.shape, spacing, strict=True)]
    if cube is None:
        return _stretched(extent, card)
    edge = cube.edge * cube.spacing
    share, known = max(extent) / edge, f"the cube of {edge:.3g} mm that the model knows"
    if share < MUCH_SMALLER:
        return (f"The scan covers only {share:.0%} of {known}: whole heads, mostly. Choose a whole scan.",)
    if share > BEYOND_CUBE:
        return (f"The scan is larger than {known}: only its middle is labelled. Crop it first.",)
    return ()


def _stretched(extent: Sequence[float], card: ModelCard) -> tuple[str, ...]:
    if card.input.field_of_view is not None or max(extent) >= MUCH_SMALLER * WHOLE_HEAD:
        return ()
    z, y, x = extent
    return (
        f"The scan is small: {_lengths((z, y, x))} mm are stretched to all that the model sees. Choose a whole scan, "
        "unless the model was made of such pieces.",
    )


def _way_on(card: ModelCard, given: int) -> str:
    names = ", ".join(card.input.channels)
    if len(card.input.channels) == 1:
        return ". Choose another layer or model, or split the scan (in napari: layer menu, Split Stack)."
    return f" ({names}). Choose one scan for each." if given == 1 else f" ({names}). Choose another layer or model."


def require_fit(volume: Volume, card: ModelCard, *, resample: bool = True) -> Fit:
    """Give `check_fit`'s answer.

    Raises
    ------
    ScanMismatch
        If the model can't be run on the scan.
    """
    fit = check_fit(volume, card, resample=resample)
    if fit.problem:
        raise ScanMismatch(fit.problem)
    return fit


def _beyond(shape: Triple, spacing: Spacing, card: ModelCard) -> bool:
    known = card.input.field_of_view
    return known is not None and any(n * s > MUCH_LARGER * f for n, s, f in zip(shape, spacing, known, strict=True))


def _far_too_small(shape: Triple, spacing: Spacing, card: ModelCard) -> bool:
    known = card.input.field_of_view
    return known is not None and all(
        n * s < FAR_TOO_SMALL * f for n, s, f in zip(shape, spacing, known, strict=True)
    )


def _too_small(shape: Triple, spacing: Spacing, card: ModelCard) -> str:
    z, y, x = (n * s for n, s in zip(shape, spacing, strict=True))
    return (
        f"The scan is far too small for this model: {_lengths((z, y, x))} {card.input.unit}, where it knows pieces of "
        f"{_lengths(card.input.field_of_view or (0, 0, 0))}. Choose another model, correct the voxel size, or leave "
        "resampling off: voxels are then taken as they are."
    )


def _lengths(values: tuple[float, float, float]) -> str:
    return " x ".join(f"{value:.3g}" for value in values)
