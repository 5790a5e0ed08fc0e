"""Adopting a network that came from elsewhere: opened, judged, rebuilt, tried, and written as one of ours."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.backends import Kind, compile_function, full_precision
from napari_vol3d.engine.foreign import open_foreign, plainly, telling_why
from napari_vol3d.engine.messages import Adopt, Adopted, OutputSeen
from napari_vol3d.engine.outputs import activation_of, behind_labels, check_scores, settle_activation
from napari_vol3d.engine.rebuild import TOLERANCE, Rebuilt, channels_of, rebuild, stored_size
from napari_vol3d.engine.replay import computed, layers_of, nodes_of

USUAL_EDGE = 64  # of a patch, where nothing says another
PROBE_EDGE = 16
ROUGHLY = 1e-3  # of the largest score: kernels that are fused add up in another order
BLENDED = (
    "Each score may depend on the whole patch (as with instance normalisation): larger scans are blended of "
    "overlapping patches, as such networks are used, and labels change a little with their size."
)
LABELLED = "It made labels of its scores in the end: the scores are used."
ONLY = "Only networks that score the voxels of 3D patches run here."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Candidate:
    """One output: what is known of it, and the network that leads there, if that can be used."""

    seen: OutputSeen
    rebuilt: Rebuilt | None = None
    ending: str = ""
    calls: int = 0

    @property
    def is_classes(self) -> bool:
        """Whether it ends as scores of classes do."""
        return self.ending in ("softmax", "sigmoid")


def adopt(request: Adopt) -> Adopted:
    """Make a network one that this program runs, and write it to `request.target`.

    Raises
    ------
    ModelProblem
        If it can't be opened, is no network that scores voxels, or does not compute what it should.
    """
    network, said = open_foreign(request.container, Path(request.source))
    with plainly(), full_precision():
        _check_inputs(network)
        _check_weights(network)
        candidates = [_candidate(network, number) for number in range(len(network.outputs))]
        chosen, rebuilt, sure = _chosen(candidates, request.output)
        adopted = _written(network, chosen, rebuilt, candidates, Path(request.target))
    unsure = (*(() if sure else ("chosen",)), *adopted.unsure)
    return adopted.model_copy(update={"changes": (*said, *adopted.changes), "unsure": unsure})


def _check_inputs(network: keras.Model) -> None:
    volumetric = any("3D" in type(layer).__name__ for layer in layers_of(network))
    for tensor in network.inputs:
        shape, rank = tuple(tensor.shape), len(tensor.shape)
        if rank == 4 and not volumetric:
            raise ModelProblem(f"The model takes 2D images ({_shape(shape)}), not 3D scans.", hint=ONLY)
        if rank not in (4, 5):
            what = "a vector" if rank == 2 else f"arrays of {rank - 1} axes"
            raise ModelProblem(f"The model takes {what} ({_shape(shape)}), not 3D scans.", hint=ONLY)
    if None in channels_of(network):
        raise ModelProblem("The number of channels is left open.", hint="Ask its maker for one with a fixed number.")
    if len({_space(tensor, network) for tensor in network.inputs}) > 1:
        sizes = ", ".join(_shape(tuple(tensor.shape)) for tensor in network.inputs)
        raise ModelProblem(f"The model takes inputs of different sizes: {sizes}.", hint=ONLY)


def _space(tensor: Any, network: keras.Model) -> tuple[Any, ...]:
    counts = channels_of(network)
    shape = list(tensor.shape[1:])
    shape.remove(counts[network.inputs.index(tensor)]) if len(shape) == 4 else None
    return tuple(shape)


def _shape(shape: tuple[int | None, ...]) -> str:
    return " x ".join(str(length or "any") for length in shape[1:])


def _check_weights(network: keras.Model) -> None:
    for layer in layers_of(network):
        if getattr(layer, "quantization_mode", None):
            raise ModelProblem(f"Layer {layer.name} is quantised.", hint="Ask its maker for the model in float32.")
        for weight in getattr(layer, "weights", ()):
            if not np.isfinite(np.asarray(ops.convert_to_numpy(weight), np.float32)).all():
                raise ModelProblem(
                    f"Weights of layer {layer.name} are not all numbers.", hint="The file is damaged: fetch it again."
                )


def _candidate(network: keras.Model, number: int) -> _Candidate:
    """Look at one output, and rebuild what leads to it."""
    tensor = behind_labels(network.outputs[number])
    name = output_names(network)[number]
    whole = len(network.outputs) == 1 and tensor is network.outputs[0]
    cut = network if whole else keras.Model(network.inputs, tensor, name=network.name)
    try:
        rebuilt = rebuild(cut)
        if tensor is not network.outputs[number]:
            rebuilt = replace(rebuilt, notes=(*rebuilt.notes, LABELLED))
        ending = activation_of(rebuilt.network)
        check_scores(ending, rebuilt.fit.stride)
    except ModelProblem as problem:
        if len(network.outputs) == 1:
            raise
        count = tensor.shape[-1] or 0
        return _Candidate(seen=OutputSeen(name=name, stride=(0, 0, 0), scores=count, problem=problem.message))
    scores = rebuilt.network.outputs[0].shape[-1]
    stride = rebuilt.fit.stride
    return _Candidate(
        seen=OutputSeen(name=name, stride=stride, scores=scores), rebuilt=rebuilt,
        ending=ending, calls=sum(1 for _ in nodes_of(cut)),
    )  # fmt: skip


def output_names(network: keras.Model) -> list[str]:
    """Give a name for each output: Keras', or the last layer's."""
    names = getattr(network, "output_names", None) or [t._keras_history.operation.name for t in network.outputs]
    return [n if names.count(n) == 1 else f"{n}_{number}" for number, n in enumerate(map(str, names), start=1)]


def _chosen(candidates: list[_Candidate], name: str | None) -> tuple[_Candidate, Rebuilt, bool]:
    """Give the output to use, and whether it was clear: the finest that ends as classes do, and lies deepest."""
    wanted = [each for each in candidates if name in (None, each.seen.name)]
    if not wanted:
        names = ", ".join(each.seen.name for each in candidates)
        raise ModelProblem(f"There is no output {name}.", hint=f"There are: {names}.")
    usable = [(each, each.rebuilt) for each in wanted if each.rebuilt is not None]
    if not usable:
        raise ModelProblem(wanted[0].seen.problem, hint=ONLY)
    best, rebuilt = max(usable, key=lambda pair: _rank(pair[0]))
    rivals = [each for each, _ in usable if each.seen.stride == best.seen.stride and each.is_classes == best.is_classes]
    return best, rebuilt, all(each.seen.scores == best.seen.scores for each in rivals)


def _rank(candidate: _Candidate) -> tuple[float, bool, int]:
    return -math.prod(candidate.seen.stride), candidate.is_classes, candidate.calls


def _written(
    original: keras.Model, chosen: _Candidate, rebuilt: Rebuilt, candidates: list[_Candidate], target: Path
) -> Adopted:
    """Try the network, write it, read it again, and tell what it is."""
    probe = _probe(rebuilt)
    seen = _tried(rebuilt.network, probe)
    network, activation, guessed, changes = settle_activation(rebuilt.network, seen)
    _write(network, target, probe)
    anatomy = study(network)
    parts = list(layers_of(original))
    counts = Counter(type(layer).__name__ for layer in parts if not isinstance(layer, keras.layers.InputLayer))
    return Adopted(
        channels=network.inputs[0].shape[-1], scores=chosen.seen.scores, fixed_size=rebuilt.fixed,
        patch_size=_patch_size(original, rebuilt, anatomy.multiple), multiple=anatomy.multiple, reach=anatomy.halo,
        instance_statistics=anatomy.instance_statistics, bytes_per_voxel=anatomy.bytes_per_voxel,
        flops_per_voxel=anatomy.flops_per_voxel, activation=activation,
        outputs=tuple(each.seen for each in candidates), chosen=chosen.seen.name, layers=tuple(counts.most_common()),
        parameters=original.count_params(), unsure=guessed,
        changes=(*rebuilt.notes, *changes, *[BLENDED] * (anatomy.instance_statistics and not rebuilt.fixed)),
    )  # fmt: skip


def _patch_size(original: keras.Model, rebuilt: Rebuilt, multiple: int) -> Triple:
    if rebuilt.fixed:
        return rebuilt.fixed
    if (stored := stored_size(original)) is not None:
        z, y, x = (max(edge // multiple, 1) * multiple for edge in stored)
        return z, y, x
    usual = -(-USUAL_EDGE // multiple) * multiple
    return usual, usual, usual


def _probe(rebuilt: Rebuilt) -> NDArray[np.float32]:
    """Give a small random patch; where there is one size only, that."""
    multiple = study(rebuilt.network).multiple
    edge = -(-max(PROBE_EDGE, multiple) // multiple) * multiple
    shape = rebuilt.fixed or (edge, edge, edge)
    return np.random.default_rng(1).normal(size=(1, *shape, rebuilt.network.inputs[0].shape[-1])).astype(np.float32)


def _tried(network: keras.Model, probe: NDArray[np.float32]) -> NDArray[np.float32]:
    seen = computed(network, [probe])[0]
    if not np.isfinite(seen).all():
        raise ModelProblem("A random patch gets scores that are no numbers.", hint="Its weights may be damaged.")
    if seen.shape[1:4] != probe.shape[1:4]:
        sizes = f"{_shape(probe.shape[:4])} voxels give {_shape(seen.shape[:4])}"
        raise ModelProblem(f"The output is not on the scan's grid: {sizes}.", hint=ONLY)
    return seen


def _write(network: keras.Model, target: Path, probe: NDArray[np.float32]) -> None:
    """Write the network, and make sure that what is read again gives the same scores, and so when it is compiled."""
    wanted = computed(network, [probe])[0]
    network.save(target)
    _undate(target)
    with telling_why(target):
        again = keras.saving.load_model(target, compile=False, safe_mode=True)
    _check_close(computed(again, [probe])[0], wanted, TOLERANCE, "written")
    # Runs compile it, and an optimiser of graphs may be wrong, as TensorFlow's was about zeros in front of a kernel.
    compiled = compile_function(lambda batch: (again(batch, training=False),), [_kind(again, probe)])
    _check_close(compiled(probe)[0], wanted, ROUGHLY, "compiled")


def _undate(target: Path) -> None:
    """Take the dates out of a .keras file: one network has one hash, whoever adds it and when."""
    with ZipFile(target) as file:
        parts = {name: file.read(name) for name in sorted(file.namelist())}
    about = json.loads(parts["metadata.json"])
    parts["metadata.json"] = json.dumps({key: value for key, value in about.items() if key != "date_saved"}).encode()
    with ZipFile(target, "w") as file:
        for name, content in parts.items():
            file.writestr(ZipInfo(name), content)


def _kind(network: keras.Model, probe: NDArray[np.float32]) -> Kind:
    """Give what a run knows of its patches when it compiles: the channels, and edges that are fixed."""
    return "float32", (1, *network.inputs[0].shape[1:4], probe.shape[-1])


def _check_close(given: NDArray[Any], wanted: NDArray[np.float32], tolerance: float, when: str) -> None:
    scale = max(1.0, float(np.abs(wanted).max()))
    if given.shape != wanted.shape or not np.abs(given - wanted).max() <= tolerance * scale:
        raise ModelProblem(f"The model changes when it is {when}.", hint="Please report this.")
