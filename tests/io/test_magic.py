"""A file is what its first bytes say, whatever its name says."""

from __future__ import annotations

import gzip

import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.nifti import read_nifti
from napari_vol3d.io.registry import read_volume


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(400), "PNG picture"),
        (b"patient;age\n" * 40, "text file"),
        (b"<!DOCTYPE html><html>Not found</html>", "web page"),
        (b"II*\0" + bytes(400), "TIFF file"),
        (gzip.compress(b"NRRD0005\n" + bytes(400)), "gzip around an NRRD"),
        (bytes(128) + b"DICM" + bytes(300), "DICOM"),
        (bytes([7]) * 400, "no format"),
        (b"\x1f\x8b\x08", "gzip around"),
    ],
)
def test_a_wrong_extension_is_told_what_the_file_is(tmp_path, content, words):
    for name in ("scan.nii.gz", "scan.nii", "scan.npy"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(FileProblem, match=words) as caught:
            read_volume(path)
        assert name in str(caught.value)
        assert caught.value.hint


def test_the_point_comes_first_in_every_message(tmp_path):
    """Toasts are cut after 40 characters, and file names may be longer than that."""
    name = "a-very-long-name-as-scanners-and-archives-like-to-give-them.nii.gz"
    (tmp_path / name).write_bytes(b"hello " * 100)
    with pytest.raises(FileProblem) as caught:
        read_nifti(tmp_path / name)
    assert caught.value.message.startswith("Not a NIfTI file: ")
