"""A bioimage.io package at the gate: its weights are unpacked into a folder of ours for as long as they are judged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from napari_vol3d.io.private_folder import make_private_folder
from napari_vol3d.io.zip_files import unpack as unpack_zip
from napari_vol3d.models.bioimageio import Package, read_package, unpack
from napari_vol3d.models.gate import examine, fingerprint
from napari_vol3d.models.source import ModelSource


def examine_package(path: Path, package_path: Path) -> ModelSource:
    """Examine a package, with the weights in it.

    Parameters
    ----------
    path : Path
        What a person named.
    package_path : Path
        The package's folder, zip or description.

    Raises
    ------
    ModelProblem
        If the package is damaged or hostile, or its weights do not pass.
    """
    package = read_package(package_path)
    files = _files(package, package_path)
    folder = make_private_folder()
    try:
        inner = examine(unpack(package, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return replace(
        inner, path=path, container="bioimageio", files=files, sha256=fingerprint(files),
        size=sum(file.stat().st_size for file in files),
        draft=package.draft if package.card else package.draft.over(inner.draft), notes=(*package.notes, *inner.notes),
    )  # fmt: skip


def examine_packed(path: Path) -> ModelSource:
    """Examine a zip of a model folder of this program, as ``models export`` writes it.

    Raises
    ------
    ModelProblem
        If what is in it does not pass.
    FileProblem
        If the zip is damaged or hostile.
    """
    folder = make_private_folder()
    try:
        unpack_zip(path, folder / "model")
        inner = examine(folder / "model")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return replace(inner, path=path, files=(path,), sha256=fingerprint([path]), size=path.stat().st_size)


def _files(package: Package, path: Path) -> tuple[Path, ...]:
    """Give the zip, or those files of the folder that are used."""
    folder = path if path.is_dir() else path.parent
    inside = tuple(folder / name for name in package.files)
    return inside if all(file.is_file() for file in inside) else (path,)
