"""A card says all that is needed, and a card that does not is refused with the field that is wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.card import CARD_NAME, ModelCard, ScanFigures, ValidationFigures, read_card, sha256_of
from napari_vol3d.models.store import BUNDLED
from tests.builders import make_card


@pytest.fixture
def content():
    return json.loads(make_card(Path("model.keras"), sha256="0" * 64).model_dump_json())


def write(folder, content):
    (folder / CARD_NAME).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def test_round_trip(tmp_path, content):
    card = read_card(write(tmp_path, content))
    assert card == make_card(Path("model.keras"), sha256="0" * 64)
    assert ModelCard.model_validate_json(card.model_dump_json()) == card
    assert card.label_names == {3: "dim", 7: "bright"}


def test_how_to_run_it_round_trips(tmp_path, content):
    content["input"]["flip_axes"] = [2, 0]
    content["inference"] |= {"scheme": "overlap", "seconds_per_megavoxel": 3.5}
    card = read_card(write(tmp_path, content))
    assert card.input.flip_axes == (2, 0)
    assert (card.inference.scheme, card.inference.seconds_per_megavoxel) == ("overlap", 3.5)
    assert ModelCard.model_validate_json(card.model_dump_json()) == card


def test_an_older_card_is_understood(tmp_path, content):
    """Cards were written before models could be blended or mirrored."""
    del content["input"]["flip_axes"], content["inference"]["scheme"], content["inference"]["seconds_per_megavoxel"]
    card = read_card(write(tmp_path, content))
    assert (card.input.flip_axes, card.inference.scheme) == ((), "halo")
    assert card.inference.seconds_per_megavoxel is None


def test_a_card_is_a_value(content):
    card = ModelCard.model_validate(content)
    assert hash(card.weights) == hash(ModelCard.model_validate(content).weights)
    with pytest.raises(ValueError, match="frozen"):
        card.name = "other"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format_version",), 2), (("name",), "Not A Name"), (("surprise",), 1), (("weights", "sha256"), "abc"),
        (("input", "channels"), []), (("input", "multiple"), 0), (("input", "patch_size"), [8, 8]),
        (("output", "classes"), []), (("output", "activation"), "relu"), (("inference", "halo"), -1),
        (("inference", "bytes_per_voxel"), 0), (("input", "intensity", "kind"), "histogram"),
        (("input", "spacing"), [1.0, 0.0, 1.0]), (("input", "spacing"), [1.0, -1.0, 1.0]),
        (("input", "field_of_view"), [0.0, 40.0, 40.0]), (("input", "patch_size"), [0, 8, 8]),
        (("input", "multiple"), 10**9), (("input", "intensity"), {"kind": "quantile", "lower": -5, "upper": 200}),
        (("input", "intensity"), {"kind": "window", "lower": 400, "upper": -100}),
        (("input", "channels"), ["T1", "T1"]),
        (("input", "flip_axes"), [3]), (("inference", "scheme"), "sliding"),
        (("inference", "seconds_per_megavoxel"), 0.0),
        (("output", "classes"), [{"id": 0, "name": "a", "color": "#ff0000"}]),
        (("output", "classes"), [{"id": 2**32, "name": "a", "color": "#ff0000"}]),
        (("output", "classes"), [{"id": 1, "name": "a", "color": "#ff0000"}] * 2),
        (("output", "classes"), [{"id": 1, "name": "a", "color": "red"}]),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(tmp_path, content, path, value):
    record = content
    for key in path[:-1]:
        record = record[key]
    record[path[-1]] = value
    with pytest.raises(ModelProblem, match=r"\.".join(path)):
        read_card(write(tmp_path, content))


@pytest.mark.parametrize("missing", ["name", "title", "weights", "input", "output", "inference"])
def test_a_missing_field_is_named(tmp_path, content, missing):
    del content[missing]
    with pytest.raises(ModelProblem, match=missing):
        read_card(write(tmp_path, content))


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\x01"])
def test_what_is_no_card_is_refused(tmp_path, text):
    with pytest.raises(ModelProblem, match=tmp_path.name):
        read_card(write(tmp_path, text))


def test_a_folder_without_a_card(tmp_path):
    with pytest.raises(ModelProblem, match="No model card"):
        read_card(tmp_path)


def test_the_summary_says_what_matters(content):
    card = ModelCard.model_validate(content)
    lines = card.summary()
    assert lines["classes"] == "3 dim, 7 bright"
    assert "any" in lines["input"]
    assert "trained on" not in lines
    assert "mean Dice" not in lines
    known = card.model_copy(
        update={
            "input": card.input.model_copy(update={"field_of_view": (40.0, 50.0, 60.0), "spacing": (1.0, 0.5, 0.5)}),
            "validation": ValidationFigures(
                data="d", mean_dice={"dim": 0.9, "bright": None}, worst_scan="a",
                scans=(ScanFigures(scan="a", dice={}),),
            ),
        }
    )  # fmt: skip
    assert "1 x 0.5 x 0.5 mm" in known.summary()["input"]
    assert "40 x 50 x 60 mm" in known.summary()["trained on"]
    assert known.summary()["mean Dice"] == "dim 0.900 on 1 unseen scans; worst a"


def test_sha256_is_the_files(tmp_path):
    (tmp_path / "f").write_bytes(b"x" * 100_000)
    assert sha256_of(tmp_path / "f") == hashlib.sha256(b"x" * 100_000).hexdigest()


def test_the_bundled_cards_are_true():
    folders = [path.parent for path in BUNDLED.glob(f"*/{CARD_NAME}")]
    assert folders
    for folder in folders:
        card = read_card(folder)
        assert card.name == folder.name
        assert sha256_of(folder / card.weights.file) == card.weights.sha256
        assert (folder / card.weights.file).stat().st_size <= 12_000_000
        assert card.license
        assert card.citation
        assert card.input.field_of_view


def test_a_card_without_end_is_not_read(tmp_path, content):
    write(tmp_path, content | {"description": "a" * (16 << 20)})
    with pytest.raises(ModelProblem, match="Too large: the card"):
        read_card(tmp_path)


def test_what_is_wrong_with_a_card_is_said_in_a_plain_line(tmp_path, content):
    write(tmp_path, content | {"a\x1b[2J\nb": 1})
    with pytest.raises(ModelProblem, match=r"a \[2J b") as refusal:
        read_card(tmp_path)
    assert str(refusal.value).isprintable()
