"""Formats by extension: the one place that knows which module reads what."""

from __future__ import annotations

from pathlib import Path

from napari_vol3d.core.volume import Volume


def is_volume_file(path: Path) -> bool:
    """Whether a registered format claims this name."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def read_volume(path: Path) -> Volume:
    """Read a volume."""
    from napari_vol3d.io.nifti import read_nifti

    return read_nifti(path)
