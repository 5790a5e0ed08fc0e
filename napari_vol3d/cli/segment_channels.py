"""The channels of `napari-vol3d segment`: files that are named, and those of the same case that lie beside a scan."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_vol3d.core.errors import ScanMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_vol3d.core.volume import Volume
    from napari_vol3d.models.card import ModelCard


def channel(text: str) -> tuple[str, Path]:
    """Read NAME=FILE."""
    name, given, file = text.partition("=")
    if not given or not file:
        raise argparse.ArgumentTypeError("a channel is written NAME=FILE, for instance FLAIR=case_flair.nii.gz")
    return name.strip(), Path(file)


def channel_files(scan: Path, volume: Volume, card: ModelCard, named: Mapping[str, Path]) -> dict[str, Path]:
    """Give the file of each channel, in the model's order; none where the scan is all that it wants.

    What is not named is looked for beside the scan, and what is taken is said.

    Raises
    ------
    ScanMismatch
        If the model has no channel of a name, or it is not clear which file is which channel.
    """
    wanted = card.input.channels
    unknown = [name for name in named if name not in wanted]
    if unknown:
        raise ScanMismatch(f"{card.title} has no channel {unknown[0]}.", hint=f"Its channels: {', '.join(wanted)}.")
    if not named and (len(wanted) == 1 or volume.timed or len(volume.data.shape) != 3):
        return {}
    found = _found(scan, [name for name in wanted if name not in named])
    return {name: named.get(name) or found[name] for name in wanted}


def with_channels(scan: Path, volume: Volume, files: Mapping[str, Path]) -> Volume:
    """Join a scan and the other images of its case, on the scan's grid."""
    from napari_vol3d.core.joined import join_channels
    from napari_vol3d.io.registry import read_volume

    if not files:
        return volume
    scans = [volume if path == scan else read_volume(path) for path in files.values()]
    return join_channels(volume, scans, tuple(files))


def _found(scan: Path, wanted: list[str]) -> dict[str, Path]:
    """Find what is not named: where that is one channel, it is the scan, whatever its name."""
    from napari_vol3d.io.channel_files import channels_beside

    if len(wanted) < 2:
        return dict.fromkeys(wanted, scan)
    found = channels_beside(scan, wanted)
    taken = ", ".join(f"{name} from {path.name}" for name, path in found.items() if path != scan)
    sys.stderr.write(f"{scan.name}: taken with it from its folder: {taken}\n")
    return found
