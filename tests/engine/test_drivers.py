"""Devices of GPUs are found as files, and NVIDIA's are made only where its driver runs without them."""

from __future__ import annotations

import sys

import pytest

from napari_vol3d.engine import drivers


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with no GPU."""
    monkeypatch.setattr(drivers, "DEVICES", tmp_path / "dev")
    monkeypatch.setattr(drivers, "NVIDIA_MODULE", tmp_path / "module")
    monkeypatch.setattr(drivers, "UNIFIED_MEMORY", tmp_path / "dev" / "nvidia-uvm")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "dev").mkdir()
    return tmp_path


def test_devices_that_compute_make_a_gpu_and_a_screen_does_not(machine):
    assert (drivers.has_gpu(), drivers.list_devices()) == (False, [])
    (machine / "dev" / "dri").mkdir()
    assert not drivers.has_gpu()
    for name in ("nvidiactl", "nvidia0", "tty"):
        (machine / "dev" / name).touch()
    assert drivers.has_gpu()
    assert sorted(path.rsplit("/")[-1] for path in drivers.list_devices()) == ["dri", "nvidia0", "nvidiactl"]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_devices_are_made_once(machine):
    helper = machine / "nvidia-modprobe"
    helper.write_text(f'#!/bin/sh\necho "$@" >> {machine}/asked\n: > {machine}/dev/nvidia-uvm\n')
    helper.chmod(0o755)
    drivers.wake_driver()
    assert not (machine / "asked").exists()  # no driver
    (machine / "module").mkdir()
    assert drivers.has_gpu()
    for _ in range(2):
        drivers.wake_driver()
    assert (machine / "asked").read_text() == "-c 0 -u\n"


def test_without_the_program_that_makes_them_nothing_happens(machine):
    (machine / "module").mkdir()
    drivers.wake_driver()
    assert drivers.list_devices() == []
