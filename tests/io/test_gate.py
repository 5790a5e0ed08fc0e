"""Whatever is wrong with a file is said in one sentence, before anything is allocated."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.nifti import read_nifti

NOISE = np.random.default_rng(0).integers(0, 4000, (12, 11, 10), dtype=np.int16)


def save_nifti(path: Path, data=NOISE) -> Path:
    nib.save(nib.Nifti1Image(data, np.diag([2.0, 2.0, 3.0, 1.0])), path)
    return path


def test_only_regular_files_are_opened(tmp_path):
    folder = tmp_path / "folder.nii"
    folder.mkdir()
    pipe = tmp_path / "pipe.nii.gz"
    os.mkfifo(pipe)  # opening it would block for ever
    link = tmp_path / "link.nii"
    link.symlink_to(tmp_path / "gone.nii")
    empty = tmp_path / "empty.nii.gz"
    empty.touch()
    for path, words in (
        (folder, "folder"), (pipe, "regular file"), (link, "Broken link"), (empty, "Empty"),
        (tmp_path / "none.nii", "No such file"), (Path("/dev/zero"), "regular file"), (tmp_path / "\0.nii", "opened"),
    ):  # fmt: skip
        with pytest.raises(FileProblem, match=words):
            read_nifti(path)


def test_a_link_to_a_whole_file_is_read(tmp_path):
    link = tmp_path / "link.nii"
    link.symlink_to(save_nifti(tmp_path / "scan.nii"))
    assert read_nifti(link).shape == (10, 11, 12)


def test_magic_decides_about_gzip_not_the_name(tmp_path):
    whole = save_nifti(tmp_path / "a.nii").read_bytes()
    for name, content in (("plain.nii.gz", whole), ("packed.nii", gzip.compress(whole))):
        (tmp_path / name).write_bytes(content)
        volume = read_nifti(tmp_path / name)
        np.testing.assert_array_equal(volume.geometry.stored.to_stored(volume.data), NOISE)


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_truncated_files_are_refused_with_byte_counts(tmp_path, name):
    whole = save_nifti(tmp_path / name).read_bytes()
    for share in (0.001, 0.05, 0.2, 0.5, 0.9, 0.999):
        path = tmp_path / f"cut-{name}"
        path.write_bytes(whole[: max(1, int(len(whole) * share))])
        with pytest.raises(FileProblem):
            read_nifti(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileProblem, match=r"Truncated file: .*[\d,]+ of 2,992 bytes"):
        read_nifti(path)


def test_every_cut_of_the_tail_is_noticed(tmp_path):
    """The last eight bytes are the checksum and the length: nibabel reads all voxels without them."""
    whole = save_nifti(tmp_path / "scan.nii.gz").read_bytes()
    for missing in range(1, 12):
        path = tmp_path / "cut.nii.gz"
        path.write_bytes(whole[:-missing])
        with pytest.raises(FileProblem):
            read_nifti(path)


def test_flipped_bits_are_refused_or_change_nothing(tmp_path):
    whole = save_nifti(tmp_path / "scan.nii.gz").read_bytes()
    meant = read_nifti(tmp_path / "scan.nii.gz")
    rng = np.random.default_rng(3)
    path, refused, control = tmp_path / "flipped.nii.gz", 0, 0
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            volume = read_nifti(path)
        except FileProblem:
            refused += 1
            continue
        np.testing.assert_array_equal(volume.data, meant.data)
        np.testing.assert_array_equal(volume.geometry.affine, meant.geometry.affine)
    for at in range(40, len(whole) - 9, 97):  # the control arm: nibabel alone gives other voxels for some of them
        damaged = bytearray(whole)
        damaged[at] ^= 1
        path.write_bytes(damaged)
        try:
            control += not np.array_equal(np.asanyarray(nib.load(path).dataobj), NOISE)
        except Exception:  # noqa: BLE001 - whatever nibabel says is fine, this only counts what it says nothing about
            continue
    assert refused >= 55
    assert control > 0


def bomb(version: int, shape: tuple[int, int, int]) -> bytes:
    header = (nib.Nifti2Header if version == 2 else nib.Nifti1Header)()
    header["dim"][:4] = (3, *shape)
    header["datatype"], header["bitpix"] = 16, 32
    header["vox_offset"] = header["sizeof_hdr"] + 4
    return header.binaryblock + bytes(4) + bytes(2000)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.nii", bomb(1, (30000, 30000, 30000))),
        ("a.nii.gz", gzip.compress(bomb(1, (30000, 30000, 30000)))),
        ("b.nii", bomb(2, (60000, 60000, 60000))),
        ("b.nii.gz", gzip.compress(bomb(2, (2**40, 2**40, 2**40)))),
        ("c.nii.gz", gzip.compress(bomb(1, (2000, 2000, 1500)))),
    ],
)
def test_headers_that_declare_too_much_allocate_nothing(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(FileProblem):
        read_nifti(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_a_zip_bomb_is_given_up_at_the_declared_size(tmp_path):
    whole = save_nifti(tmp_path / "scan.nii").read_bytes()
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(gzip.compress(whole) + gzip.compress(bytes(300_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(FileProblem, match="more bytes than the"):
        read_nifti(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_zero_padding_behind_the_voxels_is_harmless_but_other_bytes_are_not(tmp_path):
    whole = save_nifti(tmp_path / "scan.nii").read_bytes()
    path = tmp_path / "padded.nii"
    path.write_bytes(whole + bytes(160))
    assert read_nifti(path).shape == (10, 11, 12)
    path.write_bytes(whole + bytes(160) + b"x")
    with pytest.raises(FileProblem, match="more bytes"):
        read_nifti(path)


def test_memory_is_asked_for_before_it_is_taken(tmp_path, monkeypatch):
    path = save_nifti(tmp_path / "scan.nii.gz")
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "0.000001")
    with pytest.raises(FileProblem, match=r"needs 0\.0 MB, the limit VOL3D_MAX_GB is 1e-06 GB") as caught:
        read_nifti(path)
    assert "VOL3D_MAX_GB" in caught.value.hint
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "many")
    with pytest.raises(FileProblem, match="must be a number"):
        read_nifti(path)
    monkeypatch.delenv(gate.LIMIT_VARIABLE)
    with pytest.raises(FileProblem, match=r"needs 27,000.0 GB, .* GB are free"):
        gate.check_memory(path, 27 * 10**12)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = save_nifti(tmp_path / "scan.nii")

    def read_while_it_grows():
        with gate.reading(path), path.open("ab") as file:
            file.write(b"more")

    with pytest.raises(FileProblem, match="being written"):
        read_while_it_grows()


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (np.full((4, 4), np.nan), "spacing"),
        (np.diag([0.0, 1, 1, 1]), "spacing"),
        (np.diag([np.inf, 1, 1, 1]), "spacing"),
        (np.array([[1.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]), "plane"),
    ],
)
def test_geometry_that_is_none_is_refused(affine, words):
    with pytest.raises(FileProblem, match=words):
        gate.check_affine(Path("scan.nii"), np.asarray(affine))
