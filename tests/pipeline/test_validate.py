"""The figures in a card are those that anybody finds with the model and the scans."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from napari_vol3d.core.metrics import dice
from napari_vol3d.io.registry import read_volume
from napari_vol3d.pipeline.dataset import find_pairs
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.validate import validate
from tests.builders import finish


def test_the_figures_are_those_of_the_labels(training_folder, tiny_model, shared_engine):
    pairs = find_pairs(training_folder)[0][:3]
    before = psutil.Process().children()
    reports, (figures, speed) = finish(validate(tiny_model, pairs, data="phantoms", device="cpu"))
    assert psutil.Process().children() == before
    assert [scan.scan for scan in figures.scans] == [pair.name for pair in pairs]
    for pair, scan in zip(pairs, figures.scans, strict=True):
        verb = segment(read_volume(pair.image), tiny_model, SegmentSettings(), engine=shared_engine)
        labels, reference = finish(verb)[1].labels, np.asarray(read_volume(pair.labels).data)
        for class_id, name in ((3, "dim"), (7, "bright")):
            assert scan.dice[name] == pytest.approx(dice(labels == class_id, reference == class_id), abs=1e-4)
            assert scan.hd95_mm[name] >= 0
    for name in ("dim", "bright"):
        assert figures.mean_dice[name] == pytest.approx(np.mean([s.dice[name] for s in figures.scans]), abs=1e-4)
    means = {scan.scan: np.mean(list(scan.dice.values())) for scan in figures.scans}
    assert figures.worst_scan == min(means, key=means.get)
    assert "3 scans of phantoms" in figures.data
    assert speed > 0
    assert [report.done for report in reports if report.phase == "Testing"] == [1, 2, 3]
