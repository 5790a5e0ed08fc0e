"""`info` says what a file holds, and what is wrong with it."""

from __future__ import annotations

import numpy as np

from tests.builders import phantom, save_nifti


def test_a_scan_is_described(command, tmp_path):
    path = save_nifti(tmp_path / "scan.nii.gz", phantom((10, 12, 14))[0], spacing=(2.5, 0.8, 0.8))
    done = command("info", path)
    assert (done.returncode, done.stderr) == (0, "")
    for words in (str(path), "10 x 12 x 14 voxels", "2.5 x 0.8 x 0.8 mm", "float32", "RAS"):
        assert words in done.stdout


def test_channels_and_files_without_orientation(command, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 5, 6), np.uint16))
    done = command("info", tmp_path / "a.npy")
    assert done.returncode == 0
    assert "no patient orientation" in done.stdout
    assert "uint16" in done.stdout


def test_a_broken_file_is_one_line(command, tmp_path):
    path = tmp_path / "half.nii.gz"
    save_nifti(path, phantom()[0])
    path.write_bytes(path.read_bytes()[:1000])
    done = command("info", path)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("napari-vol3d: ")


def test_a_missing_file(command, tmp_path):
    done = command("info", tmp_path / "nowhere.nii.gz")
    assert (done.returncode, "Traceback" in done.stderr) == (4, False)
