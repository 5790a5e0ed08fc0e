"""JSON of strangers: one meaning, a known depth, and an answer in a moment whatever comes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.plain_json import DEEPEST, MOST_BYTES, read_json

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_plain_json_is_read_as_it_was_written(value):
    assert read_json(json.dumps(value).encode(), "x") == value


def test_brackets_in_strings_do_not_count():
    text = json.dumps({"a": "[{" * 1000, "b": '\\"[' * 1000}).encode()
    assert read_json(text, "x")["a"] == "[{" * 1000


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "deeper"),
        (b"[" * 200_000, "deeper"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "Damaged"),
        (b"{", "Damaged"),
        (b"[1e999]", "1e999"),
        (b"[-1e999]", "1e999"),
        (b"[" + b"9" * 4299 + b"]", "4299 digits"),
        (b"[" + b"[]," * 300_000 + b"[]]", "Too many values"),
        (b"[" + b"1," * 500_000 + b"1]", "Too many values"),
        (b"\xff\xfe\xfd", "Damaged"),
        (b" " * (MOST_BYTES + 1), "Too large"),
    ],
)
def test_anything_else_is_refused(text, word):
    with pytest.raises(ModelProblem, match=word):
        read_json(text, "x")


@pytest.mark.parametrize("unit", [b'\\"', b'"', b"\\", b'"\\"'])
def test_a_string_without_end_takes_no_time_that_grows(unit):
    """Doubled, a quadratic search would need four times the steps: at this length it would never come back."""
    with pytest.raises(ModelProblem):
        read_json(b'{"a": "' + unit * (4 << 20), "x")


def test_a_key_that_comes_twice_after_many_others_is_found_at_once():
    """Compared each with each, as many keys would need minutes."""
    keys = ",".join(f'"{index:x}":0' for index in range(240_000))
    with pytest.raises(ModelProblem, match="'z' comes twice"):
        read_json(f'{{{keys},"z":0,"z":1}}'.encode(), "x")


def test_the_deepest_that_is_allowed():
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST, "x")
