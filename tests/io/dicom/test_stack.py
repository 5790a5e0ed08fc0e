"""Planes in order, along their normal and along time."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.scan import scan
from napari_vol3d.io.dicom.stack import stack
from napari_vol3d.io.parts import Irregular
from tests.io.dicom_phantom import phantom, series


def never(first, second):
    return False


def names(stacked):
    return [[plane.name for plane in time] for time in stacked.times]


def test_slices_run_along_the_normal_whatever_their_names(tmp_path):
    series(tmp_path, steps=np.array([5.0, 0, 2.5, 10, 7.5, 12.5]))
    stacked = stack(scan(tmp_path).planes, "key", never, repair=False)
    assert names(stacked) == [["1.dcm", "2.dcm", "0.dcm", "4.dcm", "3.dcm", "5.dcm"]]
    assert (stacked.slices, stacked.gaps(), stacked.timed_by) == (6, None, "")


@pytest.mark.parametrize(
    ("steps", "slices"),
    [([0, 1, 2, 3], 4), ([0, 1, 3, 4], 5), ([0, 1, 2.2, 3], 4), ([0, 2, 3, 4, 5], 6), ([0, 1, 2, 7], 8)],
)
def test_gaps_are_found_and_counted(tmp_path, steps, slices):
    series(tmp_path, phantom((len(steps), 9, 7)), steps=np.array(steps))
    planes = scan(tmp_path).planes
    stacked = stack(planes, "key+repair", never, repair=True)
    assert stacked.slices == slices
    where = stacked.gaps()
    if where is None:
        assert steps == [0, 1, 2, 3]
        return
    np.testing.assert_allclose(np.interp(where, np.arange(len(steps)), steps), np.linspace(0, steps[-1], slices))
    with pytest.raises(Irregular) as caught:
        stack(planes, "key+repair", never, repair=False)
    assert caught.value.parts[0].key == "key+repair"


def test_identifiers_must_be_the_same_at_each_position(tmp_path):
    series(tmp_path, name="a{}", EchoNumbers=1)
    series(tmp_path, phantom() + 1, name="b{}", EchoNumbers=[2, 2, 2, 2, 2, 3])
    with pytest.raises(FileProblem, match="Mixed volumes"):
        stack(scan(tmp_path).planes, "key", never, repair=False)
    series(tmp_path, phantom() + 1, name="b{}", EchoNumbers=2)
    stacked = stack(scan(tmp_path).planes, "key", never, repair=False)
    assert (stacked.timed_by, len(stacked.times)) == ("EchoNumbers", 2)
    assert names(stacked)[1] == [f"b{k}" for k in range(6)]
