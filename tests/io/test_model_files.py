"""Models are told from scans and other files by a cheap look; every real one, and none that is none."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_vol3d.io.model_files import is_model
from napari_vol3d.models.store import list_models
from tests.io.test_zip_files import many_members

MODELS = (
    "meshnet_t1_gwm/model5_gw_ae_64patch.keras", "meshnet_t1_gwm/model5_gw_ae_256fixed.h5", "meshnet_t1_gwm/savedmodel",
    "meshnet_t1_gwm/savedmodel/saved_model.pb", "meshnet_t1_gwm/tfjs", "meshnet_t1_gwm/tfjs/model.json",
    "keras2_lesion_patch48/t2_ax_lesion.h5", "refuse/classifier_64.h5", "refuse/weights_only_2d.hdf5",
)  # fmt: skip
OTHERS = (
    "models/meshnet_t1_gwm/tfjs/colormap.json", "models/meshnet_t1_gwm", "models/meshnet_t1_gwm/LICENSE",
    "dicom/hippocrop", "scans/chris_t1.nii.gz", "microscopy/em_slices",
)  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_real_models_are_known(shared_data: Path, name: str) -> None:
    assert is_model(shared_data / "models" / name)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_none_is_left_alone(shared_data: Path, name: str) -> None:
    assert (shared_data / name).exists()
    assert not is_model(shared_data / name)


def test_a_model_of_this_program_is_known() -> None:
    folder = list_models()[0].folder
    assert is_model(folder)
    assert is_model(folder / "card.json")


def test_scans_and_damaged_files_in_hdf5_are_none(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["raw"] = np.zeros((3, 4, 5))
    (tmp_path / "bad.h5").write_bytes(b"\x89HDF\r\n\x1a\n and then nothing")
    (tmp_path / "empty.hdf5").touch()
    assert not any(is_model(tmp_path / name) for name in ("scan.h5", "bad.h5", "empty.hdf5", "missing.h5"))


def test_weights_alone_are_looked_into(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        file.create_group("layers/conv3d/vars")
        file.create_group("vars")
    assert is_model(tmp_path / "a.weights.h5")


def test_a_link_in_hdf5_is_not_followed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["layers"] = h5py.ExternalLink("/nowhere/at/all.h5", "/x")
        file["vars"] = h5py.ExternalLink("/nowhere/at/all.h5", "/x")
    assert is_model(tmp_path / "link.h5")  # told by its names; the gate refuses it


@pytest.mark.parametrize(
    ("member", "known"), [("rdf.yaml", True), ("net/bioimageio.yaml", True), ("saved_model.pb", True), ("a.txt", False)]
)
def test_packages_are_known_by_what_is_in_them(tmp_path: Path, member: str, known: bool) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        package.writestr(member, "x")
    assert is_model(tmp_path / "a.zip") == known
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 and then nothing")
    assert not is_model(tmp_path / "b.zip")


def test_texts_are_known_by_their_keys(tmp_path: Path) -> None:
    (tmp_path / "any.json").write_text(json.dumps({"modelTopology": {}, "weightsManifest": []}))
    (tmp_path / "other.json").write_text(json.dumps({"points": []}))
    (tmp_path / "rdf.yaml").write_text("format_version: 0.5.3\nweights: {}\n")
    (tmp_path / "other.yml").write_text("a: 1\n")
    assert is_model(tmp_path / "any.json")
    assert is_model(tmp_path / "rdf.yaml")
    assert not is_model(tmp_path / "other.json")
    assert not is_model(tmp_path / "other.yml")


def test_a_zip_with_a_list_without_end_is_none_and_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = many_members(tmp_path / "a.zip", 100_000)
    monkeypatch.setattr(zipfile, "ZipFile", None)  # whoever read the list would fail
    assert not is_model(path)


@pytest.mark.parametrize("name", ["net.pt", "NET.PTH", "net.onnx", "net.tflite", "net.safetensors"])
def test_networks_of_other_programs_are_taken_to_be_told_what_they_are(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK")
    assert is_model(tmp_path / name)
