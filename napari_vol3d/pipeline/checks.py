"""Does this model fit this scan? Asked before anything is computed, answered in sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.resample import SAME_SPACING
from napari_vol3d.core.volume import Geometry, Spacing, Volume
from napari_vol3d.models.card import ModelCard

MILLIMETRES = {"mm": 1.0, "um": 1e-3, "nm": 1e-6}
MUCH_LARGER = 1.5  # times the field of view the model was trained on
FAR_TOO_SMALL = 0.2  # of it, along every axis: such a scan shows something else, or its voxel size is wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a model fits a scan.

    Attributes
    ----------
    problem : str
        Why the model can't be run; empty where it can.
    warnings : tuple of str
        What a person should know before they press the button.
    resampled : bool
        Whether the scan's spacing differs from the model's.
    beyond_field_of_view : bool
        Whether the scan is much larger than what the model was trained on.
    """

    problem: str = ""
    warnings: tuple[str, ...] = ()
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
        split = ", or split the layer (layer menu, Split Stack)" if wanted == 1 else ""
        return Fit(
            problem=f"The scan has {given} channel(s), the model wants {wanted}. Choose another layer or model{split}."
        )
    if np.dtype(volume.data.dtype).kind not in "buif":
        return Fit(problem=f"The scan holds {volume.data.dtype}, not grey levels. Choose another layer.")
    warnings = []
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
    if card.input.anatomical and not volume.geometry.anatomical:
        warnings.append("The scan has no patient orientation, but the model was trained on oriented scans.")
    return Fit(warnings=tuple(warnings), resampled=resampled, beyond_field_of_view=beyond)


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
