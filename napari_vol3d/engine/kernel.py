"""One kernel for every run: stored voxels of a patch in, class ids out, everything between on the device.

The window's run, the command line's and one block of a cluster call this on other patches. It is one compiled
function: normalise with the statistics of the whole volume, resample where the grids differ, the network, mirroring and
averaging, and the decision. Resampling is linear and axis by axis, so it is a product with three small matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, combinations, product
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.labels import label_dtype
from napari_vol3d.core.resample import GridMap
from napari_vol3d.engine.backends import Kind, compile_function
from napari_vol3d.engine.load import Network
from napari_vol3d.engine.narrow import rows_of

Tensor = Any


class PatchKernel:
    """The compiled function of some networks for patches of one kind.

    Parameters
    ----------
    networks : sequence of Network
        With the same channels and classes; the probabilities of several are averaged.
    dtype : str
        Of the stored voxels; at most 32 bits.
    resampled : bool
        Whether patches come as parts of a scan on another grid.
    wanted : str
        "labels": class ids; "both": also probabilities; "scores": class scores alone, to be blended.
    mirror_axes : tuple of int
        Axes (0 z, 1 y, 2 x) along which the patch is also seen mirrored.
    kept : tuple of int, optional
        An axis, other than those, and the first and the end of the rows along it that alone are wanted of a patch.
    length : int, optional
        Edge of the patches along that axis; the other edges may be any.
    """

    def __init__(
        self, networks: Sequence[Network], *, dtype: str, resampled: bool = False, wanted: str = "labels",
        mirror_axes: tuple[int, ...] = (), kept: Triple | None = None, length: int | None = None,
    ) -> None:  # fmt: skip
        self._networks = networks
        self._models = [each.model for each in networks]
        edges: list[int | None] = [None, None, None]
        if kept is not None and length is not None:
            axis, first, end = kept
            edges[axis] = length
            self._models = [rows_of(model, axis, length, (first, end)) for model in self._models]
        self._sigmoid = networks[0].activation == "sigmoid"
        self._averaged = len(networks) > 1 or bool(mirror_axes)
        # What comes out of several passes are probabilities already.
        self._logits = networks[0].activation == "none" and not self._averaged
        self._channels, self._title = len(networks[0].card.input.channels), networks[0].card.title
        ids = [0, *(item.id for item in networks[0].card.output.classes)]
        self.dtype = label_dtype(max(ids))
        self._ids = np.asarray(ids, self.dtype)
        self._flips = list(chain.from_iterable(combinations(mirror_axes, n) for n in range(len(mirror_axes) + 1)))
        self._wanted = wanted
        # Of channels that it does not know, Keras takes a convolution to be one of groups, and leaves it to XLA.
        kinds: list[Kind] = [(dtype, (*edges, self._channels)), ("float32", (5, self._channels))]
        self._run = compile_function(self._compute, kinds + [("float32", (None, None))] * (6 * resampled))

    def __call__(
        self, stored: NDArray[Any], intensity: NDArray[np.float32], ways: Sequence[NDArray[np.float32]] = ()
    ) -> tuple[NDArray[Any], ...]:
        """Compute a patch.

        Parameters
        ----------
        stored : ndarray, shape (z, y, x, C)
            Voxels as the scan holds them.
        intensity : ndarray of float32, shape (5, C)
            What `intensity_rows` gives.
        ways : sequence of ndarray
            What `resampling_ways` gives, where the grids differ.

        Returns
        -------
        tuple of ndarray
            Class ids (z, y, x); with "both" also probabilities (classes, z, y, x) as uint8; or scores (z, y, x, K):
            of the rows that are kept.

        Raises
        ------
        ScanMismatch
            If the channels are not the network's: TensorFlow would take more for groups, and compute nonsense.
        """
        received = (*stored.shape[3:], intensity.shape[1])
        if received != (self._channels, self._channels):
            raise ScanMismatch(
                f"{self._title} takes {self._channels} channel(s); received patches {stored.shape} and the "
                f"intensities of {intensity.shape[1]}.", hint="Choose a model that was made for this scan.",
            )  # fmt: skip
        return self._run(np.ascontiguousarray(stored), intensity, *ways)

    def decide(self, scores: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Give ids and probabilities, as the compiled function does, of scores that were blended outside it."""
        found = self._labels(ops.convert_to_tensor(scores)), self._probabilities(ops.convert_to_tensor(scores))
        return np.asarray(ops.convert_to_numpy(found[0])), np.asarray(ops.convert_to_numpy(found[1]))

    def _compute(self, stored: Tensor, intensity: Tensor, *ways: Tensor) -> tuple[Tensor, ...]:
        values = _normalise(stored, intensity)
        values = _resample(values, ways[:3])
        scores = _resample(self._scores(values), ways[3:])
        if self._wanted == "scores":
            return (scores,)
        return (self._labels(scores), *([self._probabilities(scores)] if self._wanted == "both" else []))

    def _scores(self, values: Tensor) -> Tensor:
        batch = ops.expand_dims(values, 0)
        if not self._averaged:
            return self._models[0](batch, training=False)[0]
        passes = product(zip(self._networks, self._models, strict=True), self._flips)
        seen = [self._seen(network, model, batch, flip) for (network, model), flip in passes]
        return sum(seen[1:], start=seen[0]) / len(seen)

    def _seen(self, network: Network, model: Callable[..., Tensor], batch: Tensor, flip: Sequence[int]) -> Tensor:
        """Give the probabilities of a patch that a network sees mirrored along `flip`."""
        axes = [axis + 1 for axis in flip]
        found = network.probabilities(model(ops.flip(batch, axes) if axes else batch, training=False))
        return (ops.flip(found, axes) if axes else found)[0]

    def _labels(self, scores: Tensor) -> Tensor:
        best = ops.argmax(scores, axis=-1)
        if self._sigmoid:  # the largest above one half, else background
            best = ops.where(ops.max(scores, axis=-1) > 0.5, best + 1, 0)
        return ops.take(ops.convert_to_tensor(self._ids), ops.cast(best, "int32"))

    def _probabilities(self, scores: Tensor) -> Tensor:
        if self._logits:
            scores = ops.softmax(scores, axis=-1)
        foreground = scores if self._sigmoid else scores[..., 1:]
        return ops.cast(ops.round(ops.transpose(foreground, (3, 0, 1, 2)) * 255), "uint8")


def intensity_rows(maps: Sequence[IntensityMap]) -> NDArray[np.float32]:
    """Give what a kernel needs of intensity maps, shape (5, C): low, high, stand-in for no number, shift, scale."""
    fills = [each.low if np.isfinite(each.low) else each.shift for each in maps]
    rows = [[m.low for m in maps], [m.high for m in maps], fills, [m.shift for m in maps], [m.scale for m in maps]]
    return np.asarray(rows, dtype=np.float32)


def resampling_ways(
    grid: GridMap, patch: Box, part_size: Sequence[int], owned: Box, owned_size: Sequence[int]
) -> list[NDArray[np.float32]]:
    """Give the six matrices of a patch: from scan voxels (z, y, x) to the patch, and from its scores to the scan.

    Their shapes are the same for every patch of a plan: where a patch needs or owns fewer voxels than the largest, the
    rest are zeros.
    """
    part = grid.needed(patch)
    to_model, to_scan = [], []
    for axis in range(3):
        at = (patch.start[axis], patch.stop[axis])
        way = grid.weights_to_model(axis, (part.start[axis], part.stop[axis]), at)
        to_model.append(np.pad(way, ((0, 0), (0, part_size[axis] - way.shape[1]))))
        way = grid.weights_to_scan(axis, at, (owned.start[axis], owned.stop[axis]))
        to_scan.append(np.pad(way, ((0, owned_size[axis] - way.shape[0]), (0, 0))))
    return [*to_model, *to_scan]


def _normalise(stored: Tensor, rows: Tensor) -> Tensor:
    """Map intensities as `IntensityMap.apply` does."""
    low, high, fill, shift, scale = (rows[number] for number in range(5))
    values = ops.minimum(ops.maximum(ops.cast(stored, "float32"), low), high)
    if "float" in keras.backend.standardize_dtype(stored.dtype):  # integers are always numbers
        values = ops.where(ops.isfinite(values), values, fill)
    return (values - shift) * scale


def _resample(values: Tensor, ways: Sequence[Tensor]) -> Tensor:
    """Multiply the axes z, y and x of (z, y, x, K) by a matrix each."""
    for axis, way in enumerate(ways):
        values = ops.moveaxis(ops.tensordot(way, values, axes=[[1], [axis]]), 0, axis)
    return values
