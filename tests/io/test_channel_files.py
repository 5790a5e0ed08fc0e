"""The images of a case are found beside each other, and never one of another case."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.io.channel_files import channels_beside
from tests.builders import save_nifti

TRIO = ("FLAIR", "T1", "T2")
CASES = ("p1", "p2", "p1_FLAIR_study", "P10", "1")
WORDS = {"FLAIR": ("FLAIR", "flair", "T2_FLAIR"), "T1": ("T1", "t1w"), "T2": ("T2", "T2W")}


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch()


def test_what_lies_beside_real_scans_is_found(shared_data):
    folder = shared_data / "scans" / "ms_patient19"
    (flair,) = folder.glob("FLAIR*")
    found = channels_beside(flair, ("T1", "FLAIR", "T1 post", "T2"))
    assert [path.name.split("_")[0] for path in found.values()] == ["T1", "FLAIR", "T1POST", "T2"]
    assert all(path.is_file() for path in found.values())


@settings(deadline=None, max_examples=60)
@given(st.sets(st.tuples(st.sampled_from(CASES), st.sampled_from(TRIO))), st.sampled_from(CASES), st.data())
def test_only_the_whole_case_of_the_scan_is_taken(tmp_path_factory, there, case, draw):
    """Whatever other cases lie there: all three channels are the scan's own, or it is refused."""
    folder = tmp_path_factory.mktemp("scans")
    names = {each: f"{each[0]}_{draw.draw(st.sampled_from(WORDS[each[1]]))}.nii.gz" for each in there}
    own = draw.draw(st.sampled_from(TRIO))
    names[case, own] = f"{case}_{own}.nii.gz"
    touch(folder, *names.values(), f"{case}_{own}_labels.nii.gz", f"{case}_{own}.json")
    missing = [name for name in TRIO if (case, name) not in names]
    scan = folder / names[case, own]
    if missing:
        with pytest.raises(ScanMismatch, match="No image of"):
            channels_beside(scan, TRIO)
    else:
        assert channels_beside(scan, TRIO) == {name: folder / names[case, name] for name in TRIO}


def test_the_scans_own_format_goes_first(tmp_path):
    touch(tmp_path, "a_FLAIR.nii.gz", "a_T1.nii.gz", "a_T1.nii", "a_T2.nrrd")
    found = channels_beside(tmp_path / "a_FLAIR.nii.gz", TRIO)
    assert [path.name for path in found.values()] == ["a_FLAIR.nii.gz", "a_T1.nii.gz", "a_T2.nrrd"]


def test_folders_of_slices_lie_beside_each_other_too(shared_data, tmp_path):
    series = shared_data / "dicom" / "hippocrop"
    for name in ("FLAIR", "T1w", "T2"):
        (tmp_path / name).symlink_to(series, target_is_directory=True)
    found = channels_beside(tmp_path / "FLAIR", TRIO)
    assert [path.name for path in found.values()] == ["FLAIR", "T1w", "T2"]


def test_a_scan_is_found_from_its_own_folder(tmp_path, monkeypatch):
    touch(tmp_path, "a_FLAIR.nii", "a_T1.nii", "a_T2.nii")
    monkeypatch.chdir(tmp_path)
    found = channels_beside(Path("a_FLAIR.nii"), TRIO)
    assert found == {name: Path(f"a_{name}.nii") for name in TRIO}
    assert os.sep not in str(found["T1"])


@pytest.mark.parametrize(
    ("scan", "there", "words"),
    [
        ("a_FLAIR.nii.gz", ("a_T1.nii.gz", "a_T1w.nii.gz", "a_T2.nii.gz"), "Not clear which is T1: a_T1.nii.gz and"),
        ("a_FLAIR.nii.gz", ("a_T1_post.nii.gz",), "no a_T1.nii.gz and no a_T2.nii.gz"),
        ("a.nii.gz", ("a_T1.nii.gz",), "Which channel is a.nii.gz"),
    ],
)
def test_what_only_a_person_knows_is_asked(tmp_path, scan, there, words):
    touch(tmp_path, *there)
    save_nifti(tmp_path / scan, np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(ScanMismatch, match=words) as refused:
        channels_beside(tmp_path / scan, TRIO)
    assert "--channel" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)
