"""Telling a file or folder with a network from scans and all else, by a look at its beginning; nothing is loaded."""

from __future__ import annotations

import zipfile
from pathlib import Path

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.zip_files import check_list

PATTERNS = ("*.keras", "*.h5", "*.hdf5", "model.json", "*.zip", "*.yaml", "*.yml", "saved_model.pb")
HEAD = 1 << 20  # bytes of a text that are looked through: TensorFlow.js writes its format first
SIGNATURE, STARTS = b"\x89HDF\r\n\x1a\n", (0, 512, 1024, 2048)  # a block of somebody's own may come first
WITH_NETWORK = (b"model_config\0", b"keras_version\0", b"layer_names\0")  # attributes that Keras writes into HDF5
GROUPS = (b"layers", b"vars")  # names of links have no end
DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml")
MEMBERS = (*DESCRIPTIONS, "card.json", "model.json", "saved_model.pb", "keras_metadata.pb", "thresholds.json")
LAYERS = (b'"modelTopology"', b'"weightsManifest"')
OF_OTHERS = (".pt", ".pth", ".onnx", ".tflite", ".safetensors")  # the gate says what to do with them


def is_model(path: Path) -> bool:
    """Whether this is meant as a model; cheap, and no proof that it is a good one."""
    try:
        return _is_folder_of_model(path) if path.is_dir() else path.is_file() and _is_file_of_model(path)
    except OSError:
        return False


def _is_folder_of_model(folder: Path) -> bool:
    names = {name for name in MEMBERS if (folder / name).is_file()}
    if names & {*DESCRIPTIONS, "saved_model.pb"}:
        return True
    if "card.json" in names:
        return b'"weights"' in _head(folder / "card.json")
    if "model.json" in names:
        return _is_layers_model(folder / "model.json")
    return "thresholds.json" in names and (folder / "config.json").is_file()  # StarDist


def _is_file_of_model(path: Path) -> bool:
    name = path.name.lower()
    if name.endswith((".keras", *OF_OTHERS)) or name == "saved_model.pb":
        return True
    if name.endswith((".h5", ".hdf5")):
        return _is_keras_hdf5(path)
    if name.endswith(".zip"):
        return _is_package(path)
    if name.endswith((".yaml", ".yml")):
        head = _head(path)
        return b"format_version" in head and b"weights" in head
    if name == "card.json":
        return b'"weights"' in _head(path) and b'"intensity"' in _head(path)
    return name.endswith(".json") and _is_layers_model(path)


def _is_layers_model(path: Path) -> bool:
    head = _head(path)
    return any(key in head for key in LAYERS)


def _is_keras_hdf5(path: Path) -> bool:
    """Look for the names of what Keras stores, as bytes: HDF5 itself ends the program on files that are made for it.

    They are the first that it writes; `save_weights` of Keras 3 writes groups instead of attributes.
    """
    head = _head(path)
    if not any(head[at : at + len(SIGNATURE)] == SIGNATURE for at in STARTS):
        return False
    return any(name in head for name in WITH_NETWORK) or all(name in head for name in GROUPS)


def _is_package(path: Path) -> bool:
    try:
        check_list(path, path.stat().st_size)
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
    except (FileProblem, zipfile.BadZipFile, NotImplementedError, ValueError):
        return False
    return any(name.rsplit("/", 1)[-1] in MEMBERS or name.endswith(".keras") for name in names)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)
