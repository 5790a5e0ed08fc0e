"""Name and place are proposed so that the project lies beside its scans."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_vol3d.gui.forms.project_place import file_for, folder_for, name_for, refusal
from tests.builders import phantom, save_nifti


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    (folder / "more").mkdir(parents=True)
    for name in ("a", "more/b"):
        save_nifti(folder / f"{name}.nii.gz", phantom()[0])
    (folder / "list.csv").write_text("image\na.nii.gz\n")
    return folder


def test_it_lies_beside_the_scans(study: Path, subtests: pytest.Subtests) -> None:
    for sources, name, folder in (
        ((study,), "study", study), ((study / "list.csv",), "list", study),
        ((study / "more" / "b.nii.gz",), "more", study / "more"),
        ((study / "a.nii.gz", study / "more"), "study", study), ((study / "more", study / "a.nii.gz"), "more", study),
    ):  # fmt: skip
        with subtests.test(str(sources)):
            assert name_for(sources) == name
            assert folder_for(sources) == folder
    assert name_for(()) == ""


def test_a_folder_that_is_one_scan_lies_in_another(shared_data: Path) -> None:
    series = shared_data / "dicom" / "hippocrop"
    assert any(path.suffix == ".dcm" for path in series.iterdir())
    assert name_for((series,)) == "dicom"


def test_where_nothing_can_be_written_it_is_the_documents(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = study.parent / "documents"
    documents.mkdir()
    monkeypatch.setattr("napari_vol3d.gui.forms.project_place.user_documents_path", lambda: documents)
    real = os.access  # root may write anywhere, whatever the folder's mode
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != study and real(path, mode))
    assert folder_for((study,)) == documents
    assert refusal(study / "x.vol3d").startswith("Nothing can be written to study.")


def test_a_name_becomes_one_of_a_file(tmp_path: Path) -> None:
    for name, file in (
        ("study", "study.vol3d"), ("a/b: c?", "a_b_ c_.vol3d"), ("..", "project.vol3d"), ("v1.5", "v1.5.vol3d"),
    ):  # fmt: skip
        assert file_for(tmp_path, name) == tmp_path / file


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    assert refusal(tmp_path / "new.vol3d") == ""
    (tmp_path / "old.vol3d").touch()
    assert refusal(tmp_path / "old.vol3d").startswith("old.vol3d is there already.")
    assert refusal(tmp_path / "none" / "new.vol3d").startswith("No folder none.")


def test_a_folder_of_images_beside_its_labels_gives_the_name_of_both(study: Path) -> None:
    for part in ("images", "labels"):
        (study / part).mkdir()
        save_nifti(study / part / "a.nii.gz", phantom()[0])
    assert name_for((study / "images",)) == "study"
    assert folder_for((study / "images",)) == study
