"""Review of cases of three images on three grids with a model of three channels: each channel sees its own image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.tools.predict_here import PredictHere
from napari_vol3d.models.store import Model
from napari_vol3d.review.project.foreseen import labels_of_prediction, newest_prediction
from napari_vol3d.review.project.gather import gather
from napari_vol3d.review.project.store import Project
from tests.channel_cases import CHANNELS, check_labels, write_image, write_seeing_model
from tests.gui.bench.conftest import opened
from tests.gui.conftest import RUN_MS
from tests.gui.correct.predicting import rectangle
from tests.gui.test_review_room import Day
from tests.gui.test_review_room import day as day


@pytest.fixture
def trio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "models"))
    return write_seeing_model(tmp_path / "models" / "trio")


@pytest.fixture
def project(tmp_path: Path, trio: Model) -> Project:
    """Two cases; what the study is called says a channel too."""
    for number, name in enumerate(("FLAIR-study_01", "FLAIR-study_02")):
        for channel in CHANNELS:
            write_image(tmp_path / "scans" / f"{name}_{channel}.nii.gz", channel, seed=number)
    card = trio.card
    said = {"name": card.name, "version": card.version, "sha256": card.weights.sha256}
    cases = gather([tmp_path / "scans"], base=tmp_path).cases
    return Project.create(tmp_path / "p.vol3d", name="p", cases=cases, classes=card.output.classes, model=said)


def test_ahead_next_and_again_see_the_right_images(day: Callable[[Path], Day], project: Project) -> None:
    one = day(project.path)
    one.press(Qt.Key.Key_PageDown)
    for number in (0, 1):
        one.foreseen(number)
        one.there(number)
        one.until(lambda: one.session.shown is not None and one.session.shown.loaded.start is not None, RUN_MS)
        check_labels(one.labels)
        case = one.session.rows[one.key(number)].case
        made = newest_prediction(one.project, case.key)
        assert made is not None
        check_labels(labels_of_prediction(one.project, made.key))
        assert made.score is not None
        assert 0 <= made.score <= 1
        centres = [place["centre"] for place in made.places]
        assert all(0 <= at < n for centre in centres for at, n in zip(centre, one.labels.shape, strict=True))
        held = [layer.name for layer in one.bench.segment.ui.channels.value() if layer is not None]
        assert held == [f"{case.name} {channel}" for channel in CHANNELS]
        assert one.session.shown is not None
        assert one.bench.segment.ui.scan.value() is one.session.shown.images[0]
        if number == 0:
            one.accept()
    predict_again(one)


def predict_again(one: Day) -> None:
    """Run the model again in a box: it finds there what it found ahead."""
    room, record = one.bench.correct(), one.record
    meant = np.array(one.labels)
    room.panel.take("PredictHere")
    tool = room.panel.tools["PredictHere"]
    assert isinstance(tool, PredictHere)
    opened(room.desk.bench)
    rectangle(room.desk, Plane.CORONAL, (1, 8, 5), (18, 8, 16))
    rectangle(room.desk, Plane.CORONAL, (1, 12, 5), (18, 12, 16))
    assert tool.box is not None
    said: list[str] = []
    room.desk.said.connect(said.append)
    runner = room.panel.runner
    runner.apply()
    one.until(lambda: not runner.busy, RUN_MS)
    assert said[-1] == PredictHere.nothing
    assert np.array_equal(record.labels, meant)
