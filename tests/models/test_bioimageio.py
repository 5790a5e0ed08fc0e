"""Packages of the BioImage Model Zoo: what is taken from them, what is refused, and that nothing of theirs is run."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.models.bioimageio import finished, read_package, test_pair, unpack
from tests.zoo_packages import (
    WEIGHTS,
    axes_05,
    described_04,
    described_05,
    files_of,
    npy,
    sha256,
    write_folder,
    write_zip,
    zipped,
)


@pytest.fixture(params=["folder", "zip", "zip in a folder", "description"])
def place(request, tmp_path):
    """Store a package in one of the forms in which it is handed round."""

    def store(files):
        if request.param in ("folder", "description"):
            folder = write_folder(tmp_path / "package", files)
            return folder if request.param == "folder" else folder / "rdf.yaml"
        nested = "nuclei/" if request.param != "zip" else ""
        return write_zip(tmp_path / "package.zip", {nested + name: content for name, content in files.items()})

    return store


def folder_of(tmp_path, said, **more):
    return write_folder(tmp_path / "package", files_of(said, **more))


def test_a_package_of_04(place, tmp_path):
    path = place(files_of(described_04()))
    package = read_package(path)
    assert (package.container, package.weights, package.description) == ("h5", "model.h5", "rdf.yaml")
    assert package.files["model.h5"] == sha256(WEIGHTS)
    draft = package.draft
    assert (draft.title, draft.version, draft.license) == ("Nuclei 3D", "0.2", "BSD-3-Clause")
    assert draft.authors == ("A. Person", "B. Person")
    assert draft.citation == "Persons et al. 10.1000/xyz\nMore https://example.org"
    assert draft.intensity == IntensityScheme(kind="quantile", lower=1, upper=99.8)
    assert draft.halo == 12
    assert package.notes == ()
    (tmp_path / "out").mkdir()
    assert unpack(package, tmp_path / "out").read_bytes() == WEIGHTS


def test_a_package_of_05(place):
    package = read_package(place(files_of(described_05())))
    draft = package.draft
    assert package.container == "keras"
    assert draft.channels == ("nuclei", "membrane")
    assert (draft.spacing, draft.unit) == ((2.0, 0.5, 0.5), "um")
    assert [(item.id, item.name) for item in draft.classes] == [(1, "inside"), (2, "border")]
    assert (draft.activation, draft.halo) == ("none", 8)
    assert draft.intensity == IntensityScheme(kind="zscore", lower=0, upper=100)
    assert package.after == ("softmax",)


def test_its_example_comes_channels_last_and_prepared(place):
    package = read_package(place(files_of(described_05())))
    given, wanted = test_pair(package)
    assert given.shape == (1, 16, 17, 18, 2)
    assert wanted.shape == (1, 16, 17, 18, 1)
    np.testing.assert_allclose(given.mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(given.std(axis=(1, 2, 3)), 1, atol=1e-5)
    scores = np.random.default_rng(0).normal(0, 3, (1, 4, 5, 6, 3))
    np.testing.assert_allclose(finished(package, scores).sum(axis=-1), 1, atol=1e-6)


def test_nearly_empty_descriptions_still_count(tmp_path):
    tensor = {"axes": "bzyxc"}
    weights = {"keras_hdf5": {"source": "model.h5"}}
    said = {"format_version": "0.4.1", "inputs": [tensor], "outputs": [tensor], "weights": weights}
    odd = {"authors": "me", "cite": 3, "license": ["x"], "name": {"a": 1}, "version": None, "test_inputs": 5}
    for changes in ({}, odd, {"extra": [[]], "config": 3}):
        package = read_package(folder_of(tmp_path, said | changes))
        assert package.draft.title == ""
        assert package.draft.intensity == IntensityScheme(kind="none")
        assert not package.has_test
        with pytest.raises(ModelProblem, match="No example"):
            test_pair(package)


@pytest.mark.parametrize("kind", ["tensorflow_saved_model_bundle", "tensorflow_js"])
@pytest.mark.parametrize("inside", ["", "exported/"])
def test_bundles_are_zips_of_their_own(place, tmp_path, kind, inside):
    mark = {"tensorflow_saved_model_bundle": "saved_model.pb", "tensorflow_js": "model.json"}[kind]
    content = {inside + mark: b"graph", inside + "variables/variables.index": b"index" * 20}
    files = files_of(described_04(weights={kind: {"source": "weights.zip"}}), weights_zip=zipped(content))
    package = read_package(place(files))
    (tmp_path / "out").mkdir()
    found = unpack(package, tmp_path / "out")
    root = found if found.is_dir() else found.parent
    assert (found / mark if found.is_dir() else found).read_bytes() == b"graph"
    assert (root / "variables" / "variables.index").read_bytes() == b"index" * 20
    assert package.container == {"saved_model.pb": "saved_model", "model.json": "tfjs"}[mark]
    assert not list(tmp_path.glob("out/*.zip"))


def test_the_best_of_several_weights_is_taken(tmp_path):
    weights = {
        "pytorch_state_dict": {"source": "model.pt", "architecture": "network.py:Net"},
        "tensorflow_saved_model_bundle": {"source": "weights.zip"}, "keras_hdf5": {"source": "model.h5"},
    }  # fmt: skip
    package = read_package(folder_of(tmp_path, described_04(weights=weights)))
    assert (package.container, package.weights) == ("h5", "model.h5")
    assert package.notes == ("Program code of the package is not used: network.py.",)


def test_a_keras_file_under_an_older_name(tmp_path):
    package = read_package(folder_of(tmp_path, described_04(weights={"keras_hdf5": {"source": "model.keras"}})))
    assert package.container == "keras"


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"pytorch_state_dict": {"source": "a.pt"}, "onnx": {"source": "a.onnx"}}, "Only PyTorch, ONNX weights"),
        ({"torchscript": {"source": "a.pt"}}, "Only TorchScript weights"),
        ({}, "Only no weights"),
        ({"keras_hdf5": {"source": "https://example.org/a.h5"}}, "on the net"),
        ({"keras_hdf5": {"source": "../../secret.h5"}}, "leaves its folder"),
        ({"keras_hdf5": {"source": "/etc/passwd"}}, "leaves its folder"),
        ({"keras_hdf5": {"source": "nothing.h5"}}, "missing"),
        ({"keras_hdf5": {"source": "model.h5", "sha256": "0" * 64}}, "Not the file that it was: model.h5"),
    ],
)
def test_weights_that_are_refused(place, weights, words):
    with pytest.raises(ModelProblem, match=words):
        read_package(place(files_of(described_04(weights=weights))))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": [{"axes": "byxc"}]}, "takes 2D images"),
        ({"inputs": [{"axes": "btzyxc"}]}, "takes axes btzyxc"),
        ({"outputs": [{"axes": "bc"}]}, "gives axes bc"),
        ({"outputs": []}, "No input or output"),
        ({"type": "dataset"}, "A dataset, not a model"),
        ({"format_version": "9.1"}, "Format 9.1"),
    ],
)
def test_what_is_no_3d_model(tmp_path, changes, words):
    with pytest.raises(ModelProblem, match=words):
        read_package(folder_of(tmp_path, described_04(**changes)))


def test_an_example_on_the_net_is_left_out(tmp_path):
    package = read_package(folder_of(tmp_path, described_04(test_outputs=["https://example.org/a.npy"])))
    assert not package.has_test
    assert any("on the net" in note for note in package.notes)


def test_an_example_of_pickled_objects_is_not_built(tmp_path):
    marker = tmp_path / "marker"

    class Evil:
        def __reduce__(self):
            return (marker.touch, ())

    bad = np.empty(1, object)
    bad[0] = Evil()
    package = read_package(folder_of(tmp_path, described_04(), test_input_npy=npy(bad)))
    with pytest.raises(ModelProblem, match="plain array"):
        test_pair(package)
    assert not marker.exists()


def test_bad_bundles(tmp_path):
    said = described_04(weights={"tensorflow_saved_model_bundle": {"source": "weights.zip"}})
    for content, words in (
        (b"no zip", "no zip"), (zipped({"other.pb": b""}), "No saved_model.pb"),
        (zipped({"../saved_model.pb": b""}), "leaves its folder"),
        (zipped({"saved_model.pb": bytes(9 << 20)}), "Too large"),
    ):  # fmt: skip
        package = read_package(folder_of(tmp_path, said, weights_zip=content))
        out = tmp_path / f"out {words}"
        out.mkdir()
        with pytest.raises(ModelProblem, match=words):
            unpack(package, out)
    assert not (tmp_path / "saved_model.pb").exists()


def test_what_is_no_package(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "other.yaml").write_text("a: 1")
    for path, words in ((tmp_path / "folder", "No rdf.yaml"), (tmp_path / "other.yaml", "No package")):
        with pytest.raises(ModelProblem, match=words):
            read_package(path)


def test_axes_in_another_order_are_said(tmp_path):
    said = described_05()
    said["inputs"][0]["axes"], said["outputs"][0]["axes"] = axes_05("bxyzc"), axes_05("bxyzc")
    package = read_package(folder_of(tmp_path, said))
    assert package.draft.orientation == "LPS"
    assert any("order x, y, z" in note for note in package.notes)
    given, _ = test_pair(package)
    assert given.shape == (1, 18, 17, 16, 1)


def test_other_names_of_the_description(tmp_path):
    files = files_of(described_04())
    files["nuclei.bioimageio.yaml"] = files.pop("rdf.yaml")
    package = read_package(write_folder(tmp_path / "package", files))
    assert package.description == "nuclei.bioimageio.yaml"
    files["bioimageio.yaml"] = yaml.safe_dump(described_04(name="Usual")).encode()
    assert read_package(write_folder(tmp_path / "package", files)).draft.title == "Usual"
