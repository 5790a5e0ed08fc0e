"""Trust is a person's, and of these very files."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.models.library import default_model, set_default
from napari_vol3d.models.source import ModelSource
from napari_vol3d.models.trust import is_trusted, trust


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))


def source(tmp_path, sha256):
    return ModelSource(path=tmp_path / "net.keras", container="keras", files=(), sha256=sha256, size=1)


def test_by_hash(tmp_path):
    one, other = "1" * 64, "2" * 64
    assert not is_trusted(one)
    trust(source(tmp_path, one))
    set_default("hippocampus-t1")  # other decisions leave it alone, and it leaves them
    trust(source(tmp_path, other))
    assert is_trusted(one)
    assert is_trusted(other)
    assert default_model() == "hippocampus-t1"


def test_a_folder_that_can_not_be_made_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "file"))
    with pytest.raises(SaveProblem, match=r"Trust in net.keras was not kept: Not a directory.*VOL3D_MODELS"):
        trust(source(tmp_path, "1" * 64))
    with pytest.raises(SaveProblem, match="The choice was not kept"):
        set_default("hippocampus-t1")


def test_since_when_it_is_trusted_stays(tmp_path):
    trust(source(tmp_path, "1" * 64))
    (kept,) = (tmp_path / "own" / "trusted").iterdir()
    kept.write_text("since long ago")
    trust(source(tmp_path, "1" * 64))
    assert kept.read_text() == "since long ago"
