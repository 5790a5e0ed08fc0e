"""Where a NIfTI file says that its voxels lie, and how it is told again when it is saved.

Which matrix counts: the sform if its code is above 0, else the qform if its code is above 0, else neither: then only
the spacing is known, and nothing is turned. The header's own fields are kept untouched in `Geometry.stored`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from napari_vol3d.core.box import Triple
from napari_vol3d.core.volume import Affine, Geometry, StoredGrid, Volume
from napari_vol3d.io import gate
from napari_vol3d.io.held import XYZ, hold, stored_shape

HEADERS: dict[int, Any] = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
UNITS = {1: ("mm", 1000.0), 2: ("mm", 1.0), 3: ("um", 1.0)}  # of xyzt_units & 7; where it says nothing: mm
UNIT_CODES = {"mm": 2, "um": 3}
GEOMETRY_FIELDS = (
    "pixdim", "xyzt_units", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z",
)  # fmt: skip


def read_geometry(header: Any, shape: Triple, path: Path) -> Geometry:
    """Give the geometry for voxels of this shape in the file's own axis order.

    Held axes run to the nearest of superior, posterior, left, or as stored where the file names no patient axes.

    Raises
    ------
    FileProblem
        If different voxels would lie at one place.
    ValueError
        If the qform counts and is not a rotation.
    """
    with np.errstate(invalid="ignore", over="ignore"):  # the gate judges what comes out
        fields = _geometry_fields(header)
        affine, anatomical, unit = _world(fields)
    gate.check_affine(path, affine)
    return hold(affine, shape, anatomical=anatomical, unit=unit, header=fields)


def header_for(volume: Volume) -> tuple[StoredGrid, Any]:
    """Give the grid to save a volume in and a header with its geometry: its file's own if they still hold.

    Returns
    -------
    StoredGrid
        The axis order of the stored voxels; (x, y, z) for volumes from elsewhere.
    Nifti1Header or Nifti2Header
        With the geometry's fields only; NIfTI-2 where the file was, or where an axis is too long for NIfTI-1.
    """
    geometry, fields = volume.geometry, volume.geometry.stored.header
    if fields.get("format") in ("nifti1", "nifti2"):
        affine, anatomical, unit = _world(fields)
        shape = stored_shape(geometry.stored, volume.shape)
        own = hold(affine, shape, anatomical=anatomical, unit=unit, header=fields)
        same_axes = (own.stored.axes, own.stored.flips) == (geometry.stored.axes, geometry.stored.flips)
        # Not so after cropping or resampling; then the header's matrix would put the voxels elsewhere.
        if same_axes and np.array_equal(own.affine, geometry.affine):
            header = HEADERS[540 if fields["format"] == "nifti2" else 348]()
            _put_geometry_fields(header, fields)
            return geometry.stored, header
    return XYZ, _fresh_header(volume)


def _geometry_fields(header: Any) -> dict[str, Any]:
    """Take the header's geometry as it stands: every number of it, in types that keep it exactly."""
    qform_header = header.copy()
    if qform_header["pixdim"][0] not in (-1, 1):
        qform_header["pixdim"][0] = 1  # the standard: 0 means 1
    try:
        qform = np.asarray(qform_header.get_qform(), np.float64)
    except (HeaderDataError, ValueError):
        qform = None  # not a rotation; only a problem if the qform is what counts
    return {
        "format": "nifti2" if int(header["sizeof_hdr"]) == 540 else "nifti1",
        "sform": np.asarray(header.get_sform(), np.float64),
        "qform": qform,
        "sform_code": int(header["sform_code"]),
        "qform_code": int(header["qform_code"]),
        "xyzt_units": int(header["xyzt_units"]),
        "pixdim": tuple(float(v) for v in header["pixdim"]),
        "quatern": tuple(float(header[f"quatern_{axis}"]) for axis in "bcd"),
        "qoffset": tuple(float(header[f"qoffset_{axis}"]) for axis in "xyz"),
    }


def _world(fields: dict[str, Any]) -> tuple[Affine, bool, str]:
    """Give the matrix from the file's own index to the world, whether that is a patient's, and the unit."""
    unit, factor = UNITS.get(fields["xyzt_units"] & 7, ("mm", 1.0))
    anatomical = fields["sform_code"] > 0 or fields["qform_code"] > 0
    if fields["sform_code"] > 0:
        affine = fields["sform"]
    elif fields["qform_code"] > 0:
        if fields["qform"] is None:
            raise ValueError("its qform is not a rotation")
        affine = fields["qform"]
    else:
        affine = np.diag([*np.abs(fields["pixdim"][1:4]), 1.0])
    return np.diag([factor, factor, factor, 1.0]) @ affine, anatomical, unit


def _put_geometry_fields(header: Any, fields: dict[str, Any]) -> None:
    header["pixdim"] = fields["pixdim"]
    for name in ("sform_code", "qform_code", "xyzt_units"):
        header[name] = fields[name]
    for row, axis in enumerate("xyz"):
        header[f"srow_{axis}"] = fields["sform"][row]
        header[f"qoffset_{axis}"] = fields["qoffset"][row]
        header[f"quatern_{'bcd'[row]}"] = fields["quatern"][row]


def _fresh_header(volume: Volume) -> Any:
    geometry = volume.geometry
    # NIfTI-1 counts voxels in 16 bits.
    header = HEADERS[540 if max(volume.shape) > 32767 else 348]()
    affine = geometry.affine[:, (2, 1, 0, 3)]
    # Where nothing is known but the voxels, no place may be claimed: viewers read a patient's sides out of any code.
    code = 1 if geometry.anatomical else 0 if geometry.unit == "pixel" else 2
    header["pixdim"][1:4] = geometry.spacing[::-1]
    direction = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.allclose(direction.T @ direction, np.eye(3), atol=1e-4):  # a qform can't hold a shear
        header.set_qform(affine, code)
    header.set_sform(affine, code)
    header["xyzt_units"] = UNIT_CODES.get(geometry.unit, 0)
    return header
