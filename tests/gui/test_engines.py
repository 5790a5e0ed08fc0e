"""The window has one engine process at most, and none when it lets go."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from napari_vol3d.gui.engines import EngineKeeper


@pytest.fixture
def keeper() -> Iterator[EngineKeeper]:
    keeper = EngineKeeper()
    yield keeper
    keeper.close()


def test_the_same_engine_is_given_again(keeper: EngineKeeper) -> None:
    assert keeper.get("cpu") is keeper.get("cpu")


def test_another_device_gets_another_engine_and_the_old_one_is_gone(keeper: EngineKeeper) -> None:
    first = keeper.get("cpu")
    second = keeper.get("auto")
    assert second is not first
    assert second.alive
    assert not first.alive
    assert not psutil.pid_exists(first.process.pid)
    assert not first.folder.exists()
    assert "auto" in second.process.args


def test_a_dead_engine_is_replaced(keeper: EngineKeeper) -> None:
    first = keeper.get("cpu")
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    assert keeper.device_name == ""
    second = keeper.get("cpu")
    assert second is not first
    assert second.alive
    assert not first.folder.exists()


def test_closing_leaves_no_process_and_no_folder(keeper: EngineKeeper) -> None:
    engine = keeper.get("cpu")
    assert engine.folder.is_dir()
    keeper.close()
    assert not psutil.pid_exists(engine.process.pid)
    assert not engine.folder.exists()
    assert keeper.device_name == ""
    keeper.close()
    assert keeper.get("cpu").alive  # and the next run starts afresh


def test_it_says_the_device_as_soon_as_the_engine_is_awake(keeper: EngineKeeper) -> None:
    assert keeper.device_name == ""
    engine = keeper.get("cpu")
    for _ in engine.wake():
        pass
    assert "CPU" in keeper.device_name.upper()
