"""Which datasets of an HDF5 file are volumes; links are looked at, never followed out of the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.parts import Part

AXES = (3, 4, 5)
MOST_OBJECTS = 20_000
ELSEWHERE = "voxels in other files"


def list_parts(file: h5py.File, path: Path) -> tuple[Part, ...]:
    """List the datasets that could be volumes, by their paths; those with voxels in other files are named so.

    Raises
    ------
    FileProblem
        If the file holds more objects than anybody could choose from.
    """
    parts = []
    for key, node in _walk(file, path):
        if node is None:
            parts.append(Part(key=key, title=ELSEWHERE))
        elif _is_volume(node):
            parts.append(Part(key=key, title=ELSEWHERE if _is_elsewhere(node) else _title(node)))
    return tuple(parts)


def dataset_at(file: h5py.File, key: str, path: Path) -> h5py.Dataset | None:
    """Give the dataset that `list_parts` lists by this key, or None if its voxels are in other files."""
    found = next(node for name, node in _walk(file, path) if name == key)
    return None if found is None or _is_elsewhere(found) else found


def _walk(file: h5py.File, path: Path) -> Iterator[tuple[str, h5py.Dataset | None]]:
    """Give each dataset once, by its first path; None for links out of the file. Soft links are second names."""
    seen: set[Any] = set()
    waiting: list[tuple[str, Any]] = [("", file["/"])]
    while waiting:
        prefix, group = waiting.pop(0)
        for name in group:
            link = group.get(name, getlink=True)
            key = f"{prefix}{name}"
            if isinstance(link, h5py.ExternalLink):
                yield key, None
            if not isinstance(link, h5py.HardLink):
                continue
            node = group[name]
            info = h5py.h5o.get_info(node.id)
            place = (info.fileno, info.addr)
            if place in seen:  # groups may hold themselves
                continue
            seen.add(place)
            if len(seen) > MOST_OBJECTS:
                raise FileProblem(
                    f"Too many objects: {path.name} holds more than {MOST_OBJECTS:,}.",
                    hint="Copy the volume into a file of its own.",
                )
            if isinstance(node, h5py.Group):
                waiting.append((f"{key}/", node))
            elif isinstance(node, h5py.Dataset):
                yield key, node


def _is_volume(dataset: h5py.Dataset) -> bool:
    plain = dataset.dtype.kind in "buif" and dataset.dtype.itemsize <= 8
    return plain and dataset.shape is not None and len(dataset.shape) in AXES


def _is_elsewhere(dataset: h5py.Dataset) -> bool:
    return bool(dataset.is_virtual) or bool(dataset.external)


def _title(dataset: h5py.Dataset) -> str:
    chunks = f", in chunks of {_by(dataset.chunks)}" if dataset.chunks else ""
    return f"{_by(dataset.shape)}, {dataset.dtype.name}{chunks}"


def _by(lengths: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in lengths)
