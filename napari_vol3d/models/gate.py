"""The gate: what a model file holds, found out and judged without TensorFlow, before anything of it is run.

A filter and not a boundary: what passes is still loaded in an engine process of its own, with Keras' safe mode, in a
cage where there is one. `gate_kinds` says what a file is, `gate_names` what may be in it; `gate_layers`, `gate_graph`
and `gate_sizes` hold the two against each other, `gate_calls` and `gate_unfolded` count what comes of nesting, and
`gate_draft` gathers what describes it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari_vol3d.core.errors import FileProblem, ModelProblem
from napari_vol3d.io.gate import regular_file
from napari_vol3d.io.network_files.h5_apart import read_h5_file
from napari_vol3d.io.network_files.keras2_config import network_of
from napari_vol3d.io.network_files.keras_h5 import StoredArrays
from napari_vol3d.io.network_files.keras_zip import KerasArchive, read_keras
from napari_vol3d.io.network_files.plain_json import AGAIN, read_json
from napari_vol3d.io.network_files.plain_zip import opened, read_member
from napari_vol3d.io.network_files.saved_model import read_saved_model
from napari_vol3d.io.network_files.tfjs import read_tfjs
from napari_vol3d.io.network_files.tree import plain_files
from napari_vol3d.models.card import CARD_NAME, sha256_of
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.gate_draft import draft_for, stardist_draft
from napari_vol3d.models.gate_graph import judge_graphs
from napari_vol3d.models.gate_keras2 import check_groups, readings
from napari_vol3d.models.gate_kinds import GRAPH_FILE, WANTED, Kind, recognise
from napari_vol3d.models.gate_layers import LayersSeen, judge_network
from napari_vol3d.models.gate_sizes import (
    WHOLE,
    check_counts,
    check_dimensions,
    check_padding,
    check_total,
    check_variables,
    is_variables,
)
from napari_vol3d.models.gate_stardist import check_stardist
from napari_vol3d.models.gate_words import plain_problem, plain_source
from napari_vol3d.models.source import Container, ModelSource
from napari_vol3d.models.store import open_model

MOST_GRAPH = 64 << 20
STARDIST_WEIGHTS = ("weights_best.h5", "weights_last.h5", "weights_now.h5")
RENAME = "Rename it and add it again."
BESIDE_GRAPH = ("fingerprint.pb", "keras_metadata.pb")
_passed: set[str] = set()  # hashes of what this process has found to be safe


def examine(path: Path) -> ModelSource:
    """Find out what a file or folder holds, and refuse it if it holds what a network does not need.

    Nothing of it is run, and nothing is written.

    Parameters
    ----------
    path : Path
        A .keras or .h5 file, a SavedModel's folder (or a file in it, or a zip of it), a TensorFlow.js model.json or
        its folder, a bioimage.io package, a StarDist folder, or a model folder of this program.

    Raises
    ------
    ModelProblem
        If it is no model that can be used, is damaged, or holds something that is not on the list, which is named.
    """
    if not path.name.isprintable():  # it is shown, written down, and may steer a terminal
        raise plain_problem(ModelProblem(f"Not a usable name: {path.name!r} holds hidden letters.", hint=RENAME))
    try:
        found = recognise(path)
        return plain_source(_EXAMINERS[found.container](path, found))
    except (FileProblem, ModelProblem) as problem:
        raise plain_problem(problem) from problem
    except OSError as error:
        raise ModelProblem(f"Can't be read: {path.name} ({error.strerror or error}).") from error


def require_safe(weights: Path) -> None:
    """Refuse the .keras file of a model that is about to run, if it would not pass `examine`.

    A file that has passed is only hashed again.

    Raises
    ------
    ModelProblem
        If it is not safe, or no .keras file.
    """
    try:
        mark = sha256_of(weights)
    except OSError as error:
        raise ModelProblem(f"Can't be read: {weights.name} ({error.strerror or error}).") from error
    if mark not in _passed:
        try:
            archive = _archive(weights)
            _judge(archive, archive.config, weights.name)  # Keras may meet what trains its nested networks
        except (FileProblem, ModelProblem) as problem:
            raise plain_problem(problem) from problem
        _passed.add(mark)


def _keras(path: Path, found: Kind) -> ModelSource:
    archive = _archive(found.path)
    config = network_of(archive)
    seen = _judge(archive, config, found.path.name)
    draft = draft_for(found.path, outside=found.path.parent, scores=_scores(config))
    return _source(
        path, "keras", [found.path], seen, archive.weights.parameters, draft, notes=_written_by(archive.version)
    )


def _archive(path: Path) -> KerasArchive:
    regular_file(path)
    check_total([path], path.name)
    archive = read_keras(path)
    if archive.weights.layout != "weights":
        judge_network(network_of(archive), path.name)  # one that hides how it computes has them in its own way
        raise ModelProblem(f"Incomplete: the weights in {path.name} are not as Keras writes them.", hint=WHOLE)
    return archive


def _judge(archive: KerasArchive, config: Any, name: str) -> LayersSeen:
    seen = judge_network(config, name)
    check_counts(seen, archive.weights.parameters, name)
    return seen


def _h5(path: Path, found: Kind) -> ModelSource:
    check_total([found.path], found.path.name)
    arrays = read_h5_file(found.path)
    check_padding(found.path.stat().st_size, arrays.parameters, found.path.name)
    if arrays.layout == "other":
        raise ModelProblem(f"Not a model: {found.path.name} is HDF5 without a Keras network.", hint=WANTED)
    if arrays.layout != "model":
        check_dimensions(arrays, found.path.name)
        draft = draft_for(found.path, outside=found.path.parent)
        seen = LayersSeen(contents=_groups(arrays), fewest=0)
        return _source(path, "weights", [found.path], seen, arrays.parameters, draft, notes=(WHOLE,))
    config = read_json(arrays.config, f"model_config of {found.path.name}")
    check_groups(config, arrays.version)
    seen = [judge_network(reading, found.path.name) for reading in readings(config)][-1]
    check_counts(seen, arrays.parameters, found.path.name)
    draft = draft_for(found.path, outside=found.path.parent, scores=_scores(config))
    return _source(path, "h5", [found.path], seen, arrays.parameters, draft, notes=_written_by(arrays.version))


def _saved_model(path: Path, found: Kind) -> ModelSource:
    if found.path.is_dir():
        sizes = plain_files(found.path)
        files = [found.path / name for name in sizes if name in (GRAPH_FILE, *BESIDE_GRAPH) or is_variables(name)]
        _check_assets(sizes, found.path.name)
        check_total(files, found.path.name)
        if GRAPH_FILE not in sizes:
            raise ModelProblem(f"Not a plain file: {GRAPH_FILE} in {found.path.name} is a folder.", hint=AGAIN)
        if sizes[GRAPH_FILE] > MOST_GRAPH:
            raise ModelProblem(f"Too large: the graph of {found.path.name} is more than 64 MB.")
        content = (found.path / GRAPH_FILE).read_bytes()
    else:
        files = [found.path]
        with opened(found.path) as members:
            inside = {n: info for n, info in members.items() if n.startswith(found.prefix)}
            sizes = {n.removeprefix(found.prefix): info.file_size for n, info in inside.items()}
            _check_assets(sizes, found.path.name)
            content = read_member(found.path, members[found.prefix + GRAPH_FILE], MOST_GRAPH)
    graphs = read_saved_model(content, found.path.name)
    contents = judge_graphs(graphs, found.path.name)
    parameters = check_variables(graphs, sizes, found.path.name)
    check_padding(sum(sizes[name] for name in sizes if is_variables(name)), parameters, found.path.name)
    draft = draft_for(found.path, outside=found.path.parent)
    return _source(path, "saved_model", files, LayersSeen(contents=contents, fewest=0), parameters, draft)


def _tfjs(path: Path, found: Kind) -> ModelSource:
    model = read_tfjs(found.path)
    files = [found.path, *model.shards]
    check_total(files, found.path.name)
    seen = judge_network(model.config, found.path.name)
    parameters = sum(array.nbytes // array.stored.itemsize for array in model.arrays)
    check_counts(seen, parameters, found.path.name)
    draft = draft_for(found.path, outside=found.path.parent.parent, scores=_scores(model.config))
    return _source(path, "tfjs", files, seen, parameters, draft)


def _bioimageio(path: Path, found: Kind) -> ModelSource:
    from napari_vol3d.models.gate_package import examine_package

    return examine_package(path, found.path)


def _stardist(path: Path, found: Kind) -> ModelSource:
    plain_files(found.path)
    config = read_json((found.path / "config.json").read_bytes(), "config.json")
    weights = next((found.path / name for name in STARDIST_WEIGHTS if (found.path / name).is_file()), None)
    if weights is None:
        raise ModelProblem(f"Weights are missing: {found.path.name} has no {STARDIST_WEIGHTS[0]}.")
    files = [found.path / "config.json", weights]
    check_total(files, found.path.name)
    arrays = read_h5_file(weights)
    check_dimensions(arrays, weights.name)
    draft = stardist_draft(config, found.path, found.path.parent)
    check_stardist(config, arrays.parameters, found.path.name)
    seen = LayersSeen(contents=_groups(arrays), fewest=0)
    notes = ("Of StarDist only the probability is used: touching nuclei are parted where it is low between them.",)
    return _source(path, "stardist", files, seen, arrays.parameters, draft, notes=notes)


def _vol3d(path: Path, found: Kind) -> ModelSource:
    if found.path.is_file():
        from napari_vol3d.models.gate_package import examine_packed

        return examine_packed(path)
    plain_files(found.path)
    model = open_model(found.path)
    archive = _archive(model.weights)
    seen = _judge(archive, archive.config, model.weights.name)
    draft = draft_for(found.path, outside=found.path)
    return _source(
        path, "vol3d", [found.path / CARD_NAME, model.weights], seen, archive.weights.parameters, draft,
        notes=_written_by(archive.version),
    )  # fmt: skip


_EXAMINERS = {
    "keras": _keras, "h5": _h5, "saved_model": _saved_model, "tfjs": _tfjs, "bioimageio": _bioimageio,
    "stardist": _stardist, "weights": _h5, "vol3d": _vol3d,
}  # fmt: skip


def _source(
    path: Path, container: Container, files: list[Path], seen: LayersSeen, parameters: int | None, draft: CardDraft, *,
    notes: tuple[str, ...] = (),
) -> ModelSource:  # fmt: skip
    return ModelSource(
        path=path, container=container, files=tuple(files), sha256=fingerprint(files),
        size=sum(file.stat().st_size for file in files), contents=seen.contents, parameters=parameters, draft=draft,
        notes=notes,
    )  # fmt: skip


def fingerprint(files: Iterable[Path]) -> str:
    """Give the SHA-256 of one file as it is; of several, of the lines "hash  name" as `sha256sum` prints them."""
    listed = list(files)
    if len(listed) == 1:
        return sha256_of(listed[0])
    root = Path(*_common([file.parts[:-1] for file in listed]))
    lines = [f"{sha256_of(file)}  {file.relative_to(root).as_posix()}\n" for file in listed]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def root_of(source: ModelSource) -> Path:
    """Give the folder that the files of a model lie in, at any depth."""
    return Path(*_common([file.parts[:-1] for file in source.files]))


def _common(folders: list[tuple[str, ...]]) -> tuple[str, ...]:
    level = 0
    while all(len(parts) > level and parts[level] == folders[0][level] for parts in folders):
        level += 1
    return folders[0][:level]


def _check_assets(sizes: dict[str, int], name: str) -> None:
    if extra := [n for n in sizes if n.startswith(("assets/", "assets.extra/"))]:
        raise ModelProblem(f"Not allowed: {extra[0][:80]!r} in {name}; a network needs no files of its own.")
    if "saved_model.cpb" in sizes:
        raise ModelProblem(f"Not allowed: saved_model.cpb in {name}, a graph in pieces.", hint="Save it in one piece.")


def _groups(arrays: StoredArrays) -> tuple[tuple[str, int], ...]:
    """Say what weights without a network are: arrays, by their number of axes."""
    ranks = Counter(len(shape) for shape in arrays.shapes.values())
    return tuple((f"array of {rank} axes", count) for rank, count in ranks.most_common())


def _scores(config: Any) -> int | None:
    """Give the scores of the last layer that says so, where it is easy to tell."""
    inside = config.get("config")
    layers = inside.get("layers") if isinstance(inside, dict) else inside
    for layer in reversed(layers if isinstance(layers, list) else []):
        own = layer.get("config") if isinstance(layer, dict) else None
        if isinstance(own, dict) and isinstance(own.get("filters"), int):
            return int(own["filters"])
    return None


def _written_by(version: str) -> tuple[str, ...]:
    return (f"Written by Keras {version}.",) if version else ()
