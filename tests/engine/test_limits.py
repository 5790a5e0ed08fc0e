"""Limits are set where the system has them, and never widened."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from napari_vol3d.engine import limits

GIB = 1024**3
SET = """
import json, resource, sys
from napari_vol3d.engine.limits import set_limits
names = ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_NPROC")
for name, value in json.loads(sys.argv[2]).items():
    resource.setrlimit(getattr(resource, name), (value, value))
before = {name: resource.getrlimit(getattr(resource, name)) for name in names}
set_limits(**json.loads(sys.argv[1]))
after = {name: resource.getrlimit(getattr(resource, name)) for name in names}
print(json.dumps([before, after]))
"""


def limits_after(before=None, **asked):
    command = [sys.executable, "-c", SET, json.dumps(asked), json.dumps(before or {})]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux' limits")
def test_a_run_has_all_memory_and_no_core_dump():
    before, after = limits_after(gpu=False)
    assert after["RLIMIT_CORE"] == [0, 0]
    assert after["RLIMIT_FSIZE"] == [8 * GIB] * 2
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert after["RLIMIT_AS"][0] == after["RLIMIT_AS"][1] > max(16 * GIB, installed)
    assert {name: after[name] for name in ("RLIMIT_CPU", "RLIMIT_NPROC")} == {
        name: before[name] for name in ("RLIMIT_CPU", "RLIMIT_NPROC")
    }


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux' limits")
def test_on_a_gpu_addresses_are_free():
    before, after = limits_after(gpu=True)
    assert after["RLIMIT_AS"] == before["RLIMIT_AS"]
    assert after["RLIMIT_CORE"] == [0, 0]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux' limits")
def test_what_was_narrower_stays():
    narrow = {"RLIMIT_FSIZE": GIB, "RLIMIT_CPU": 100}
    _, after = limits_after(narrow, gpu=False, adopting=True)
    assert {name: after[name][0] for name in narrow} == narrow


@pytest.mark.parametrize(
    ("installed", "wanted"), [(2, 4), (8, 4), (12, 6), (16, 8), (512, 8)], ids=lambda gib: f"{gib} GiB"
)  # fmt: skip
def test_adopting_takes_half_the_memory_and_at_most_eight_gib(monkeypatch, installed, wanted):
    monkeypatch.setattr(limits, "_memory", lambda: (installed * GIB, 0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert limits.memory_limit(adopting=True) == (wanted + 1) * GIB
    assert limits.memory_limit(adopting=False) == max(16, installed) * GIB + GIB


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux' limits")
def test_more_memory_than_is_left_is_an_error_and_no_kill():
    code = """
from napari_vol3d.engine.limits import set_limits
set_limits(gpu=False, adopting=True)
import numpy as np
try:
    np.ones(int(200e9), np.uint8)
except MemoryError:
    print("MemoryError")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "MemoryError"
