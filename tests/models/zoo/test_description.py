"""Descriptions are read as plain values, and none unfolds to more than it is."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import FileProblem, ModelProblem
from napari_vol3d.io.bundle import open_bundle
from napari_vol3d.models.zoo.description import (
    MOST_BYTES,
    description_in,
    is_description,
    number,
    read_description,
    text,
)


def read(folder, content):
    (folder / "rdf.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    return read_description(open_bundle(folder), "rdf.yaml")


def test_plain_values(tmp_path):
    said = read(tmp_path, "a: 1\nb: [x, 2.5, null]\nc: {d: true}\n1: 2\nage: &x [1]\nsame: *x\n")
    assert said == {"a": 1, "b": ["x", 2.5, None], "c": {"d": True}, "1": 2, "age": [1], "same": [1]}


@pytest.mark.parametrize(
    "content",
    [
        "a: !!python/object/apply:os.system ['touch marker']", "a: !!python/name:os.system", "- a", "a: [",
        "a: {{}}: 1}", "a: 2021-13-45", f"a: {'9' * 5000}", "\x00", b"\xff\xfe\xfa", "a: 1\n---\nb: 2", "\n",
        "!!python/tuple [1]",
        "a: &x [*x]", "[" * 20_000, "a: " + "[" * 100 + "]" * 100,
        "a: &a [x,x,x]\n" + "\n".join(f"{q}: &{q} [*{p},*{p}]" for p, q in zip("abcdefgh", "bcdefghi", strict=True)),
        "a: &a 1\nb: [" + "*a," * 2000 + "]", "a: [" + "1," * 300_000 + "]",
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelProblem):
        read(tmp_path, content)
    assert not (tmp_path / "marker").exists()


def test_one_that_is_too_large(tmp_path):
    with pytest.raises(FileProblem, match="Too large"):
        read(tmp_path, b"a: '" + b"x" * MOST_BYTES + b"'")


def test_names(tmp_path):
    assert [is_description(n) for n in ("rdf.yaml", "a/bioimageio.yaml", "x.rdf.yaml", "a.yaml", "rdf.yaml.txt")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert description_in(open_bundle(tmp_path)) is None


def test_values():
    assert [text(value) for value in (" a ", 1.5, None, True, [1])] == ["a", "1.5", "", "", ""]
    assert [number(value) for value in (1, 2.5)] == [1, 2.5]
    assert not any(number(value) for value in ("1", True, float("nan"), float("inf"), 10**400))
