"""Cases of three images on three grids, and a network whose labels say in which channel it saw what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.models.store import Model
from tests.builders import write_model

CHANNELS = ("FLAIR", "T1", "T2")
SHAPE = (20, 24, 22)  # of the T1, 1 mm, from the origin
GRIDS = {"FLAIR": (0.5, -0.75, (44, 52, 48)), "T1": (1.0, 0.0, SHAPE), "T2": (2.0, 0.5, (10, 12, 11))}
SPANS = {"FLAIR": (2, 6), "T1": (8, 12), "T2": (14, 18)}  # mm along z: where each image is bright
SEES = """
import sys

import keras
import numpy as np

given = keras.Input((None, None, None, 3))
head = keras.layers.Conv3D(4, 1)
network = keras.Model(given, head(given))
slopes = np.concatenate([np.zeros((3, 1)), np.eye(3)], axis=1).reshape(1, 1, 1, 3, 4)
head.set_weights([slopes.astype(np.float32), np.array([50.0, 0.0, 0.0, 0.0], np.float32)])
network.save(sys.argv[1])
"""
CLASSES = tuple(
    LabelClass(id=k, name=f"bright in {name}", color=default_color(k)) for k, name in enumerate(CHANNELS, start=1)
)


class Saved:
    """A network as `write_model` wants one, made by a process of its own: TensorFlow and OpenGL abort each other."""

    def __init__(self, script: str) -> None:
        self.script = script

    def save(self, path: Any) -> None:
        subprocess.run([sys.executable, "-c", self.script, str(path)], check=True, capture_output=True)


def write_seeing_model(folder: Path) -> Model:
    """Write a network that gives each voxel the number of the channel that is bright there."""
    wanted = {"channels": CHANNELS, "intensity": IntensityScheme(kind="none"), "multiple": 1}
    return write_model(folder, Saved(SEES), name=folder.name, input=wanted, output={"classes": CLASSES})


def save(path: Path, data: NDArray[Any], *, spacing: float, start: float) -> Path:
    """Write an image (Z, Y, X) that begins `start` mm from the origin."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([spacing] * 3 + [1.0])
    affine[:3, 3] = start
    image = nib.Nifti1Image(data.T, affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def write_image(path: Path, channel: str, *, seed: int = 0) -> Path:
    """Write the image of a channel on its grid: bright in its own span, dim noise elsewhere."""
    spacing, start, shape = GRIDS[channel]
    data = np.random.default_rng(seed).integers(0, 20, shape).astype(np.int16)
    z = start + spacing * np.arange(shape[0])
    low, high = SPANS[channel]
    data[(z >= low) & (z <= high)] += 200
    return save(path, data, spacing=spacing, start=start)


def check_labels(labels: NDArray[Any]) -> None:
    """Hold labels on the T1's grid against where each image is bright; edges lie between voxels of coarser grids."""
    assert labels.shape == SHAPE
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    for class_id, name in enumerate(CHANNELS, start=1):
        low, high = SPANS[name]
        assert (labels[low + 1 : high] == class_id).all(), name
        others = np.ones(SHAPE[0], bool)
        others[low - 1 : high + 2] = False
        assert not (labels[others] == class_id).any(), name
