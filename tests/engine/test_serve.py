"""The server answers one request at a time, with reports, and with errors that say what is wrong."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf

from napari_vol3d.core.errors import EngineProblem, ModelProblem, ScanMismatch, Vol3dError
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.engine.__main__ import _answer
from napari_vol3d.engine.messages import Done, Failed, Loaded, LoadModel, Segment, TileDone
from napari_vol3d.engine.serve import Server
from tests.builders import brightness_network, write_model

SHAPE = (12, 14, 10)


class Inbox:
    """What the server reads of its inbox."""

    def __init__(self):
        self.cancelled = threading.Event()
        self.focus = None


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model") / "tiny", brightness_network())


@pytest.fixture
def server(model):
    server = Server(Inbox())
    (loaded,) = server.answer(LoadModel(weights=str(model.weights), card=model.card))
    assert isinstance(loaded, Loaded)
    return server


@pytest.fixture
def files(tmp_path):
    scan = np.random.default_rng(0).normal(size=(*SHAPE, 1)).astype(np.float32)
    np.save(tmp_path / "scan.npy", scan)
    np.save(tmp_path / "labels.npy", np.zeros(SHAPE, np.uint8))
    np.save(tmp_path / "probabilities.npy", np.zeros((2, *SHAPE), np.uint8))
    return tmp_path


def request_for(files, **changes):
    values = {
        "scan": str(files / "scan.npy"), "labels": str(files / "labels.npy"), "ratio": (1.0, 1.0, 1.0),
        "model_shape": SHAPE, "intensity": (IntensityMap(low=-np.inf, high=np.inf, shift=0.0, scale=1.0),),
        "patch_size": (8, 8, 8), "halo": 2, "start": (0, 0, 0), "stop": SHAPE,
    }  # fmt: skip
    return Segment(**{**values, **changes})


def meant(files):
    scan = np.load(files / "scan.npy")[..., 0]
    return np.asarray([0, 3, 7])[np.argmax([0 * scan, scan - 0.5, 2 * scan - 2], axis=0)]


def test_labels_are_written_tile_by_tile(server, files):
    expected, tiles = meant(files), 0
    for report in server.answer(request_for(files)):
        if isinstance(report, TileDone):
            tiles += 1
            assert (report.done, report.total) == (tiles, 12)
            box = tuple(slice(a, b) for a, b in zip(report.start, report.stop, strict=True))
            np.testing.assert_array_equal(np.load(files / "labels.npy")[box], expected[box])
    assert report == Done(cancelled=False)
    np.testing.assert_array_equal(np.load(files / "labels.npy"), expected)
    assert set(np.unique(expected)) == {0, 3, 7}


def test_only_the_box_is_written(server, files):
    list(server.answer(request_for(files, start=(2, 3, 4), stop=(7, 9, 10))))
    written, expected = np.load(files / "labels.npy"), np.zeros(SHAPE)
    expected[2:7, 3:9, 4:10] = meant(files)[2:7, 3:9, 4:10]
    np.testing.assert_array_equal(written, expected)


def test_probabilities_are_of_the_foreground_classes(server, files):
    list(server.answer(request_for(files, probabilities=str(files / "probabilities.npy"))))
    scan = np.load(files / "scan.npy")[..., 0]
    scores = np.exp(np.stack([0 * scan, scan - 0.5, 2 * scan - 2]))
    np.testing.assert_allclose(
        np.load(files / "probabilities.npy"), 255 * scores[1:] / scores.sum(axis=0), atol=0.51
    )  # fmt: skip


def test_cancel_takes_effect_after_the_running_tile(server, files):
    reports = server.answer(request_for(files))
    assert isinstance(next(reports), TileDone)
    server.inbox.cancelled.set()
    assert list(reports) == [Done(cancelled=True)]


def test_the_look_may_change_during_a_run(server, files):
    reports = server.answer(request_for(files, focus=(0.0, 0.0, 0.0)))
    assert next(reports).start == (0, 0, 0)
    server.inbox.focus = (11.0, 13.0, 9.0)
    assert next(reports).stop == SHAPE


def test_without_a_model_it_says_so(files):
    with pytest.raises(Vol3dError, match="No model is loaded"):
        list(Server(Inbox()).answer(request_for(files)))


def test_a_scan_with_other_channels_is_refused(server, files):
    np.save(files / "scan.npy", np.zeros((*SHAPE, 2), np.float32))
    two = request_for(files).intensity * 2
    with pytest.raises(ScanMismatch):
        list(server.answer(request_for(files, intensity=two)))
    np.save(files / "scan.npy", np.zeros((*SHAPE, 1), np.float32))
    assert isinstance(list(server.answer(request_for(files)))[-1], Done)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (ModelProblem("m", hint="h"), "model"), (ScanMismatch("m", hint="h"), "mismatch"),
        (EngineProblem("m", hint="h"), "engine"), (MemoryError(), "memory"),
    ],
)  # fmt: skip
def test_what_goes_wrong_becomes_the_last_report(error, problem):
    def failing():
        yield Loaded()
        raise error

    reports = list(_answer(failing()))
    assert reports[0] == Loaded()
    assert isinstance(reports[1], Failed)
    assert (reports[1].problem, len(reports)) == (problem, 2)
    if problem != "memory":
        assert (reports[1].message, reports[1].hint) == ("m", "h")


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "no room"), MemoryError),
        (tf.errors.InvalidArgumentError(None, None, "bad shape"), EngineProblem),
    ],
)
def test_what_tensorflow_raises_is_translated(server, files, monkeypatch, raised, becomes):
    def fail(_):
        raise raised

    monkeypatch.setattr(server.predictor, "scores", fail)
    with pytest.raises(becomes, match=raised.message):
        list(server.answer(request_for(files)))
