"""The server answers one request at a time, with reports, and with errors that say what is wrong: also as a process."""

from __future__ import annotations

import functools
import threading

import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.core.errors import EngineProblem, MemoryProblem, ModelProblem, ScanMismatch, Vol3dError
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.resample import grid_map
from napari_vol3d.engine.messages import (
    Adopt,
    Cancel,
    Cancelled,
    Failed,
    Loaded,
    LoadModels,
    ModelFile,
    Open,
    Opened,
    Patch,
    PatchDone,
)
from napari_vol3d.engine.process import answer_safely
from napari_vol3d.engine.serve import MOST_KERNELS, Server
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.handing import loading
from tests.builders import brightness_network, random_unet, write_model

EDGE = 8
AS_STORED = IntensityMap(low=-np.inf, high=np.inf, shift=0.0, scale=1.0)
DONE = Loaded(reach=0, instance_statistics=False, bytes_per_voxel=1, flops_per_voxel=1.0)


class Inbox:
    """What the server reads of its inbox."""

    def __init__(self):
        self.cancelled = threading.Event()


def too_large():
    """A network that no memory is enough for; were it a convolution that finds none, TensorFlow would crash."""
    inputs = keras.Input((None, None, None, 1))
    return keras.Model(inputs, layers.ZeroPadding3D(4_000)(layers.Conv3D(3, 1)(inputs)))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Write networks with their cards, each once."""

    @functools.cache
    def written(make):
        return write_model(tmp_path_factory.mktemp("model"), make())

    return written


def load(*models):
    return LoadModels(models=tuple(ModelFile(weights=str(model.weights), card=model.card) for model in models))


def answer(server, request):
    (report,) = server.answer(request)
    return report


@pytest.fixture
def server(model):
    server = Server(Inbox())
    assert isinstance(answer(server, load(model(brightness_network))), Loaded)
    return server


@pytest.fixture
def job(tmp_path, request):
    """Make the files of a run, with voxels in its slot, and the request that opens it; for a process in its folder."""
    caged = "engine" in request.fixturenames
    place = request.getfixturevalue("engine").folder / tmp_path.name if caged else tmp_path

    def make(name="run", *, edge=EDGE, channels=1, **changes):
        folder = place / name
        folder.mkdir(parents=True, exist_ok=True)
        scan = np.random.default_rng(0).normal(size=(1, edge, edge, edge, channels)).astype(np.float32)
        np.save(folder / "inputs.npy", scan)
        np.save(folder / "outputs.npy", np.full((1, edge, edge, edge), 99, np.uint8))
        np.save(folder / "probabilities.npy", np.full((1, 2, edge, edge, edge), 99, np.uint8))
        request = Open(
            inputs=str(folder / "inputs.npy"), outputs=str(folder / "outputs.npy"), intensity=(AS_STORED,) * channels,
            grid=grid_map((edge,) * 3, (1.0,) * 3, None), patch_size=(edge,) * 3,
        )  # fmt: skip
        return request.model_copy(update=changes)

    return make


def patch(edge=EDGE, start=(0, 0, 0), stop=None):
    return Patch(slot=0, start=(0, 0, 0), owned_start=start, owned_stop=stop or (edge,) * 3)


def meant(request):
    scan = np.load(request.inputs)[0, ..., 0]
    return np.asarray([0, 3, 7])[np.argmax([0 * scan, scan - 0.5, 2 * scan - 2], axis=0)]


def test_what_is_loaded_is_told(model):
    unet, points = model(random_unet), model(brightness_network)
    server = Server(Inbox())
    first, second = answer(server, load(unet)), answer(server, load(points))
    assert (first.reach, first.instance_statistics, len(first.rewrites)) == (9, False, 2)
    assert (second.reach, second.rewrites) == (0, ())
    both = answer(server, load(unet, points))
    assert (both.reach, both.bytes_per_voxel) == (9, max(first.bytes_per_voxel, second.bytes_per_voxel))
    assert both.flops_per_voxel == first.flops_per_voxel + second.flops_per_voxel > first.flops_per_voxel
    assert both.rewrites == first.rewrites


def test_labels_come_back_in_the_slot(server, job):
    request = job()
    assert answer(server, request) == Opened()
    assert answer(server, patch()) == PatchDone(slot=0, start=(0, 0, 0), stop=(EDGE,) * 3)
    np.testing.assert_array_equal(np.load(request.outputs)[0], meant(request))
    assert set(np.unique(meant(request))) == {0, 3, 7}


def test_only_what_a_patch_owns_is_given(server, job):
    request = job()
    answer(server, request)
    done = answer(server, patch(start=(2, 0, 1), stop=(7, 8, 4)))
    assert (done.start, done.stop) == ((2, 0, 1), (7, 8, 4))
    written, expected = np.load(request.outputs)[0], np.full((EDGE,) * 3, 99)
    expected[:5, :8, :3] = meant(request)[2:7, :8, 1:4]
    np.testing.assert_array_equal(written, expected)


def test_probabilities_are_of_the_foreground_classes(server, job, tmp_path):
    request = job(probabilities=str(tmp_path / "run" / "probabilities.npy"))
    answer(server, request)
    answer(server, patch())
    scan = np.load(request.inputs)[0, ..., 0]
    scores = np.exp(np.stack([0 * scan, scan - 0.5, 2 * scan - 2]))
    found = np.load(request.probabilities)[0]
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, 255 * scores[1:] / scores.sum(axis=0), atol=0.51)
    np.testing.assert_array_equal(np.load(request.outputs)[0], meant(request))


def test_requests_out_of_order_say_what_comes_first(model, server, job):
    with pytest.raises(Vol3dError, match=r"^No model is loaded\. Load a model first\.$"):
        answer(Server(Inbox()), job())
    for fresh in (Server(Inbox()), server):
        with pytest.raises(Vol3dError, match=r"^No run is open\. Open one first\.$"):
            answer(fresh, patch())
    answer(server, job())
    answer(server, load(model(brightness_network)))  # other networks: what was open is not theirs
    with pytest.raises(Vol3dError, match="No run is open"):
        answer(server, patch())


def test_kernels_are_kept_from_run_to_run_but_not_all(model, server, job):
    def kernel_of(*axes):
        answer(server, job(mirror_axes=axes))
        return server.bench._kernel

    first = kernel_of()
    others = [kernel_of(0), kernel_of(1), kernel_of(2)]
    assert kernel_of() is first
    assert len(server._kernels) == len({id(kernel) for kernel in (first, *others)}) == MOST_KERNELS
    last = kernel_of(0, 1)
    assert list(server._kernels.values()) == [*others[1:], first, last]  # what was unused longest has gone
    answer(server, load(model(brightness_network)))
    assert server._kernels == {}


def test_a_scan_with_other_channels_is_refused_and_the_next_one_works(server, job):
    answer(server, job("two", channels=2))
    with pytest.raises(ScanMismatch, match="takes 1 channel"):
        answer(server, patch())
    answer(server, job())
    assert isinstance(answer(server, patch()), PatchDone)


def test_a_patch_that_the_network_cannot_take_is_told_in_a_sentence(model, server, job, caplog):
    answer(server, load(model(random_unet)))
    answer(server, job("odd", edge=7))
    with pytest.raises(EngineProblem, match=r"^The network failed: .*[Dd]imension") as caught:
        answer(server, patch(7))
    assert "\n" not in caught.value.message
    assert "the request patch failed" in caplog.text  # the log does have the details
    assert "Traceback" in caplog.text
    answer(server, job())
    assert isinstance(answer(server, patch()), PatchDone)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (ModelProblem("m", hint="h"), "model"), (ScanMismatch("m", hint="h"), "mismatch"),
        (EngineProblem("m", hint="h"), "engine"), (Vol3dError("m", hint="h"), "engine"), (MemoryError(), "memory"),
        (FileNotFoundError("m"), "engine"),
    ],
)  # fmt: skip
def test_what_goes_wrong_becomes_the_last_report(error, problem):
    def failing():
        yield DONE
        raise error

    reports = list(answer_safely(failing()))
    assert reports[0] == DONE
    assert isinstance(reports[1], Failed)
    assert (reports[1].problem, len(reports)) == (problem, 2)
    assert reports[1].hint
    if isinstance(error, Vol3dError):
        assert (reports[1].message, reports[1].hint) == ("m", "h")


# ---- as a process of its own ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine():
    engine = Engine(device="cpu")
    for _ in engine.wake():
        pass
    yield engine
    engine.close()


def say(engine, *requests):
    """Say all at once, so that the engine hears the last while it works on the first."""
    engine.process.stdin.write("".join(request.model_dump_json() + "\n" for request in requests))
    engine.process.stdin.flush()


def hear(engine):
    while (report := engine.hear()) is None:
        pass
    return report


def hear_until(engine, number):
    reports = [hear(engine)]
    while reports[-1] != Cancelled(number=number):
        reports.append(hear(engine))
    return [type(report) for report in reports]


def test_the_process_does_what_the_server_does(engine, model, job):
    request = job()
    say(engine, loading(engine, [model(brightness_network)]), request, patch())
    assert [type(hear(engine)) for _ in range(3)] == [Loaded, Opened, PatchDone]
    np.testing.assert_array_equal(np.load(request.outputs)[0], meant(request))


def test_cancel_is_answered_with_its_number_when_what_waits_is_dropped(engine, model, job):
    request = job(mirror_axes=(0,))  # another kernel than the last: opening takes its time
    say(engine, loading(engine, [model(brightness_network)]))
    assert isinstance(hear(engine), Loaded)
    say(engine, request, *[patch()] * 6, Cancel(number=41))
    assert hear_until(engine, 41) in ([Opened, Cancelled], [Cancelled])
    say(engine, Cancel(number=42), Cancel(number=43))
    assert hear_until(engine, 42) == hear_until(engine, 43) == [Cancelled]
    # And then it is as if nothing had been asked.
    assert (np.load(request.outputs) == 99).all()
    say(engine, request, patch())
    assert [type(hear(engine)) for _ in range(2)] == [Opened, PatchDone]
    np.testing.assert_array_equal(np.load(request.outputs)[0], meant(request))


def test_cancel_lets_the_running_patch_end_and_no_other_begin(engine, model, job):
    say(engine, loading(engine, [model(random_unet)]), job(edge=64))
    assert [type(hear(engine)) for _ in range(2)] == [Loaded, Opened]
    say(engine, *[patch(64)] * 6, Cancel(number=5))
    reports = hear_until(engine, 5)
    assert reports.count(PatchDone) == len(reports) - 1 < 6


@pytest.mark.parametrize(
    ("make", "edge", "channels", "problem", "words"),
    [
        (brightness_network, EDGE, 2, ScanMismatch, "takes 1 channel"),
        (random_unet, 7, 1, EngineProblem, "The network failed: .*imension"),
        (too_large, EDGE, 1, MemoryProblem, "ran out of memory"),
    ],
    ids=["channels", "edges", "memory"],
)
def test_a_patch_that_fails_is_told_once_and_the_engine_lives(
    engine, model, job, make, edge, channels, problem, words
):
    pid = engine.process.pid
    say(engine, loading(engine, [model(make)]), job("bad", edge=edge, channels=channels), patch(edge))
    assert [type(hear(engine)) for _ in range(2)] == [Loaded, Opened]
    with pytest.raises(problem, match=words):
        hear(engine)
    say(engine, loading(engine, [model(brightness_network)]), job(), patch())
    assert [type(hear(engine)) for _ in range(3)] == [Loaded, Opened, PatchDone]
    assert (engine.alive, engine.process.pid) == (True, pid)


def test_a_network_from_elsewhere_is_adopted(tmp_path):
    source, target = tmp_path / "source.keras", tmp_path / "target.keras"
    random_unet().save(source)
    request = Adopt(container="keras", source=str(source), target=str(target))
    (report,) = Server(Inbox()).answer(request)
    assert (report.kind, report.scores, target.is_file()) == ("adopted", 3, True)
    source.write_bytes(b"nothing")
    with pytest.raises(ModelProblem, match="can't be loaded"):
        next(Server(Inbox()).answer(request))
