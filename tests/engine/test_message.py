"""What all messages have in common: frozen, and nothing unknown in them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from napari_vol3d.engine.message import Message


class Word(Message):
    """An example."""

    text: str
    number: float = 0.0


def test_nothing_unknown_and_nothing_changes():
    with pytest.raises(ValidationError):
        Word(text="a", other=1)
    with pytest.raises(ValidationError):
        Word(text="a").text = "b"


def test_numbers_without_end_cross_the_pipe():
    word = Word(text="a", number=float("inf"))
    assert Word.model_validate_json(word.model_dump_json()) == word
