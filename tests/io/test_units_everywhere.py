"""Millimetres stay millimetres and micrometres micrometres, from any format through labels saved in any other."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile

from napari_vol3d.core.volume import Volume
from napari_vol3d.io.registry import read_volume, write_labels
from tests.io.itk_phantom import mha_bytes, nrrd_bytes, save
from tests.io.zarr_phantom import axes_of, write_image

DATA = np.random.default_rng(0).integers(1, 300, (7, 20, 18), dtype=np.uint16)  # (z, y, x)
SPACING = (2.5, 0.5, 0.25)  # what `zarr_phantom` writes, and all others with it
TARGETS = ("a.nii.gz", "a.nii", "a.nrrd", "a.seg.nrrd", "a.tif", "a.ome.tif", "a.ome.zarr")
SPELT = {"mm": "millimeter", "um": "micrometer"}
IN_MM = {
    "mm": 1.0, "millimeter": 1.0, "micron": 1e-3, "um": 1e-3, "\N{MICRO SIGN}m": 1e-3, "micrometer": 1e-3,
}  # fmt: skip


def nifti(folder: Path, unit: str) -> Path:
    image = nib.Nifti1Image(DATA.T, np.diag((*SPACING[::-1], 1.0)))
    image.header.set_xyzt_units({"mm": "mm", "um": "micron"}[unit], "sec")
    nib.save(image, folder / "scan.nii.gz")
    return folder / "scan.nii.gz"


def nrrd(folder: Path, unit: str) -> Path:
    return save(folder / "scan.nrrd", nrrd_bytes(
        DATA.T, space="left-posterior-superior", space_directions="(0.25,0,0) (0,0.5,0) (0,0,2.5)",
        space_origin="(0,0,0)", space_units=" ".join([f'"{unit}"'] * 3),
    ))  # fmt: skip


def metaimage(folder: Path, unit: str) -> Path:
    return save(folder / "scan.mha", mha_bytes(DATA.T, ElementSpacing="0.25 0.5 2.5", DistanceUnits=unit))


def imagej(folder: Path, unit: str) -> Path:
    metadata = {"spacing": SPACING[0], "unit": unit, "axes": "ZYX"}
    tifffile.imwrite(folder / "scan.tif", DATA, imagej=True, resolution=(4.0, 2.0), metadata=metadata)
    return folder / "scan.tif"


def ome(folder: Path, unit: str) -> Path:
    name = {"mm": "mm", "um": "\N{MICRO SIGN}m"}[unit]
    sizes = {f"PhysicalSize{axis}": size for axis, size in zip("ZYX", SPACING, strict=True)}
    metadata = {"axes": "ZYX", **sizes, **{f"PhysicalSize{axis}Unit": name for axis in "ZYX"}}
    tifffile.imwrite(folder / "scan.ome.tif", DATA, ome=True, metadata=metadata)
    return folder / "scan.ome.tif"


def zarr_image(folder: Path, unit: str) -> Path:
    return write_image(folder / "scan.ome.zarr", DATA, axes=axes_of("zyx", SPELT[unit]))


@pytest.mark.parametrize("unit", ["mm", "um"])
@pytest.mark.parametrize("source", [nifti, nrrd, metaimage, imagej, ome, zarr_image])
def test_units_survive_from_any_format_to_any_other(tmp_path, source, unit):
    scan = read_volume(source(tmp_path, unit))
    assert scan.geometry.unit == unit
    np.testing.assert_allclose(scan.geometry.spacing, SPACING, rtol=1e-6)
    meant = np.array(SPACING) * IN_MM[unit]
    for target in TARGETS:
        path = write_labels(tmp_path / target, scan)
        found = read_volume(path)
        assert found.geometry.unit == unit, target
        np.testing.assert_allclose(found.geometry.spacing, SPACING, rtol=1e-6, err_msg=target)
        np.testing.assert_allclose(elsewhere(path), meant, rtol=1e-6, err_msg=target)
        if target.endswith(".tif"):  # it has no place for a patient's axes: the voxels are as they are held
            np.testing.assert_array_equal(found.data, scan.data[...], err_msg=target)
        else:
            np.testing.assert_array_equal(at_places_of(scan, found), scan.data[...], err_msg=target)


def at_places_of(scan: Volume, found: Volume) -> np.ndarray:
    """What is found at the places of a scan's voxels, which are voxels of its own, in the same unit."""
    turn = np.linalg.solve(found.geometry.affine, scan.geometry.affine)
    index = turn[:3, :3] @ np.indices(scan.shape).reshape(3, -1) + turn[:3, 3:]
    np.testing.assert_allclose(index, np.rint(index), atol=1e-3)
    return np.asarray(found.data)[tuple(np.rint(index).astype(int))].reshape(scan.shape)


def elsewhere(path: Path) -> list[float]:
    """Spacing along (z, y, x) in mm, by what another library finds in the file."""
    if path.name.endswith((".nii", ".nii.gz")):
        header = nib.load(path).header
        return [float(zoom) * IN_MM[header.get_xyzt_units()[0]] for zoom in header.get_zooms()[::-1]]
    if path.suffix == ".nrrd":
        spacing = sitk.ReadImage(str(path)).GetSpacing()[::-1]
        return [size * IN_MM[_unit_of_nrrd(path)] for size in spacing]  # ITK takes every unit for its own
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as tif:
            root = ElementTree.fromstring(tif.ome_metadata)
        pixels = next(one for one in root.iter() if one.tag.endswith("Pixels"))
        names = [f"PhysicalSize{axis}" for axis in "ZYX"]
        return [float(pixels.attrib[name]) * IN_MM[pixels.attrib[f"{name}Unit"]] for name in names]
    image = json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]["ome"]["multiscales"][0]
    scale = image["datasets"][0]["coordinateTransformations"][0]["scale"]
    return [size * IN_MM[axis["unit"]] for size, axis in zip(scale, image["axes"], strict=True)]


def _unit_of_nrrd(path: Path) -> str:
    head = path.read_bytes().split(b"\n\n")[0].decode("utf-8")
    (words,) = [line.removeprefix("space units: ") for line in head.splitlines() if line.startswith("space units: ")]
    (unit,) = set(words.split())
    return unit.strip('"')
