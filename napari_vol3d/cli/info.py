"""`napari-vol3d info SCAN...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    sub: argparse.ArgumentParser = commands.add_parser(
        "info", help="show what a scan file holds", description="Show what scan or label files hold."
    )
    sub.add_argument("scans", nargs="+", type=Path, metavar="SCAN", help="scan or label files")
    sub.add_argument("--part", metavar="KEY", help="which volume, where a file or folder holds several")
    sub.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Describe each file."""
    from napari_vol3d.core.errors import Vol3dError
    from napari_vol3d.io.parts import SeveralParts
    from napari_vol3d.io.registry import read_volume

    failed: list[Vol3dError] = []
    for path in chosen.scans:
        try:
            volume = read_volume(path, chosen.part)
        except SeveralParts as several:
            listed = [f"  {part.key}  {part.title}" for part in several.parts]
            sys.stdout.write("\n".join([f"{path}", f"  {several.message} With --part:", *listed]) + "\n")
            continue
        except Vol3dError as problem:  # the others may be well
            sys.stderr.write(f"napari-vol3d: {path}: {problem}\n")
            failed.append(problem)
            continue
        geometry = volume.geometry
        size = " x ".join(map(str, volume.shape))
        spacing = " x ".join(f"{s:.4g}" for s in geometry.spacing)
        lines = [
            f"{path}",
            f"  size        {size} voxels (z y x)",
            f"  spacing     {spacing} {geometry.unit}",
            f"  stored as   {volume.data.dtype}",
            f"  axes        {geometry.orientation or 'no patient orientation'}{', oblique' * geometry.oblique}",
        ]
        if volume.timed:
            lines.append(f"  time points {volume.frames}")
        if volume.channels:
            lines.append(f"  channels    {', '.join(volume.channels)}")
        if volume.classes:
            lines.append(f"  classes     {', '.join(f'{c.id} {c.name}' for c in volume.classes)}")
        sys.stdout.write("\n".join(lines) + "\n")
    return failed[0].exit_code if failed else 0
