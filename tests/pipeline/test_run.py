"""Whatever happens to the engine in a run, the labels are those of an undisturbed one, each voxel reported once."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from itertools import islice

import numpy as np
import psutil
import pytest
import zarr

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import EngineProblem, MemoryProblem, ModelProblem
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.engine.messages import Open
from napari_vol3d.io.label_store import LabelSpec, LabelStore
from napari_vol3d.models.store import find_model, open_model
from napari_vol3d.pipeline import plan as plan_module
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.segment import segment, warm_up
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish, phantom, write_model

SHAPE = (22, 32, 66)
# Three tiles, and more after a step down; more context than the network sees, so that both give the same labels.
THREE = SegmentSettings(memory_gb=512 * 22 * 32 * 36 / 1e9, halo=10, cache=False)
MANY = SegmentSettings(memory_gb=512 * 8**3 / 1e9, halo=0, cache=False)
SOON = 5.0  # seconds; what must be quick is far quicker, but other work may have the machine
NEEDS_SIGKILL = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")


@pytest.fixture(scope="module")
def mortal():
    """An engine that is killed again and again: a run that goes on has given it a fresh process."""
    engine = Engine(device="cpu")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def grouped_model(tmp_path_factory):
    """A network whose statistics are those of the whole patch; its card does not say so."""
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((None, None, None, 1))
    values = keras.layers.GroupNormalization(2)(keras.layers.Conv3D(4, 3, padding="same")(inputs))
    network = keras.Model(inputs, keras.layers.Conv3D(3, 1)(values))
    return write_model(tmp_path_factory.mktemp("models") / "grouped", network, input={"patch_size": (24, 32, 32)})


@pytest.fixture(scope="module")
def volume():
    image, _ = phantom(SHAPE)
    return Volume(data=image, geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))


@pytest.fixture(scope="module")
def clean(volume, unet_model, shared_engine):
    """What a run that nothing happens to gives."""
    return finish(segment(volume, unet_model, THREE, engine=shared_engine))[1]


def put_together(reports, elsewhere=None):
    """The labels as they were reported; each voxel must have been, exactly once, but for those that are elsewhere."""
    labels, times = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, int)
    if elsewhere is not None:
        times += elsewhere
    for report in reports:
        if report.finished is not None:
            assert report.labels.shape == report.finished.shape
            labels[report.finished.slices] = report.labels
            times[report.finished.slices] += 1
    assert (times == 1).all()
    return labels


def kill(engine):
    os.kill(engine.process.pid, signal.SIGKILL)


def drive(verb, reached, act):
    """Drive a verb to its end and do something once, as soon as a report is such."""
    reports, done = [], False
    while True:
        try:
            reports.append(next(verb))
        except StopIteration as end:
            assert done
            return reports, end.value
        if not done and reached(reports[-1]):
            done = True
            act()


def agree(labels, prediction, clean, region=None):
    """Whether labels are the same but for what rounding may do in another patch shape, and counted as they are."""
    expected = clean.labels if region is None else clean.labels[region.slices]
    wrong = np.count_nonzero(labels != expected)
    assert wrong <= 1e-4 * np.count_nonzero((labels > 0) | (expected > 0))
    assert dict(prediction.counts) == dict(zip(*np.unique(labels, return_counts=True), strict=True))
    return True


def test_the_clean_run_is_worth_comparing_with(clean):
    assert clean.plan.count == 3
    assert clean.plan.tiles.halo >= 9
    assert len(clean.counts) == 3
    assert min(clean.counts.values()) > 500
    assert clean.notes == ()


# ---- killed --------------------------------------------------------------------------------------------------------


@NEEDS_SIGKILL
@pytest.mark.parametrize(("tile", "into"), [(0, "memory"), (1, "a store"), (2, "memory")])
def test_a_kill_at_any_tile_goes_on_with_smaller_patches(mortal, volume, unet_model, clean, tmp_path, tile, into):
    sink = store_for(tmp_path / "a.zarr", volume, unet_model) if into == "a store" else None
    verb = segment(volume, unet_model, THREE, engine=mortal, sink=sink)
    reports, prediction = drive(
        verb, lambda report: report.phase == "Segmenting" and report.done == tile, lambda: kill(mortal)
    )
    labels = put_together(reports)
    assert agree(labels, prediction, clean)
    np.testing.assert_array_equal(labels, prediction.labels if sink is None else stored(sink))
    if tile == 2 and not prediction.notes:  # the last one was answered before the kill
        return
    (note,) = prediction.notes
    assert note.startswith("The engine stopped: signal 9 (often: out of memory). Going on with smaller patches, ")
    at = [report.note for report in reports].index(note)
    assert [report.note for report in reports].count(note) == 1
    assert reports[at].phase == "Starting again"
    # What was finished stays: nothing of it is computed again, and the count never falls behind what is done.
    assert sum(report.finished is not None for report in reports[:at]) >= tile
    assert np.prod(prediction.plan.tiles.patch_size) <= np.prod(clean.plan.tiles.patch_size) / 2
    after = [report for report in reports[at:] if report.phase == "Segmenting"]
    counts = [report.done for report in after]
    assert counts == sorted(counts)
    assert all(report.total == prediction.plan.count for report in after)
    assert (counts[0] > 0) is (tile > 0)
    assert counts[-1] == prediction.plan.count
    assert mortal.alive
    assert not mortal.turn.locked()
    assert list(mortal.folder.glob("*.npy")) == []


@NEEDS_SIGKILL
def test_a_kill_while_it_wakes_or_loads(mortal, volume, unet_model, grouped_model, clean):
    """What the loaded network says of itself counts, whenever it comes to say it: this one must be blended."""
    mortal.restart()
    verb = segment(volume, grouped_model, SegmentSettings(cache=False), engine=mortal)
    assert next(verb).phase == "Starting TensorFlow"
    kill(mortal)
    reports, prediction = finish(verb)
    assert len(prediction.notes) == 1
    assert prediction.plan.scheme == "overlap"
    np.testing.assert_array_equal(put_together(reports), prediction.labels)
    verb = segment(volume, unet_model, THREE, engine=mortal)
    reports, prediction = drive(verb, lambda report: report.phase == "Loading model", lambda: kill(mortal))
    assert agree(put_together(reports), prediction, clean)
    assert len(prediction.notes) == 1
    assert prediction.plan.tiles.halo == clean.plan.tiles.halo


@NEEDS_SIGKILL
def test_killed_again_and_again_it_ends_with_a_way_on(volume, tiny_model):
    """On an engine of its own, which is never awake; none of its processes is left."""
    before = psutil.Process().children()
    settings = MANY.model_copy(update={"device": "cpu", "memory_gb": 2.0})
    notes, killed = [], set()

    def run():
        for report in segment(volume, tiny_model, settings):
            notes.extend([report.note] * bool(report.note))
            for child in psutil.Process().children():
                if child not in before and report.phase == "Starting TensorFlow":
                    killed.add(child.pid)
                    child.kill()

    with pytest.raises(MemoryProblem, match="signal 9") as told:
        run()
    assert "smaller memory budget" in told.value.hint
    assert len(killed) == len(notes) + 1 > 3
    assert psutil.Process().children() == before


@NEEDS_SIGKILL
def test_blended_windows_go_on_in_a_region_and_nobody_else_gets_the_engine_meanwhile(
    mortal, volume, tiny_model, shared_engine
):
    settings = SegmentSettings(cache=False, scheme="overlap", memory_gb=512 * 16**3 / 1e9)
    region = Box(start=(3, 2, 5), stop=(22, 31, 59))
    _, undisturbed = finish(segment(volume, tiny_model, settings, region=region, engine=shared_engine))
    first = segment(volume, tiny_model, settings, region=region, engine=mortal)
    reports = [next(report for report in first if report.finished is not None)]
    second = segment(volume, tiny_model, MANY, engine=mortal)
    assert next(second).phase == "Waiting for the engine"
    kill(mortal)
    for report in first:
        reports.append(report)
        if report.note:
            break
    assert {next(second).phase for _ in range(2)} == {"Waiting for the engine"}
    more, prediction = finish(first)
    outside = np.ones(SHAPE, bool)
    outside[region.slices] = False
    labels = put_together(reports + more, elsewhere=outside)
    np.testing.assert_array_equal(labels, prediction.labels)
    assert agree(labels[region.slices], prediction, undisturbed, region)
    assert np.prod(prediction.plan.tiles.patch_size) <= np.prod(undisturbed.plan.tiles.patch_size) / 2
    reports, other = finish(second)
    assert other.notes == ()
    np.testing.assert_array_equal(put_together(reports), other.labels)


def test_what_has_nothing_to_do_with_memory_is_not_tried_again(shared_engine, volume, tiny_model, tmp_path):
    model = open_model(shutil.copytree(tiny_model.weights.parent, tmp_path / "tiny"))
    model.weights.write_bytes(model.weights.read_bytes()[:1000])
    pid, shared_engine.cards = shared_engine.process.pid, ()
    with pytest.raises(ModelProblem):
        finish(segment(volume, model, MANY, engine=shared_engine))
    assert (shared_engine.process.pid, shared_engine.alive) == (pid, True)
    assert not shared_engine.turn.locked()


@NEEDS_SIGKILL
def test_an_engine_ended_by_another_signal_is_not_started_again(volume, tiny_model):
    engine = Engine(device="cpu")
    try:
        verb = segment(volume, tiny_model, MANY, engine=engine)
        next(verb)
        pid = engine.process.pid
        engine.process.terminate()
        with pytest.raises(EngineProblem, match=r"signal 15\.") as told:
            finish(verb)
        assert not isinstance(told.value, MemoryProblem)
        assert engine.process.pid == pid
    finally:
        engine.close()


# ---- out of memory -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on a running process's memory")
def test_memory_that_runs_out_at_any_moment(mortal, volume, unet_model, clean):
    """The limit is what it has already or less: whatever is allocated next fails, in Keras, oneDNN or a thread."""
    import resource

    def limit():
        size = psutil.Process(mortal.process.pid).memory_info().vms
        _, hard = resource.prlimit(mortal.process.pid, resource.RLIMIT_AS)
        resource.prlimit(mortal.process.pid, resource.RLIMIT_AS, (size // 2, hard))

    moments = {
        "loading": lambda report: report.phase == "Loading model",
        "opening": lambda report: report.phase == "Segmenting",
        "second tile": lambda report: report.phase == "Segmenting" and report.done == 1,
    }
    mortal.cards = ()
    for moment, reached in moments.items():
        reports, prediction = drive(segment(volume, unet_model, THREE, engine=mortal), reached, limit)
        assert agree(put_together(reports), prediction, clean), moment
        # TensorFlow keeps what the first tile took: later ones need not ask for more.
        assert prediction.notes or moment == "second tile"
        assert all("memory" in note for note in prediction.notes)
        if not prediction.notes:
            _, hard = resource.prlimit(mortal.process.pid, resource.RLIMIT_AS)
            resource.prlimit(mortal.process.pid, resource.RLIMIT_AS, (hard, hard))


# ---- cancelled -----------------------------------------------------------------------------------------------------


def test_cancelling_at_random_moments_leaves_a_quiet_engine(shared_engine, volume, unet_model, clean):
    rng = np.random.default_rng(0)
    for _ in range(12):
        verb = segment(volume, unet_model, THREE, engine=shared_engine)
        for _ in islice(verb, int(rng.integers(0, 12))):
            pass
        verb.close()
        assert not shared_engine.turn.locked()
        assert list(shared_engine.folder.glob("*.npy")) == []
    _, prediction = finish(segment(volume, unet_model, THREE, engine=shared_engine))
    np.testing.assert_array_equal(prediction.labels, clean.labels)
    assert prediction.notes == ()


def test_cancel_within_a_long_tile_is_quick_too_and_the_next_run_goes(mortal, volume, tiny_model, monkeypatch):
    image = np.random.default_rng(0).normal(100, 20, (160, 160, 160)).astype(np.float32)
    large, sent = volume.with_data(image), []
    tell = mortal.tell
    monkeypatch.setattr(mortal, "tell", lambda message: (sent.append(message.kind), tell(message)))
    settings = SegmentSettings(memory_gb=16, halo=0, cache=False)
    verb = segment(large, find_model("hippocampus-t1"), settings, engine=mortal)
    while "patch" not in sent:
        assert next(verb).done == 0
    next(verb)
    began = time.monotonic()
    verb.close()
    assert time.monotonic() - began < SOON
    assert not mortal.alive  # one tile of four million voxels: nothing but the process could be stopped
    assert list(mortal.folder.glob("*.npy")) == []
    reports, prediction = finish(segment(volume, tiny_model, MANY, engine=mortal))
    np.testing.assert_array_equal(put_together(reports), prediction.labels)
    assert prediction.notes == ()  # that process did not die of memory
    assert reports[0].phase == "Starting TensorFlow"


def test_a_load_that_was_cancelled_is_not_taken_for_done(shared_engine, volume, unet_model, tiny_model, clean):
    """The process may have gone on and hold the other network now, though nobody waited for it."""
    _, before = finish(segment(volume, unet_model, THREE, engine=shared_engine))
    verb = segment(volume, tiny_model, THREE, engine=shared_engine)
    next(report for report in verb if report.phase == "Loading model")
    verb.close()
    _, after = finish(segment(volume, unet_model, THREE, engine=shared_engine))
    np.testing.assert_array_equal(before.labels, clean.labels)
    np.testing.assert_array_equal(after.labels, clean.labels)


def test_warming_up_computes_nothing_and_shortens_the_next_run(shared_engine, volume, unet_model):
    shared_engine.cards = ()
    phases = {report.phase for report in warm_up(volume, unet_model, THREE, shared_engine)}
    assert phases == {"Loading model", "Warming up"}
    assert not shared_engine.turn.locked()
    assert list(shared_engine.folder.glob("*.npy")) == []
    reports, _ = finish(segment(volume, unet_model, THREE, engine=shared_engine))
    assert "Loading model" not in {report.phase for report in reports}


# ---- the slice that is looked at -------------------------------------------------------------------------------------


@pytest.fixture
def kept(shared_engine, monkeypatch):
    """Of which rows alone the engine was asked to compute; every slab is narrowed, however little work it is."""
    found, ask = [], shared_engine.ask

    def listen(request, answer):
        found.extend([request.kept] if isinstance(request, Open) else [])
        return ask(request, answer)

    monkeypatch.setattr(shared_engine, "ask", listen)
    monkeypatch.setattr(plan_module, "WORTH_NARROWING", 0)
    return found


@pytest.mark.parametrize(
    ("place", "rows"), [(0.0, (2, 0, 2)), (33.0, (2, 10, 12)), (65.0, (2, 10, 12))], ids=["face", "middle", "far face"]
)
def test_a_narrowed_slab_comes_first_and_is_what_a_run_without_focus_gives(
    shared_engine, volume, unet_model, clean, kept, place, rows
):
    settings = THREE.model_copy(update={"memory_gb": 1.0, "probabilities": True})
    look = Focus(point=(11.0, 16.0, place), axis=2)
    reports, prediction = finish(segment(volume, unet_model, settings, focus=lambda: look, engine=shared_engine))
    assert kept == [rows, None]
    labels = put_together(reports)
    np.testing.assert_array_equal(labels, prediction.labels)
    assert agree(labels, prediction, clean)
    first = next(report for report in reports if report.finished is not None)
    assert first.finished.start == (0, 0, int(place) // 2 * 2)
    assert first.finished.shape == (22, 32, 2)
    assert (first.labels != clean.labels[first.finished.slices]).sum() <= 1
    bytes_ = np.asarray(prediction.probabilities[(slice(None), *first.finished.slices)]).astype(int)
    assert (bytes_[0][first.labels == 3] >= 85).all()  # the best of three
    assert (bytes_[1][first.labels == 7] >= 85).all()


def test_warming_up_compiles_for_the_slice_too(shared_engine, volume, unet_model, kept):
    settings = THREE.model_copy(update={"memory_gb": 1.0, "halo": 2})
    phases = [report.phase for report in warm_up(volume, unet_model, settings, shared_engine)]
    assert "Warming up" in phases
    assert kept == [None, (0, 2, 4)]
    assert list(shared_engine.folder.glob("*.npy")) == []


# ---- one after the other -------------------------------------------------------------------------------------------


def test_a_second_run_waits_for_the_first_to_end_or_to_be_closed(shared_engine, volume, tiny_model):
    first = segment(volume, tiny_model, MANY, engine=shared_engine)
    next(report for report in first if report.finished is not None)
    second = segment(volume, tiny_model, MANY, engine=shared_engine)
    assert {next(second).phase for _ in range(3)} == {"Waiting for the engine"}
    second.close()  # one that waits takes nothing with it
    assert shared_engine.turn.locked()
    second = segment(volume, tiny_model, MANY, engine=shared_engine)
    assert next(second).phase == "Waiting for the engine"
    next(report for report in first if report.finished is not None)
    first.close()
    reports, prediction = finish(second)
    np.testing.assert_array_equal(put_together(reports), prediction.labels)
    assert not shared_engine.turn.locked()
    never_begun = segment(volume, tiny_model, MANY, engine=shared_engine)
    never_begun.close()
    assert not shared_engine.turn.locked()


def test_runs_in_threads_follow_one_another(shared_engine, volume, unet_model, tiny_model, clean):
    found, order, together = {}, [], threading.Barrier(3)

    def run(name, model, settings):
        together.wait()
        reports, found[name] = finish(segment(volume, model, settings, engine=shared_engine))
        order.append((name, [report.phase for report in reports]))

    jobs = [("a", unet_model, THREE), ("b", tiny_model, MANY), ("c", unet_model, THREE)]
    threads = [threading.Thread(target=run, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _, alone = finish(segment(volume, tiny_model, MANY, engine=shared_engine))
    for name, expected in (("a", clean), ("b", alone), ("c", clean)):
        np.testing.assert_array_equal(found[name].labels, expected.labels)
    assert all("Waiting for the engine" in phases for _, phases in order[1:])
    assert not shared_engine.turn.locked()


# ---- into a sink ---------------------------------------------------------------------------------------------------


def store_for(target, volume, model):
    return LabelStore.resume_or_create(
        target,
        LabelSpec(
            geometry=volume.geometry, shape=volume.shape, dtype=np.dtype(np.uint8), classes=model.card.output.classes,
            run="this", chunks=(8, 16, 16),
        ),
    )  # fmt: skip


def stored(store):
    return zarr.open_array(store.finish() / "0", mode="r")[...]


@pytest.mark.parametrize(("scheme", "parts"), [("halo", 3), ("overlap", 2)])
def test_an_interrupted_run_goes_on_in_its_store(shared_engine, volume, tiny_model, tmp_path, scheme, parts):
    settings = MANY.model_copy(update={"scheme": scheme, "memory_gb": 512 * 12**3 / 1e9})
    _, whole = finish(segment(volume, tiny_model, settings, engine=shared_engine))
    assert whole.labels.any()
    reports = []
    for _ in range(parts):
        store = store_for(tmp_path / "a.zarr", volume, tiny_model)
        verb = segment(volume, tiny_model, settings, engine=shared_engine, sink=store)
        reports.append(next(report for report in verb if report.finished is not None))
        verb.close()
    store = store_for(tmp_path / "a.zarr", volume, tiny_model)
    assert len(store.finished) == parts
    more, prediction = finish(segment(volume, tiny_model, settings, engine=shared_engine, sink=store))
    np.testing.assert_array_equal(put_together(reports + more), whole.labels)
    np.testing.assert_array_equal(stored(store), whole.labels)
    assert prediction.labels is None
    done = [report.done for report in more if report.phase == "Segmenting"]
    assert done[-1] == prediction.plan.count
    assert done[0] == (parts if scheme == "halo" else 0)


def test_a_finished_store_is_not_computed_again(shared_engine, volume, tiny_model, tmp_path):
    for scheme in ("halo", "overlap"):
        settings = MANY.model_copy(update={"scheme": scheme, "memory_gb": 512 * 12**3 / 1e9})
        store = store_for(tmp_path / f"{scheme}.zarr", volume, tiny_model)
        finish(segment(volume, tiny_model, settings, engine=shared_engine, sink=store))
        reports, prediction = finish(segment(volume, tiny_model, settings, engine=shared_engine, sink=store))
        assert not any(report.finished for report in reports)
        assert {(report.done, report.total) for report in reports if report.phase == "Segmenting"} == {
            (prediction.plan.count, prediction.plan.count)
        }


def test_a_store_that_another_plan_began_is_filled_around_what_it_holds(
    shared_engine, volume, unet_model, clean, tmp_path
):
    """As after a step down the ladder, or with another memory budget: boxes of two plans cut across each other."""
    smaller = THREE.model_copy(update={"memory_gb": 512 * 22 * 22 * 26 / 1e9})
    store = store_for(tmp_path / "a.zarr", volume, unet_model)
    verb = segment(volume, unet_model, smaller, engine=shared_engine, sink=store)
    first = [next(report for report in verb if report.finished is not None) for _ in range(5)]
    verb.close()
    reports, prediction = finish(segment(volume, unet_model, THREE, engine=shared_engine, sink=store))
    assert prediction.plan.tiles == clean.plan.tiles
    wrong = np.count_nonzero(put_together(first + reports) != clean.labels)
    assert wrong <= 1e-4 * np.count_nonzero(clean.labels)
    np.testing.assert_array_equal(stored(store), put_together(first + reports))
