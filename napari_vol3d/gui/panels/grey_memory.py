"""Windows that a person has chosen, by scan, kept across sessions in a small file."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

from napari.layers import Layer
from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.core.windows import Window
from napari_vol3d.gui.layers import source_of
from napari_vol3d.io.safe_write import write_text

log = logging.getLogger(__name__)
MOST = 500  # scans; the longest unchanged goes first
COUNTED = re.compile(r" \[\d+\]$")  # what napari adds to a name that is there already


class GreyFile(BaseModel):
    """What is kept: by scan the grey levels that are black and white, the latest change last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows: dict[str, tuple[float, float]] = {}


def memory_file() -> Path:
    """Where windows are kept."""
    return user_config_path("napari-vol3d") / "grey-levels.json"


def key_of(layer: Layer) -> str | None:
    """Give what a layer just added is known by: its file, and its name, because a file may hold several scans."""
    source = source_of(layer)
    return None if source is None else f"{source} | {COUNTED.sub('', layer.name)}"


def read_windows() -> dict[str, Window]:
    """Give what is remembered; nothing where there is no file or it is damaged."""
    try:
        known = GreyFile.model_validate_json(memory_file().read_bytes()).windows
        return {key: Window(*limits) for key, limits in known.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        log.info("remembered grey levels were not read: %s", problem)
        return {}


def keep_windows(changed: Mapping[str, Window]) -> None:
    """Add windows to what is remembered; a disk that can't be written to is logged, and costs nothing else."""
    # Read again: another window of napari's may have written meanwhile.
    known = {key: window for key, window in read_windows().items() if key not in changed}
    kept = list({**known, **changed}.items())[-MOST:]
    try:
        memory_file().parent.mkdir(parents=True, exist_ok=True)
        write_text(memory_file(), GreyFile(windows={key: one.limits for key, one in kept}).model_dump_json(indent=1))
    except (OSError, SaveProblem) as problem:
        log.info("grey levels were not kept: %s", problem)
