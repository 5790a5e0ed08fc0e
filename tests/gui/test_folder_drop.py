"""A folder of a case's images opens as they do; one of a study is told of, and one of other things left to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari import Viewer
from napari.layers import Image, Labels

from napari_vol3d.gui import hooks
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.folder_drop import MOST_OPENED
from napari_vol3d.gui.model_drop import open_model
from tests.builders import phantom, save_nifti
from tests.gui.conftest import drop
from tests.gui.test_hooks import notifications as notifications


def test_the_images_of_a_case_are_opened_and_its_labels_are_labels(viewer: Viewer, tmp_path: Path) -> None:
    case = tmp_path / "p01"
    case.mkdir()
    image, labels = phantom()
    for name, data in (("p01_T1", image), ("p01_FLAIR", image), ("p01_seg", labels)):
        save_nifti(case / f"{name}.nii.gz", data)
    (case / "notes.txt").write_text("seen on Monday")
    save_nifti(case / ".hidden.nii.gz", image)
    open_drops_here()
    drop(viewer, case)
    kinds = {layer.name: type(layer) for layer in viewer.layers}
    assert kinds == {"p01_FLAIR": Image, "p01_T1": Image, "p01_seg": Labels}


def test_a_study_is_no_case(viewer: Viewer, tmp_path: Path, notifications: list[Any]) -> None:
    for number in range(MOST_OPENED + 1):
        save_nifti(tmp_path / f"p{number:02}.nii.gz", phantom()[0])
    open_drops_here()
    drop(viewer, tmp_path)
    assert not viewer.layers
    (told,) = [record.message for record in notifications]
    assert f"holds {MOST_OPENED + 1} scans" in told
    assert "tab Review" in told


def test_what_holds_neither_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    assert hooks.get_reader(str(tmp_path)) is None
    assert hooks.get_reader([str(tmp_path), str(tmp_path)]) is None
    (tmp_path / "net.onnx").write_bytes(b"\x08\x07")
    assert hooks.get_reader(str(tmp_path)) is open_model
