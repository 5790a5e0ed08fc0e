"""Rebuilding a network from elsewhere: one input, channels last, any size, its output on the input's grid; checked."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.axes_of import order_of
from napari_vol3d.engine.backends import gist, library_errors
from napari_vol3d.engine.foreign import FAILURES
from napari_vol3d.engine.layout import AS_IT_WAS, FIRST, LAST, Call, Held, Untranslatable
from napari_vol3d.engine.on_grid import Fit, align, fit_of
from napari_vol3d.engine.picked import mixed
from napari_vol3d.engine.relaid import Relaid, as_it_was
from napari_vol3d.engine.replay import computed, layers_of, replay

TOLERANCE, ROUGH = 1e-4, 3e-2  # of the largest score, or of 1 where scores are smaller; the second for 16 bits
CHANNELS_LAST = "Ask its maker for channels last."
USUAL_LAYERS = "Ask its maker for one of Keras' usual 3D layers, for patches of any size."
TURNED = "Channels come last instead of first"
BIASES = (
    "Keras 3 itself adds biases along x where a level has as many voxels as filters, as at the stored size: here they "
    "are added to the channels, so that labels may differ from its predict."
)
MOST_WORK = 4e10  # multiplications and additions that a check may take: some seconds
LARGEST_STORED = 96**3  # voxels of a patch that the original is tried with where it refuses a small one
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rebuilt:
    """A network from (batch, z, y, x, channels) to (batch, z, y, x, scores), on one grid.

    Attributes
    ----------
    fixed : tuple of int or None
        The one size that it takes.
    fit : Fit
        How the original's output lies on its input.
    notes : tuple of str
        What was changed, in sentences.
    """

    network: keras.Model
    fixed: Triple | None
    fit: Fit
    notes: tuple[str, ...]


class _Plain(Relaid):
    """Calls layers as they were called, at the size that the network was stored for."""

    def __call__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: Any) -> Any:
        held = [item for item in keras.tree.flatten((args, kwargs)) if isinstance(item, Held)]
        return as_it_was(self, layer, Call(held, args, kwargs, node))


def rebuild(network: keras.Model) -> Rebuilt:
    """Rebuild a network with one output; the size stays fixed where nothing else is possible.

    Raises
    ------
    ModelProblem
        If its output is no volume of scores, or none of the ways to rebuild it gives the original's scores.
    """
    order, size = order_of(network), stored_size(network)
    ways = [(Relaid(), None), (Relaid(), size), (_Plain(), size)] if size else [(Relaid(), None)]
    reasons: list[str] = []
    failures: tuple[type[Exception], ...] = (Untranslatable, *FAILURES, *library_errors())
    for relaid, fixed in ways:
        if type(relaid) is _Plain and order != LAST:
            continue
        try:
            return _attempt(network, relaid, order, fixed, reasons)
        except failures as error:
            log.info("Not rebuilt for size %s: %s", fixed, str(error)[:300])
            reasons.append(_why(error, size))
    turned = order == FIRST and re.search(r"\b(?:axis|axes)\b|runs along", reasons[0])
    raise ModelProblem(f"The network can't be rebuilt: {reasons[0]}.", hint=CHANNELS_LAST if turned else USUAL_LAYERS)


def _why(error: Exception, size: Triple | None) -> str:
    """Say why an attempt failed; of what a library said at a call, which layer it was."""
    if isinstance(error, Untranslatable):
        return str(error)
    if notes := getattr(error, "__notes__", ()):
        return f"{notes[0]} fails at {'other' if size else 'some'} sizes of patches"
    return gist(error)[:200]


def stored_size(network: keras.Model) -> Triple | None:
    """Give the size (z, y, x) that a network was stored for, or None where it takes several."""
    order = order_of(network)
    edges = [network.inputs[0].shape[order.index(letter)] for letter in "zyx"]
    if None in edges:
        return None
    z, y, x = edges
    return z, y, x


def channels_of(network: keras.Model) -> list[int]:
    """Give the channels of each input."""
    at = order_of(network).find("c")
    return [tensor.shape[at] if at > 0 else 1 for tensor in network.inputs]


def _attempt(network: keras.Model, relaid: Relaid, order: str, fixed: Triple | None, reasons: list[str]) -> Rebuilt:
    channels = channels_of(network)
    inputs = keras.Input(batch_shape=(None, *(fixed or (None,) * 3), sum(channels)), name="scan")
    given = [
        Held(value, order, tuple(tensor.shape))
        for value, tensor in zip(_parted(relaid, inputs, channels), network.inputs, strict=True)
    ]
    held = replay(network, given, relaid)[0]
    if "float" not in keras.backend.standardize_dtype(held.value.dtype):
        raise ModelProblem("The output is whole numbers, not scores.", hint="Ask its maker for one that gives scores.")
    made = keras.Model(inputs, _volume(relaid, held, fixed), name=network.name)
    fit = fit_of(made, fixed)
    _check_size(network, made, held)
    _check_same(network, made, held, fit, order)
    aligned, at = align(made, fit)
    notes = [*relaid.notes, *_said(network, fixed, fit, reasons)]
    return Rebuilt(network=aligned, fixed=at, fit=fit, notes=tuple(sorted(notes)))


def _parted(relaid: Relaid, inputs: Any, channels: list[int]) -> list[Any]:
    """Give each of several inputs its channels: by a convolution with ones and zeros, which other parts understand."""
    if len(channels) == 1:
        return [inputs]
    ends = np.cumsum([0, *channels])
    return [
        mixed(relaid, f"channels_of_input_{number}", inputs, np.eye(ends[-1])[:, first:last])
        for number, (first, last) in enumerate(pairwise(ends), start=1)
    ]


def _volume(relaid: Relaid, held: Held, fixed: Triple | None) -> Any:
    """Give an output as (batch, z, y, x, scores), or say what it is instead."""
    shape = tuple(held.value.shape)
    if held.order != AS_IT_WAS and not ({"z", "y", "x"} <= set(held.order) or "v" in held.order):
        raise ModelProblem(no_volume(shape), hint="Only networks that label voxels run here.")
    if held.order.replace("c", "") not in ("n", "nzyx", "nv", AS_IT_WAS):
        raise Untranslatable("its output turns the axes of space")
    if len(shape) == 5:
        return held.value
    if fixed is None and len(shape) > 2:
        raise Untranslatable("its output is no volume")
    if fixed and len(shape) == 3 and shape[1] == math.prod(fixed):
        return layers.Reshape((*fixed, shape[2]), name=relaid.free("volume"))(held.value)
    if fixed and shape[1:] in (fixed, (math.prod(fixed),)):
        return layers.Reshape((*fixed, 1), name=relaid.free("volume"))(held.value)
    raise ModelProblem(no_volume(shape), hint="Only networks that label voxels run here.")


def no_volume(shape: tuple[int | None, ...]) -> str:
    """Say what a network gives that is no volume."""
    counts = [str(length or "any") for length in shape[1:]]
    said = {1: "1 number"}.get(shape[-1] or 0, f"{counts[-1]} numbers") if len(shape) == 2 else " x ".join(counts)
    return f"The output is {said} a scan, not a score a voxel."


def _check_size(network: keras.Model, made: keras.Model, held: Held) -> None:
    """At the size it was stored for, the new network gives as many voxels as the old one."""
    size, old = stored_size(network), network.outputs[0].shape
    if size is None or None in old[1:]:
        return
    new = made.compute_output_shape((1, *size, made.inputs[0].shape[-1]))
    if math.prod(new[1:]) != math.prod(old[1:]):
        raise Untranslatable("it gives another number of voxels")


def _check_same(network: keras.Model, made: keras.Model, held: Held, fit: Fit, order: str) -> None:
    """A random patch gets the scores that the original gives it."""
    for edges in _probe_sizes(network, made, fit, order):
        probe = np.random.default_rng(0).normal(size=(1, *edges, made.inputs[0].shape[-1])).astype(np.float32)
        new = computed(made, [probe])[0]
        try:
            old = computed(network, _as_given(network, probe, order))[0]
        except (*FAILURES, *library_errors()) as error:
            log.info("The original does not run at %s: %s", edges, str(error)[:200])
            continue
        if _agree(_as_laid(old, held.order, new.shape), new, ROUGH if _low_precisions(network) else TOLERANCE):
            return
        raise Untranslatable("rebuilt it gives other scores")


def _agree(old: NDArray[np.float32], new: NDArray[np.float32], tolerance: float) -> bool:
    if old.shape != new.shape:
        return False
    finite = np.abs(old[np.isfinite(old)])
    scale = max(1.0, float(finite.max()) if finite.size else 1.0)
    return bool(np.allclose(old, new, rtol=0, atol=tolerance * scale, equal_nan=True))


def _low_precisions(network: keras.Model) -> set[str]:
    return {str(getattr(layer, "compute_dtype", None) or "float32") for layer in layers_of(network)} - {"float32"}


def _probe_sizes(network: keras.Model, made: keras.Model, fit: Fit, order: str) -> Iterator[Triple]:
    """Give a small patch in which dilated kernels meet more than their centre; then the stored one, if it is small."""
    flops = study(made).flops_per_voxel
    if not fit.multiple[0]:
        if math.prod(fit.base) * flops < MOST_WORK:
            yield fit.base
        return
    spread = max((int(np.max(getattr(layer, "dilation_rate", 1))) for layer in layers_of(network)), default=1)
    z, y, x = (b + m * max(0, -(-(2 * spread + 1 - b) // m)) for b, m in zip(fit.base, fit.multiple, strict=True))
    if z * y * x * flops > MOST_WORK:
        z, y, x = fit.base
    filters = _filters(network) if order == FIRST else set()
    yield z, y, _unlike(x, fit.multiple[2], filters)
    stored = stored_size(network)
    if stored and math.prod(stored) <= LARGEST_STORED and _unlike(stored[2], fit.multiple[2], filters) == stored[2]:
        yield stored


def _unlike(edge: int, multiple: int, filters: set[int]) -> int:
    """Give the next edge that no level has as many voxels along as it has filters.

    Keras 3.15 adds the bias of a channels-first convolution along x where these are the same (`keras.ops.add` on
    TensorFlow takes the last axis for the channels), so that the original would be wrong.
    """
    levels = [step for step in range(1, multiple + 1) if multiple % step == 0]
    while any(edge % step == 0 and edge // step in filters for step in levels):
        edge += multiple
    return edge


def _filters(network: keras.Model) -> set[int]:
    return {getattr(layer, "filters", 0) for layer in layers_of(network)}


def _as_given(network: keras.Model, probe: NDArray[np.float32], order: str) -> list[NDArray[np.float32]]:
    parts = np.split(probe, np.cumsum(channels_of(network))[:-1], axis=-1)
    return [
        part[..., 0] if "c" not in order else np.moveaxis(part, -1, 1) if order == FIRST else part for part in parts
    ]


def _as_laid(old: NDArray[np.float32], order: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Give the original's output with its axes as the new network's."""
    if order in (AS_IT_WAS, LAST):
        return old.reshape(shape) if old.size == math.prod(shape) else old
    if "c" not in order:
        old, order = old[..., None], order + "c"
    moved = np.moveaxis(old, order.index("c"), -1)
    return moved.reshape(shape) if moved.size == math.prod(shape) else moved


def _said(network: keras.Model, fixed: Triple | None, fit: Fit, reasons: list[str]) -> list[str]:
    size, said = stored_size(network), []
    if order_of(network) == FIRST:
        clash = size and _unlike(size[2], fit.multiple[2], _filters(network)) != size[2]
        said.append(f"{TURNED}, sooner. {BIASES}" if clash else f"{TURNED}: the same scores, sooner.")
    if len(network.inputs) > 1:
        said.append(f"Its {len(network.inputs)} inputs became channels of one.")
    if low := _low_precisions(network):
        said.append(f"It computes in float32 instead of {', '.join(sorted(low))}.")
    if size and not fixed:
        said.append(f"It was stored for {_times(size)} voxels, and takes any size.")
    if size and fixed and reasons:
        said.append(f"It takes {_times(size)} voxels only: {reasons[0].rstrip('.')}.")
    if max(fit.stride) > 1:
        said.append(f"Each voxel of its output stands for {_times(fit.stride)} of the scan, and is repeated.")
    if any(fit.shift) and not any(fit.margin):
        sizes = f"{_times(fit.base)} voxels and multiples of {_times(fit.multiple)} more"
        said.append(f"It takes {sizes}: zeros are put around its patches.")
    if any(fit.margin):
        said.append(f"Its output lacks {_times(fit.margin)} voxels at the edges: zeros are put around its patches.")
    return said


def _times(lengths: tuple[int, ...]) -> str:
    return " x ".join(map(str, lengths))
