"""What a network finds lies where it is in the patient, from the file through the engine to the file."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.io.registry import read_volume, write_labels
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import brightness_network, finish, write_model
from tests.io.oriented import CODES, FORMATS, NEAR, SPACINGS, affine_of, bright, found_by, mark, scan

# A prime step through the orientations, so that the sample has all their kinds; every format, spacing and angle.
SAMPLE = [
    (kind, CODES[(7 + 17 * n) % len(CODES)], list(SPACINGS)[n % 3], (0, 17)[n // 3 % 2])
    for n, kind in enumerate((*FORMATS, *FORMATS, "DICOM", "NRRD"))
]


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    """A network of one voxel that says of each whether it is bright, on scans of any spacing."""
    network = brightness_network(scores=2, offsets=(0.0, -500.0))
    intensity = IntensityScheme(kind="none")
    return write_model(
        tmp_path_factory.mktemp("models") / "identity", network, input={"intensity": intensity},
        output={"classes": (LabelClass(id=1, name="bright", color=default_color(1)),)},
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "code", "spacing", "degrees"), SAMPLE)
def test_a_mark_is_found_where_it_lies(tmp_path, shared_engine, identity, kind, code, spacing, degrees):
    affine = affine_of(code, degrees, SPACINGS[spacing])
    volume = read_volume(scan(tmp_path, kind, affine))
    settings = SegmentSettings(halo=0, cache=False)
    _, prediction = finish(segment(volume, identity, settings, engine=shared_engine))
    np.testing.assert_array_equal(prediction.labels, bright(volume).data)
    labels = volume.with_data(prediction.labels, is_labels=True, classes=prediction.classes)
    assert prediction.geometry is volume.geometry
    for name in ("labels.nii.gz", "labels.seg.nrrd", *(("labels.dcm",) if kind == "DICOM" else ())):
        for library, places in found_by(write_labels(tmp_path / name, labels)).items():
            apart = np.linalg.norm(mark(affine)[:, None] - places[None], axis=-1)
            assert len(places) == len(mark(affine)), f"{name} by {library}"
            assert apart.min(axis=1).max() < NEAR, f"{name} by {library}"


def test_the_sample_has_every_format_spacing_and_angle():
    kinds, codes, spacings, angles = (set(column) for column in zip(*SAMPLE, strict=True))
    assert (kinds, spacings, angles) == (set(FORMATS), set(SPACINGS), {0, 17})
    assert len(codes) == len(SAMPLE) == 12
    # The file's first axis runs along each of the patient's, both ways.
    assert {code[0] for code in codes} == set("RLAPSI")
