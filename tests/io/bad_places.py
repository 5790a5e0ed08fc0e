"""What is no regular file, and folders of slices that are no volume; and whole ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from tests.io.bad_arrays import PIXELS
from tests.io.bad_files import Case, Make, asked, cut, refused, same, short, written
from tests.io.bad_nifti import AFFINE, NOISE, nifti

PICTURES = np.random.default_rng(3).integers(0, 4000, (11, 12, 9), dtype=np.uint16)
EXTENSIONS = (".nii", ".nii.gz", ".tif", ".nrrd", ".mha", ".npy", ".mgh", ".h5", ".dcm")


def cases() -> Iterator[Case]:
    for extension in EXTENSIONS:
        name = f"scan{extension}"
        yield refused(f"a folder called {name}", "^This is a folder|^No DICOM", _as_folder(name))
        yield refused(f"a pipe called {name}", "^Not a regular file", _as_pipe(name))
        yield refused(f"{name} leads to /dev/zero", "^Not a regular file", _as_link(name, "/dev/zero"))
        yield refused(f"{name} leads nowhere", "^Broken link", _as_link(name, "gone"))
        yield refused(f"{name} is empty", "^Empty file", written(name, b""))
        yield refused(f"{name} is not there", "^No such file", lambda folder, name=name: folder / name)
        yield refused(f"{name} leads to itself", "^Can't be opened", _as_link(name, name))
    yield refused("a zarr that is a pipe", "^Not a regular file", _as_pipe("scan.zarr"))
    yield refused("a name with a zero", "^Can't be opened", lambda folder: folder / "a\0.nii")
    yield refused("a name that is too long", "^Can't be opened", lambda folder: folder / f"{'a' * 300}.nii")
    yield refused("an unknown extension", "^Unknown extension", written("scan.xyz", nifti))
    yield same("a link to a whole file", _linked, NOISE, AFFINE)
    yield from slices()


def _as_folder(name: str) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).mkdir()
        return folder / name

    return make


def _as_pipe(name: str) -> Make:
    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)  # opening it would block for ever
        return folder / name

    return make


def _as_link(name: str, target: str) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).symlink_to(target)
        return folder / name

    return make


def _linked(folder: Path) -> Path:
    (folder / "there").mkdir()
    (folder / "there" / "b.nii").write_bytes(nifti())
    (folder / "a.nii").symlink_to(folder / "there" / "b.nii")
    return folder / "a.nii"


# ---- slices ---------------------------------------------------------------------------------------------------------


def pictures(*damage: Callable[[Path], Any], name: str = "image_{}.tif") -> Make:
    def make(folder: Path) -> Path:
        path = folder / "slices"
        path.mkdir()
        for number, picture in enumerate(PICTURES):
            tifffile.imwrite(path / name.format(number), picture, metadata=None)
        for change in damage:
            change(path)
        return path

    return make


def picture(number: int, *changes: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / f"image_{number}.tif"
        content = path.read_bytes()
        for one in changes:
            content = one(content)
        path.write_bytes(content)

    return change


def other(number: int, data: np.ndarray, **options: Any) -> Callable[[Path], None]:
    return lambda folder: tifffile.imwrite(folder / f"image_{number}.tif", data, metadata=None, **options)


def slices() -> Iterator[Case]:
    yield same("slices: TIFF", pictures(), PICTURES, PIXELS, unit="pixel")
    yield same("slices: counted from 7 in threes", pictures(_in_threes), PICTURES, PIXELS)
    yield refused("slices: a number missing", "^Missing slice", pictures(lambda f: (f / "image_4.tif").unlink()))
    yield refused(
        "slices: a number twice", "^Two slices", pictures(lambda f: tifffile.imwrite(f / "image_04.tif", PICTURES[4]))
    )
    yield refused("slices: an odd size", "^Not like the others: image_4", pictures(other(4, PICTURES[4, :, :8])))
    yield refused(
        "slices: an odd type", "^Not like the others: image_4", pictures(other(4, PICTURES[4].astype(np.uint32)))
    )
    yield refused(
        "slices: one is a stack", "^Not one slice: image_4", pictures(other(4, PICTURES[:3], photometric="minisblack"))
    )
    rgb = np.arange(12 * 9 * 3, dtype=np.uint16).reshape(12, 9, 3)
    yield refused("slices: one is coloured", "^Colours", pictures(other(4, rgb, photometric="rgb")))
    yield refused("slices: one cut in half", "^Truncated", pictures(picture(4, cut(0.5))))
    yield refused("slices: one cut by a byte", "^Truncated", pictures(picture(4, short(1))))
    yield refused("slices: one empty", "^Empty file: image_4", pictures(picture(4, cut(0))))
    yield refused(
        "slices: one in truth text",
        "^Not a TIFF file: image_4",
        pictures(lambda f: (f / "image_4.tif").write_bytes(b"hello " * 20)),
    )
    yield refused("slices: one a pipe", "^Not a regular|^Missing slice", pictures(_piped))
    yield refused("slices: one a broken link", "^Broken link|^Missing slice", pictures(_broken))
    yield asked(
        "slices: two series",
        "^2 volumes",
        pictures(lambda f: [tifffile.imwrite(f / f"label_{k}.tif", PICTURES[k]) for k in (1, 2)]),
    )


def _in_threes(folder: Path) -> None:
    for number in reversed(range(len(PICTURES))):
        (folder / f"image_{number}.tif").rename(folder / f"slice{7 + 3 * number}.tif")


def _piped(folder: Path) -> None:
    (folder / "image_4.tif").unlink()
    os.mkfifo(folder / "image_4.tif")


def _broken(folder: Path) -> None:
    (folder / "image_4.tif").unlink()
    (folder / "image_4.tif").symlink_to("gone.tif")
