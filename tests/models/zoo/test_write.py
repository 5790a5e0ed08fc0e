"""The description of a package names its files, its sizes and its sources as the zoo wants them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from napari_vol3d.models.card import Source
from napari_vol3d.models.store import Model
from napari_vol3d.models.zoo.sample import sample_input
from napari_vol3d.models.zoo.write import package_parts
from tests.builders import make_card


def model_of(folder, *, words=None, **changes):
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
    card = make_card(folder / "model.keras", **changes).model_copy(update=words or {})
    return Model(folder=folder, card=card, origin="added")


def described(model):
    patch = sample_input(model.card)
    scores = len(model.card.output.classes) + (model.card.output.activation != "sigmoid")
    parts = package_parts(model, (patch, np.zeros((*patch.shape[:3], scores), np.float32)))
    return parts, yaml.safe_load(parts["rdf.yaml"])


def test_every_file_is_named_with_its_sum(tmp_path):
    parts, said = described(model_of(tmp_path))
    tests = [said[key][0]["test_tensor"] for key in ("inputs", "outputs")]
    named = [said["documentation"], *said["covers"], *tests, said["weights"]["keras_v3"]]
    for entry in named:
        part = parts[entry["source"]]
        content = part.read_bytes() if isinstance(part, Path) else part
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert {entry["source"] for entry in named} | {"rdf.yaml"} == set(parts)
    assert b"&id" not in parts["rdf.yaml"]


def test_sizes_leave_something_within_the_halo(tmp_path):
    _, said = described(model_of(tmp_path, input={"multiple": 8}, inference={"halo": 20}))
    axes = {axis["id"]: axis for axis in said["inputs"][0]["axes"] if "id" in axis}
    assert axes["z"]["size"] == {"min": 48, "step": 8}
    assert [axis["halo"] for axis in said["outputs"][0]["axes"] if "halo" in axis] == [20] * 3


def test_one_size_is_one_size(tmp_path):
    _, said = described(model_of(tmp_path, input={"fixed": True, "patch_size": (16, 24, 32)}, inference={"halo": 9}))
    assert [axis["size"] for axis in said["inputs"][0]["axes"] if "size" in axis] == [16, 24, 32]
    assert all("halo" not in axis for axis in said["outputs"][0]["axes"])  # nothing would be left


def test_versions_of_what_made_it(tmp_path):
    made = Source(container="h5", sha256="0" * 64, software="TensorFlow 2.9.1, Keras 2.9")
    weights = described(model_of(tmp_path, words={"source": made}))[1]["weights"]["keras_v3"]
    assert weights["keras_version"] == "3.5.0"
    assert weights["backend"] == ["tensorflow", "2.9.1"]


@pytest.mark.parametrize(
    ("citation", "cite"),
    [
        ("Doe 2020. https://doi.org/10.1000/a-b.c.", {"doi": "10.1000/a-b.c"}),
        ("Doe (doi 10.1234/xyz), in press", {"doi": "10.1234/xyz"}),
        ("See https://example.org/model.", {"url": "https://example.org/model"}), ("Doe, unpublished", None),
    ],
)  # fmt: skip
def test_citations_need_a_place(tmp_path, citation, cite):
    said = described(model_of(tmp_path, words={"citation": citation}))[1]
    assert said.get("cite") == ([{"text": citation, **cite}] if cite else None)


def test_words_in_the_zoos_letters(tmp_path):
    words = {"title": "Hirn: weiß/grau?", "authors": ("A/B",), "license": "see LICENSE", "version": "2b"}
    parts, said = described(model_of(tmp_path, words=words))
    assert said["name"] == "Hirn wei grau"
    assert said["authors"] == [{"name": "A B"}]
    assert "version" not in said
    assert parts[said["license"]["source"]] == b"see LICENSE"


def test_packages_name_no_path_and_no_person(tmp_path):
    parts, _ = described(model_of(tmp_path))
    for name in ("rdf.yaml", "README.md"):
        assert str(tmp_path).encode() not in parts[name]
        assert b"/home/" not in parts[name]
