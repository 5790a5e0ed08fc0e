"""Predicting a project without a window: each scan is kept when it is done, and one that fails stops no other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from napari_vol3d.models.store import find_model
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.review.project.case_volume import volume_for
from napari_vol3d.review.project.foreseen import labels_of_prediction, newest_prediction, predicted_cases
from napari_vol3d.review.project.gather import gather
from napari_vol3d.review.project.store import Project
from tests.builders import finish
from tests.channel_cases import CHANNELS, check_labels, write_image, write_seeing_model

MODEL = "hippocampus-t1"
SOON = 60
BASE = [sys.executable, "-m", "napari_vol3d.cli.main", "review", "predict"]


@pytest.fixture
def project(shared_data, tmp_path):
    """Three real scans, of which the second is damaged."""
    (tmp_path / "scans").mkdir()
    for path in sorted((shared_data / "hippocampus" / "images").iterdir())[:3]:
        shutil.copy(path, tmp_path / "scans")
    damaged = sorted((tmp_path / "scans").iterdir())[1]
    damaged.write_bytes(damaged.read_bytes()[:500])
    card = find_model(MODEL).card
    said = {"name": card.name, "version": card.version, "sha256": card.weights.sha256}
    cases = gather([tmp_path / "scans"], base=tmp_path).cases
    return Project.create(tmp_path / "p.vol3d", name="p", cases=cases, classes=card.output.classes, model=said)


def test_each_scan_has_its_prediction(command, project):
    done = command("review", "predict", project.path, "--device", "cpu")
    assert (done.returncode, "Traceback" in done.stderr) == (4, False)  # of the damaged one
    first, damaged, last = project.cases()
    assert f"{damaged.code}: " in done.stderr
    assert predicted_cases(project) == {first.key, last.key}
    assert [row.reading.status for row in project.rows()] == ["predicted", "todo", "predicted"]
    made = newest_prediction(project, first.key)
    card = find_model(MODEL).card
    assert (made.model_sha256, made.score is None) == (card.weights.sha256, False)
    assert 0 <= made.score <= 1
    # The same labels as `segment` gives, and places that lie in the scan.
    volume = volume_for(project, first, card.input.channels)
    _, meant = finish(segment(volume, find_model(MODEL), SegmentSettings(device="cpu", cache=False)))
    assert np.array_equal(labels_of_prediction(project, made.key), meant.labels)
    assert all(0 <= at < n for place in made.places for at, n in zip(place["centre"], volume.shape, strict=True))
    again = command("review", "predict", project.path, "--device", "cpu", "--look-where", "mirrored")
    assert again.stdout == ""  # only the damaged one is tried once more
    assert newest_prediction(project, first.key).key == made.key


def test_each_channel_gets_its_image_whatever_the_project_was_made_of(command, tmp_path):
    """A folder, a table and BIDS: grids differ within each case, and the labels say which image was which channel."""
    model = write_seeing_model(tmp_path / "trio")
    for name in CHANNELS:
        write_image(tmp_path / "scans" / f"p01_{name}.nii.gz", name)
        write_image(tmp_path / "table" / f"{len(name)}{name[1]}.nii.gz", name, seed=1)
        suffix = name if name == "FLAIR" else f"{name}w"
        write_image(tmp_path / "bids" / "sub-07" / "anat" / f"sub-07_{suffix}.nii.gz", name, seed=2)
        if name != "T2":
            write_image(tmp_path / "more" / f"p02_{name}.nii.gz", name, seed=3)
    write_image(tmp_path / "bids" / "sub-07" / "anat" / "sub-07_ce-gadolinium_T1w.nii.gz", "T2")
    rows = "subject,T1 weighted,T2,T2-FLAIR\np03,21.nii.gz,22.nii.gz,5L.nii.gz\n"
    (tmp_path / "table" / "cases.csv").write_text(rows)
    sources = [tmp_path / each for each in ("scans", "table/cases.csv", "bids", "more")]
    made = command("review", "new", tmp_path / "p.vol3d", *sources, "--model", model.folder)
    assert made.returncode == 0, made.stderr
    done = command("review", "predict", tmp_path / "p.vol3d", "--model", model.folder, "--device", "cpu")
    project = Project.open(tmp_path / "p.vol3d")
    *whole, lacking = project.cases()
    assert [len(case.images) for case in project.cases()] == [3, 3, 4, 2]
    assert (done.returncode, "Traceback" in done.stderr) == (5, False)
    assert f"{lacking.code}: No image of T2: {lacking.code} has T1, FLAIR; the model wants FLAIR, T1, T2" in done.stderr
    assert predicted_cases(project) == {case.key for case in whole}
    for case in whole:
        check_labels(labels_of_prediction(project, newest_prediction(project, case.key).key))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_signal_keeps_what_is_done(project, tmp_path):
    process = subprocess.Popen(
        [*BASE, str(project.path), "--device", "cpu"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with process:
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SOON)
    first = project.cases()[0]
    assert line.startswith(first.code)
    assert process.returncode in (130, 4)  # 4: it was through before the signal came
    assert "Traceback" not in errors
    assert first.key in predicted_cases(project)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("vol3d-")] == []


def test_a_model_is_wanted(command, project, tmp_path):
    project.say("model", {})
    done = command("review", "predict", project.path)
    assert (done.returncode, "--model" in done.stderr) == (4, True)
    project.say("model", {"name": "gone", "version": "1", "sha256": "ab" * 32})
    done = command("review", "predict", project.path)
    assert (done.returncode, "--model FOLDER" in done.stderr) == (3, True)
