"""Whatever happens to the engine process, the parent goes on, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import psutil
import pytest

from napari_vol3d.core.errors import EngineProblem, ModelProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.engine.messages import Loaded, LoadModel
from napari_vol3d.models.store import find_model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish

SOON = 5.0  # seconds; what must be quick is far quicker, but other work may have the machine
PARENT = """
import sys
from napari_vol3d.pipeline.child import Engine
engine = Engine(device="cpu")
for _ in engine.wake():
    pass
print(engine.process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temp_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def engine(temp_folder):
    engine = Engine(device="cpu")
    yield engine
    engine.close()


def woken(engine):
    for _ in engine.wake():
        pass
    return engine


def scan(edge):
    data = np.random.default_rng(0).normal(100, 20, (edge, edge, edge)).astype(np.float32)
    return Volume(data=data, geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))


def load(engine, model):
    return list(engine.ask(LoadModel(weights=str(model.weights), card=model.card)))


def test_it_wakes_on_the_cpu_and_goes_without_a_trace(engine, temp_folder):
    assert engine.check_ready() is None
    woken(engine)
    assert engine.check_ready() is engine.ready
    assert (engine.ready.device, engine.ready.policy) == ("CPU", "float32")
    assert list(temp_folder.iterdir()) == [engine.folder]
    pid = engine.process.pid
    engine.close()
    engine.close()  # twice is once
    assert not psutil.pid_exists(pid)
    assert list(temp_folder.iterdir()) == []


def test_a_killed_run_leaves_no_file_of_tensorflows(engine, temp_folder, tiny_model):
    model = tiny_model
    verb = segment(scan(40), model, SegmentSettings(device="cpu"), engine=engine)
    while next(verb).phase != "Segmenting":
        pass
    woken(engine)
    finish(verb)
    engine.kill()
    engine.close()
    assert list(temp_folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_terminal_that_closes_on_both_leaves_no_folder(temp_folder):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        os.killpg(parent.pid, signal.SIGHUP)
    child.wait(timeout=SOON)
    assert list(temp_folder.iterdir()) == []


def test_the_folder_is_private(engine):
    assert engine.folder.stat().st_mode & 0o077 == 0


def test_it_never_loads_tensorflow_into_the_parent(temp_folder):
    code = PARENT.replace("print(", "assert not {'tensorflow', 'keras'} & set(sys.modules)\nprint(")
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )  # fmt: skip
    pid = int(done.stdout)
    assert not psutil.pid_exists(pid)  # at exit without close, all was put away
    assert list(temp_folder.iterdir()) == []


def test_a_request_that_fails_leaves_the_engine_alive(shared_engine, tiny_model):
    wrong = LoadModel(weights=str(tiny_model.weights), card=find_model("hippocampus-t1").card)
    with pytest.raises(ModelProblem, match="changed"):
        list(shared_engine.ask(wrong))
    assert any(isinstance(report, Loaded) for report in load(shared_engine, tiny_model))
    shared_engine.loaded = tiny_model.card


def test_cancel_between_short_tiles_keeps_the_process(shared_engine, tiny_model):
    settings = SegmentSettings(memory_gb=512 * 32**3 / 1e9)
    verb = segment(scan(128), tiny_model, settings, engine=shared_engine)
    reports = [next(report for report in verb if report.finished is not None) for _ in range(2)]
    assert reports[-1].done < reports[-1].total
    pid, began = shared_engine.process.pid, time.monotonic()
    verb.close()
    assert time.monotonic() - began < SOON
    assert shared_engine.alive
    assert shared_engine.process.pid == pid
    assert list(shared_engine.folder.glob("*.npy")) == []
    # And the next run is not disturbed by what was left of the last one.
    small = scan(16)
    _, prediction = finish(segment(small, tiny_model, SegmentSettings(), engine=shared_engine))
    _, again = finish(segment(small, tiny_model, SegmentSettings(), engine=shared_engine))
    np.testing.assert_array_equal(prediction.labels, again.labels)


def test_cancel_within_a_long_tile_is_quick_too(engine):
    model = find_model("hippocampus-t1")
    verb = segment(scan(160), model, SegmentSettings(memory_gb=16), engine=engine)
    assert next(report for report in verb if report.phase == "Segmenting").done == 0
    began = time.monotonic()
    verb.close()
    assert time.monotonic() - began < SOON
    assert not engine.alive  # one tile of four million voxels: nothing but the process could be stopped


def test_closing_while_it_wakes(engine, tiny_model):
    verb = segment(scan(16), tiny_model, SegmentSettings(), engine=engine)
    assert next(verb).phase == "Starting TensorFlow"
    began = time.monotonic()
    verb.close()
    assert time.monotonic() - began < SOON
    # The process was not asked for anything: it goes on waking up and serves the next run.
    assert finish(segment(scan(16), tiny_model, SegmentSettings(), engine=engine))[1].labels.shape == (16, 16, 16)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_engine_is_told_with_its_signal(engine, tiny_model):
    woken(engine)
    verb = segment(scan(96), tiny_model, SegmentSettings(memory_gb=512 * 24**3 / 1e9), engine=engine)
    next(report for report in verb if report.finished is not None)
    os.kill(engine.process.pid, signal.SIGKILL)
    with pytest.raises(EngineProblem, match=r"signal 9.*out of memory"):
        finish(verb)
    assert not engine.alive
    # However often it is asked, a dead engine says that it is dead instead of waiting for ever.
    for _ in range(2):
        with pytest.raises(EngineProblem, match="signal 9"):
            load(engine, tiny_model)


def test_an_engine_killed_while_idle_is_noticed_at_the_next_request(engine, tiny_model):
    woken(engine)
    engine.kill()
    for _ in range(2):
        with pytest.raises(EngineProblem):
            load(engine, tiny_model)
    engine.cancel()
    with pytest.raises(EngineProblem):
        load(engine, tiny_model)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_engine_ends_with_its_parent(temp_folder):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
        parent.wait()
        assert child.wait(SOON) in (0, None)  # None: not our child, so only that it has gone is known


def test_what_libraries_print_does_not_reach_the_protocol(engine, temp_folder, tiny_model, monkeypatch):
    noise = temp_folder / "noise"
    noise.mkdir()
    (noise / "sitecustomize.py").write_text(
        "import os, threading\n"
        "os.write(1, b'noise before \\xff anything\\n')\n"
        "def shout():\n"
        "    while True:\n"
        "        os.write(1, b'more noise\\n')\n"
        "        threading.Event().wait(0.02)\n"
        "threading.Thread(target=shout, daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(noise))
    loud = Engine(device="cpu")
    try:
        _, prediction = finish(segment(scan(16), tiny_model, SegmentSettings(), engine=loud))
        assert prediction.labels.shape == (16, 16, 16)
        assert "more noise" in (loud.folder / "engine.log").read_text()
    finally:
        loud.close()


def test_nothing_is_imported_from_where_the_person_stands(temp_folder, monkeypatch):
    (temp_folder / "queue.py").write_text("raise RuntimeError('not the standard library')")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(temp_folder)
    engine = Engine(device="cpu")
    try:
        assert woken(engine).ready.device == "CPU"
    finally:
        engine.close()


def test_an_engine_that_cannot_start_says_its_last_words(temp_folder, monkeypatch):
    broken = temp_folder / "broken"
    broken.mkdir()
    (broken / "tensorflow.py").write_text("raise ImportError('libcuda is of the wrong make')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    engine = Engine(device="cpu")
    try:
        with pytest.raises(EngineProblem, match="exit code 1"):
            woken(engine)
        assert "wrong make" in engine.last_words()
    finally:
        engine.close()
