"""Each time point of a series gets the labels that it would get alone, the shown one first."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.pipeline.checks import check_fit
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.segment import segment, warm_up
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.sink import MemoryLabels
from tests.builders import finish, phantom

SETTINGS = SegmentSettings(memory_gb=512 * 24**3 / 1e9, halo=0, cache=False)


def series(frames: int = 3) -> Volume:
    data = np.stack([phantom((26, 22, 20), seed=seed)[0] for seed in range(frames)], axis=-1)
    return Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)), timed=True)


def test_each_time_point_is_segmented_as_if_alone(shared_engine, tiny_model):
    volume = series()
    reports, found = finish(segment(volume, tiny_model, SETTINGS, engine=shared_engine))
    assert found.labels.shape == (*volume.shape, 3)
    alone = [finish(segment(volume.frame(t), tiny_model, SETTINGS, engine=shared_engine))[1] for t in range(3)]
    for t, one in enumerate(alone):
        assert one.labels.any()
        np.testing.assert_array_equal(found.labels[..., t], one.labels)
    assert found.counts == sum((one.counts for one in alone), type(alone[0].counts)())
    assert found.plan.sentence().startswith("3 time points of ")
    tiles = [report for report in reports if report.finished is not None]
    for report in tiles:
        np.testing.assert_array_equal(found.labels[(*report.finished.slices, report.frame)], report.labels)
    assert [report.frame for report in tiles] == sorted(report.frame for report in tiles)
    told = [report.done for report in reports if report.total]
    assert told == sorted(told)
    assert (tiles[-1].done, tiles[-1].total) == (3 * found.plan.count, 3 * found.plan.count)
    assert "time point 3 of 3" in tiles[-1].phase


def test_the_shown_time_point_comes_first_and_then_its_neighbours(shared_engine, tiny_model):
    verb = segment(series(4), tiny_model, SETTINGS, engine=shared_engine, shown=lambda: 2)
    frames = [report.frame for report in finish(verb)[0] if report.finished is not None]
    assert list(dict.fromkeys(frames)) == [2, 1, 3, 0]


def test_a_series_can_be_cancelled_between_tiles(shared_engine, tiny_model):
    verb = segment(series(), tiny_model, SETTINGS, engine=shared_engine)
    for report in verb:
        if report.finished is not None:
            break
    verb.close()
    _, found = finish(segment(series(1), tiny_model, SETTINGS, engine=shared_engine))
    assert found.labels.any()


def test_plans_and_checks_are_of_one_time_point(tiny_model, shared_engine):
    volume = series()
    assert not check_fit(volume, tiny_model.card).problem
    one, all_of_them = (plan_segment(v, tiny_model.card, SETTINGS) for v in (volume.frame(0), volume))
    assert (all_of_them.frames, all_of_them.count, all_of_them.work) == (3, one.count, one.work)
    assert all_of_them.megavoxels == 3 * one.megavoxels
    finish(warm_up(volume, tiny_model, SETTINGS, shared_engine))


def test_what_is_not_kept_of_a_series_is_said_before_it_runs(shared_engine, tiny_model):
    wanting = SETTINGS.model_copy(update={"probabilities": True})
    with pytest.raises(ScanMismatch, match="Probabilities of a time series"):
        next(segment(series(), tiny_model, wanting, engine=shared_engine))
    sink = MemoryLabels((26, 22, 20), np.dtype(np.uint8))
    with pytest.raises(ScanMismatch, match="tile by tile"):
        next(segment(series(), tiny_model, SETTINGS, engine=shared_engine, sink=sink))
