"""A text file that counts which boxes of a volume are done: one JSON line each, after a first one that says of what."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_vol3d.core.box import Box, Triple


def inside(box: Box, shape: Triple) -> bool:
    """Tell whether a box holds voxels, all of them inside a volume."""
    return box.size > 0 and box.intersect(Box.of(shape)) == box


def read_progress(path: Path, shape: Triple) -> tuple[Any, dict[Box, int]]:
    """Read what is counted; a line that was cut short is cut off, so that the next one begins a line of its own."""
    content = path.read_bytes() if path.is_file() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    lines = whole.splitlines()
    done: dict[Box, int] = {}
    for line in lines[1:]:
        with suppress(ValueError, KeyError, TypeError):  # a line that a disk damaged: its box is written again
            record = json.loads(line)
            (z, y, x), (z1, y1, x1) = record["start"], record["stop"]
            box = Box(start=(z, y, x), stop=(z1, y1, x1))
            if record["crc32"] is None:
                done.pop(box, None)
            elif inside(box, shape):
                done[box] = int(record["crc32"])
    return json.loads(lines[0]) if lines else None, done


def append_record(path: Path, record: dict[str, Any]) -> None:
    """Add a line, on the disk before this returns."""
    with path.open("ab") as file:
        file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
    make_durable(path)


def make_durable(path: Path) -> None:
    """Make what a file holds, or the names in a folder, durable."""
    folder = path.is_dir()
    if folder and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
