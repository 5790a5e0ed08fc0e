"""Whatever happens to the engine process, the parent goes on, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from napari_vol3d.core.errors import EngineProblem, MemoryProblem, ModelProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.engine.messages import OUT_OF_MEMORY, Loaded, LoadModels, ModelFile, Ready
from napari_vol3d.models.store import find_model
from napari_vol3d.pipeline import child
from napari_vol3d.pipeline.child import Engine, cage_words
from napari_vol3d.pipeline.handing import hand_over, loading
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish

NO_CACHE = SegmentSettings(cache=False)
LIMITS = ("RLIMIT_AS", "RLIMIT_CPU")
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


ASLEEP = PARENT.replace("for _ in engine.wake():\n    pass\n", "")


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
    engine.cards = ()  # whoever asks for it past the verb leaves it to the next verb to ask again
    return list(engine.ask(loading(engine, [model]), Loaded))


def gone(pid):
    return not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_it_is_put_in_place_of_itself_wakes_on_the_cpu_and_goes_without_a_trace(engine, temp_folder, tiny_model):
    folder, pids, readers = engine.folder, [engine.process.pid], [engine._reader]
    # After a kill by others, by this program, or none; it need not be awake. And where the folder was cleared away.
    ends = (
        lambda: os.kill(engine.process.pid, signal.SIGKILL), engine.kill, lambda: shutil.rmtree(folder), lambda: None
    )  # fmt: skip
    for end in ends:
        engine.tell(LoadModels(models=()))  # what was asked of one process is not answered by the next
        end()
        engine.restart()
        pids.append(engine.process.pid)
        readers.append(engine._reader)
    assert len(set(pids)) == len(pids)
    assert engine.check_ready() is None
    woken(engine)
    assert engine.check_ready() is engine.ready
    assert (engine.ready.device, engine.ready.policy) == ("CPU", "float32")
    assert (engine.cards, engine.loaded) == ((), None)
    assert list(temp_folder.iterdir()) == [engine.folder] == [folder]
    assert folder.stat().st_mode & 0o077 == 0
    finish(segment(scan(40), tiny_model, NO_CACHE, engine=engine))
    engine.close()  # TensorFlow leaves a file for each function that it traces
    engine.close()  # twice is once
    assert all(gone(pid) for pid in pids)
    assert not any(reader.is_alive() for reader in readers)
    assert list(temp_folder.iterdir()) == []
    with pytest.raises(EngineProblem, match="closed"):
        engine.restart()
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
    code = ASLEEP.replace("print(", "assert not {'tensorflow', 'keras'} & set(sys.modules)\nprint(")
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )  # fmt: skip
    pid = int(done.stdout)
    assert not psutil.pid_exists(pid)  # at exit without close, all was put away
    assert list(temp_folder.iterdir()) == []


def test_a_request_that_fails_leaves_the_engine_alive(shared_engine, tiny_model):
    wrong = ModelFile(weights=str(hand_over(shared_engine, tiny_model)), card=find_model("hippocampus-t1").card)
    with pytest.raises(ModelProblem, match="changed"):
        list(shared_engine.ask(LoadModels(models=(wrong,)), Loaded))
    assert isinstance(load(shared_engine, tiny_model)[-1], Loaded)


def test_cancel_between_short_tiles_keeps_the_process(shared_engine, tiny_model):
    settings = NO_CACHE.model_copy(update={"memory_gb": 512 * 32**3 / 1e9})
    verb = segment(scan(128), tiny_model, settings, engine=shared_engine)
    reports = [next(report for report in verb if report.finished is not None) for _ in range(2)]
    assert reports[-1].done < reports[-1].total
    pid, began = shared_engine.process.pid, time.monotonic()
    verb.close()
    assert time.monotonic() - began < SOON
    assert shared_engine.alive
    assert shared_engine.process.pid == pid
    assert list(shared_engine.folder.glob("*.npy")) == []
    assert shared_engine.hear() is None  # nothing is left on the pipe


def test_closing_while_it_wakes(engine, tiny_model):
    verb = segment(scan(16), tiny_model, NO_CACHE, engine=engine)
    assert next(verb).phase == "Starting TensorFlow"
    pid, began = engine.process.pid, time.monotonic()
    verb.close()
    assert time.monotonic() - began < SOON
    # The process was not asked for anything: it goes on waking up, for the next run.
    assert engine.alive
    assert next(segment(scan(16), tiny_model, NO_CACHE, engine=engine)).phase == "Starting TensorFlow"
    assert engine.process.pid == pid


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("name", "memory"), [("SIGKILL", True), ("SIGSEGV", True), ("SIGTERM", False)])
def test_a_dead_engine_is_told_with_its_signal_however_often_it_is_asked(engine, tiny_model, name, memory):
    number = getattr(signal, name)
    os.kill(engine.process.pid, number)
    for _ in range(2):
        with pytest.raises(EngineProblem, match=rf"signal {int(number)}") as told:
            load(engine, tiny_model)
        assert isinstance(told.value, MemoryProblem) is memory
        assert ("out of memory" in told.value.message) is memory
        assert "layers are untouched" in told.value.hint
    engine.cancel()
    with pytest.raises(EngineProblem):
        woken(engine)
    assert not engine.alive


def test_an_engine_that_this_program_killed_is_not_said_to_have_died_of_memory(engine, tiny_model):
    engine.kill()
    for _ in range(2):
        with pytest.raises(EngineProblem, match="was stopped") as told:
            load(engine, tiny_model)
        assert not isinstance(told.value, MemoryProblem)


def test_an_engine_without_memory_to_say_so_says_it_by_its_exit_code(temp_folder, monkeypatch):
    broken = temp_folder / "broken"
    broken.mkdir()
    (broken / "tensorflow.py").write_text("raise MemoryError")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    engine = Engine(device="cpu")
    try:
        with pytest.raises(MemoryProblem, match=f"exit code {OUT_OF_MEMORY}"):
            woken(engine)
    finally:
        engine.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_engine_ends_with_its_parent(temp_folder):
    parent = subprocess.Popen([sys.executable, "-c", ASLEEP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
        parent.wait()
        assert child.wait(SOON) in (0, None)  # None: not our child, so only that it has gone is known


def test_neither_what_libraries_print_nor_the_folder_one_stands_in_disturbs_it(temp_folder, tiny_model, monkeypatch):
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
    (temp_folder / "queue.py").write_text("raise RuntimeError('not the standard library')")
    monkeypatch.chdir(temp_folder)
    loud = Engine(device="cpu")
    try:
        _, prediction = finish(segment(scan(16), tiny_model, NO_CACHE, engine=loud))
        assert prediction.labels.shape == (16, 16, 16)
        assert "more noise" in (loud.folder / "engine.log").read_text()
    finally:
        loud.close()


def test_an_engine_that_cannot_start_says_its_last_words(temp_folder, monkeypatch):
    broken = temp_folder / "broken"
    broken.mkdir()
    (broken / "tensorflow.py").write_text("raise LookupError('libcuda is of the wrong make')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    engine = Engine(device="cpu")
    try:
        with pytest.raises(EngineProblem, match="exit code 1"):
            woken(engine)
        assert "wrong make" in engine.last_words()
    finally:
        engine.close()


def test_the_process_takes_large_pages_and_what_was_set_before(monkeypatch):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    assert child._environment()["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=1")
    assert child._environment()["GLIBC_TUNABLES"] == "glibc.malloc.check=1:glibc.malloc.hugetlb=1"
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=2")
    assert child._environment()["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=2"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has the cage")
def test_the_process_is_caged_and_says_so(shared_engine, tiny_model):
    assert shared_engine.cage == shared_engine.ready.cage
    if shared_engine.cage:
        pytest.skip(shared_engine.cage)
    status = Path(f"/proc/{shared_engine.process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status  # a filter
    outside = ModelFile(weights=str(tiny_model.weights), card=tiny_model.card)
    shared_engine.cards = ()
    with pytest.raises(EngineProblem, match="Permission denied"):
        list(shared_engine.ask(LoadModels(models=(outside,)), Loaded))
    assert isinstance(load(shared_engine, tiny_model)[-1], Loaded)


def test_what_holds_it_is_said_in_words():
    ready = Ready(device="CPU", policy="float32", versions="")
    assert cage_words(ready) == "Runs in a cage: can read Python and its own folder, write there only, no network."
    assert cage_words(ready.model_copy(update={"cage": "No cage: why."})) == "No cage: why."


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux' limits")
def test_one_that_looks_at_a_strangers_model_has_less(temp_folder, tiny_model):
    import resource

    engine = Engine(device="cpu", adopting=True)
    try:
        assert engine.cage is None
        woken(engine)
        limit = {name: resource.prlimit(engine.process.pid, getattr(resource, name))[0] for name in LIMITS}
        assert limit["RLIMIT_CPU"] == 15 * 60
        assert 4 * 2**30 <= limit["RLIMIT_AS"] <= (8 + os.cpu_count()) * 2**30
        resource.prlimit(engine.process.pid, resource.RLIMIT_CPU, (1, 100))  # it has computed longer
        with pytest.raises(EngineProblem, match="15 minutes"):
            load(engine, tiny_model)
    finally:
        engine.close()
