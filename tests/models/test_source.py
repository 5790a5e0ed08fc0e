"""What a model is before it is trusted can be said for each container."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import get_args

import pytest

from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.source import CONTAINER_WORDS, Container, ModelSource


def test_each_container_has_words():
    assert set(CONTAINER_WORDS) == set(get_args(Container))
    assert len(set(CONTAINER_WORDS.values())) == len(CONTAINER_WORDS)


def test_nothing_of_it_changes_after_it_was_judged():
    source = ModelSource(path=Path("m.keras"), container="keras", files=(), sha256="a" * 64, size=3)
    assert source.draft == CardDraft()
    with pytest.raises(dataclasses.FrozenInstanceError):
        source.sha256 = "b" * 64


def test_what_computes_is_named_first():
    contents = (("Const", 425), ("Conv3D", 10), ("Identity", 141), ("Relu", 9))
    source = ModelSource(
        path=Path("m"), container="saved_model", files=(), sha256="a" * 64, size=3, contents=contents
    )  # fmt: skip
    assert [name for name, _ in source.telling] == ["Conv3D", "Relu", "Const", "Identity"]
