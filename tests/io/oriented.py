"""One bright mark in a scan of any orientation and format, written by other libraries, and found again by them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import SimpleITK as sitk
from nibabel.freesurfer.mghformat import MGHImage

from napari_vol3d.core.volume import Volume
from tests.io import dicom_phantom
from tests.io.itk_phantom import itk_image
from tests.io.nifti_phantom import CODES, SPACING, affine_for

__all__ = ["CODES", "FORMATS", "SPACINGS", "affine_of", "bright", "found_by", "mark", "scan"]

SHAPE = (5, 6, 7)
SPACINGS = {"isotropic": (1.0, 1.0, 1.0), "thick": (0.8, 0.8, 2.5), "uneven": (0.7, 1.1, 2.5)}
LPS = np.diag((-1.0, -1.0, 1.0, 1.0))
BRIGHT, DARK = 900, 100
# A corner with three arms of different length: no flip and no swap of axes maps it onto itself.
MARK = np.array([(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 3, 1), (1, 1, 2), (1, 1, 3), (1, 1, 4)])
NEAR = 1e-3  # mm: what float32 and the decimals of a header leave


def affine_of(code: str, degrees: float, spacing: tuple[float, ...]) -> np.ndarray:
    """An affine, RAS, whose file axes run towards `code`, turned by `degrees` about two axes."""
    affine = affine_for(code, degrees)
    affine[:3, :3] *= np.asarray(spacing) / SPACING
    return affine


def mark(affine: np.ndarray) -> np.ndarray:
    """Where the bright voxels lie, RAS mm, one a row."""
    return MARK @ affine[:3, :3].T + affine[:3, 3]


def voxels() -> np.ndarray:
    data = np.full(SHAPE, DARK, np.int16)
    data[tuple(MARK.T)] = BRIGHT
    return data


def scan(folder: Path, kind: str, affine: np.ndarray) -> Path:
    """Save a scan with the mark in a file of this kind, or in a folder of them."""
    return FORMATS[kind](folder, voxels(), affine)


def bright(volume: Volume) -> Volume:
    """What a model that only asks for brightness makes of a scan."""
    return volume.with_data(np.asarray(volume.data) > (BRIGHT + DARK) / 2)


def found_by(path: Path) -> dict[str, np.ndarray]:
    """Where each library that reads a label file finds labels, RAS mm, one a row."""
    if path.suffix == ".dcm":
        return {"highdicom": _by_highdicom(path)}
    found = {"SimpleITK": _by_itk(path)}
    return found | {"nibabel": _by_nibabel(path)} if path.name.endswith(".nii.gz") else found


def _nifti(folder: Path, data: np.ndarray, affine: np.ndarray) -> Path:
    nib.save(nib.Nifti1Image(data, affine), folder / "scan.nii.gz")
    return folder / "scan.nii.gz"


def _mgh(folder: Path, data: np.ndarray, affine: np.ndarray) -> Path:
    nib.save(MGHImage(data, affine), folder / "scan.mgz")
    return folder / "scan.mgz"


def _itk(name: str) -> Callable[[Path, np.ndarray, np.ndarray], Path]:
    def save(folder: Path, data: np.ndarray, affine: np.ndarray) -> Path:
        sitk.WriteImage(itk_image(data, affine), str(folder / name))
        return folder / name

    return save


def _dicom(folder: Path, data: np.ndarray, affine: np.ndarray) -> Path:
    """Save a series; in half of the orientations its slices are numbered against their normal, as scanners do too."""
    lps = LPS @ affine
    column, row, between = np.linalg.norm(lps[:3, :3], axis=0)
    orientation = (*(lps[:3, 0] / column), *(lps[:3, 1] / row))
    towards = np.sign(np.linalg.det(lps[:3, :3])) * between
    places = [tuple(float(f"{one:.8g}") for one in lps[:3, 3] + k * lps[:3, 2]) for k in range(data.shape[2])]
    dicom_phantom.series(
        folder / "series", data.transpose(2, 1, 0), orientation=orientation, ImagePositionPatient=places,
        steps=np.arange(data.shape[2]) * towards, PixelSpacing=(float(f"{row:.8g}"), float(f"{column:.8g}")),
    )  # fmt: skip
    return folder / "series"


FORMATS: dict[str, Callable[[Path, np.ndarray, np.ndarray], Path]] = {
    "NIfTI": _nifti, "NRRD": _itk("scan.nrrd"), "MetaImage": _itk("scan.mha"), "DICOM": _dicom, "MGH": _mgh,
}  # fmt: skip


def _world(index: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return np.asarray(index @ affine[:3, :3].T + affine[:3, 3])


def _by_nibabel(path: Path) -> np.ndarray:
    image = nib.load(path)
    return _world(np.argwhere(np.asanyarray(image.dataobj)), image.affine)


def _by_itk(path: Path) -> np.ndarray:
    image = sitk.ReadImage(str(path))
    index = np.argwhere(sitk.GetArrayFromImage(image).transpose())
    lps = [image.TransformIndexToPhysicalPoint([int(n) for n in one]) for one in index]
    return np.asarray(lps) * (-1, -1, 1)


def _by_highdicom(path: Path) -> np.ndarray:
    found = hd.seg.segread(path).get_volume(combine_segments=True)
    return _world(np.argwhere(found.array), LPS @ found.affine)
