from __future__ import annotations

import pytest

from napari_vol3d.core import say


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.84, "0.8 s"), (12.4, "12 s"), (99.4, "99 s"), (100, "2 min"), (5399, "90 min"), (5400, "1.5 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert say.say_seconds(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(640e6, "640 MB"), (1.06e9, "1.1 GB"), (49e6, "49 MB")])
def test_amounts_of_memory(count: float, text: str) -> None:
    assert say.say_bytes(count) == text


@pytest.mark.parametrize(("text", "most", "wanted"), [
    ("scan", 4, "scan"), ("scans", 4, "sca…"), ("a scan", 3, "a…"), ("", 3, ""), ("scan", 1, "…"),
])  # fmt: skip
def test_a_long_text_is_cut_and_says_so(text: str, most: int, wanted: str) -> None:
    assert say.shortened(text, most) == wanted
    assert len(say.shortened(text, most)) <= most


@pytest.mark.parametrize(("text", "line"), [
    ("a\x1b[31mb\nc\td\x07", "a [31mb c d "), ("\u202egnp", " gnp"), ("\x9b2J", " 2J"),
    ("Größe 3 µm, 北", "Größe 3 µm, 北"),
    ("x" * 99, "x" * 29 + "…"), ("a\ud800", "a "),
])  # fmt: skip
def test_a_strangers_text_becomes_one_plain_line(text: str, line: str) -> None:
    assert say.plain_line(text, 30) == line


@pytest.mark.parametrize(("unit", "sign"), [
    ("millimeter", "mm"), ("micrometer", "µm"), ("nanometer", "nm"), ("pixel", "px"), ("mm", "mm"), ("inch", "inch"),
])  # fmt: skip
def test_units_of_length_have_a_sign_or_keep_their_name(unit: str, sign: str) -> None:
    """As pint writes them, whose units napari's layers have."""
    assert say.short_unit(unit) == sign


@pytest.mark.parametrize(("count", "text"), [(0, "0 classes"), (1, "1 class"), (3, "3 classes")])
def test_things_are_counted(count: int, text: str) -> None:
    assert say.say_count(count, "class", "classes") == text
    assert say.say_count(count, "tile") == f"{count} tile{'s' * (count != 1)}"
