"""The demo is the main job in one command: labels, a picture of the window, and where they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from qtpy.QtGui import QImage

from napari_vol3d.gui.hooks import sample_file

LIMIT_SECONDS = 300


def demo(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "napari_vol3d.cli.main", "demo", "--headless", *map(str, arguments)]
    root = Path(__file__).parents[2]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=LIMIT_SECONDS,
        env=os.environ | {"PYTHONPATH": str(root), "NAPARI_CONFIG": str(cwd / "settings.yaml")},
    )  # fmt: skip


def test_it_ends_with_labels_a_picture_and_where_they_are(tmp_path: Path) -> None:
    ran = demo("--out", "results", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    out = tmp_path / "results"
    (labels,) = out.glob("*.nii.gz")
    saved, scan = nib.load(labels), nib.load(sample_file("hippocampus_average.nii.gz"))
    assert saved.shape == scan.shape
    np.testing.assert_array_equal(saved.affine, scan.affine)
    counts = np.bincount(np.asarray(saved.dataobj).reshape(-1))
    assert len(counts) == 3
    # Between a half and twice the volumes of the people that the sample is the average of (1715 and 1580 mm3).
    assert 850 < counts[1] < 3400
    assert 800 < counts[2] < 3200
    for name in (labels.name, "window.png"):
        assert name in ran.stdout
    assert "anterior" in ran.stdout
    assert "Traceback" not in ran.stderr

    picture = QImage(str(out / "window.png")).convertToFormat(QImage.Format.Format_RGB32)
    assert picture.width() >= 1000
    pixels = np.frombuffer(picture.constBits().asarray(picture.sizeInBytes()), np.uint8)
    colors = pixels.reshape(picture.height(), picture.width(), 4)[..., :3].astype(int)
    # The scan is grey; the overlay of the first class mixes it with orange: blue, green, red in memory.
    orange = (colors[..., 2] - colors[..., 0] > 40) & (colors[..., 2] > colors[..., 1])
    canvas = colors[200:600, 400:900]
    assert len(np.unique(canvas.reshape(-1, 3), axis=0)) > 100
    assert orange[200:600, 400:900].sum() > 100


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [(("nosuch.nii.gz",), 4, "nosuch.nii.gz"), (("--model", "nosuch"), 3, "No model called nosuch")],
)
def test_what_can_not_be_done_is_one_sentence_and_an_exit_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    ran = demo(*arguments, "--out", "results", cwd=tmp_path)
    assert ran.returncode == code, ran.stderr
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list((tmp_path / "results").glob("*.nii.gz"))
