"""What a card says is done to voxels and scores, as steps of the zoo."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.intensity import measure_intensity
from napari_vol3d.models.card import InputSpec, ModelCard
from napari_vol3d.models.zoo.steps import CENTRED, STRETCHED, Step, apply


def steps_before(spec: InputSpec) -> tuple[Step, ...] | None:
    """Say an intensity scheme in the zoo's steps; None where it has none: voxels must come prepared then.

    Notes
    -----
    The zoo's own runner measures before it cuts, so that "zscore" with percentiles is only nearly the same there.
    """
    scheme, space = spec.intensity, {"axes": ["z", "y", "x"]}
    shares = {"min_percentile": float(scheme.lower), "max_percentile": float(scheme.upper)}
    if scheme.over != "all":
        return None
    if scheme.kind == "zscore":
        cut = () if (scheme.lower, scheme.upper) == (0, 100) else (Step(name="clip", options=shares | space),)
        return (*cut, Step(name=CENTRED, options=dict(space)))
    if scheme.kind == "quantile":
        return (Step(name=STRETCHED, options=shares | space),)
    if scheme.kind == "minmax":
        return (Step(name=STRETCHED, options=space),)
    if scheme.kind == "window":
        return _window(float(scheme.lower), float(scheme.upper))
    return () if scheme.kind == "none" else None


def steps_after(card: ModelCard) -> tuple[Step, ...]:
    """Say what is to be done to the network's scores."""
    return (Step(name="softmax", options={"axis": "channel"}),) if card.output.activation == "none" else ()


def network_input(card: ModelCard, patch: NDArray[Any]) -> NDArray[np.float32]:
    """Map the stored voxels of a patch (z, y, x, channels) as those who run the package map them."""
    steps = steps_before(card.input)
    if steps is not None:
        return np.asarray(apply(steps, patch[None], "bzyxc")[0])
    channels = [patch[..., c] for c in range(patch.shape[-1])]
    return np.stack([measure_intensity(c, card.input.intensity).apply(c) for c in channels], axis=-1)


def _window(lower: float, upper: float) -> tuple[Step, ...]:
    cut = Step(name="clip", options={"min": lower, "max": upper})
    if (lower, upper) == (0.0, 1.0):
        return (cut,)  # a line that changes nothing is refused by the zoo
    gain = 1 / (upper - lower)
    return cut, Step(name="scale_linear", options={"gain": gain, "offset": -lower * gain})
