"""What the process that reads HDF5 says is JSON, whatever is in the file."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.hostile_models import h5_file

CHILD = "napari_vol3d.io.network_files.h5_child"


def said_of(path, *, start=0):
    command = [sys.executable, "-P", "-m", CHILD, str(start), str(path.stat().st_size - start), "net"]
    with path.open("rb") as file:
        return json.loads(subprocess.run(command, stdin=file, capture_output=True, check=True).stdout)


def test_it_says_what_is_stored(tmp_path):
    said = said_of(h5_file(tmp_path))
    assert (said["layout"], said["version"]) == ("model", "2.15.0")
    assert said["shapes"]["model_weights/conv/conv/bias:0"] == [4]
    assert json.loads(said["config"].encode("latin-1"))["class_name"] == "Functional"


def test_it_says_why_a_file_is_refused(tmp_path):
    assert "Damaged HDF5: net" in said_of(h5_file(tmp_path), start=99)["problem"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such limit")
def test_it_starts_nothing(tmp_path):
    # The superuser is above this limit.
    ask = f"import resource, runpy; runpy.run_module({CHILD!r}, run_name='child')['_stay_alone']()"
    told = f"{ask}; print(resource.getrlimit(resource.RLIMIT_NPROC))"
    said = subprocess.run([sys.executable, "-P", "-c", told], capture_output=True, check=True, text=True).stdout
    assert said.strip() == "(0, 0)"
