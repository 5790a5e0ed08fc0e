"""How long it takes to open a scan, proofs and all, beside the underlying library's plain read of the same file.

Run by hand: `python benchmarks/io.py [--json FILE] [--quick]`. Both sides end with all voxels in memory as an array;
files are in the cache of the system; the sides take turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import tifffile
from common import DATA, Figures, arguments, finish, machine, nuclei_volume, table, tell
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from napari_vol3d.io.registry import read_volume

TURNS, QUICK_TURNS = 7, 3
REAL = ("hippocrop", "ct_head", "t1post_oblique")  # DICOM folders of VOL3D_DATA
TARGET = 1.3
Read = Callable[[Path], NDArray[Any]]


# ---- files ----------------------------------------------------------------------------------------------------------


def voxels(edge: int) -> NDArray[np.int16]:
    """Give nuclei with their noise, as packable as scans are."""
    return np.asarray(nuclei_volume((edge, edge, edge)).data).astype(np.int16)


def save_series(folder: Path, data: NDArray[np.int16]) -> Path:
    """Save one CT file a slice, with the fields that scanners write and readers look at."""
    folder.mkdir()
    for number, pixels in enumerate(data):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, f"1.2.3.4.5.{number}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
        ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
        ds.Modality, ds.SeriesDescription, ds.InstanceNumber = "CT", "synthetic", number + 1
        ds.ImageType, ds.Manufacturer = ["ORIGINAL", "PRIMARY", "AXIAL"], "none"
        ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-180, -180, 1.25 * number]
        ds.PixelSpacing, ds.SliceThickness = [0.7, 0.7], 1.25
        ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = *pixels.shape, 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.PixelData = pixels.tobytes()
        ds["PixelData"].VR = "OW"
        ds.save_as(folder / f"IM{number:04d}.dcm", enforce_file_format=True)
    return folder


def cases(folder: Path, *, quick: bool) -> dict[str, tuple[Path, Read]]:
    """Make the files, and give each with the other side's way to read it."""
    edge = 128 if quick else 256
    data = voxels(edge)
    made: dict[str, tuple[Path, Read]] = {}
    for key, name in (("nifti_gz", "a.nii.gz"), ("nifti", "a.nii")):
        nib.save(nib.Nifti1Image(data, np.diag([1.0, 1.0, 1.0, 1.0])), folder / name)
        made[key] = (folder / name, with_nibabel)
    slices = np.resize(data, (40 if quick else 200, 512, 512))
    made["dicom"] = (save_series(folder / "series", slices), with_pydicom)
    for name in REAL:
        if (DATA / "dicom" / name).is_dir():
            made[f"dicom_{name}"] = (DATA / "dicom" / name, with_pydicom)
    for key, packing in (("tiff", None), ("tiff_deflate", "zlib")):
        path = folder / f"{key}.tif"
        tifffile.imwrite(path, data, photometric="minisblack", compression=packing)
        made[key] = (path, tifffile.imread)
    return made


# ---- the two sides --------------------------------------------------------------------------------------------------


def with_us(path: Path) -> NDArray[Any]:
    """Open as the program does."""
    return np.asarray(read_volume(path).data)


def with_nibabel(path: Path) -> NDArray[Any]:
    """Read with nibabel, which maps what is not packed: copied, so that it is in memory too."""
    found = np.asanyarray(nib.load(path).dataobj)
    return np.array(found) if isinstance(found, np.memmap) else found


def with_pydicom(path: Path) -> NDArray[Any]:
    """Read each slice with pydicom, sort them by position, and stack them."""
    found = [ds for ds in map(pydicom.dcmread, path.iterdir()) if "ImagePositionPatient" in ds]
    normal = np.cross(found[0].ImageOrientationPatient[:3], found[0].ImageOrientationPatient[3:])
    found.sort(key=lambda ds: float(np.dot(normal, ds.ImagePositionPatient)))
    return np.stack([ds.pixel_array for ds in found])


def measure(path: Path, other: Read, turns: int) -> tuple[float, float]:
    """Give the median seconds of both sides, in turns, after one of each for warmth."""
    assert with_us(path).size == other(path).size
    seconds: dict[Read, list[float]] = {with_us: [], other: []}
    for turn in range(turns):
        for side in (with_us, other) if turn % 2 else (other, with_us):
            started = time.perf_counter()
            side(path)
            seconds[side].append(time.perf_counter() - started)
    return statistics.median(seconds[with_us]), statistics.median(seconds[other])


def tell_ratios(rows: Sequence[tuple[str, float, float]]) -> Figures:
    """Show them, and give them by key."""
    shown = [(key, ours, theirs, ours / theirs) for key, ours, theirs in rows]
    table(("file", "ours (s)", "library (s)", "ratio"), shown)
    figures: Figures = {}
    for key, ours, theirs in rows:
        figures |= {f"{key}_ratio": ours / theirs, f"{key}_s": ours, f"{key}_library_s": theirs}
    return figures


def main() -> None:
    """Measure and tell."""
    given = arguments(__doc__).parse_args()
    figures = machine("nibabel", "pydicom", "tifffile", "imagecodecs")
    with TemporaryDirectory(prefix="vol3d-io-") as folder:
        made = cases(Path(folder), quick=given.quick)
        missing = [name for name in REAL if f"dicom_{name}" not in made]
        if missing:
            tell(f"Left out, not in {DATA}: dicom/{', dicom/'.join(missing)}.")
        turns = QUICK_TURNS if given.quick else TURNS
        rows = [(key, *measure(path, other, turns)) for key, (path, other) in made.items()]
    figures |= tell_ratios(rows)
    finish({**figures, "target": TARGET, "turns": turns}, given.json)


if __name__ == "__main__":
    main()
