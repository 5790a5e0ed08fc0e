"""Folders of slices: in order, alike, none missing; one of several series only when it is named."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate, npy, slices
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.parts import SeveralParts
from napari_vol3d.io.slices import is_slice_folder, read_slices

DATA = np.random.default_rng(0).integers(0, 65536, (12, 9, 7), dtype=np.uint16)


def write(folder, data=DATA, form="image_{}.png"):
    folder.mkdir(exist_ok=True)
    for k, page in enumerate(data):
        path = folder / form.format(k)
        if path.suffix == ".png":
            Image.fromarray(page).save(path)
        else:
            tifffile.imwrite(path, page, photometric="minisblack", compression="zlib" if k % 2 else None)
    return folder


@pytest.mark.parametrize("form", ["image_{}.png", "{:03}.tif", "z{}_raw.TIFF"])
@pytest.mark.parametrize("eager", [True, False])
def test_slices_make_a_volume(tmp_path, monkeypatch, form, eager):
    monkeypatch.setattr(npy, "MAPPED_FROM", 10**9 if eager else 0)
    folder = write(tmp_path / "scan", form=form)
    volume = read_slices(folder)
    assert isinstance(volume.data, np.ndarray if eager else LazyArray)
    assert (volume.data.dtype, volume.name, volume.is_labels) == (np.uint16, "scan", None)
    assert (volume.geometry.unit, volume.geometry.spacing) == ("pixel", (1, 1, 1))
    np.testing.assert_array_equal(volume.data, DATA)
    np.testing.assert_array_equal(volume.data[9:1:-3, 2:, 4], DATA[9:1:-3, 2:, 4])
    assert is_slice_folder(folder)


@pytest.mark.parametrize("dtype", ["u1", "u2", ">u2", "i4", "u4", "f4"])
def test_types_of_tiff(tmp_path, dtype):
    data = (DATA % 200).astype(dtype)
    data[3, 2, 1] = 100
    volume = read_slices(write(tmp_path / "a", data, "a{}.tif"))
    assert volume.data.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(volume.data, data)


def test_a_lazy_slice_opens_its_own_file_only(tmp_path):
    folder = write(tmp_path / "a")
    volume = read_slices(folder)
    for k in (*range(3), *range(4, 12)):
        stamp = (folder / f"image_{k}.png").stat()
        os.utime(folder / f"image_{k}.png", ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    np.testing.assert_array_equal(volume.data[3], DATA[3])
    with pytest.raises(FileProblem, match=r"The file was changed: image_4\.png"):
        volume.data[4]
    (folder / "image_5.png").unlink()
    with pytest.raises(FileProblem, match="No such file"):
        volume.data[5]


def test_a_missing_slice_is_named(tmp_path):
    folder = write(tmp_path / "a")
    (folder / "image_10.png").unlink()
    with pytest.raises(FileProblem, match=r"^Missing slice: nothing between image_9\.png and image_11\.png"):
        read_slices(folder)


@pytest.mark.parametrize("odd", [DATA[0, :5], DATA[0].astype(np.uint8)])
@pytest.mark.parametrize("form", ["image_{}.png", "image_{}.tif"])
def test_the_odd_one_is_named(tmp_path, odd, form):
    folder = write(tmp_path / "a", form=form)
    path = folder / form.format(4)
    path.unlink()
    write(tmp_path / "b", [odd], form)
    shutil.move(tmp_path / "b" / form.format(0), path)
    with pytest.raises(FileProblem, match=rf"^Not like the others: {path.name} is"):
        read_slices(folder)


def test_two_series_in_one_folder_are_asked_about(tmp_path):
    folder = write(write(tmp_path / "a"), DATA[:5].astype(np.uint8), "label_{}.png")
    with pytest.raises(SeveralParts) as several:
        read_slices(folder)
    assert [(p.key, p.title) for p in several.value.parts] == [
        ("image", "12 slices, image_0.png to image_11.png"), ("label", "5 slices, label_0.png to label_4.png")
    ]  # fmt: skip
    volume = read_slices(folder, "label")
    assert volume.name == "label"
    np.testing.assert_array_equal(volume.data, DATA[:5].astype(np.uint8))
    with pytest.raises(FileProblem, match="No part 'mask'"):
        read_slices(folder, "mask")


def test_colours_are_read_where_they_are_grey(tmp_path):
    grey = np.repeat(DATA.astype(np.uint8)[..., None], 3, axis=3)
    for form in ("a{}.png", "a{}.tif"):
        folder = tmp_path / form[-3:]
        folder.mkdir()
        for k, page in enumerate(grey[:3]):
            Image.fromarray(page).save(folder / form.format(k))
        np.testing.assert_array_equal(read_slices(folder).data, grey[:3, ..., 0])
        coloured = grey[2].copy()
        coloured[1, 2, 0] ^= 1
        Image.fromarray(coloured).save(folder / form.format(2))
        with pytest.raises(FileProblem, match="Colours, not intensities"):
            np.asarray(read_slices(folder).data)


def test_damage_is_one_sentence(tmp_path):
    for form in ("a{}.png", "a{}.tif"):
        folder = write(tmp_path / form[-3:], form=form)
        path = folder / form.format(5)
        whole = path.read_bytes()
        for length in (0, 3, 20, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:length])
            with pytest.raises(FileProblem, match="a5"):
                np.asarray(read_slices(folder).data)


def test_folders_that_hold_something_else(tmp_path):
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    for k in range(3):
        tifffile.imwrite(stacks / f"volume-{k}.tif", DATA, photometric="minisblack")
    with pytest.raises(FileProblem, match=r"Not one slice: volume-0\.tif has"):
        read_slices(stacks)
    write(tmp_path / "zarr", DATA[:2])
    (tmp_path / "zarr" / ".zgroup").write_text("{}")
    (tmp_path / "empty").mkdir()
    write(tmp_path / "one", DATA[:1])
    for name in ("stacks", "zarr", "empty", "one", "none"):
        assert not is_slice_folder(tmp_path / name)
    for name in ("empty", "one"):
        with pytest.raises(FileProblem, match=f"No slices in {name}"):
            read_slices(tmp_path / name)
    with pytest.raises(FileProblem, match="Can't be opened"):
        read_slices(tmp_path / "none")


def test_a_large_folder_is_looked_at_in_part(tmp_path, monkeypatch):
    folder = write(tmp_path / "a", DATA[:2], "z{}.png")
    for k in range(300):
        (folder / f"{k}.txt").touch()
    looked = []
    scandir = os.scandir

    class Counting:
        def __init__(self, path):
            self.entries = scandir(path)

        def __enter__(self):
            return self

        def __exit__(self, *what):
            self.entries.close()

        def __iter__(self):
            return self

        def __next__(self):
            looked.append(next(self.entries))
            return looked[-1]

    monkeypatch.setattr(slices.os, "scandir", Counting)
    is_slice_folder(folder)
    assert len(looked) == slices.MOST_LOOKED_AT


def test_more_than_memory_stays_in_the_files(tmp_path, monkeypatch):
    folder = write(tmp_path / "a", form="a{}.png")
    monkeypatch.setattr(npy, "MAPPED_FROM", 10**9)
    monkeypatch.setenv(gate.LIMIT_VARIABLE, f"{5 * DATA[0].nbytes / 1e9}")
    volume = read_slices(folder)
    assert isinstance(volume.data, LazyArray)
    np.testing.assert_array_equal(volume.data[2:4], DATA[2:4])
    with pytest.raises(FileProblem, match="Too large for memory"):
        np.asarray(volume.data)


def test_real_slices(shared_data):
    folder = shared_data / "microscopy" / "em_slices"
    assert is_slice_folder(folder)
    assert not is_slice_folder(shared_data / "microscopy" / "axons")
    for key in ("image", "label"):
        found = read_slices(folder, key)
        pages = [np.asarray(Image.open(folder / f"{key}_{k}.png")) for k in range(12)]
        np.testing.assert_array_equal(found.data, pages)
