"""Models given away: they come back bit for bit, and the zoo's own validator takes the packages."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem, SaveProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.models.bioimageio import read_package, test_pair, unpack
from napari_vol3d.models.card import CARD_NAME, ModelCard
from napari_vol3d.models.export import export_model
from napari_vol3d.models.store import BUNDLED, Model, open_model
from napari_vol3d.models.zoo.sample import sample_input
from napari_vol3d.models.zoo.written_steps import network_input
from tests.builders import CLASSES, make_card

# In a process of its own, in which there is no net: it loads much, sets up logging, and would look for updates.
VALIDATE = """
import socket, sys
def refuse(*args, **kwargs): raise OSError("there is no net here")
socket.socket.connect = socket.getaddrinfo = refuse
from bioimageio.spec import load_description
for path in sys.argv[1:]:
    found = load_description(path)
    print(found.validation_summary.status)
    if found.validation_summary.status not in ("valid-format", "passed"):
        print(found.validation_summary.format())
"""
SCHEMES = {
    "none": IntensityScheme(kind="none"), "zscore": IntensityScheme(kind="zscore", lower=0, upper=100),
    "cut": IntensityScheme(kind="zscore"), "minmax": IntensityScheme(kind="minmax"),
    "quantile": IntensityScheme(kind="quantile", lower=5, upper=95), "maximum": IntensityScheme(kind="maximum"),
    "window": IntensityScheme(kind="window", lower=-200, upper=300),
    "unit": IntensityScheme(kind="window", lower=0, upper=1),
    "nonzero": IntensityScheme(kind="quantile", over="nonzero"),
}  # fmt: skip


def keras_file(path):
    """A .keras file as far as an exporter looks into it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
    return path


def model_of(folder, *, words=None, **changes):
    folder.mkdir(exist_ok=True)
    card = make_card(keras_file(folder / "model.keras"), **changes).model_copy(update=words or {})
    (folder / CARD_NAME).write_text(card.model_dump_json(), encoding="utf-8")
    return open_model(folder)


def sample_of(model: Model):
    patch = sample_input(model.card)
    scores = len(model.card.output.classes) + (model.card.output.activation != "sigmoid")
    return patch, np.random.default_rng(0).normal(0, 3, (*patch.shape[:3], scores)).astype(np.float32)


@pytest.fixture
def bundled():
    return open_model(BUNDLED / "hippocampus-t1", bundled=True)


def test_a_folder_and_a_zip_hold_card_and_weights(bundled, tmp_path):
    folder = export_model(bundled, tmp_path / "given", kind="folder")
    assert open_model(folder).card == bundled.card
    assert (folder / "model.keras").read_bytes() == bundled.weights.read_bytes()
    path = export_model(bundled, tmp_path / "given.zip", kind="zip")
    with zipfile.ZipFile(path) as archive:
        assert ModelCard.model_validate_json(archive.read(CARD_NAME)) == bundled.card
        assert archive.read("model.keras") == bundled.weights.read_bytes()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["given", "given.zip"]


def test_nothing_that_is_there_is_touched_by_a_folder(bundled, tmp_path):
    (tmp_path / "given").mkdir()
    with pytest.raises(SaveProblem, match="already there"):
        export_model(bundled, tmp_path / "given", kind="folder")
    assert not list((tmp_path / "given").iterdir())


def test_a_package_gives_the_whole_card_and_the_weights_back(bundled, tmp_path):
    path = export_model(bundled, tmp_path / "a.zip", kind="bioimageio", sample=sample_of(bundled))
    package = read_package(path)
    assert package.card == bundled.card
    assert package.draft.title == bundled.card.title
    assert package.notes == ()
    (tmp_path / "out").mkdir()
    assert unpack(package, tmp_path / "out").read_bytes() == bundled.weights.read_bytes()


def test_without_our_block_a_package_says_what_others_can_know(bundled, tmp_path):
    path = export_model(bundled, tmp_path / "a.zip", kind="bioimageio", sample=sample_of(bundled))
    package = read_package(path)
    said = package.bundle.read("rdf.yaml", most=1 << 20).replace(b"napari-vol3d:\n", b"others:\n")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    (tmp_path / "out" / "rdf.yaml").write_bytes(said)
    package = read_package(tmp_path / "out")
    draft, card = package.draft, bundled.card
    assert package.card is None
    assert (draft.spacing, draft.unit, draft.intensity) == (card.input.spacing, "mm", card.input.intensity)
    assert [item.name for item in draft.classes] == [item.name for item in card.output.classes]
    assert (draft.license, draft.halo, draft.activation) == (card.license, card.inference.halo, "none")


@pytest.mark.parametrize("name", SCHEMES)
def test_the_example_is_what_the_network_was_given(tmp_path, name):
    model = model_of(tmp_path / "model", input={"intensity": SCHEMES[name]})
    patch, scores = sample_of(model)
    package = read_package(export_model(model, tmp_path / "a.zip", kind="bioimageio", sample=(patch, scores)))
    given, wanted = test_pair(package)
    np.testing.assert_allclose(given[0], network_input(model.card, patch), atol=1e-6)
    np.testing.assert_allclose(wanted.sum(axis=-1), 1, atol=1e-5)  # the card says logits: softmax is done


def test_the_same_model_gives_the_same_package(bundled, tmp_path):
    made = [
        export_model(bundled, tmp_path / f"{n}.zip", kind="bioimageio", sample=sample_of(bundled)) for n in range(2)
    ]
    assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in made}) == 1


def test_weights_that_have_changed_are_not_given_away(tmp_path):
    model = model_of(tmp_path / "model")
    model.weights.write_bytes(b"other")
    with pytest.raises(ModelProblem, match="can't be exported"):
        export_model(model, tmp_path / "a.zip", kind="zip")
    assert not (tmp_path / "a.zip").exists()


def test_samples_that_do_not_fit(tmp_path):
    model = model_of(tmp_path / "model")
    patch, scores = sample_of(model)
    cut = [(patch[..., 0], scores), (patch, scores[..., :2]), (patch[:-1], scores[:-1]), (patch[:8], scores[:8])]
    for bad in (None, *cut):
        with pytest.raises(ModelProblem, match="sample"):
            export_model(model, tmp_path / "a.zip", kind="bioimageio", sample=bad)


def test_the_validator_of_the_zoo_takes_our_packages(bundled, tmp_path):
    if importlib.util.find_spec("bioimageio") is None or importlib.util.find_spec("bioimageio.spec") is None:
        pytest.skip("bioimageio.spec, the zoo's validator, is not installed: pip install bioimageio.spec")
    models = [bundled]
    for name, scheme in SCHEMES.items():
        models.append(model_of(tmp_path / name, input={"intensity": scheme, "channels": ("T1", "FLAIR")}))
    models.append(model_of(
        tmp_path / "odd", output={"activation": "sigmoid", "classes": CLASSES[:1]}, inference={"halo": 200},
        input={"fixed": True, "patch_size": (24, 16, 16), "spacing": (2.0, 0.5, 0.5), "unit": "um"}, words={
            "license": "Ask us", "authors": ("A/B",), "title": "µ: ü", "version": "one", "description": "x" * 2000,
            "citation": "Persons 2020, https://doi.org/10.1000/xyz-1.",
        },
    ))  # fmt: skip
    paths = []
    for number, model in enumerate(models):
        paths.append(export_model(model, tmp_path / f"{number}.zip", kind="bioimageio", sample=sample_of(model)))
    home = os.environ | {"HOME": str(tmp_path), "BIOIMAGEIO_CACHE_PATH": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", VALIDATE, *map(str, paths)], capture_output=True, text=True, check=False, env=home
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["valid-format"] * len(models), done.stdout
