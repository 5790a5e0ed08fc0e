"""Making a network's output lie on its input's grid: zeros in front, and coarse voxels repeated or edges cut behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.anatomy import graph_of, keras_name, scales_of, study
from napari_vol3d.engine.backends import library_errors
from napari_vol3d.engine.replay import call_again, layers_of, replay

LARGEST_BASE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a network's output lies on its input.

    Attributes
    ----------
    base : tuple of int
        Edges of a patch that the network takes: the only ones, or the smallest found.
    multiple : tuple of int
        Its other sizes differ by multiples of these; 0 where there is one size only.
    stride : tuple of int
        Input voxels along an output voxel.
    margin : tuple of int
        Input voxels that get no output, both sides together.
    """

    base: Triple
    multiple: Triple
    stride: Triple
    margin: Triple

    @property
    def is_exact(self) -> bool:
        """Whether input and output share a grid."""
        return self.stride == (1, 1, 1) and self.margin == (0, 0, 0) and self.shift == (0, 0, 0)

    @property
    def shift(self) -> Triple:
        """By how much the sizes that the network takes are more than multiples."""
        z, y, x = (b % m if m else 0 for b, m in zip(self.base, self.multiple, strict=True))
        return z, y, x


def fit_of(network: keras.Model, fixed: Triple | None) -> Fit:
    """Find out how the output of a network (batch, z, y, x, channels) lies on its input.

    Raises
    ------
    ModelProblem
        If the output is finer than the input, or no size is found at which it works.
    """
    if fixed is not None and length_out(network, fixed) == fixed:  # whatever happens inside
        return Fit(base=fixed, multiple=(0, 0, 0), stride=(1, 1, 1), margin=(0, 0, 0))
    stride = stride_of(network)
    if fixed is not None:
        return Fit(base=fixed, multiple=(0, 0, 0), stride=stride, margin=_margin(network, fixed, stride))
    multiple = study(network).multiple
    fits = [
        Fit(base=base, multiple=(multiple,) * 3, stride=stride, margin=_margin(network, base, stride))
        for base in _bases(network, multiple, stride)
    ]
    # Where all sizes pass, as pools drop what is left over, the smallest margin is the one that drops nothing.
    return min(fits, key=lambda fit: (sum(fit.margin), fit.base))


def stride_of(network: keras.Model) -> Triple:
    """Give the input voxels along an output voxel, by axis; `ModelProblem` where an output is finer."""
    graph = graph_of(network)
    scales = scales_of(graph)[graph.output] if graph else (1, 1, 1)
    z, y, x = (int(scale) for scale in scales)
    if (z, y, x) != tuple(scales):
        raise ModelProblem("The output is finer than the input.", hint="Only networks on the scan's grid run here.")
    return z, y, x


def align(network: keras.Model, fit: Fit) -> tuple[keras.Model, Triple | None]:
    """Give a network whose output lies on its input, and the size that it needs, if it needs one."""
    if fit.is_exact:
        return network, None if fit.multiple[0] else fit.base
    axes = [_amounts(*each) for each in zip(fit.base, fit.multiple, fit.margin, strict=True)]
    pads, crops = tuple(pad for pad, _ in axes), tuple(crop for _, crop in axes)
    z, y, x = (base - sum(pad) for base, pad in zip(fit.base, pads, strict=True))
    fixed = None if fit.multiple[0] else (z, y, x)
    inputs = keras.Input(batch_shape=(None, *(fixed or (None,) * 3), network.inputs[0].shape[-1]), name="scan")
    # Keras' own names count from what this process made, and the network was made in another.
    taken = {layer.name for layer in layers_of(network)}
    zeros, repeated, cut = (free_name(name, taken) for name in ("zeros_around", "repeated", "zeros_cut"))
    values = layers.ZeroPadding3D(pads, name=zeros)(inputs) if any(map(any, pads)) else inputs
    values = replay(network, [values], call_again)[0]
    values = layers.UpSampling3D(fit.stride, name=repeated)(values) if max(fit.stride) > 1 else values
    values = layers.Cropping3D(crops, name=cut)(values) if any(map(any, crops)) else values
    return keras.Model(inputs, values, name=network.name), fixed


def free_name(name: str, taken: set[str]) -> str:
    """Give a layer's name that is not taken: in a network each may be there once."""
    while name in taken:
        name += "_"
    return name


def _amounts(base: int, multiple: int, margin: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Give the voxels to pad in front and behind, and those to cut off, so that multiples pass and lose nothing."""
    first, last = margin // 2, margin - margin // 2
    if not multiple:
        return (first, last), (0, 0)
    # Whole multiples in front: pools group a scan's voxels as they do where nothing is padded.
    front = -(-first // multiple) * multiple
    least = front + last
    padding = least + (base - least) % multiple
    return (front, padding - front), (front - first, padding - least)


def _margin(network: keras.Model, edges: Triple, stride: Triple) -> Triple:
    out = length_out(network, edges)
    if out is None:
        raise ModelProblem("The network fits no patch.", hint="Ask its maker for the size that it takes.")
    z, y, x = (edge - step * length for edge, step, length in zip(edges, stride, out, strict=True))
    return z, y, x


def length_out(network: keras.Model, edges: Triple) -> Triple | None:
    """Give the edges of what comes out of a patch; None where such a patch does not pass."""
    given = keras.KerasTensor((1, *edges, network.inputs[0].shape[-1]))
    try:
        z, y, x = replay(network, [given], _spec)[0].shape[1:4]
    except library_errors():
        return None
    return (z, y, x) if min(z or 0, y or 0, x or 0) > 0 else None


def _spec(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: Any) -> Any:
    """Give what a call would give. Keras does not look whether what it joins has one size."""
    if keras_name(layer) == "Concatenate":
        shapes = np.array([item.shape for item in keras.tree.flatten((args, kwargs)) if hasattr(item, "shape")], float)
        if np.delete(np.ptp(shapes, axis=0), layer.axis).any():
            raise ValueError(f"{shapes.tolist()} can't be joined")
    return layer.compute_output_spec(*args, **kwargs)


def _bases(network: keras.Model, multiple: int, stride: Triple) -> Iterator[Triple]:
    """Give sizes that pass, one for each remainder; multiples first, and no others where those lose no voxel."""
    start = 2 * multiple
    while start <= LARGEST_BASE:
        if _passes(network, start, multiple, stride) and not any(_margin(network, (start,) * 3, stride)):
            yield (start,) * 3
            return
        found = [(start + more,) * 3 for more in range(multiple) if _passes(network, start + more, multiple, stride)]
        if found:
            yield from found
            return
        start *= 2
    raise ModelProblem("The network fits no patch.", hint="Ask its maker for the size that it takes.")


def _passes(network: keras.Model, edge: int, multiple: int, stride: Triple) -> bool:
    """Tell whether a patch passes, and a larger one gives as much more."""
    small, large = (length_out(network, (n, n, n)) for n in (edge, edge + multiple))
    if small is None or large is None:
        return False
    return all((b - a) * s == multiple for a, b, s in zip(small, large, stride, strict=True))
