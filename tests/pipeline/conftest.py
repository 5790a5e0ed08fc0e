"""One engine process for most tests of the verbs: waking TensorFlow takes seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from napari_vol3d.engine.messages import Patch
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline import child
from napari_vol3d.pipeline.child import Engine
from tests.builders import brightness_network, random_unet, write_model, write_training_folder

ENDS_WITHIN_SECONDS = 5.0
OURS = ("vol3d-engine-reader",)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a process or a thread; engines that outlive tests may have put one in another's place."""
    engines, threads = set(child._alive), set(threading.enumerate())
    others = {process.pid for process in psutil.Process().children()} - {engine.process.pid for engine in engines}
    yield
    assert set(child._alive) <= engines
    allowed = others | {engine.process.pid for engine in engines}
    left = [process for process in psutil.Process().children() if process.pid not in allowed]
    _, left = psutil.wait_procs(left, timeout=ENDS_WITHIN_SECONDS)
    for process in left:
        process.kill()
    readers = {engine._reader for engine in engines}
    held = [thread for thread in threading.enumerate() if thread not in threads | readers and thread.name in OURS]
    assert not left, f"left behind: {left}"
    assert not held, f"left behind: {held}"


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[Engine]:
    """An engine on the CPU that is awake; tests that may kill it start their own."""
    engine = Engine(device="cpu")
    for _ in engine.wake():
        pass
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A pointwise network that finds the dim ball (3) and the bright one (7) of a phantom."""
    # A phantom's z-scores: background below 0, the dim ball around 2, the bright one above 4.
    network = brightness_network(offsets=(0.0, -1.0, -4.0))
    return write_model(tmp_path_factory.mktemp("models") / "tiny", network, input={"spacing": (1.0, 1.0, 1.0)})


@pytest.fixture(scope="session")
def unet_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A small U-Net with random weights: what it says of a voxel depends on up to 9 voxels around it."""
    folder = tmp_path_factory.mktemp("models") / "unet"
    return write_model(folder, random_unet(), input={"spacing": (1.0, 1.0, 1.0), "flip_axes": (2,)})


@pytest.fixture(scope="session")
def training_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six phantoms with labels, as NIfTI."""
    return write_training_folder(tmp_path_factory.mktemp("data"))


@pytest.fixture
def patches(shared_engine, monkeypatch) -> list[Patch]:
    """What the engine is asked to compute."""
    asked: list[Patch] = []
    tell = shared_engine.tell

    def listen(message) -> None:
        asked.extend([message] if isinstance(message, Patch) else [])
        tell(message)

    monkeypatch.setattr(shared_engine, "tell", listen)
    return asked
