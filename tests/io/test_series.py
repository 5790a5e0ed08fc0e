"""Files of one series are known as such by their headers, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.io.series import series_of
from tests.builders import phantom, save_nifti
from tests.io.dicom_phantom import series
from tests.io.rtstruct_phantom import structures


def test_slices_of_a_series_share_it_and_others_do_not(tmp_path: Path) -> None:
    one = series(tmp_path / "a", SeriesInstanceUID="1.2.1", name="IM{:04d}")
    series(one, SeriesInstanceUID="1.2.2", name="other{}.dcm")
    series(tmp_path / "b", SeriesInstanceUID="1.2.1")  # a copy elsewhere is another scan
    found = {path: series_of(path) for path in tmp_path.rglob("*") if path.is_file()}
    assert None not in found.values()
    assert {found[path] for path in one.glob("IM*")} == {(one, "1.2.1")}
    assert {found[path] for path in one.glob("other*")} == {(one, "1.2.2")}
    assert {found[path] for path in (tmp_path / "b").iterdir()} == {(tmp_path / "b", "1.2.1")}


def test_what_is_a_volume_by_itself_has_none(tmp_path: Path) -> None:
    folder = series(tmp_path / "a")
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0]], float)
    assert series_of(structures(folder / "rt.dcm", {"liver": [corners]})) is None
    assert series_of(save_nifti(tmp_path / "scan.nii.gz", phantom()[0])) is None
    assert series_of(folder) is None
    assert series_of(tmp_path / "missing.dcm") is None


@pytest.mark.parametrize("kept", [132, 200, 350, 500])
def test_a_damaged_file_is_left_to_who_opens_it(tmp_path: Path, kept: int) -> None:
    path = series(tmp_path / "a") / "0.dcm"
    content = path.read_bytes()
    path.write_bytes(content[:kept] + b"\xff" * 40)
    assert series_of(path) in (None, (path.parent, ""))
