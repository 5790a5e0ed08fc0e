"""NIfTI files of known content in every orientation, for the tests of this room."""

from __future__ import annotations

import itertools
import math

import nibabel as nib
import numpy as np

from napari_vol3d.core.volume import Volume

SHAPE = (9, 7, 5)
SPACING = np.array([0.8, 0.8, 2.5])
CODES = [
    "".join(letters) for axes in itertools.permutations(("RL", "AP", "SI")) for letters in itertools.product(*axes)
]


def rotation(degrees: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return about_x @ about_z


def affine_for(code: str, degrees: float) -> np.ndarray:
    """An affine whose file axes run towards `code`, turned by `degrees` about two axes, rounded to float32."""
    affine = np.eye(4)
    for axis, letter in enumerate(code):
        world = next(i for i, pair in enumerate(("LR", "PA", "IS")) if letter in pair)
        affine[:3, axis] = 0
        affine[world, axis] = SPACING[axis] * (1 if letter in "RAS" else -1)
    affine[:3, :3] = rotation(degrees) @ affine[:3, :3]
    affine[:3, 3] = (-31.25, 12.5, 7.75)
    return affine.astype(np.float32).astype(np.float64)


def phantom() -> np.ndarray:
    """Three different blobs, so that no flip and no swap maps it onto itself."""
    data = np.zeros(SHAPE, np.uint8)
    data[1, 1, 1] = 1
    data[6:8, 2, 1] = 2
    data[3, 4:6, 3] = 3
    return data


def save(path, data, affine, *, qform=True, sform=True, units=("mm", "sec")):
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units(*units)
    image.set_qform(affine if qform else None, 1 if qform else 0)
    image.set_sform(affine if sform else None, 2 if sform else 0)
    nib.save(image, path)
    return path


def held_index_at(volume: Volume, world: np.ndarray) -> tuple[int, ...]:
    return tuple(np.rint(np.linalg.solve(volume.geometry.affine, world)).astype(int)[:3])
