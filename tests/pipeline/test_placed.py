"""What the engine gets is a copy, unpacked, of what the gate has seen."""

from __future__ import annotations

import zipfile

import pytest

from napari_vol3d.models.card import CARD_NAME, sha256_of
from napari_vol3d.models.gate import examine
from napari_vol3d.models.store import find_model
from napari_vol3d.pipeline.placed import place
from tests.io.network_files.test_keras2_archive import twin, write

KINDS = {
    "meshnet_t1_gwm/tfjs": ("h5", "model.h5"), "meshnet_t1_gwm/savedmodel": ("saved_model", "model"),
    "meshnet_t1_gwm/model5_gw_ae_256fixed.h5": ("h5", "model.h5"),
    "deepbrain_mask/graph_v2_anysize.keras": ("keras", "model.keras"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_each_container_as_the_engine_can_load_it(shared_data, tmp_path, name):
    placed = place(examine(shared_data / "models" / name), tmp_path)
    assert (placed.container, placed.path.name) == KINDS[name]
    assert placed.path.exists()


def test_a_zipped_saved_model_is_unpacked(shared_data, tmp_path):
    folder, packed = shared_data / "models" / "meshnet_t1_gwm" / "savedmodel", tmp_path / "net.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, f"net/{path.relative_to(folder)}")
    target = tmp_path / "engine"
    target.mkdir()
    placed = place(examine(packed), target)
    assert placed.container == "saved_model"
    assert sha256_of(placed.path / "saved_model.pb") == sha256_of(folder / "saved_model.pb")


def test_a_model_of_ours_brings_its_card_from_folder_and_zip(tmp_path):
    bundled = find_model("hippocampus-t1")
    packed = tmp_path / "net.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(bundled.folder / CARD_NAME, CARD_NAME)
        archive.write(bundled.weights, bundled.weights.name)
    for path in (bundled.folder, packed):
        target = tmp_path / path.stem
        target.mkdir()
        placed = place(examine(path), target)
        assert (placed.container, placed.card) == ("keras", bundled.card)
        assert sha256_of(placed.path) == bundled.card.weights.sha256


def test_a_keras_file_of_keras_2_arrives_as_the_h5_that_keras_3_reads(tmp_path):
    placed = place(examine(write(tmp_path / "two.keras", twin()[1])), tmp_path)
    assert (placed.container, placed.path.suffix) == ("h5", ".h5")
    assert dict(examine(placed.path).contents)["Conv3D"] == 3
