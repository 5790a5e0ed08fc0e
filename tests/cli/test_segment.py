"""`segment` gives the voxels that the verb gives, and leaves nothing half-done however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import psutil
import pytest

from napari_vol3d.cli.segment import _check_format, _targets
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish, phantom

BASE = [sys.executable, "-m", "napari_vol3d.cli.main", "segment"]
SOON = 40.0  # seconds until a process that was told to stop is gone; nearly always far quicker


def test_the_voxels_are_those_of_the_verb(command, cli_model, cli_scan, tmp_path):
    out = tmp_path / "new" / "folder"
    other = tmp_path / "second.npy"
    np.save(other, phantom((9, 30, 20), seed=3)[0])
    done = command("segment", cli_scan, other, tmp_path / "missing.nii.gz", "--model", cli_model.folder, "--out", out)
    assert done.returncode == 4  # one file is missing, the others are done all the same
    assert "missing.nii.gz" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["ball_labels.nii.gz", "second_labels.nii.gz"]
    scan = read_volume(cli_scan)
    _, prediction = finish(segment(scan, cli_model, SegmentSettings(device="cpu")))
    assert prediction.labels.any()
    written = nib.load(out / "ball_labels.nii.gz")
    np.testing.assert_array_equal(np.asarray(read_volume(out / "ball_labels.nii.gz").data), prediction.labels)
    np.testing.assert_array_equal(written.affine, nib.load(cli_scan).affine)
    assert "ball_labels.nii.gz" in done.stdout
    assert "dim" in done.stdout
    assert " mL" in done.stdout
    assert "ball.nii.gz: Segmenting" in done.stderr  # in a file, lines and no bar
    assert "\r" not in done.stderr




def test_what_is_there_is_not_replaced_unless_asked(command, cli_model, cli_scan, tmp_path):
    kept = tmp_path / "ball_labels.nii.gz"
    kept.write_bytes(b"corrected by hand")
    refused = command("segment", cli_scan, "--model", cli_model.folder, "--out", tmp_path)
    assert refused.returncode == 4
    assert "already there" in refused.stderr
    assert "--overwrite" in refused.stderr
    assert kept.read_bytes() == b"corrected by hand"
    done = command("segment", cli_scan, "--model", cli_model.folder, "--out", tmp_path, "--overwrite")
    assert done.returncode == 0
    assert nib.load(kept).shape == nib.load(cli_scan).shape


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--model", "nothing"], 3, "No model called nothing"),
        (["--model", "hippocampus-t1", "--memory-gb", "-1"], 2, "memory_gb"),
        (["--model", "hippocampus-t1", "--halo", "-2"], 2, "halo"),
        (["--model", "hippocampus-t1", "--halo", "many"], 2, "invalid int"),
        ([], 3, "No model is named, and none is preselected. Add --model NAME"),
    ],
)
def test_wrong_usage_has_its_code(command, cli_scan, tmp_path, arguments, code, words):
    done = command("segment", cli_scan, "--out", tmp_path / "out", *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_scan_that_does_not_fit_has_its_code(command, cli_model, tmp_path):
    np.save(tmp_path / "colour.npy", np.zeros((5, 6, 7, 3), np.uint8))
    done = command("segment", tmp_path / "colour.npy", "--model", cli_model.folder, "--out", tmp_path / "out")
    assert (done.returncode, "Traceback" in done.stderr) == (5, False)
    assert not (tmp_path / "out").exists()  # nothing in it: it was made for nothing


def test_resampling_is_said(command, cli_scan, tmp_path):
    coarse = nib.load(cli_scan)
    nib.save(nib.Nifti1Image(np.asarray(coarse.dataobj), np.diag([1.5, 1.5, 1.5, 1.0])), tmp_path / "coarse.nii.gz")
    done = command("segment", tmp_path / "coarse.nii.gz", "--model", "hippocampus-t1", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "coarse.nii.gz: Resampled from 1.5 x 1.5 x 1.5 to 1 x 1 x 1 mm" in done.stderr
    plain = command(
        "segment", tmp_path / "coarse.nii.gz", "--model", "hippocampus-t1", "--out", tmp_path / "plain", "--no-resample"
    )
    assert "Resampled" not in plain.stderr


def test_two_scans_of_one_name_are_refused(command, cli_model, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "same.npy", np.zeros((3, 3, 3)))
    scans = [tmp_path / folder / "same.npy" for folder in ("a", "b")]
    done = command("segment", *scans, "--model", cli_model.folder, "--out", tmp_path / "out")
    assert done.returncode == 4
    assert "Two scans" in done.stderr


def test_an_output_that_is_a_file_is_told(command, cli_model, cli_scan, tmp_path):
    (tmp_path / "out").write_text("a file")
    done = command("segment", cli_scan, "--model", cli_model.folder, "--out", tmp_path / "out")
    assert (done.returncode, "Traceback" in done.stderr) == (4, False)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("name", "moment"),
    [("SIGTERM", b"Segmenting"), ("SIGINT", b"Starting TensorFlow"), ("SIGHUP", b"Segmenting")],
)
def test_a_signal_stops_everything(cli_model, tmp_path, name, moment):
    number = getattr(signal, name)
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).normal(size=(224, 224, 224)).astype(np.float32))
    many_tiles = str(512 * 24**3 / 1e9)
    arguments = ["--model", cli_model.folder, "--out", tmp_path / "out", "--device", "cpu", "--memory-gb", many_tiles]
    process = subprocess.Popen(
        [*BASE, str(tmp_path / "scan.npy"), *map(str, arguments)], stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    with process:
        seen = b""
        while moment not in seen:
            piece = os.read(process.stderr.fileno(), 4096)
            assert piece, f"it ended before: {seen.decode()}"
            seen += piece
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(number)
        time.sleep(0.15)  # an impatient person: the second one comes while the engine is being ended
        process.send_signal(number)
        _, errors = process.communicate(timeout=SOON)
    assert process.returncode == 130
    assert b"interrupted" in errors
    assert b"Traceback" not in seen + errors
    _, alive = psutil.wait_procs(children, timeout=SOON)
    assert not alive
    assert not (tmp_path / "out").exists()  # nothing in it: it was made for nothing
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("vol3d-")] == []


@pytest.mark.parametrize(
    ("name", "timed", "match"),
    [("a.seg.nrrd", True, "can't hold time points"), ("a.dcm", False, "needs a DICOM series"), ("a.nii.gz", True, "")],
)
def test_a_format_that_can_not_work_is_told_before_the_run(name, timed, match):
    data = np.zeros((3, 4, 5, 2) if timed else (3, 4, 5), np.uint8)
    volume = Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)), timed=timed)
    if not match:
        _check_format(Path(name), volume)
        return
    with pytest.raises(FileProblem, match=match):
        _check_format(Path(name), volume)


def test_two_parts_of_one_folder_have_two_names(tmp_path):
    names = [
        next(iter(_targets([tmp_path], tmp_path, ".nii.gz", part=part, overwrite=False).values())).name
        for part in (None, "image", "label", "1.2.840.113619.2.55.3.1234567890.1+repair")
    ]
    assert len(set(names)) == 4
    assert all(name.startswith(tmp_path.name) and name.endswith("_labels.nii.gz") for name in names)
