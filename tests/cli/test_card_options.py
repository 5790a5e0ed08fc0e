"""What a person says of a model on the command line, over what a file says."""

from __future__ import annotations

import argparse
import json

import pytest

from napari_vol3d.cli.card_options import add_card_options, said_of
from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme


def said(*arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="")
    parser.add_argument("--as-version", default="")
    add_card_options(parser)
    return said_of(parser.parse_args([str(each) for each in arguments]))


def test_only_what_is_said_is_said():
    assert said().model_fields_set == set()
    draft = said("--intensity", "window:-100:300", "--classes", "grey, white", "--spacing", "2.5,0.8,0.8")
    assert draft.model_fields_set == {"intensity", "classes", "spacing"}
    assert draft.intensity == IntensityScheme(kind="window", lower=-100, upper=300)
    assert [(item.id, item.name) for item in draft.classes] == [(1, "grey"), (2, "white")]
    assert draft.spacing == (2.5, 0.8, 0.8)


def test_an_option_goes_before_the_file(tmp_path):
    (tmp_path / "said.json").write_text(json.dumps({"title": "Brain", "license": "MIT", "crop": None}))
    draft = said("--card", tmp_path / "said.json", "--license", "BSD")
    assert (draft.title, draft.license) == ("Brain", "BSD")
    assert "crop" in draft.model_fields_set  # said to be nothing


def test_a_range_is_two_numbers_which_may_lie_below_nothing(tmp_path):
    assert said("--intensity-range", "-1024", "3071").intensity_range == (-1024, 3071)
    assert said("--intensity-range", "0", "0.5").model_fields_set == {"intensity_range"}
    (tmp_path / "said.json").write_text('{"intensity_range": [0, 9]}')
    assert said("--card", tmp_path / "said.json", "--intensity-range", "-1.5", "1").intensity_range == (-1.5, 1)
    for wrong in (("9", "0"), ("5", "5"), ("nan", "1"), ("0", "inf")):
        with pytest.raises(ModelProblem, match="--intensity-range"):
            said("--intensity-range", *wrong)
    for wrong in (("9",), ("low", "high")):
        with pytest.raises(SystemExit):
            said("--intensity-range", *wrong)


def test_what_is_wrong_is_named_as_the_option():
    with pytest.raises(ModelProblem, match="--orientation"):
        said("--orientation", "LIB")
    with pytest.raises(ModelProblem, match="--spacing"):
        said("--spacing", "1,1,-1")
