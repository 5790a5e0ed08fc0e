"""Rewriting a network at load, so that the same scores cost less. What fails a check against the original is left out.

It works on every Keras backend. Where a network does not compute in float32, the check would measure its rounding and
not the rewriting: rewrite first, and set a lower precision afterwards.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.engine.anatomy import Graph, Step, graph_of, keras_name, study
from napari_vol3d.engine.backends import full_precision
from napari_vol3d.engine.fused import ON_TENSORFLOW, REFUSALS, BlockTranspose3D, FusedConv3D
from napari_vol3d.engine.layer_kinds import IDLE

TOLERANCE = 1e-4  # of the largest score, or of 1 where scores are smaller
FOLDED = "{} batch normalisation{s} folded"
PRODUCTS = "{} transposed convolution{s} turned into matrix products"
DILATED = "{} dilated convolution{s} computed in one piece"
SOFTMAX = "softmax left out"
HEADS = "{} further output{s} cut"
KINDS = (FOLDED, PRODUCTS, DILATED, SOFTMAX)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A network that gives the same scores at less cost.

    Attributes
    ----------
    network : keras.Model
        Has one output. Layers that did not change are the original's own.
    done : tuple of str
        What was rewritten, as "23 batch normalisations folded"; empty where the original came back.
    """

    network: keras.Model
    done: tuple[str, ...]


def rewrite(network: keras.Model, patch_size: Triple, *, keep_probabilities: bool = True) -> Rewritten:
    """Rewrite a network for inference.

    Parameters
    ----------
    network : keras.Model
        From (batch, z, y, x, channels) to (batch, z, y, x, scores).
    patch_size : tuple of int
        The network's usual patch, voxels; the one that the rewritten network is checked with is no larger.
    keep_probabilities : bool
        Whether a softmax at the end stays. Without it the scores are logits, whose largest is the same.

    Returns
    -------
    Rewritten
        The original network, and nothing done, if its graph is hidden or says more than one thing about a layer.
    """
    graph = graph_of(network)
    reason = _obstacle(network, graph)
    if graph is None or reason:
        logger.info("The network stays as it is: %s.", reason)
        return Rewritten(network=network, done=())
    kinds = tuple(kind for kind in KINDS if kind != SOFTMAX or not keep_probabilities)
    with full_precision():
        found = _checked(network, graph, _probe(network, graph, patch_size), kinds)
    if found is None:
        return Rewritten(network=network, done=())
    candidate, counts = found
    counts[HEADS] = len(network.outputs) - 1
    done = tuple(_say(kind, counts[kind]) for kind in (*KINDS, HEADS) if counts[kind])
    return Rewritten(network=candidate if done else network, done=done)


def _obstacle(network: keras.Model, graph: Graph | None) -> str:
    if graph is None:
        return "its graph is hidden"
    if len(network.inputs) != 1 or len(network.inputs[0].shape) != 5:
        return "it takes something else than one batch of patches"
    uses = Counter(id(step.layer) for step in graph.steps if getattr(step.layer, "weights", None))
    shared = [step.layer.name for step in graph.steps if uses[id(step.layer)] > 1]
    return f"layer {shared[0]} is used several times" if shared else ""


def _checked(
    network: keras.Model, graph: Graph, probe: NDArray[np.float32], kinds: tuple[str, ...]
) -> tuple[keras.Model, Counter[str]] | None:
    """Give a network with as many kinds of rewriting as pass the check: all at once, or else one after the other."""
    try:
        wanted = _scores(network, probe)
    except REFUSALS as error:
        logger.warning("Not rewritten: a patch of %s can't be scored: %s", probe.shape, str(error).strip()[:200])
        return None

    def attempt(chosen: tuple[str, ...]) -> tuple[keras.Model, Counter[str]] | None:
        try:
            candidate, counts = _rebuilt(network, graph, chosen)
            given = _scores(candidate, probe)
        except REFUSALS as error:
            logger.warning("Not rewritten (%s): %s", _names(chosen), str(error).strip()[:200])
            return None
        given = np.asarray(ops.convert_to_numpy(ops.softmax(given))) if counts[SOFTMAX] else given
        difference = _difference(wanted, given)
        if difference <= TOLERANCE:
            return candidate, counts
        logger.warning("Not rewritten (%s): scores would differ by %.1e.", _names(chosen), difference)
        return None

    best = attempt(kinds)
    if best is None:
        kept: tuple[str, ...] = ()
        for kind in kinds:
            better = attempt((*kept, kind))
            if better is not None:
                best, kept = better, (*kept, kind)
    return best or attempt(())


def _rebuilt(network: keras.Model, graph: Graph, kinds: Iterable[str]) -> tuple[keras.Model, Counter[str]]:
    """Call the network's layers anew, with the chosen kinds of rewriting, and count them."""
    readers = Counter(source for step in graph.steps for source in step.sources) + Counter([graph.output])
    makers = {step.result: step for step in graph.steps}
    norms: dict[int, Step] = {}  # the normalisation behind a convolution, by the convolution's result
    if FOLDED in kinds:
        norms = {n.sources[0]: n for n in graph.steps if _can_fold(makers.get((n.sources or (0,))[0]), n, readers)}
    folded = {step.result for step in norms.values()}
    counts: Counter[str] = Counter()
    made: dict[int, Any] = {}
    for step in graph.steps:
        if not step.sources and keras_name(step.layer) == "InputLayer":
            given = step.results[0]
            made[step.result] = keras.Input(batch_shape=given.shape, dtype=given.dtype, name=step.layer.name)
        elif step.result in folded or _is_idle(step):
            made[step.result] = made[step.sources[0]]
        elif step.result == graph.output and SOFTMAX in kinds and _is_softmax(step):
            counts[SOFTMAX] += 1
            made[step.result] = made[step.sources[0]]
        else:
            last = step.result == graph.output and SOFTMAX in kinds
            layer, kind = _replacement(step, norms.get(step.result), kinds, without_softmax=last)
            counts.update(kind)
            _call(layer, step, graph, made)
    return keras.Model(made[id(network.inputs[0])], made[graph.output], name=network.name), counts


def _call(layer: Any, step: Step, graph: Graph, made: dict[int, Any]) -> None:
    if layer is not step.layer:
        made[step.result] = layer(made[step.sources[0]])
        return

    def renew(value: Any) -> Any:
        return made.get(graph.same.get(id(value), id(value)), value)

    args, kwargs = keras.tree.map_structure(renew, (step.args, step.kwargs))
    results = keras.tree.flatten(layer(*args, **kwargs))
    made.update({id(old): new for old, new in zip(step.results, results, strict=True)})


def _replacement(
    step: Step, norm: Step | None, kinds: Iterable[str], *, without_softmax: bool
) -> tuple[Any, tuple[str, ...]]:
    """Give the layer to call instead of the step's, which may be the step's own, and the kinds of rewriting in it."""
    layer, kind = step.layer, type(step.layer)
    if kind not in (layers.Conv3D, layers.Conv3DTranspose):
        return layer, ()
    product = PRODUCTS in kinds and kind is layers.Conv3DTranspose and _is_block(layer)
    dilated = DILATED in kinds and ON_TENSORFLOW and kind is layers.Conv3D and _is_dilated(layer)
    softmax = without_softmax and layer.activation is keras.activations.softmax
    chosen = ((FOLDED, norm is not None), (PRODUCTS, product), (DILATED, dilated), (SOFTMAX, softmax))
    happens = tuple(name for name, so in chosen if so)
    if not happens:
        return layer, ()
    kernel, bias = _weights(layer, norm.layer if norm else None)
    options = {
        "activation": None if softmax else layer.activation, "dtype": layer.dtype_policy,
        "name": norm.layer.name if norm else layer.name,
    }  # fmt: skip
    source = step.args[0].shape if step.args else step.kwargs["inputs"].shape
    if product:
        block = BlockTranspose3D(layer.filters, layer.strides, **options)
        block.build(source)
        block.take(kernel, bias)
        return block, happens
    make: Callable[..., Any] = FusedConv3D if dilated else kind
    groups = {"groups": layer.groups} if kind is layers.Conv3D else {"output_padding": layer.output_padding}
    new = make(
        layer.filters, layer.kernel_size, strides=layer.strides, padding=layer.padding, data_format=layer.data_format,
        dilation_rate=layer.dilation_rate, kernel_initializer="zeros", **groups, **options,
    )  # fmt: skip
    new.build(source)
    new.set_weights([kernel, bias])
    return new, happens


def _weights(layer: Any, norm: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give kernel and bias of a convolution, with the normalisation behind it multiplied in."""
    kernel = _numbers(layer.kernel)
    bias = _numbers(layer.bias) if layer.use_bias else np.zeros(layer.filters)
    if norm is not None:
        factor = (_numbers(norm.gamma) if norm.scale else 1.0) / np.sqrt(_numbers(norm.moving_variance) + norm.epsilon)
        shift = _numbers(norm.beta) if norm.center else 0.0
        bias = (bias - _numbers(norm.moving_mean)) * factor + shift
        # Filters are the last axis of a convolution's kernel, and the last but one of a transposed one's.
        kernel = kernel * (factor[:, None] if isinstance(layer, layers.Conv3DTranspose) else factor)
    return kernel.astype(np.float32), bias.astype(np.float32)


def _numbers(variable: Any) -> NDArray[np.float64]:
    return np.asarray(ops.convert_to_numpy(variable), np.float64)


def _can_fold(conv: Step | None, norm: Step, readers: Counter[int]) -> bool:
    if conv is None or type(norm.layer) is not layers.BatchNormalization or norm.kwargs.get("training"):
        return False
    if type(conv.layer) not in (layers.Conv3D, layers.Conv3DTranspose) or readers[conv.result] != 1:
        return False
    channel_axis = 1 if conv.layer.data_format == "channels_first" else 4
    return conv.layer.activation is keras.activations.linear and norm.layer.axis % 5 == channel_axis


def _is_idle(step: Step) -> bool:
    return keras_name(step.layer) in IDLE and not step.kwargs.get("training") and len(step.sources) == 1


def _is_softmax(step: Step) -> bool:
    if keras_name(step.layer) == "Softmax":
        return getattr(step.layer, "axis", None) in (-1, 4) and len(step.sources) == 1
    return keras_name(step.layer) == "Activation" and step.layer.activation is keras.activations.softmax


def _is_block(layer: Any) -> bool:
    # Where kernel and stride agree, both paddings give the same.
    plain = layer.data_format == "channels_last" and set(layer.dilation_rate) == {1} and layer.output_padding is None
    return plain and tuple(layer.kernel_size) == tuple(layer.strides)


def _is_dilated(layer: Any) -> bool:
    return max(layer.dilation_rate) > 1 and layer.groups == 1 and layer.data_format == "channels_last"


def _probe(network: keras.Model, graph: Graph, patch_size: Triple) -> NDArray[np.float32]:
    """Give a random patch: two strides long, and so long that a dilated kernel meets more than its centre."""
    multiple = study(network).multiple
    spread = max((max(getattr(step.layer, "dilation_rate", (1,))) for step in graph.steps), default=1)
    wanted = -(-max(2 * multiple, 2 * spread + 1) // multiple) * multiple
    edge = max(multiple, min(wanted, *patch_size) // multiple * multiple)
    shape = (1, *(length or edge for length in network.inputs[0].shape[1:]))
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _scores(network: keras.Model, probe: NDArray[np.float32]) -> NDArray[np.float32]:
    outputs = keras.tree.flatten(network(probe, training=False))
    return np.asarray(ops.convert_to_numpy(outputs[0]), np.float32)


def _difference(wanted: NDArray[np.float32], given: NDArray[np.float32]) -> float:
    if wanted.shape != given.shape or not np.isfinite(given).all():
        return float("inf")
    return float(np.abs(wanted - given).max() / max(1.0, float(np.abs(wanted).max())))


def _say(kind: str, count: int) -> str:
    return kind.format(count, s="" if count == 1 else "s")


def _names(kinds: tuple[str, ...]) -> str:
    return ", ".join(kind.format("", s="s").strip() for kind in kinds) or "layer by layer"
