"""Grey levels that a model can't know are told, each with a way on; and what is done to a scan first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.core.windows import thinned
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.card import Conform, ForegroundCrop
from napari_vol3d.pipeline.preflight import check_levels, preparation
from tests.builders import make_card

RNG = np.random.default_rng(0)
CT = RNG.normal(0, 300, 20_000)
AS_STORED = IntensityScheme(kind="none")
HEAD_CT = np.concatenate([np.full(9_000, -1024.0), RNG.normal(40, 60, 11_000).round(), [3071.0]])
HU = (-1024, 3071)
MR = np.concatenate([RNG.gamma(2, 90, 20_000).clip(0, 890).round(), [0, 900]])
BYTES = RNG.integers(0, 256, 20_000).astype(float)


def card(**wanted):
    return make_card(Path("m.keras"), sha256="0" * 64, input=wanted)


@pytest.mark.parametrize(
    ("sample", "wanted", "words"),
    [
        (np.zeros(0), {}, "no number"),
        (np.full(100, 7.0), {}, "Every voxel of the scan is 7"),
        (RNG.integers(0, 4, 5_000).astype(float), {}, "4 different values"),
        (BYTES + 3000, {"intensity": IntensityScheme(kind="window", lower=-100, upper=400)}, "hardly a voxel"),
        (BYTES / 255, {"intensity": AS_STORED, "intensity_range": (-1000, 3000)}, "this model knows"),
        (BYTES + 9000, {"intensity": AS_STORED, "intensity_range": (0, 255)}, "this model knows"),
        (HEAD_CT, {"channels": ("T1",)}, "looks like CT (-1024 to 3071)"),
        (HEAD_CT, {"channels": ("FLAIR", "mprage"), "intensity": AS_STORED}, "looks like CT"),
        (HEAD_CT, {"channels": ("T1",), "intensity_range": (0, 900)}, "looks like CT"),
        (MR, {"intensity_range": HU}, "does not look like CT (0 to 900, nothing below 0); this model knows -1024 to"),
        (MR, {"intensity_range": HU, "intensity": IntensityScheme(kind="quantile"), "channels": ("CT",)}, "look like"),
        (MR, {"intensity_range": HU, "intensity": AS_STORED}, "does not look like CT"),
    ],
)  # fmt: skip
def test_what_is_told(sample, wanted, words):
    (said,) = check_levels(sample, card(**wanted))
    assert words in said
    assert any(way in said for way in ("Open", "Choose"))


@pytest.mark.parametrize(
    ("sample", "wanted"),
    [
        (BYTES, {}),
        (BYTES * 1e6, {"intensity": IntensityScheme(kind="quantile"), "intensity_range": (0, 1)}),
        (CT, {"intensity": IntensityScheme(kind="window", lower=-100, upper=400)}),
        (CT, {"intensity": AS_STORED, "intensity_range": (-1000, 2000)}),
        (BYTES, {"intensity": AS_STORED}),
        (HEAD_CT, {}),
        (HEAD_CT, {"channels": ("CT",)}),
        (HEAD_CT, {"channels": ("T1",), "intensity": AS_STORED, "intensity_range": (-1000, 2000)}),
        (BYTES, {"channels": ("T1",)}),
        # The same kind in other bits: what is measured and mapped is the same.
        (MR, {"intensity_range": (0, 255)}),
        (BYTES, {"intensity_range": (0, 4095)}),
        (BYTES, {"intensity_range": HU}),
        (BYTES * 2.2, {"intensity_range": HU}),
        (BYTES / 255, {"intensity_range": HU}),
        (HEAD_CT + 1024, {"intensity_range": HU}),
        (HEAD_CT, {"intensity_range": (0, 4095)}),
        (HEAD_CT, {"intensity_range": (0, 255)}),
        (MR, {"intensity_range": HU, "channels": ("T1",)}),
        (MR, {"intensity_range": (-500, 900)}),
        (MR - 50, {"intensity_range": HU}),
    ],
)  # fmt: skip
def test_nothing_is_told_of_what_is_usual(sample, wanted):
    assert check_levels(sample, card(**wanted)) == ()


def ct_forms(sample):
    """Give a CT as programs store it: in HU, with the offset of 12 bit, in 8 bit, a window of it, and as a share."""
    whole = np.clip(sample, -1024, 3071) + 1024
    window = (np.clip(sample, -160, 240) + 160) / 400
    return sample, whole, np.round(whole / 4095 * 255), np.round(window * 255), whole / 4095, window


@pytest.mark.parametrize("name", ["3DCT_lung_baseline.mha", "example_ct_sm.nii.gz", "CT_AVM.nii.gz"])
def test_of_no_real_ct_it_is_told_that_it_is_none(shared_data, name):
    sample = thinned(read_volume(shared_data / "scans" / name).data)
    for stored in ct_forms(sample) if sample.min() < 0 else (sample,):
        assert check_levels(stored, card(intensity_range=HU)) == ()


def test_of_real_mr_it_is_told_where_it_is_plain(shared_data):
    sample = thinned(read_volume(shared_data / "hippocampus" / "images" / "hippocampus_046.nii.gz").data)
    assert "does not look like CT" in check_levels(sample, card(intensity_range=HU))[0]
    assert check_levels(sample, card(intensity_range=(0, 900))) == ()


def test_a_preparation_is_said_and_that_labels_come_back():
    upright = Geometry(affine=np.eye(4)[[2, 1, 0, 3]], anatomical=True)
    scan = Volume(data=np.zeros((4, 4, 4)), geometry=upright)
    assert preparation(scan, card()) == ()
    (said,) = preparation(scan, card(conform=Conform(), orientation="LIA", crop=ForegroundCrop(padding=18)))
    for words in ("256 x 256 x 256 voxels of 1 mm", "L I A", "bright part", "come back on the scan's own grid"):
        assert words in said
    (said,) = preparation(scan, card(resize_to=(128, 96, 64)))
    assert "stretched to 128 x 96 x 64" in said


def test_a_tilt_is_said_where_it_matters():
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]]
    scan = Volume(data=np.zeros((4, 4, 4)), geometry=Geometry(affine=turn, anatomical=True))
    assert preparation(scan, card()) == ()
    assert "tilted by 11 degrees" in preparation(scan, card(orientation="LIA"))[1]
