"""A package's own example is tried once, and what came out is said."""

from __future__ import annotations

import hashlib
import zipfile

import numpy as np
import pytest

from napari_vol3d.models.gate import examine
from napari_vol3d.models.store import find_model
from napari_vol3d.pipeline.adopt import adopt, drop
from napari_vol3d.pipeline.hand_out import hand_out
from tests.builders import finish


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    target = tmp_path_factory.mktemp("zoo") / "net.zip"
    return finish(hand_out(find_model("hippocampus-t1"), target, kind="bioimageio"))[1]


def tried(path):
    adoption = finish(adopt(examine(path)))[1]
    drop(adoption)
    return adoption.facts.changes[-1]


def test_the_same_comes_out(package):
    assert tried(package) == "Its own example comes out the same."


def test_something_else_comes_out(package, tmp_path):
    """The example is another one, and the package says so itself: only running it can tell."""
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        text = old.read("rdf.yaml").decode()
        scores = np.load(old.open("test_output.npy"))
        with (tmp_path / "test_output.npy").open("wb") as file:
            np.save(file, scores[..., ::-1].copy())
        content = (tmp_path / "test_output.npy").read_bytes()


        text = text.replace(
            hashlib.sha256(old.read("test_output.npy")).hexdigest(), hashlib.sha256(content).hexdigest()
        )
        for name in old.namelist():
            new.writestr(name, {"rdf.yaml": text.encode(), "test_output.npy": content}.get(name) or old.read(name))
    assert "comes out differently" in tried(changed)
