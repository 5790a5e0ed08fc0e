"""What is shown to a person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from napari_vol3d.review.reports import Acknowledged, Place


@pytest.mark.parametrize(
    ("place", "words"), [("journal", "saved 12:03:20"), ("local", "saved on this computer 12:03:20")]
)
def test_saved_says_where_and_when(place: Place, words: str) -> None:
    when = datetime(2026, 1, 2, 12, 3, 20, tzinfo=UTC)
    assert Acknowledged(sequence=1, tokens=("a",), place=place, time=when).words == words
    assert Acknowledged(sequence=1, tokens=(), place=place).time.tzinfo is not None
