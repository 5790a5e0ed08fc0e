"""What is bright at a place of the patient is labelled at that place, whatever the format, orientation and voxels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.io.registry import read_volume, write_labels
from tests.io.oriented import CODES, FORMATS, NEAR, SPACINGS, affine_of, bright, found_by, mark, scan

SAVED_AS = ("labels.nii.gz", "labels.seg.nrrd")


@pytest.mark.parametrize("degrees", [0, 17])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_mark_is_labelled_where_it_lies(tmp_path, kind, spacing, degrees):
    for code in CODES:
        folder = tmp_path / code
        folder.mkdir()
        affine = affine_of(code, degrees, SPACINGS[spacing])
        volume = read_volume(scan(folder, kind, affine))
        labels = bright(volume)
        assert_there(mark(affine), held(labels), f"{code} as held")
        for name in (*SAVED_AS, "labels.dcm") if kind == "DICOM" else SAVED_AS:
            for library, places in found_by(write_labels(folder / name, labels)).items():
                assert_there(mark(affine), places, f"{code} in {name} by {library}")


def test_a_mark_that_moves_is_noticed():
    places = mark(affine_of("RAS", 17, SPACINGS["thick"]))
    assert_there(places, places[::-1], "the same")
    for wrong in (places[1:], places + np.array((0.01, 0, 0)), places * (-1, 1, 1), places[:, (1, 0, 2)]):
        with pytest.raises(AssertionError, match="moved"):
            assert_there(places, wrong, "moved")


def held(volume):
    index = np.argwhere(volume.data)
    return index @ volume.geometry.affine[:3, :3].T + volume.geometry.affine[:3, 3]


def assert_there(meant, places, which):
    """Each point has one of the places within a thousandth of a millimetre, and there are no others."""
    assert len(places) == len(meant), which
    apart = np.linalg.norm(meant[:, None] - places[None], axis=-1)
    nearest = apart.argmin(axis=1)
    assert sorted(nearest) == list(range(len(meant))), which
    assert apart.min(axis=1).max() < NEAR, which
