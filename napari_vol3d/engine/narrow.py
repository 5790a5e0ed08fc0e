"""Computing only what a few rows of scores need: of each layer, along one axis, the rows that they still see.

A slice that a person looks at comes out of a patch that is a halo thicker on both sides. Near the end of a network only
little of that is left to be seen: most rows of its largest layers, a U-Net's decoder at full resolution, need not be
computed. Where layers see beyond the patch they meet the same padding as before, so the scores are the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from napari_vol3d.engine.anatomy import CONVOLUTIONS, Graph, Step, Window, graph_of, keras_name, study, view, windows
from napari_vol3d.engine.fused import REFUSALS

TOLERANCE = 1e-5  # of the largest score, or of 1 where scores are smaller
PROBE = 16  # edge across the axis of the patch that a narrowed network is checked with, at least
Rows = tuple[int, int]  # first, and first no more

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The rows of a tensor that are computed, counted as in the whole one."""

    tensor: Any
    rows: Rows


def rows_of(network: keras.Model, axis: int, length: int, kept: Rows) -> Callable[..., Any]:
    """Give what computes the rows `kept` of a network's scores: narrowed, or where that can't be all and then cut.

    Parameters
    ----------
    network : keras.Model
        From (batch, z, y, x, channels) to (batch, z, y, x, scores).
    axis : int
        0 z, 1 y, 2 x.
    length : int
        Edge of the patches along it.
    kept : tuple of int
        First row that is wanted, and the first that is no more.
    """
    narrowed = narrow(network, axis, length, kept)
    if narrowed is not None:
        return narrowed
    place = (*(slice(None),) * (axis + 1), slice(*kept))
    return lambda patches, **options: network(patches, **options)[place]


def narrow(network: keras.Model, axis: int, length: int, kept: Rows) -> keras.Model | None:
    """Give a network whose scores have, along an axis, just the rows `kept` of those of a patch of that length.

    Parameters are as for `rows_of`; edges along the other axes may be any that the network takes. Layers that are not
    cut keep their weights in common with the original's.

    Returns
    -------
    keras.Model or None
        None where a layer sees the whole patch, or in a way that is not known, or where scores would differ.
    """
    graph = graph_of(network)
    lengths = _lengths(network, graph, axis, length)
    if graph is None or not lengths or not 0 <= kept[0] < kept[1] <= lengths[graph.output]:
        return None
    try:
        narrowed = _Cut(graph, axis, lengths, kept).model()
        difference = _difference(network, narrowed, axis, length, kept)
    except REFUSALS as error:
        logger.warning("Not narrowed: %s", str(error).strip()[:200])
        return None
    if difference > TOLERANCE:
        logger.warning("Not narrowed: scores would differ by %.1e.", difference)
        return None
    return narrowed


class _Cut:
    """The calls of a graph made anew, each on the rows that are still needed."""

    def __init__(self, graph: Graph, axis: int, lengths: dict[int, int], kept: Rows) -> None:
        self._graph, self._axis, self._lengths, self._kept = graph, axis, lengths, kept
        self._needed = _needed(graph, axis, lengths, kept)
        self._named = 0
        self._parts: dict[int, _Part] = {}

    def model(self) -> keras.Model:
        """Make the calls, and give what leads from the whole patch to the rows that are kept."""
        for step in self._graph.steps:
            self._parts[step.result] = self._part(step)
        inputs = next(self._parts[step.result] for step in self._graph.steps if not step.sources)
        scores = self._rows(self._graph.output, self._kept)
        return keras.Model(inputs.tensor, scores.tensor)

    def _part(self, step: Step) -> _Part:
        if not step.sources:
            return self._input(step)
        window = _window(step, self._axis)
        if window is None:
            return self._pointwise(step)
        needed, length = self._needed[step.result], self._lengths[step.result]
        # Where "same" pads along the axis, a cut of the input would be padded too, and its rows be wrong.
        padded = _is_same(step.layer) and window.reach > window.down
        if type(step.layer) in CONVOLUTIONS and padded and needed != (0, length):
            return self._without_padding(step, window, needed)
        (source,) = step.sources
        part = self._rows(source, _seen(window, needed, self._lengths[source]))
        first = part.rows[0] * max(window.up, 1) // window.down
        tensor = self._call(step, {source: part})
        return _Part(tensor=tensor, rows=(first, first + _length(step.layer, window, part.rows[1] - part.rows[0])))

    def _input(self, step: Step) -> _Part:
        """Take the whole patch, whose length along the axis is now fixed."""
        given, length = step.results[0], self._lengths[step.result]
        shape = [length if axis == self._axis + 1 else edge for axis, edge in enumerate(given.shape)]
        tensor = keras.Input(batch_shape=shape, dtype=given.dtype, name=step.layer.name)
        return _Part(tensor=tensor, rows=(0, length))

    def _pointwise(self, step: Step) -> _Part:
        """Call a layer on the rows that all its sources have."""
        parts = [self._parts[source] for source in step.sources]
        common = max(part.rows[0] for part in parts), min(part.rows[1] for part in parts)
        return _Part(tensor=self._call(step, {s: self._rows(s, common) for s in step.sources}), rows=common)

    def _without_padding(self, step: Step, window: Window, needed: Rows) -> _Part:
        """Convolve just the rows that are seen; around them zeros, along the axis where the patch itself ends."""
        (source,) = step.sources
        first, last = window.needed(needed[0], needed[1] - 1)
        within = max(first, 0), min(last + 1, self._lengths[source])
        padding = [(w.before, max(w.reach - w.down, 0) - w.before) for w in windows(step.layer) or ()]
        padding[self._axis] = (within[0] - first, last + 1 - within[1])
        tensor = self._rows(source, within).tensor
        if any(map(any, padding)):
            pad = layers.ZeroPadding3D(
                tuple(padding), data_format="channels_last", dtype=tensor.dtype, name=self._name()
            )  # fmt: skip
            tensor = pad(tensor)
        return _Part(tensor=_unpadded(step.layer, tensor, self._name()), rows=needed)

    def _name(self) -> str:
        """Give a name that no layer of a network has: Keras' own may lie in its file, and each may be there once."""
        self._named += 1
        return f"vol3d_narrow_{self._named}"

    def _rows(self, tensor: int, wanted: Rows) -> _Part:
        part = self._parts[tensor]
        ends = (wanted[0] - part.rows[0], part.rows[1] - wanted[1])
        if not any(ends):
            return part
        cropping = tuple(ends if axis == self._axis else (0, 0) for axis in range(3))
        crop = layers.Cropping3D(
            cropping, data_format="channels_last", dtype=part.tensor.dtype, name=self._name()
        )  # fmt: skip
        return _Part(tensor=crop(part.tensor), rows=wanted)

    def _call(self, step: Step, given: dict[int, _Part]) -> Any:
        def renew(value: Any) -> Any:
            part = given.get(self._graph.same.get(id(value), id(value)))
            return value if part is None else part.tensor

        args, kwargs = keras.tree.map_structure(renew, (step.args, step.kwargs))
        return step.layer(*args, **kwargs)


def _lengths(network: keras.Model, graph: Graph | None, axis: int, length: int) -> dict[int, int]:
    """Give the length of each tensor along the axis; nothing if there is a layer that can't be narrowed."""
    if graph is None or len(network.inputs) != 1 or len(network.inputs[0].shape) != 5:
        return {}
    if network.inputs[0].shape[axis + 1] not in (None, length):
        return {}
    lengths: dict[int, int] = {}
    for step in graph.steps:
        if not step.sources:
            found = length if keras_name(step.layer) == "InputLayer" else 0
        else:
            sources = {lengths[source] for source in step.sources}
            found = _step_length(step, axis, sources.pop()) if len(sources) == 1 else 0
        if found < 1:
            logger.info("Not narrowed: of layer %s it is not known what it sees.", step.layer.name)
            return {}
        lengths[step.result] = found
    return lengths


def _step_length(step: Step, axis: int, length: int) -> int:
    """Give how long a step's result is; 0 where it can't be narrowed."""
    sees, layer = view(step), step.layer
    plain = getattr(layer, "data_format", "channels_last") == "channels_last" and len(step.results) == 1
    window = _window(step, axis)
    if not plain or sees not in ("point", "window"):
        return 0
    if window is None:
        return length
    if type(layer) in (layers.ZeroPadding3D, layers.Cropping3D):
        moved = layer.padding if type(layer) is layers.ZeroPadding3D else layer.cropping
        return length if tuple(moved[axis]) == (0, 0) else 0
    if type(layer) is layers.Conv3DTranspose and (layer.output_padding is not None or max(layer.dilation_rate) > 1):
        return 0
    return 0 if _is_same(layer) and length % window.down else _length(layer, window, length)


def _length(layer: Any, window: Window, length: int) -> int:
    """Give how many rows a layer makes of some."""
    if window.up:
        beyond = type(layer) is layers.Conv3DTranspose and not _is_same(layer)
        return length * window.up + max(window.reach - window.up, 0) * beyond
    return length // window.down if _is_same(layer) else (length - window.reach) // window.down + 1


def _needed(graph: Graph, axis: int, lengths: dict[int, int], kept: Rows) -> dict[int, Rows]:
    """Give the rows of each tensor that the kept rows of scores see."""
    needed = {graph.output: kept}
    for step in reversed(graph.steps):
        window, rows = _window(step, axis), needed[step.result]
        for source in step.sources:
            first, stop = rows if window is None else _seen(window, rows, lengths[source])
            old = needed.get(source, (first, stop))
            needed[source] = (min(first, old[0]), max(stop, old[1]))
    return needed


def _seen(window: Window, rows: Rows, length: int) -> Rows:
    """Give the rows of a source that some of a result see, from whole steps of the stride to whole steps."""
    first, last = window.needed(rows[0], rows[1] - 1)
    if window.up:  # rows between those that an input voxel spreads to still have a bias
        first, last = min(first, rows[0] // window.up), max(last, (rows[1] - 1) // window.up)
    first, stop = max(first, 0), min(last + 1, length)
    # Without padding nothing is rounded at the beginning, and what is at the end exists, or is not used.
    return first // window.down * window.down, min(-(-stop // window.down) * window.down, length)


def _window(step: Step, axis: int) -> Window | None:
    found = windows(step.layer)
    return None if found is None else found[axis]


def _is_same(layer: Any) -> bool:
    return getattr(layer, "padding", "valid") == "same"


def _unpadded(layer: Any, padded: Any, name: str) -> Any:
    """Call a convolution with a copy that does not pad; a layer that is used twice has two copies."""
    config = layer.get_config() | {"padding": "valid", "kernel_initializer": "zeros", "name": name}
    new = type(layer).from_config(config)
    new.build(padded.shape)
    new.set_weights(layer.get_weights())
    return new(padded)


def _difference(network: keras.Model, narrowed: keras.Model, axis: int, length: int, kept: Rows) -> float:
    """Give how far the scores of a random patch are from the original's, of the largest or of 1."""
    multiple = study(network).multiple
    edge = -(-max(PROBE, 2 * multiple) // multiple) * multiple
    edges = [fixed or edge for fixed in network.inputs[0].shape[1:]]
    edges[axis] = length
    probe = np.random.default_rng(0).normal(size=(1, *edges)).astype(np.float32)
    wanted = np.moveaxis(_scores(network, probe), axis, 0)[slice(*kept)]
    given = np.moveaxis(_scores(narrowed, probe), axis, 0)
    if wanted.shape != given.shape or not np.isfinite(given).all():
        return float("inf")
    return float(np.abs(wanted - given).max() / max(1.0, float(np.abs(wanted).max())))


def _scores(network: keras.Model, probe: NDArray[np.float32]) -> NDArray[np.float32]:
    outputs = keras.tree.flatten(network(probe, training=False))
    return np.asarray(ops.convert_to_numpy(outputs[0]), np.float32)[0]
