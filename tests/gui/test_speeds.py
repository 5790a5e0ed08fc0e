"""Speeds are remembered for each model and device, and a damaged memory costs nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from platformdirs import user_cache_path

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.speeds import expected_seconds, remember_speed
from napari_vol3d.models.store import Model, find_model
from napari_vol3d.pipeline.segment import SegmentPlan, plan_segment
from napari_vol3d.pipeline.settings import SegmentSettings


@pytest.fixture
def model() -> Model:
    """The bundled model, whose card says no speed."""
    model = find_model("hippocampus-t1")
    silent = model.card.inference.model_copy(update={"seconds_per_megavoxel": None})
    return dataclasses.replace(model, card=model.card.model_copy(update={"inference": silent}))


@pytest.fixture
def plan(model: Model) -> SegmentPlan:
    scan = Volume(data=np.zeros((32, 48, 40), np.uint8), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    return plan_segment(scan, model.card, SegmentSettings())


def other_weights(model: Model) -> Model:
    weights = model.card.weights.model_copy(update={"sha256": "0" * 64})
    return dataclasses.replace(model, card=model.card.model_copy(update={"weights": weights}))


def test_nothing_is_promised_before_the_first_run(model: Model, plan: SegmentPlan) -> None:
    assert expected_seconds(model, plan, "CPU") is None


def test_the_card_gives_the_first_estimate(model: Model, plan: SegmentPlan) -> None:
    told = model.card.inference.model_copy(update={"seconds_per_megavoxel": 3.0})
    model = dataclasses.replace(model, card=model.card.model_copy(update={"inference": told}))
    assert expected_seconds(model, plan, "CPU") == pytest.approx(3.0 * plan.megavoxels)
    remember_speed(model, plan, "CPU", 5.0)
    assert expected_seconds(model, plan, "CPU") == pytest.approx(5.0)


def test_a_run_is_remembered_for_its_model_and_device_only(model: Model, plan: SegmentPlan) -> None:
    remember_speed(model, plan, "CPU", 8.0)
    remember_speed(model, plan, "GPU", 1.0)
    assert expected_seconds(model, plan, "CPU") == pytest.approx(8.0)
    assert expected_seconds(model, plan, "GPU") == pytest.approx(1.0)
    assert expected_seconds(model, plan, "other GPU") is None
    assert expected_seconds(other_weights(model), plan, "CPU") is None


def test_the_estimate_grows_with_the_work(model: Model, plan: SegmentPlan) -> None:
    remember_speed(model, plan, "CPU", 8.0)
    larger = Volume(data=np.zeros((128, 96, 160), np.uint8), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    work = plan_segment(larger, model.card, SegmentSettings())
    assert expected_seconds(model, work, "CPU") == pytest.approx(8.0 * work.megavoxels / plan.megavoxels)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1, 2]", "3", '"a"', '{"SHA CPU": "fast"}', '{"SHA CPU": null}', '{"SHA CPU": [1]}', "\x00\xff",
     '{"SHA CPU": NaN}', '{"SHA CPU": -1}'],
)  # fmt: skip
def test_a_damaged_memory_is_ignored_and_mended_by_the_next_run(text: str, model: Model, plan: SegmentPlan) -> None:
    path = user_cache_path("napari-vol3d") / "speeds.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(text.replace("SHA", model.card.weights.sha256).encode("latin-1"))
    assert expected_seconds(model, plan, "CPU") is None
    remember_speed(model, plan, "CPU", 2.0)
    assert expected_seconds(model, plan, "CPU") == pytest.approx(2.0)


def test_where_nothing_can_be_remembered_the_run_still_ends_well(model: Model, plan: SegmentPlan) -> None:
    folder = user_cache_path("napari-vol3d")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    remember_speed(model, plan, "CPU", 2.0)
    assert expected_seconds(model, plan, "CPU") is None
