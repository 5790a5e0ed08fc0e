"""Channels of a run: named files first, then those of the same case beside the scan; each on its own grid."""

from __future__ import annotations

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.cli.segment_channels import channel
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from tests.builders import save_nifti, write_model
from tests.channel_cases import CHANNELS, check_labels, write_image, write_seeing_model


@pytest.fixture(scope="module")
def pair_model(tmp_path_factory):
    """A network that marks where its second channel is brighter than its first."""
    import keras

    given = keras.Input((None, None, None, 2))
    layer = keras.layers.Conv3D(2, 1, use_bias=False)
    network = keras.Model(given, layer(given))
    layer.set_weights([np.array([[1.0, 0.0], [0.0, 1.0]], np.float32).reshape(1, 1, 1, 2, 2)])
    classes = (LabelClass(id=5, name="second", color="#ff0000"),)
    wanted = {"channels": ("T1", "FLAIR"), "intensity": IntensityScheme(kind="none")}
    return write_model(tmp_path_factory.mktemp("pair") / "pair", network, input=wanted, output={"classes": classes})


def test_channels_come_from_several_files_on_their_own_grids(command, pair_model, tmp_path):
    """The second image is twice as coarse: labels lie on the first one's grid, where the two meet."""
    one = np.full((12, 12, 12), 10, np.uint8)
    other = np.zeros((6, 6, 6), np.uint8)
    other[3:] = 200
    save_nifti(tmp_path / "a_T1.nii.gz", one)
    coarse = nib.Nifti1Image(other.T, np.array([[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1.0]]))
    coarse.header.set_xyzt_units("mm")
    nib.save(coarse, tmp_path / "a_FLAIR.nii.gz")
    scan, other_file = tmp_path / "a_T1.nii.gz", tmp_path / "a_FLAIR.nii.gz"
    named, found = tmp_path / "named", tmp_path / "found"
    done = command("segment", scan, "--model", pair_model.folder, "--out", named, "--channel", f"FLAIR={other_file}")
    assert done.returncode == 0, done.stderr
    assert "from its folder" not in done.stderr
    done = command("segment", scan, "--model", pair_model.folder, "--out", found)
    assert done.returncode == 0, done.stderr
    assert "FLAIR from a_FLAIR.nii.gz" in done.stderr
    for out in (named, found):
        labels = np.asarray(nib.load(out / "a_T1_labels.nii.gz").dataobj).T
        assert labels.shape == one.shape
        assert (labels[7:] == 5).all()
        assert (labels[:5] == 0).all()


def test_channels_that_are_named_go_before_those_that_lie_beside(command, pair_model, tmp_path):
    scan = save_nifti(tmp_path / "a_T1.nii.gz", np.full((8, 8, 8), 10, np.uint8))
    save_nifti(tmp_path / "a_FLAIR.nii.gz", np.full((8, 8, 8), 200, np.uint8))
    dark = save_nifti(tmp_path / "dark.nii.gz", np.eye(8, dtype=np.uint8) * np.ones((8, 1, 1), np.uint8))
    done = command(
        "segment", scan, "--model", pair_model.folder, "--out", tmp_path, "--format", ".nii",
        "--channel", f"FLAIR={dark}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not np.asarray(nib.load(tmp_path / "a_T1_labels.nii").dataobj).any()


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ((), "No image of FLAIR beside a_T1.nii.gz: there is no a_FLAIR.nii.gz"),
        (("b_FLAIR",), "No image of FLAIR"), (("a_FLAIR", "a_T2_FLAIR"), "Not clear which is FLAIR"),
    ],
)  # fmt: skip
def test_channels_that_are_missing_or_not_clear(command, pair_model, tmp_path, there, words):
    scan = save_nifti(tmp_path / "a_T1.nii.gz", np.zeros((8, 8, 8), np.uint8))
    for name in there:
        save_nifti(tmp_path / f"{name}.nii.gz", np.zeros((8, 8, 8), np.uint8))
    done = command("segment", scan, "--model", pair_model.folder, "--out", tmp_path / "out")
    assert (done.returncode, "Traceback" in done.stderr) == (5, False)
    assert words in done.stderr
    assert '--channel "FLAIR=FILE"' in done.stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [(("--channel", "T3=x.nii"), "has no channel T3"), (("--channel", "nothing"), "NAME=FILE")],
)
def test_channels_that_are_none(command, pair_model, tmp_path, more, words):
    scan = save_nifti(tmp_path / "a.nii.gz", np.zeros((8, 8, 8), np.uint8))
    done = command("segment", scan, "--model", pair_model.folder, "--out", tmp_path / "out", *more)
    assert done.returncode in (2, 5)
    assert words in done.stderr


def test_whole_cases_are_found_and_each_file_is_its_channel(command, tmp_path):
    """Of two cases in a folder that only the T1 are named of: labels say which image was seen as which channel."""
    model = write_seeing_model(tmp_path / "trio")
    ends = {"FLAIR": "T2-FLAIR", "T1": "T1w", "T2": "t2w"}
    for number, name in enumerate(("FLAIR-study_01", "FLAIR-study_02")):
        for each in CHANNELS:
            write_image(tmp_path / f"{name}_{ends[each]}.nii.gz", each, seed=number)
    write_image(tmp_path / "FLAIR-study_02_T1w_post.nii.gz", "T2")
    scans = sorted(tmp_path.glob("*_T1w.nii.gz"))
    done = command("segment", *scans, "--model", model.folder, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    for scan in scans:
        case = scan.name.removesuffix("T1w.nii.gz")
        taken = f"FLAIR from {case}T2-FLAIR.nii.gz, T2 from {case}t2w.nii.gz"
        assert f"{scan.name}: taken with it from its folder: {taken}" in done.stderr
        check_labels(np.asarray(nib.load(tmp_path / "out" / f"{case}T1w_labels.nii.gz").dataobj).T)


def test_how_a_channel_is_written():
    assert channel("T1 post=a=b.nii") == ("T1 post", Path("a=b.nii"))
    for text in ("FLAIR", "FLAIR="):
        with pytest.raises(argparse.ArgumentTypeError, match="NAME=FILE"):
            channel(text)
