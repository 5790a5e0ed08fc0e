"""What a file or folder is, by its content: names lie. And what to do with models of other kinds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from napari_vol3d.core.errors import FileProblem, ModelProblem
from napari_vol3d.io.gate import regular_file
from napari_vol3d.io.magic import kind_of
from napari_vol3d.io.network_files.keras_zip import is_keras
from napari_vol3d.io.network_files.plain_json import MOST_BYTES, read_json
from napari_vol3d.io.network_files.plain_zip import listed
from napari_vol3d.io.network_files.tfjs import is_tfjs
from napari_vol3d.models.card import CARD_NAME
from napari_vol3d.models.gate_names import MODELS
from napari_vol3d.models.source import Container
from napari_vol3d.models.zoo.description import is_description

GRAPH_FILE = "saved_model.pb"
HEAD = 1 << 16
WANTED = "Wanted: .keras, .h5, a SavedModel, a TensorFlow.js layers model, or a bioimage.io package with one of these."
SOURCE = f"Ask its maker for the network that it was made of. {WANTED}"
FROM_TORCH = "Its maker can build the same network in Keras and save it as .keras; weights alone do not carry it."
TOGETHER = (
    "Put both together where it was made: keras.models.model_from_json, load_weights, then model.save; add that file."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What was found: the container, where it begins, and for an archive what it holds."""

    container: Container
    path: Path
    prefix: str = ""
    named: tuple[str, ...] = field(default=())


def recognise(path: Path) -> Kind:
    """Find out what a file or folder holds.

    Raises
    ------
    ModelProblem
        If it is no model that can be used; it says what it is.
    FileProblem
        If it is not there or no plain file.
    """
    return _folder(path) if path.is_dir() else _file(path)


def _folder(path: Path) -> Kind:
    names = {entry.name for entry in path.iterdir() if not entry.is_symlink()}
    if GRAPH_FILE in names:
        return Kind("saved_model", path)
    if any(is_description(name) for name in names):
        return Kind("bioimageio", path)
    if CARD_NAME in names:
        return Kind("vol3d", path)
    for name in ("model.json", "config.json"):
        if name in names and (container := _json(path / name)):
            return Kind(container, path / name if container == "tfjs" else path)
    if "saved_model.pbtxt" in names:
        raise ModelProblem(f"A SavedModel as text: {path.name} has no {GRAPH_FILE}.", hint="Save it in binary form.")
    if not names:
        raise ModelProblem(f"The folder is empty: {path.name}.", hint=WANTED)
    inside = sorted(name for name in names if name.endswith((".keras", ".h5", ".hdf5", ".zip")))
    hint = f"Choose one of its files: {', '.join(inside[:5])}." if inside else WANTED
    raise ModelProblem(f"No model by itself: the folder {path.name}.", hint=hint)


def _file(path: Path) -> Kind:
    regular_file(path)
    with path.open("rb") as file:
        start = file.read(HEAD)
    if start.startswith(b"PK\x03\x04"):
        return _archive(path)
    if kind_of(path) == "an HDF5 file":
        return Kind("h5", path)
    if path.name == GRAPH_FILE or (path.parent.name == "variables" and (path.parent.parent / GRAPH_FILE).is_file()):
        return Kind("saved_model", path.parent if path.name == GRAPH_FILE else path.parent.parent)
    if is_description(path.name):
        return Kind("bioimageio", path)
    if start.lstrip()[:1] == b"{" and (container := _json(path)):
        return Kind(container, path if container == "tfjs" else path.parent)
    raise _something_else(path, start)


def _archive(path: Path) -> Kind:
    try:
        names = [info.filename for info in listed(path)]
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise ModelProblem(
            f"Damaged archive: {path.name} begins as a ZIP file and is none.", hint="Copy or download it again."
        ) from error
    if is_keras(names):
        return Kind("keras", path)
    if any(is_description(Path(name).name) for name in names):
        return Kind("bioimageio", path)
    if graphs := [name for name in names if name.split("/")[-1] == GRAPH_FILE and name.count("/") <= 1]:
        return Kind("saved_model", path, prefix=graphs[0].removesuffix(GRAPH_FILE))
    if CARD_NAME in names:
        return Kind("vol3d", path)
    if any(name.endswith("data.pkl") for name in names):
        raise ModelProblem(f"A PyTorch model: {path.name}; this program runs Keras models.", hint=FROM_TORCH)
    if names and all(name.endswith(".npy") for name in names):
        raise ModelProblem(f"A NumPy archive: {path.name} holds arrays, not a network.", hint=WANTED)
    raise ModelProblem(f"No model in this archive: {path.name}.", hint=f"Unpack it and look inside. {WANTED}")


def _json(path: Path) -> Container | None:
    """Say which model a JSON file describes."""
    if regular_file(path).st_size > MOST_BYTES:  # a pipe would block
        raise ModelProblem(f"Too large: {path.name} is more than 8 MB of JSON.")
    content = read_json(path.read_bytes(), path.name)
    if is_tfjs(content):
        return "tfjs"
    if isinstance(content, dict) and "n_rays" in content:
        if content.get("n_dim") != 3:
            raise ModelProblem("Not a 3D network: this StarDist model is for images of 2 dimensions.")
        return "stardist"
    if isinstance(content, dict) and content.get("class_name") in MODELS:
        raise ModelProblem(f"Layers without weights: {path.name} says how a network is built.", hint=TOGETHER)
    return "vol3d" if path.name == CARD_NAME else None


def _something_else(path: Path, start: bytes) -> ModelProblem:
    name, ending = path.name, path.suffix.lower()
    if start[4:8] == b"TFL3":
        return ModelProblem(f"A TensorFlow Lite model: {name} is for phones.", hint=SOURCE)
    if start[:1] == b"\x80" and start[1:2] in b"\2\3\4\5":
        torch = ending in (".pt", ".pth", ".ckpt") or b"torch" in start
        words = f"A PyTorch model: {name}" if torch else f"A Python pickle: {name} could run any code"
        return ModelProblem(f"{words}; this program runs Keras models.", hint=FROM_TORCH)
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return ModelProblem(f"Weights alone: {name} is a safetensors file.", hint=FROM_TORCH)
    if ending == ".onnx" or b"onnx" in start[:200].lower() or b"pytorch" in start[:64]:
        return ModelProblem(f"An ONNX model: {name}; this program runs Keras models.", hint=SOURCE)
    if _in(name, (".index", ".data-0", ".meta", "checkpoint", ".ckpt")):
        return ModelProblem(
            f"A TensorFlow checkpoint: {name} holds weights without the network.", hint="Save the model as .keras."
        )
    if ending == ".pb":
        return ModelProblem(f"A frozen TensorFlow 1 graph: {name}.", hint=SOURCE)
    if ending == ".npy":
        return ModelProblem(f"A NumPy array: {name} is no network, and is not opened as one.", hint=WANTED)
    try:
        kind = kind_of(path)
    except FileProblem:
        kind = "no format known here"
    return ModelProblem(f"Not a model: {name} is {kind}.", hint=WANTED)


def _in(name: str, words: Iterable[str]) -> bool:
    return any(word in name for word in words)
