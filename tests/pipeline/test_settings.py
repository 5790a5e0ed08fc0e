"""Settings refuse what makes no sense, and say all that a form or `--help` needs."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from napari_vol3d.models.store import BUNDLED
from napari_vol3d.pipeline.settings import SegmentSettings, SettingsProblem, TrainSettings


@pytest.mark.parametrize("settings", [SegmentSettings, TrainSettings])
def test_every_field_has_a_title_or_a_description(settings):
    assert all(field.title or field.description for field in settings.model_fields.values())
    assert settings.model_validate_json(settings().model_dump_json()) == settings()


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        (SegmentSettings, {"memory_gb": 0}), (SegmentSettings, {"halo": -1}), (SegmentSettings, {"device": "tpu"}),
        (SegmentSettings, {"backend": "theano"}), (SegmentSettings, {"context": "guessed"}),
        (SegmentSettings, {"scheme": "sliding"}), (SegmentSettings, {"overlap": 1.0}),
        (SegmentSettings, {"overlap": -0.1}),
        (SegmentSettings, {"skip_below": float("nan")}), (SegmentSettings, {"memory_gb": float("inf")}),
        (SegmentSettings, {"memory": 2}), (TrainSettings, {"name": "My Model"}), (TrainSettings, {"epochs": 0}),
        (TrainSettings, {"averaging": 1.0}), (TrainSettings, {"patch_size": [8, 8]}), (TrainSettings, {"widths": []}),
        (TrainSettings, {"widths": [0, 8]}), (TrainSettings, {"seed": -1}), (TrainSettings, {"flip_axes": [3]}),
        (TrainSettings, {"deep_supervision": -1}), (TrainSettings, {"patch_size": [8, 0, 8]}),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(settings, values):
    with pytest.raises(ValidationError):
        settings(**values)
    with pytest.raises(SettingsProblem, match="Setting") as caught:
        settings.of(values)
    assert caught.value.exit_code == 2


def test_a_run_takes_the_least_work_that_changes_no_label_unless_told_otherwise():
    settings = SegmentSettings()
    assert (settings.context, settings.halo, settings.scheme) == ("measured", None, "auto")
    assert (settings.cache, settings.resample) == (True, True)
    assert (settings.mirror, settings.skip_below, settings.probabilities) == (False, None, False)


def test_settings_never_change():
    with pytest.raises(ValidationError):
        SegmentSettings().halo = 3


def test_the_bundled_recipe_is_valid_and_splits_cleanly():
    settings = TrainSettings.model_validate_json((BUNDLED / "hippocampus-t1" / "recipe.json").read_bytes())
    assert len(set(settings.test)) == 40
    assert not set(settings.test) & set(settings.validation)
