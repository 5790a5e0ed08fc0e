"""A scan is the same wherever it lies, and another as soon as a voxel is."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review import identity
from napari_vol3d.review.identity import array_sha256, scan_sha256

NAMES = st.text("abc", min_size=1, max_size=3)
FOLDERS = st.dictionaries(NAMES, st.binary(max_size=40), min_size=1, max_size=5)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sample be taken of more than 100 bytes."""
    monkeypatch.setattr(identity, "WHOLE_UP_TO", 100)
    monkeypatch.setattr(identity, "BLOCK", 4)
    monkeypatch.setattr(identity, "BLOCKS", 5)


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@given(st.binary(min_size=1, max_size=3000))
def test_of_a_file_it_is_the_sum_that_every_tool_gives(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("scan") / "a.nii"
    path.write_bytes(data)
    assert scan_sha256(path) == hashlib.sha256(data).hexdigest()
    moved = path.rename(path.with_name("other.nii"))
    assert scan_sha256(moved) == hashlib.sha256(data).hexdigest()


@given(FOLDERS, FOLDERS)
def test_folders_are_one_scan_just_where_names_and_contents_are(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    place = tmp_path_factory.mktemp("scans")
    sums = [scan_sha256(fill(place / name, files)) for name, files in (("one", one), ("other", other))]
    assert (sums[0] == sums[1]) == (one == other)


def test_bytes_that_move_from_file_to_file_are_noticed(tmp_path: Path) -> None:
    one = fill(tmp_path / "one", {"a": b"xy", "b": b"z"})
    other = fill(tmp_path / "other", {"a": b"x", "b": b"yz"})
    assert scan_sha256(one) != scan_sha256(other)


def test_what_looking_at_a_folder_leaves_in_it_changes_nothing(tmp_path: Path) -> None:
    folder = fill(tmp_path / "a", {"1.dcm": b"x", "sub/2.dcm": b"y"})
    before = scan_sha256(folder)
    fill(tmp_path / "b", {"1.dcm": b"x", "sub/2.dcm": b"y", "sub/.DS_Store": b"z", "._1.dcm": b"z", "Thumbs.db": b""})
    assert scan_sha256(tmp_path / "b") == before


def test_labels_that_were_saved_inside_a_zarr_leave_it_the_same_scan(tmp_path: Path) -> None:
    image = {"zarr.json": b"{}", "0/c/0/0/0": b"x", "0/zarr.json": b"{}"}
    before = scan_sha256(fill(tmp_path / "a.zarr", image))
    with_labels = fill(tmp_path / "b.zarr", image | {"labels/zarr.json": b"{}", "labels/mine/0/c/0": b"y"})
    assert scan_sha256(with_labels) == before
    assert scan_sha256(fill(tmp_path / "c.zarr", image | {"0/c/0/0/0": b"z"})) != before
    slices = fill(tmp_path / "slices", {"labels/1.png": b"1"})  # no Zarr: a folder like any other
    assert scan_sha256(slices) != scan_sha256(fill(tmp_path / "more", {"labels/1.png": b"2"}))


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("a.mhd", "NDims = 3\nElementDataFile = s1.raw\n"),
        ("a.nhdr", "NRRD0004\ntype: short\ndata file: s1.raw\n"),
        ("a.nhdr", "NRRD0004\ndata file: LIST\ns1.raw\n"),
        ("a.nhdr", "NRRD0004\ndata file: s%d.raw 1 2 1\n"),
        ("a.mhd", "ElementDataFile = s%01d.raw 1 2 1\n"),
    ],
)
def test_a_header_is_known_by_the_voxels_that_it_names(tmp_path: Path, header: str, text: str) -> None:
    sums = []
    for voxels in (b"one", b"two"):
        fill(tmp_path / "x", {header: text.encode(), "s1.raw": voxels, "unrelated.txt": voxels})
        sums.append(scan_sha256(tmp_path / "x" / header))
        (tmp_path / "x" / "unrelated.txt").unlink()
        assert scan_sha256(tmp_path / "x" / header) == sums[-1]
    assert sums[0] != sums[1]


@pytest.mark.usefixtures("small")
def test_of_a_large_file_blocks_and_length_count(tmp_path: Path) -> None:
    data = bytes(range(150))
    (tmp_path / "a").write_bytes(data)
    before = scan_sha256(tmp_path / "a")
    starts = [int(start) for start in np.linspace(0, 146, 5)]
    read = {place for start in starts for place in range(start, start + 4)}
    assert {0, 149} <= read
    for place in range(150):
        changed = bytearray(data)
        changed[place] ^= 1
        (tmp_path / "a").write_bytes(changed)
        assert (scan_sha256(tmp_path / "a") != before) == (place in read)
    (tmp_path / "a").write_bytes(data + b"x")
    assert scan_sha256(tmp_path / "a") != before


@pytest.mark.usefixtures("small")
@given(st.lists(st.integers(0, 40), min_size=2, max_size=9), st.data())
def test_of_a_large_folder_the_same_blocks_are_read_as_of_one_file(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], data: st.DataObject
) -> None:
    whole = data.draw(st.binary(min_size=sum(sizes), max_size=sum(sizes)))
    place = tmp_path_factory.mktemp("scan")
    ends = np.cumsum(sizes)
    pieces = {f"{k}": whole[end - size : end] for k, (size, end) in enumerate(zip(sizes, ends, strict=True))}
    files = identity._files_of(fill(place / "folder", pieces))
    for start, stop in identity._ranges(len(whole)):
        assert b"".join(identity._bytes_of(files, ends.tolist(), start, stop)) == whole[start:stop]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="No such file"):
        scan_sha256(tmp_path / "none.nii")
    assert len(scan_sha256(tmp_path)) == 64  # an empty folder is no scan, and no error of ours


ARRAYS = arrays(st.sampled_from(["u1", "<i2", ">f4"]), array_shapes(min_dims=2, max_dims=4, max_side=4))


@given(ARRAYS, ARRAYS)
def test_arrays_are_one_scan_just_where_shape_type_and_bytes_are(one: np.ndarray, other: np.ndarray) -> None:
    same = one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    assert (array_sha256(one) == array_sha256(other)) == same
    turned = np.asfortranarray(one)
    assert array_sha256(turned) == array_sha256(one)


@pytest.mark.usefixtures("small")
def test_of_a_large_array_the_first_and_last_slice_count() -> None:
    data = np.zeros((30, 10), np.uint8)
    before = array_sha256(data)
    noticed = []
    for z in range(30):
        data[z, 3] = 1
        noticed.append(array_sha256(data) != before)
        data[z, 3] = 0
    assert noticed[0]
    assert noticed[-1]
    assert sum(noticed) == 2  # 20 bytes of the 300
