"""What a scan's grey levels and a model's preparation say before Run: findings with a way on, and plain notes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.channel_names import match_channels
from napari_vol3d.core.volume import Volume
from napari_vol3d.core.windows import AIR, CT_HIGHEST, CT_LOWEST, SOFT, SOFT_SHARE, looks_like_ct
from napari_vol3d.models.card import STORED, ModelCard

FEW_VALUES = 8  # distinct whole numbers in a sample of a scan: such an image is a label map
HARDLY = 0.01  # of the voxels within the range that a model looks at
BYTE = 256  # values of a scan in 8 bit: it may be of any kind
OFFSET = 1024  # that CT is stored with where no value may be below 0
OTHER_SCALE = 8.0  # times wider or narrower than what a model knows
OBLIQUE = 0.5  # degrees that a person would want to know of
MILLIMETRES = {"mm": 1.0, "um": 1e-3, "nm": 1e-6}
OF_MR = ("T1", "T1c", "T2", "FLAIR", "PD")


def check_levels(sample: NDArray[Any], card: ModelCard) -> tuple[str, ...]:
    """Hold the grey levels of a scan against what a model was trained on.

    Parameters
    ----------
    sample : ndarray of float64
        Finite voxels, spread over the scan: what `core.windows.thinned` gives.

    Returns
    -------
    tuple of str
        Sentences, each with a way on.
    """
    if not sample.size:
        return ("The scan holds no number at all. Open another one.",)
    low, high = float(sample.min()), float(sample.max())
    if low == high:
        return (f"Every voxel of the scan is {low:g}: there is nothing to see. Open another one.",)
    values = np.unique(sample)
    if len(values) <= FEW_VALUES and (values == np.round(values)).all():
        return (f"The scan holds only {len(values)} different values, as a label map does. Choose the image itself.",)
    return _against(sample, card)


def preparation(volume: Volume, card: ModelCard) -> tuple[str, ...]:
    """Say what is done to a scan before the network sees it, and how its labels come back."""
    wanted, steps = card.input, []
    if wanted.conform is not None and volume.geometry.unit in MILLIMETRES:
        cube, spacing = wanted.conform.edge, wanted.conform.spacing
        steps.append(f"laid into {cube} x {cube} x {cube} voxels of {spacing:g} mm")
    if wanted.resize_to is not None:
        steps.append(f"stretched to {' x '.join(map(str, wanted.resize_to))} voxels")
    if wanted.orientation == STORED and volume.geometry.anatomical:
        steps.append("seen in the order of its file")
    elif wanted.orientation and volume.geometry.anatomical:
        steps.append(f"seen along {' '.join(wanted.orientation)}")
    if wanted.crop is not None:
        steps.append("cut to its bright part")
    listed = " and ".join(filter(None, (", ".join(steps[:-1]), *steps[-1:])))
    said = [f"For the model the scan is {listed}; labels come back on the scan's own grid."] if steps else []
    tilt = _tilt(volume)
    if steps and wanted.orientation != STORED and volume.geometry.anatomical and tilt > OBLIQUE:
        said.append(f"The scan is tilted by {tilt:.0f} degrees; its own axes are taken for the nearest of the body's.")
    return tuple(said)


def _against(sample: NDArray[Any], card: ModelCard) -> tuple[str, ...]:
    scheme, known = card.input.intensity, card.input.intensity_range
    if other := _of_another_kind(sample, card):
        return (other,)
    if scheme.kind not in ("window", "none"):
        return ()  # its grey levels are measured and mapped, whatever they are
    low, high = (float(value) for value in np.percentile(sample, (1, 99)))
    held = f"The scan holds {low:.4g} to {high:.4g}"
    if scheme.kind == "window" and np.mean((sample > scheme.lower) & (sample < scheme.upper)) < HARDLY:
        return (
            f"{held}, and hardly a voxel lies between {scheme.lower:g} and {scheme.upper:g}, where this model looks. "
            "Choose a scan in those units (CT in Hounsfield units, for instance), or another model.",
        )
    if known is not None:
        width, own = max(known[1] - known[0], 1e-30), max(high - low, 1e-30)
        apart = low > known[1] or high < known[0]
        if apart or not 1 / OTHER_SCALE <= own / width <= OTHER_SCALE:
            return (
                f"{held}, this model knows {known[0]:.4g} to {known[1]:.4g} and takes grey levels as they are. Choose "
                "a scan in those units, or another model.",
            )
    return ()


def _of_another_kind(sample: NDArray[Any], card: ModelCard) -> str:
    """Say that a scan is CT and the model is not, or the other way round; "" where that is not plain.

    Grey levels that are measured and mapped may be in any unit, and a range alone tells no kind: the same scan is 0 to
    4095 in 12 bit and 0 to 255 in 8. Hounsfield units alone are the same everywhere, so only they are told.
    """
    known, held = card.input.intensity_range, f"{sample.min():g} to {sample.max():g}"
    hounsfield = known is not None and CT_LOWEST <= known[0] <= AIR[1] and known[1] >= SOFT[1]
    if _for_mr(card):
        if card.input.intensity.kind == "window" or hounsfield or not looks_like_ct(sample, anatomical=True):
            return ""
        return (
            f"The scan looks like CT ({held}); was this model made for CT? Its card says "
            f"{', '.join(card.input.channels)}. Choose a scan of that kind, or another model."
        )
    if known is None or not hounsfield or not _no_ct(sample):
        return ""
    return (
        f"The scan does not look like CT ({held}, nothing below 0); this model knows {known[0]:.4g} to {known[1]:.4g}, "
        "as CT has them. Choose a CT scan, or another model."
    )


def _no_ct(sample: NDArray[Any]) -> bool:
    """Whether grey levels are no CT: neither in Hounsfield units, nor with the offset of 12 bit, nor in 8 bit."""
    low, high = np.percentile(sample, (1, 99.5))
    if low < 0 or not BYTE <= high <= CT_HIGHEST + OFFSET or len(np.unique(sample)) <= BYTE:
        return False
    return bool(np.mean((sample >= SOFT[0] + OFFSET) & (sample <= SOFT[1] + OFFSET)) < SOFT_SHARE)


def _for_mr(card: ModelCard) -> bool:
    """Whether one of a card's channels is named as an image of an MR scanner."""
    return any(at is not None for at in match_channels(OF_MR, card.input.channels))


def _tilt(volume: Volume) -> float:
    """Give the largest angle, in degrees, between an axis of the scan and the nearest of the world's."""
    return float(np.degrees(np.arccos(np.clip(np.abs(volume.geometry.direction).max(axis=0).min(), 0, 1))))
