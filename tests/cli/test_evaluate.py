"""`evaluate` prints the figures and writes them for programs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_vol3d.core.metrics import dice
from tests.builders import phantom, save_nifti


@pytest.fixture
def pair(tmp_path):
    reference = phantom((30, 34, 28))[1]
    prediction = np.roll(reference, 1, axis=0)
    return (
        save_nifti(tmp_path / "a_labels.nii.gz", prediction), save_nifti(tmp_path / "a.nii.gz", reference),
        prediction, reference,
    )  # fmt: skip


def test_the_figures_are_printed_and_written(command, pair, tmp_path):
    prediction, reference, found, meant = pair
    done = command("evaluate", prediction, reference, "--json", tmp_path / "figures.json")
    assert done.returncode == 0
    figures = json.loads((tmp_path / "figures.json").read_text())
    (scan,) = figures["scans"]
    assert scan["scan"] == "a"
    assert [row["dice"] for row in scan["classes"]] == pytest.approx([dice(found == i, meant == i) for i in (3, 7)])
    assert "Dice" in done.stdout
    assert f"{scan['classes'][0]['dice']:.3f}" in done.stdout


def test_folders_are_matched_by_name(command, pair, tmp_path):
    for kind, path in zip(("predictions", "references"), pair[:2], strict=True):
        (tmp_path / kind).mkdir()
        path.rename(tmp_path / kind / path.name)
    done = command("evaluate", tmp_path / "predictions", tmp_path / "references")
    assert done.returncode == 0
    assert "a" in done.stdout.split()


def test_other_grids_have_their_code(command, pair, tmp_path):
    other = save_nifti(tmp_path / "b.nii.gz", pair[3][:-1])
    done = command("evaluate", other, pair[1])
    assert (done.returncode, "Traceback" in done.stderr) == (5, False)


def test_a_missing_file_has_its_code(command, pair, tmp_path):
    done = command("evaluate", tmp_path / "nowhere.nii.gz", pair[1])
    assert (done.returncode, "Traceback" in done.stderr) == (4, False)
