"""Keras' own format: a ZIP archive of config.json, metadata.json and model.weights.h5."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.h5_apart import read_arrays_apart, read_h5_apart
from napari_vol3d.io.network_files.keras_h5 import StoredArrays
from napari_vol3d.io.network_files.plain_json import MOST_BYTES, read_json
from napari_vol3d.io.network_files.plain_zip import member_file, opened, read_member
from napari_vol3d.io.safe_write import write_safely

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasArchive:
    """A .keras file: its network as JSON, the arrays beside it, and the Keras that wrote it."""

    config: Any
    weights: StoredArrays
    version: str


def is_keras(names: Container[str]) -> bool:
    """Whether an archive with these members is a .keras file."""
    return CONFIG in names and (METADATA in names or WEIGHTS in names)


def read_keras(path: Path) -> KerasArchive:
    """Read what is stored in a .keras file.

    Raises
    ------
    ModelProblem
        If the archive holds anything else, or something that must not be.
    """
    with opened(path) as members:
        for name in members:
            if name not in (CONFIG, METADATA, WEIGHTS):
                raise ModelProblem(
                    f"Not allowed: {name[:80]!r} in {path.name}; a network needs no files of its own.",
                    hint="Save the network alone, without preprocessing layers.",
                )
        if missing := [name for name in (CONFIG, METADATA, WEIGHTS) if name not in members]:
            raise ModelProblem(f"Incomplete: {path.name} holds no {missing[0]}.", hint="Save the whole model again.")
        config = read_json(read_member(path, members[CONFIG], MOST_BYTES), f"{CONFIG} of {path.name}")
        about = read_member(path, members[METADATA], MOST_BYTES)
        with member_file(path, members[WEIGHTS]) as (file, start):
            weights = read_h5_apart(file, f"{WEIGHTS} of {path.name}", members[WEIGHTS].file_size, start=start)
    found = read_json(about, f"{METADATA} of {path.name}")
    if not isinstance(found, dict):
        raise ModelProblem(f"Damaged: {METADATA} of {path.name} says nothing.", hint="Save the whole model again.")
    return KerasArchive(config=config, weights=weights, version=str(found.get("keras_version", ""))[:40])


def read_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a .keras file by their paths, without those of an optimizer; `ModelProblem` if damaged."""
    with opened(path) as members, member_file(path, members[WEIGHTS]) as (file, start):
        return read_arrays_apart(file, f"{WEIGHTS} of {path.name}", members[WEIGHTS].file_size, start=start)


def without_training(config: Any) -> Any:
    """Give a network's description without how it was to be trained, at any depth: losses may be anybody's code."""
    if isinstance(config, dict):
        return {key: without_training(value) for key, value in config.items() if key != "compile_config"}
    return [without_training(item) for item in config] if isinstance(config, list) else config


def copy_without_training(source: Path, target: Path) -> None:
    """Copy a .keras file, without how it was to be trained.

    Keras leaves that out at the top when it is told not to compile, but compiles nested networks all the same, and
    fails on a loss that it does not know.

    Raises
    ------
    ModelProblem
        If it is no such file.
    SaveProblem
        If it can't be written.
    """
    config = without_training(read_keras(source).config)
    write_safely(target, lambda path: _write(source, path, json.dumps(config)))


def _write(source: Path, path: Path, config: str) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            if info.filename == CONFIG:
                new.writestr(CONFIG, config)
            elif not info.is_dir():
                with old.open(info) as member, new.open(info.filename, "w", force_zip64=True) as copy:
                    shutil.copyfileobj(member, copy, 1 << 22)
