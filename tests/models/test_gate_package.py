"""A bioimage.io package is judged by the weights in it, and nothing of it stays behind."""

from __future__ import annotations

import tempfile
import zipfile

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.gate import examine
from tests.hostile_models import conv, keras_file, lambda_layer, network, package


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """Where packages are unpacked to."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_folder_zip_and_description_are_one_model(tmp_path, unpacked):
    folder = package(tmp_path)
    with zipfile.ZipFile(tmp_path / "net.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    for path in (folder, folder / "rdf.yaml", tmp_path / "net.zip"):
        source = examine(path)
        assert (source.container, source.parameters, source.path) == ("bioimageio", 112, path)
        assert source.draft.title == "net"
    assert not list(unpacked.iterdir())


def test_the_files_that_count_are_trusted_together(tmp_path):
    source = examine(package(tmp_path))
    assert [path.name for path in source.files] == ["rdf.yaml", "net.keras"]
    (source.path / "rdf.yaml").write_text((source.path / "rdf.yaml").read_text() + "\n# changed\n")
    assert examine(source.path).sha256 != source.sha256


def test_nothing_stays_behind_of_a_refused_one(tmp_path, unpacked):
    path = package(tmp_path)
    keras_file(path, network(conv(), lambda_layer(tmp_path / "marker")))
    with pytest.raises(ModelProblem, match="Lambda"):
        examine(path)
    assert not list(unpacked.iterdir())
