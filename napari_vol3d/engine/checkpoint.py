"""Where training stands, in one file: weights, average, optimiser and history, or nothing."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import ModelProblem

Arrays = dict[str, list[NDArray[Any]]]


@dataclass(slots=True, kw_only=True)
class TrainingState:
    """Finished epochs, the best validation score and when it came, and the figures of every epoch."""

    epoch: int = 0
    best: float = float("-inf")
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def write_checkpoint(path: Path, state: TrainingState, arrays: Arrays) -> None:
    """Write everything into one `.npz`; the parent copies it to its safe place."""
    flat: dict[str, Any] = {
        f"{group}_{index:04d}": value for group, values in arrays.items() for index, value in enumerate(values)
    }
    with path.open("wb") as file:
        np.savez(file, state=np.frombuffer(json.dumps(asdict(state)).encode(), np.uint8), **flat)


def read_checkpoint(path: Path) -> tuple[TrainingState, Arrays]:
    """Read what `write_checkpoint` wrote.

    Raises
    ------
    ModelProblem
        If the file is not such a checkpoint.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            state = TrainingState(**json.loads(archive["state"].tobytes()))
            arrays: Arrays = {}
            for key in sorted(set(archive.files) - {"state"}):
                arrays.setdefault(key.rsplit("_", 1)[0], []).append(archive[key])
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelProblem(f"Checkpoint {path.name} can't be read.", hint="Start again without --resume.") from error
    return state, arrays
