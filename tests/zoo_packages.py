"""Small packages of the BioImage Model Zoo, as their publishers make them: specifications 0.4 and 0.5."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

WEIGHTS = b"weights of nobody"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def axes_05(order: str, *, channels: tuple[str, ...] = ("raw",), **space: Any) -> list[dict[str, Any]]:
    """Axis records of a 0.5 description, for "bczyx" and the like."""
    records = {"b": {"type": "batch"}, "c": {"type": "channel", "channel_names": list(channels)}}
    size = {"size": {"min": 16, "step": 8}}
    return [records.get(kind) or {"type": "space", "id": kind, **size, **space.get(kind, {})} for kind in order]


def described_04(**changes: Any) -> dict[str, Any]:
    """A description as StarDist or deepImageJ write it."""
    return {
        "format_version": "0.4.9", "type": "model", "name": "Nuclei 3D", "version": 0.2, "license": "BSD-3-Clause",
        "authors": [{"name": "A. Person", "orcid": "0000"}, {"name": "B. Person"}], "description": "Nuclei",
        "cite": [{"text": "Persons et al.", "doi": "10.1000/xyz"}, {"text": "More", "url": "https://example.org"}],
        "inputs": [{
            "name": "input", "axes": "bzyxc", "data_type": "float32",
            "shape": {"min": [1, 16, 16, 16, 1], "step": [0, 8, 8, 8, 0]},
            "preprocessing": [{"name": "scale_range", "kwargs": {
                "mode": "per_sample", "axes": "zyx", "min_percentile": 1, "max_percentile": 99.8}}],
        }],
        "outputs": [{
            "name": "output", "axes": "bzyxc", "data_type": "float32", "halo": [0, 4, 12, 12, 0],
            "shape": {"reference_tensor": "input", "scale": [1, 1, 1, 1, 1], "offset": [0, 0, 0, 0, 0]},
        }],
        "test_inputs": ["test_input.npy"], "test_outputs": ["test_output.npy"],
        "weights": {"keras_hdf5": {"source": "model.h5", "sha256": sha256(WEIGHTS)}},
        **changes,
    }  # fmt: skip


def described_05(**changes: Any) -> dict[str, Any]:
    """A description with axis records."""
    step = {"scale": 0.5, "unit": "micrometer"}
    return {
        "format_version": "0.5.4", "type": "model", "name": "Cells 3D", "version": "1.2.0", "license": "MIT",
        "authors": [{"name": "C. Person"}], "cite": [{"text": "Paper", "doi": "10.1000/abc"}],
        "inputs": [{
            "id": "raw", "data": {"type": "float32"},
            "axes": axes_05("bczyx", channels=("nuclei", "membrane"), z={**step, "scale": 2.0}, y=step, x=step),
            "preprocessing": [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["z", "y", "x"]}}],
            "test_tensor": {"source": "test_input.npy"},
        }],
        "outputs": [{
            "id": "out", "axes": axes_05("bczyx", channels=("background", "inside", "border"), x={"halo": 8}),
            "postprocessing": [{"id": "softmax", "kwargs": {"axis": "channel"}}],
            "test_tensor": {"source": "test_output.npy"},
        }],
        "weights": {"keras_v3": {"source": "model.keras", "keras_version": "3.5.0", "backend": ["tensorflow", "2.17"]}},
        **changes,
    }  # fmt: skip


def files_of(said: dict[str, Any], **more: bytes) -> dict[str, bytes]:
    """The description and the files that it usually names; of `more` the last "_" of a name is its dot."""
    named = {".".join(name.rsplit("_", 1)): content for name, content in more.items()}
    first = said["inputs"][0]["axes"]
    channels = 1 if isinstance(first, str) else len(next(a["channel_names"] for a in first if a["type"] == "channel"))
    order = first if isinstance(first, str) else "".join(a.get("id", a["type"])[0] for a in first)
    shape = tuple({"b": 1, "c": channels}.get(kind, 16 + "zyx".index(kind) if kind in "zyx" else 1) for kind in order)
    given = np.random.default_rng(0).normal(100, 20, shape).astype(np.float32)
    weights = {"model.h5": WEIGHTS, "model.keras": WEIGHTS}
    return {
        "rdf.yaml": yaml.safe_dump(said, sort_keys=False).encode(), "test_input.npy": npy(given),
        "test_output.npy": npy(given[:, :1] if order[1] == "c" else given), **weights, **named,
    }  # fmt: skip


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()
