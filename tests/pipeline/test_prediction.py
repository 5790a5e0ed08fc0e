"""What a run says of itself is what it did."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.record import read_record, update_record
from napari_vol3d.pipeline.run import TELLING_SECONDS
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish, phantom

SETTINGS = SegmentSettings(memory_gb=512 * 24**3 / 1e9, halo=4, cache=False)


@pytest.fixture(scope="module")
def volume():
    return Volume(data=phantom((40, 44, 38))[0], geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))


@pytest.mark.parametrize("region", [None, Box(start=(5, 6, 7), stop=(25, 30, 60))])
def test_counts_are_those_of_the_labels_in_the_region(shared_engine, tiny_model, volume, region):
    _, prediction = finish(segment(volume, tiny_model, SETTINGS, region=region, engine=shared_engine))
    part = prediction.labels if region is None else prediction.labels[region.slices]
    assert dict(prediction.counts) == dict(zip(*np.unique(part, return_counts=True), strict=True))
    assert set(prediction.counts) == {0, 3, 7}


def test_it_names_models_classes_device_and_grid(shared_engine, tiny_model, unet_model, volume):
    _, alone = finish(segment(volume, tiny_model, SETTINGS, engine=shared_engine))
    _, both = finish(segment(volume, tiny_model, SETTINGS, others=(unet_model,), engine=shared_engine))
    hashes = [model.card.weights.sha256[:12] for model in (tiny_model, unet_model)]
    assert alone.model == f"tiny 0.1 ({hashes[0]})"
    assert both.model == f"tiny 0.1 ({hashes[0]}) + tiny 0.1 ({hashes[1]})"
    assert (alone.plan.passes, both.plan.passes) == (1, 2)
    for prediction in (alone, both):
        assert prediction.geometry is volume.geometry
        assert prediction.classes == tiny_model.card.output.classes
        assert prediction.device == "CPU"
        assert prediction.notes == ()
        assert prediction.probabilities is None
        assert 0 < prediction.compute_seconds <= prediction.seconds


def test_its_speed_is_kept_for_the_next_estimate_and_only_where_something_was_computed(
    shared_engine, tiny_model, volume
):
    def rate():
        return read_record(tiny_model.card).seconds_per_megavoxel.get("CPU")

    assert rate() is None
    kept = SETTINGS.model_copy(update={"cache": True})
    _, first = finish(segment(volume, tiny_model, kept, engine=shared_engine))
    known = rate()
    assert known == pytest.approx(first.compute_seconds / first.plan.megavoxels)
    finish(segment(volume, tiny_model, kept, engine=shared_engine))
    assert rate() == known  # all of it came out of the cache
    update_record(tiny_model.card, seconds_per_megavoxel={"CPU": 3.0})
    _, third = finish(segment(volume, tiny_model, SETTINGS, engine=shared_engine))
    assert (rate() == 3.0) == (third.compute_seconds <= TELLING_SECONDS)  # a moment says little of a long run's speed
