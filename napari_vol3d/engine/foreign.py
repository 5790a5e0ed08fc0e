"""Opening a network from elsewhere: safely, whatever it came in, and with one sentence where it can't be opened."""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.backends import gist, library_errors
from napari_vol3d.engine.h5_of_keras3 import OF_H5
from napari_vol3d.engine.keras2_functions import hard_sigmoid
from napari_vol3d.engine.keras2_lists import name_lists
from napari_vol3d.engine.replay import is_nested, layers_of, nodes_of
from napari_vol3d.engine.stand_ins import STAND_INS
from napari_vol3d.engine.weight_norm import AddonsWeightNormalization

# A damaged file makes Keras raise nearly anything; these are the families, and `library_errors` come to them.
FAILURES: tuple[type[Exception], ...] = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, OSError, EOFError, ImportError,
    NameError, AssertionError, BadZipFile, zlib.error, struct.error,
)  # fmt: skip
WRAPPERS = {"Addons>WeightNormalization": AddonsWeightNormalization}
WHOLE = "Save the whole model as .keras, with model.save(), and add that."
STORED = "Batch normalisation that was called as in training uses its stored averages, as predict() does."
EXPORT = "Save it as a SavedModel, with model.export(), and add that."
REASONS: tuple[tuple[str, str, str], ...] = (
    (r"OOM when allocating|MemoryError|[Rr]esource exhausted", "it takes too much memory",
     "Ask its maker for a smaller one."),
    (r"File not found|not a zip|truncated|[Uu]nable to (?:synchronously )?open|[Bb]ad (?:local|magic|CRC)|signature",
     "it is damaged, or not all of it is there", "Fetch it again."),
    (r"No model config", "it holds weights without a model", WHOLE),
    (r"[Ll]ambda", "it has a Lambda layer, which is a program and not a layer", EXPORT),
    (r"Unknown layer: '([^']+)'|Could not locate (?:class|function) '([^']+)'|Unknown (?:\w+ )?function: '?(\w+)",
     "it needs {}, which is not part of Keras", EXPORT),
    (r"Weight count mismatch for layer #\d+ \(named (\S+) in|Shape mismatch in layer #\d+ \(named ([^)]+)\)",
     "the weights of layer {} are not those that the file describes", WHOLE),
    (r"Error when deserializing class '\w+' using config=\{'name': '([^']+)'",
     "Keras can't read how layer {} is set", EXPORT),
    (r"output shape / dtype of '([^']+)'", "Keras can't call layer {} as the file says", EXPORT),
)  # fmt: skip


def open_foreign(container: str, path: Path) -> tuple[keras.Model, tuple[str, ...]]:
    """Open a network; give it, and what had to be guessed, in sentences.

    Raises
    ------
    ModelProblem
        If it can't be opened, or is no graph of layers.
    """
    said: tuple[str, ...] = ()
    with telling_why(path), plainly():
        match container:
            case "saved_model":
                from napari_vol3d.engine.saved_graph import sized_network_of

                network = _said_plainly(sized_network_of, path)
            case "weights":
                from napari_vol3d.engine.own_weights import own_network

                network, guess = own_network(path)
                said = (guess,)
            case "stardist":
                from napari_vol3d.engine.stardist import stardist_network

                network = stardist_network(path)
            case "h5":
                name_lists(named := _named(path, (".h5", ".hdf5")))
                network, said = _loaded(named, {**STAND_INS, **OF_H5, **WRAPPERS})
            case _:
                network, said = _loaded(_named(path, (".keras",)), STAND_INS)
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise ModelProblem(
            f"The model hides how it computes: it is a {type(network).__name__}, no graph of layers.", hint=EXPORT
        )
    return network, said


def _loaded(path: Path, stand_ins: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """Read a model so that it computes as `predict` of the Keras that wrote it does; tell what that changed."""
    network = keras.saving.load_model(path, custom_objects=stand_ins, compile=False, safe_mode=True)
    if not is_nested(network):
        return network, ()
    if getattr(network, "of_keras_2", False):
        steepen(network)
        return network, ()
    return network, (STORED,) if _use_stored_averages(network) else ()


def steepen(network: keras.Model) -> None:
    """Give layers that Keras 2 made its own hard sigmoid; `ModelProblem` where one is inside another layer."""
    flat = keras.activations.hard_sigmoid
    shown = {id(layer) for layer in layers_of(network)}
    for layer in network._flatten_layers():
        hidden = getattr(layer, "recurrent_activation", None) is flat
        if hidden or (getattr(layer, "activation", None) is flat and id(layer) not in shown):
            raise ModelProblem(
                f"Layer {layer.name} hides a hard sigmoid, which differs in Keras 3.",
                hint="Save the model as a SavedModel with Keras 2, and add that.",
            )
        if getattr(layer, "activation", None) is flat:
            layer.activation = hard_sigmoid


def _use_stored_averages(network: keras.Model) -> bool:
    """Leave "training" out of calls of batch normalisation, as Keras 3 overrules it in `predict`; tell if there was."""
    found = False
    for node in nodes_of(network):
        if is_nested(node.operation):
            found |= _use_stored_averages(node.operation)
        elif isinstance(node.operation, keras.layers.BatchNormalization):
            found |= bool(node.arguments.kwargs.pop("training", None))
    return found


def _said_plainly(opened: Callable[[Path], keras.Model], path: Path) -> keras.Model:
    """Open a SavedModel; say in a sentence of ours what TensorFlow says in its own of a layer that learns on."""
    try:
        return opened(path)
    except ModelProblem as problem:
        if (node := re.search(r"node (?:\S*/)?([^/\s]+)/Assign\w*VariableOp", problem.message)) is None:
            raise
        raise ModelProblem(
            f"The model learns on as it runs: layer {node[1]} changes its weights.",
            hint="Ask its maker for one that was exported without training=True.",
        ) from problem


@contextmanager
def telling_why(path: Path) -> Iterator[None]:
    """Turn whatever Keras raises into a `ModelProblem` that says why."""
    try:
        yield
    except (*FAILURES, *library_errors()) as error:
        reason, hint = _reason(error, path)
        raise ModelProblem(f"The model can't be loaded, because {reason}.", hint=hint) from error


@contextmanager
def plainly() -> Iterator[None]:
    """Make layers that compute in float32, so that what is done to a network is judged without its rounding.

    Warnings are left out: they are Keras' words to the people who wrote the model.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        keras.config.set_dtype_policy(policy)


def _reason(error: Exception, path: Path) -> tuple[str, str]:
    text = f"{type(error).__name__}: {error}"
    for pattern, reason, hint in REASONS:
        if found := re.search(pattern, text):
            return reason.format(next(filter(None, found.groups()), "something")), hint
    # No path of a machine: what Keras says may go into a report.
    said = re.sub(r"(?:/[^\s'\"/]+)+/", "", gist(error).replace(str(path), path.name))
    return "Keras says: " + (said[:200].rstrip(".") or type(error).__name__), WHOLE


def _named(path: Path, suffixes: tuple[str, ...]) -> Path:
    """Give the file with an ending that tells Keras what it is; it lies in the engine's own folder."""
    return path if path.suffix in suffixes else path.rename(path.with_name(path.name + suffixes[0]))
