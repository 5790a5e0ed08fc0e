"""What a model declares held against what is stored, and both against the memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.keras_h5 import StoredArrays
from napari_vol3d.io.network_files.saved_model import Graph
from napari_vol3d.models.gate_layers import LayersSeen

MOST_STORED = 4 << 30
BYTES = 4  # of a weight
SLACK, MOST_BYTES = 64 << 20, 64  # of a file, whatever is in it; of a weight, with all that trains it
WHOLE = "Save the whole model as .keras: weights alone do not say which network they belong to."


def check_total(files: Iterable[Path], name: str) -> None:
    """Refuse more than 4 GB of files."""
    total = sum(file.stat().st_size for file in files)
    if total > MOST_STORED:
        raise ModelProblem(f"Too large: {name} has {total / 1e9:.1f} GB; 4 GB are the most.")


def check_counts(seen: LayersSeen, stored: int, name: str) -> None:
    """Refuse layers that need more weights than there are, and weights that need more than half of the memory."""
    if seen.fewest > stored:
        raise ModelProblem(
            f"Declared but not stored: the layers of {name} need {seen.fewest} weights or more; it has {stored}."
        )
    _check_memory(stored, name)


def _check_memory(numbers: int, name: str) -> None:
    if numbers * BYTES > psutil.virtual_memory().total // 2:
        raise ModelProblem(f"Too large for memory: {name} has {numbers / 1e6:.0f} million weights.")


def check_padding(size: int, numbers: int, name: str) -> None:
    """Refuse files that are far larger than what is in them: hashing and copying them takes its time."""
    if numbers and size > SLACK + MOST_BYTES * numbers:
        raise ModelProblem(f"Too large: {name} has {size / 1e9:.1f} GB for {numbers} weights.", hint="Save it anew.")


def check_dimensions(arrays: StoredArrays, name: str) -> None:
    """Refuse weights of which none can be a 3D convolution's."""
    ranks = {len(shape) for shape in arrays.shapes.values()}
    if 5 not in ranks:
        what = "its kernels have 2 dimensions" if 4 in ranks else "there is no 3D convolution in it"
        raise ModelProblem(f"Weights of no 3D network: {name}, {what}.", hint=WHOLE)


def check_variables(graphs: tuple[Graph, ...], sizes: dict[str, int], name: str) -> int:
    """Refuse variables that are not in the files, whose sizes are given by name; count the numbers in them."""
    declared = max(sum(count for _, count in graph.variables) for graph in graphs)
    stored = sum(size for file, size in sizes.items() if is_variables(file))
    if declared > stored:  # a number takes a byte at least
        raise ModelProblem(
            f"Declared but not stored: the variables of {name} claim {declared} numbers; {stored} bytes lie there."
        )
    _check_memory(declared, name)
    return max(sum(count for _, count in set(graph.variables)) for graph in graphs)


def is_variables(name: str) -> bool:
    """Whether a file in a SavedModel holds variables."""
    return name.startswith("variables/variables.")
