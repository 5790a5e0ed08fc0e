"""Checking that a network rebuilt from a TensorFlow graph gives the same scores."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.anatomy import graph_of, study
from napari_vol3d.engine.backends import full_precision
from napari_vol3d.engine.saved_rules import FIRST_TO_LAST, LAST_TO_FIRST
from napari_vol3d.engine.saved_sizes import ASK, Shape, filled, fits, resized, view_of

TOLERANCE = 1e-4  # of the largest score, or of 1 where scores are smaller
UNSTEADY = 10.0  # times what one digit of the input does to the scores may be rounding
NUDGE = np.float32(1 + 2**-22)
QUICK = 96**3  # voxels of a fixed size that are just computed
RANDOM = ("RandomUniform", "RandomStandardNormal", "StatelessRandomUniformV2", "StatelessRandomNormalV2")
DRAWN = "Random numbers are drawn as this model runs: dropout is on, or noise is added."
SIZED = ("Reshape", "BroadcastTo", "Conv3DBackpropInputV2")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stored:
    """The function of a SavedModel that takes one batch of 3D patches.

    Attributes
    ----------
    call : callable
        Runs it as it is.
    graph : GraphDef
        Of it, with all functions in line.
    source : str
        Its input.
    ends, names : tuple of str
        Its outputs, in the graph and in the signature.
    shape : tuple of int or None
        Of the input, in the graph's order of axes.
    kind : tf.DType
        Of the input.
    """

    call: Any
    graph: Any
    source: str
    ends: tuple[str, ...]
    names: tuple[str, ...]
    shape: tuple[int | None, ...]
    kind: Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rebuilt:
    """A Keras network, channels last, and whether the graph counts the channel axis of its ends as the second."""

    network: keras.Model
    first: bool
    firsts: tuple[bool, ...]


def check(stored: Stored, rebuilt: Rebuilt) -> None:
    """Compare a rebuilt network with the stored graph on random numbers.

    A network of a large fixed size is compared at a smaller one, where the graph can be changed to take it.

    Raises
    ------
    ModelProblem
        If an output differs by more than 1e-4 of its largest score.
    """
    if math.prod(n or 1 for n in stored.shape[1:]) > QUICK and _agrees_smaller(stored, rebuilt):
        return
    shape = next(_shapes(stored, rebuilt.network), None)
    if shape is None:
        raise ModelProblem("This SavedModel takes patches of no usual size.", hint=ASK)
    worst = _difference(stored, rebuilt, stored.call, shape)
    if worst > TOLERANCE and stored.shape[0] is None:  # what is computed of a whole batch is, here, of each scan
        worst = min(worst, _difference(stored, rebuilt, stored.call, (1, *shape[1:])))
    if worst > TOLERANCE and any(node.op in RANDOM for node in stored.graph.node):
        raise ModelProblem(DRAWN, hint=ASK)
    if worst > TOLERANCE and worst > UNSTEADY * _unsteadiness(stored, shape):
        raise ModelProblem(f"Rebuilt, this SavedModel gives other scores: by {worst:.1e}.", hint=ASK)


def _unsteadiness(stored: Stored, shape: Shape) -> float:
    """Give by how much the graph's own scores change where the input's last digit does."""
    probe = _probe(shape, stored.kind)
    scores = (tf.nest.flatten(stored.call(tf.constant(numbers, stored.kind))) for numbers in (probe, probe * NUDGE))
    return max(_apart(one.numpy(), two.numpy(), first=False) for one, two in zip(*scores, strict=True))


def _shapes(stored: Stored, network: keras.Model) -> Iterator[Shape]:
    """Give shapes that the graph takes: of unequal edges first, two strides long and longer than what it sees."""
    if None not in stored.shape[1:]:
        yield filled(stored.shape, 1, ())
        return
    multiple, least = study(network).multiple, _least(network)
    short = -(-max(2 * multiple, least) // multiple) * multiple
    triples = ((short, short + multiple, short), *((edge,) * 3 for edge in range(short, short + 2 * multiple + 64)))
    yield from (size for size in (filled(stored.shape, 2, edges) for edges in triples) if _gives(stored, size))


def _gives(stored: Stored, shape: Shape) -> bool:
    """Tell whether the graph gives any voxels for an input of this shape."""
    if not fits(stored.graph, stored.source, shape):
        return False
    try:
        view = view_of(stored.graph, stored.source, stored.ends, [shape])
    except ValueError:
        return False
    return all(end in view.shapes and min(view.shapes[end][0]) > 0 for end in view.outputs)


def _least(network: keras.Model) -> int:
    """Give an edge for which each dilated kernel meets more than its centre."""
    graph = graph_of(network)
    steps = graph.steps if graph else ()
    return 2 * max((max(getattr(step.layer, "dilation_rate", (1,))) for step in steps), default=1) + 1


def _agrees_smaller(stored: Stored, rebuilt: Rebuilt) -> bool:
    multiple = study(rebuilt.network).multiple
    edges = [edge or 0 for axis, edge in enumerate(stored.shape) if axis not in (0, 1 if rebuilt.first else 4)]
    least = max(2 * multiple, _least(rebuilt.network))
    parts = [p for p in (16, 8, 4, 2) if all(e % (p * multiple) == 0 and e // p >= least for e in edges)]
    if not parts or rebuilt.network.input_shape[1:4] != (None, None, None):
        return False
    try:
        call, shape = _smaller(stored, rebuilt, parts[0])
        return _difference(stored, rebuilt, call, shape) <= TOLERANCE
    except (ValueError, KeyError, tf.errors.OpError) as error:
        logger.info("Compared at the stored size: %s", str(error).strip()[:200])
        return False


def _smaller(stored: Stored, rebuilt: Rebuilt, part: int) -> tuple[Any, Shape]:
    """Give the graph for an input whose edges are a part of the stored ones, and the input's shape."""
    whole = filled(stored.shape, 1, ())
    space = range(2, 5) if rebuilt.first else range(1, 4)
    shape = tuple(n // part if axis in space else n for axis, n in enumerate(whole))
    view = view_of(stored.graph, stored.source, stored.ends, [whole])
    graph = resized(stored.graph, stored.source, shape)
    sizes: list[Any] = []
    for node in graph.node:
        key = f"{node.name}:0"
        if node.op not in SIZED or key not in view.shapes or key in view.settled:
            continue
        place = 0 if node.op == "Conv3DBackpropInputV2" else 1
        target = np.array(view.settled[view.inputs(key)[place]][0])
        divided = [n // part if axis in space and n > 1 and n % part == 0 else n for axis, n in enumerate(target)]
        constant = tf.compat.v1.NodeDef(name=f"{node.name}_smaller", op="Const")
        constant.attr["dtype"].type = tf.as_dtype(target.dtype).as_datatype_enum
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(divided, target.dtype))
        sizes.append(constant)
        node.input[place] = constant.name
    graph.node.extend(sizes)
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    return wrapped.prune([stored.source], list(stored.ends)), shape


def _difference(stored: Stored, rebuilt: Rebuilt, call: Any, shape: Shape) -> float:
    """Give the largest difference between scores of both, of the largest score or of 1."""
    probe = _probe(shape, stored.kind)
    with full_precision():
        wanted = tf.nest.flatten(call(tf.constant(probe, stored.kind)))
        turned = probe.transpose(FIRST_TO_LAST) if rebuilt.first else probe
        given = keras.tree.flatten(rebuilt.network(turned, training=False))
    pairs = zip(wanted, given, rebuilt.firsts, strict=True)
    return max(_apart(w.numpy(), np.asarray(keras.ops.convert_to_numpy(g)), first=first) for w, g, first in pairs)


def _probe(shape: Shape, kind: Any = tf.float32) -> NDArray[np.float32]:
    numbers = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return np.round(np.abs(50 * numbers)).clip(0, 127) if kind.is_integer else numbers


def _apart(wanted: NDArray[Any], given: NDArray[Any], *, first: bool) -> float:
    wanted = wanted.astype(np.float32)
    given = given.transpose(LAST_TO_FIRST) if first and given.ndim == 5 else given
    if wanted.ndim < given.ndim and wanted.size == given.size and wanted.shape[-1] == given.shape[-1]:
        wanted = wanted.reshape(given.shape)  # a volume that the graph gives flattened
    if wanted.shape != given.shape or not np.isfinite(given).all():
        return math.inf
    return float(np.abs(wanted - given).max() / max(1.0, float(np.abs(wanted).max())))
