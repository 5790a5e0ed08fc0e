"""BioImage Model Zoo packages (https://bioimage.io): what one says of its model, and its Keras or TensorFlow weights.

A folder or a zip with an rdf.yaml of the model specification 0.3, 0.4 or 0.5. No library of the zoo is needed, and
nothing that a package names is imported or run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem, ModelProblem
from napari_vol3d.io import zip_files
from napari_vol3d.io.bundle import Bundle, open_bundle
from napari_vol3d.io.zip_files import safe_name
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.draft import CardDraft, draft_of
from napari_vol3d.models.zoo import told
from napari_vol3d.models.zoo.description import (
    description_in,
    is_description,
    mapping,
    mappings,
    read_description,
    text,
)
from napari_vol3d.models.zoo.example import channels_last, read_array
from napari_vol3d.models.zoo.steps import apply
from napari_vol3d.models.zoo.tensors import Tensor, read_tensors

Inside = Literal["keras", "h5", "saved_model", "tfjs"]
# Best first: what Keras writes itself needs the least guessing.
WEIGHTS: dict[str, Inside] = {
    "keras_v3": "keras", "keras_hdf5": "h5", "tensorflow_saved_model_bundle": "saved_model", "tensorflow_js": "tfjs",
}  # fmt: skip
MARKS = {"saved_model": "saved_model.pb", "tfjs": "model.json"}
SUFFIXES = {"keras": ".keras", "h5": ".h5"}
OTHERS = {"pytorch_state_dict": "PyTorch", "torchscript": "TorchScript", "onnx": "ONNX"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package, looked into and found sound; nothing is unpacked.

    Attributes
    ----------
    bundle : Bundle
        The folder or zip.
    description : str
        Name of the YAML file in it.
    draft : CardDraft
        What it says of its model, as far as a card can say it.
    card : ModelCard or None
        Our own card, where this program made the package.
    guessed : tuple of str
        Fields of that card that nobody has confirmed.
    container : str
        What its weights are: "keras", "h5", "saved_model" or "tfjs"; the latter two may be zips themselves.
    weights : str
        Name of the file with them.
    files : mapping of str to str
        The files that are used, description first, and their SHA-256 in hexadecimal; checked where the package says it.
    given, wanted : Tensor
        The first input and the first output.
    notes : tuple of str
        What it says and a card can't, in sentences for people.
    """

    bundle: Bundle
    description: str
    draft: CardDraft
    card: ModelCard | None
    container: Inside
    weights: str
    files: dict[str, str]
    given: Tensor
    wanted: Tensor
    guessed: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def after(self) -> tuple[str, ...]:
        """Names of the steps that the package puts behind its network, as "sigmoid"."""
        return tuple(step.name for step in self.wanted.steps if not step.name.startswith("ensure_dtype"))

    @property
    def has_test(self) -> bool:
        """Whether `test_pair` can be read."""
        return {self.given.test, self.wanted.test} <= set(self.files)


def read_package(path: Path) -> Package:
    """Look into a package.

    Parameters
    ----------
    path : Path
        A folder with an rdf.yaml (or bioimageio.yaml), that file, or a zip of the folder.

    Raises
    ------
    ModelProblem
        If it is none, is damaged or hostile, describes no 3D model, has weights of other libraries only, or a file is
        not the one whose SHA-256 it names.
    """
    with _as_model_problem():
        bundle, name = _described(path)
        said = read_description(bundle, name)
        given, wanted = _tensors(said, path)
        source = _weights(said, path)
        card, told_twice = told.own_card(said)
        draft, notes = told.draft_of_package(said, given, wanted)
        tests, left = _tests(given, wanted)
        files = {name: bundle.sha256(name)} | {file: _proved(bundle, *pair) for file, pair in (source | tests).items()}
        weights = next(iter(source))
        return Package(
            bundle=bundle, description=name, draft=draft_of(card) if card else draft, card=card,
            container=_container(said, weights), weights=weights, files=files, given=given, wanted=wanted,
            guessed=told.own_marks(said) if card else (),
            notes=(*_ignored(said), *left, *told_twice, *(() if card else notes)),
        )  # fmt: skip


def unpack(package: Package, folder: Path) -> Path:
    """Put the weights of a package into a folder of ours.

    Returns
    -------
    Path
        The .keras or .h5 file, the SavedModel's folder, or the model.json of TensorFlow.js.

    Raises
    ------
    ModelProblem
        If they are damaged or hostile, or not what the package says.
    """
    with _as_model_problem():
        if package.container not in MARKS:
            target = folder / f"model{SUFFIXES[package.container]}"
            package.bundle.copy(package.weights, target)
            return target
        packed, target = folder / "weights.zip", folder / "weights"
        package.bundle.copy(package.weights, packed)
        if not zip_files.looks_like_zip(packed):
            raise ModelProblem(f"Its weights are no zip: {package.weights}.", hint="Download the package again.")
        names = zip_files.unpack(packed, target)
        packed.unlink()
        return _marked(package, names, target)


def test_pair(package: Package) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the package's own example: what its network is given, prepared, and what is to come out in the end.

    Returns
    -------
    given : array, shape (1, z, y, x, C)
        After the package's preprocessing; axes of space in the order in which the network has them.
    wanted : array, shape (1, z, y, x, K)
        What ``finished(package, scores)`` should be.

    Raises
    ------
    ModelProblem
        If there is no example, it is no plain array, or a step is not known.
    """
    with _as_model_problem():
        if not package.has_test:
            raise ModelProblem("No example comes with this package.")
        first, last = (read_array(package.bundle, tensor) for tensor in (package.given, package.wanted))
        prepared = apply(package.given.steps, first, package.given.kinds)
        return channels_last(prepared, package.given), channels_last(last, package.wanted)


test_pair.__test__ = False  # type: ignore[attr-defined]  # its name makes pytest take it for a test


def finished(package: Package, scores: NDArray[Any]) -> NDArray[np.float32]:
    """Do to a network's scores, shape (1, z, y, x, K), what the package does to them."""
    return apply(package.wanted.steps, scores, f"b{package.wanted.space}c")


@contextmanager
def _as_model_problem() -> Iterator[None]:
    try:
        yield
    except FileProblem as problem:
        raise ModelProblem(problem.message, hint=problem.hint) from problem


def _described(path: Path) -> tuple[Bundle, str]:
    if path.is_file() and not zip_files.looks_like_zip(path):
        if not is_description(path.name):
            raise ModelProblem(f"No package of the BioImage Model Zoo: {path.name}.", hint="It has an rdf.yaml.")
        return open_bundle(path.parent), path.name
    bundle = open_bundle(path)
    name = description_in(bundle)
    if name is None:
        raise ModelProblem(f"No rdf.yaml in {path.name}.", hint="A package of the BioImage Model Zoo has one.")
    return bundle, name


def _tensors(said: dict[str, Any], path: Path) -> tuple[Tensor, Tensor]:
    kind, version = text(said.get("type")) or "model", text(said.get("format_version"))
    if kind != "model":
        raise ModelProblem(f"A {kind[:30]}, not a model: {path.name}.", hint="Choose the package of a model.")
    if not version.startswith(("0.3", "0.4", "0.5")):
        raise ModelProblem(
            f"Format {version[:20] or 'unknown'}: {path.name} is written in another version.",
            hint="The model specifications 0.3 to 0.5 are read.",
        )
    inputs, outputs = read_tensors(said, "inputs"), read_tensors(said, "outputs")
    if not inputs or not outputs:
        raise ModelProblem(f"No input or output is described in {path.name}.", hint="Download the package again.")
    for tensor, what in ((inputs[0], "takes"), (outputs[0], "gives")):
        if sorted(tensor.space) != ["x", "y", "z"] or set(tensor.kinds) - set("bczyx"):
            dimensions = "2D images" if sorted(tensor.space) == ["x", "y"] else f"axes {tensor.kinds or 'unknown'}"
            raise ModelProblem(
                f"Not a 3D model: {path.name} {what} {dimensions}.", hint="Axes z, y, x and channel are needed."
            )
    return inputs[0], outputs[0]


def _weights(said: dict[str, Any], path: Path) -> dict[str, tuple[str, str]]:
    """Give the weights' plain name, with the name and the SHA-256 that the package says."""
    offered = mapping(said.get("weights"))
    entry = next((mapping(offered[kind]) for kind in WEIGHTS if mapping(offered.get(kind)).get("source")), None)
    if entry is None:
        known = ", ".join(OTHERS.get(str(kind), str(kind)[:40]) for kind in offered) or "no"
        raise ModelProblem(
            f"Only {known} weights: {path.name} can't be run by Keras.", hint="Keras or TensorFlow weights are needed."
        )
    source = text(entry["source"])
    return {safe_name(source): (source, text(entry.get("sha256")))}


def _container(said: dict[str, Any], weights: str) -> Inside:
    offered = mapping(said.get("weights"))
    kind = next(kind for kind in WEIGHTS if mapping(offered.get(kind)).get("source"))
    return "keras" if weights.lower().endswith(".keras") else WEIGHTS[kind]


def _tests(given: Tensor, wanted: Tensor) -> tuple[dict[str, tuple[str, str]], tuple[str, ...]]:
    """Give the example's two files, or none: one of them alone, or on the net, is no use."""
    if not given.test or not wanted.test:
        return {}, ()
    if any("://" in tensor.test for tensor in (given, wanted)):
        return {}, ("Its example lies on the net, so that it can't be tried here.",)
    return {safe_name(tensor.test): (tensor.test, tensor.sha256) for tensor in (given, wanted)}, ()


def _proved(bundle: Bundle, name: str, sha256: str) -> str:
    found = bundle.sha256(name)
    if sha256 and found != sha256.lower():
        raise ModelProblem(
            f"Not the file that it was: {name[:80]} has another SHA-256 than the package says.",
            hint="Download the package again.",
        )
    return found


def _ignored(said: dict[str, Any]) -> tuple[str, ...]:
    """Name the code that a package brings along."""
    entries = [mapping(entry) for entry in mapping(said.get("weights")).values()]
    code = [text(mapping(entry.get("architecture")).get("source") or entry.get("architecture")) for entry in entries]
    for tensor in (*mappings(said.get("inputs")), *mappings(said.get("outputs"))):
        for step in (*mappings(tensor.get("preprocessing")), *mappings(tensor.get("postprocessing"))):
            code.append(text(step.get("source")))
    named = sorted({name.partition(":")[0] for name in code if name})
    return (f"Program code of the package is not used: {', '.join(named)[:200]}.",) if named else ()


def _marked(package: Package, names: list[str], target: Path) -> Path:
    """Find the model in unpacked weights: the mark that lies least deep."""
    mark = MARKS[package.container]
    found = sorted((n for n in names if n.rpartition("/")[2] == mark), key=lambda name: name.count("/"))
    if not found:
        raise ModelProblem(f"No {mark} in {package.weights}.", hint="Download the package again.")
    path = target / found[0]
    return path if package.container == "tfjs" else path.parent
