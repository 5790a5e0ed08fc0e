"""HDF5 is read by a process of its own: the same is found, and whatever the library does, it does it there."""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files import h5_apart
from napari_vol3d.io.network_files.h5_apart import read_arrays_apart, read_h5_apart, read_h5_file
from napari_vol3d.io.network_files.keras_h5 import read_h5
from tests.hostile_models import h5_file, weights

REACHES_OUT = """
import pathlib, socket, sys
write, read = pathlib.Path({marker!r}).touch, pathlib.Path({secret!r}).read_text
for act in (write, socket.socket, read):
    try:
        act()
        sys.stdout.write("done")
    except OSError:
        sys.stdout.write("no ")
"""


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    yield
    assert not list((tmp_path / "temporary").iterdir())


def test_the_same_is_found_as_in_this_process(tmp_path):
    path = h5_file(tmp_path)
    assert read_h5_file(path) == read_h5(path, path.name, path.stat().st_size)


def test_a_part_of_a_file_is_read_as_a_file(tmp_path):
    content = weights()
    (tmp_path / "packed").write_bytes(b"x" * 77 + content + b"y" * 9)
    with (tmp_path / "packed").open("rb") as file:
        found = read_h5_apart(file, "net", len(content), start=77)
    assert found.shapes["layers/conv/vars/0"] == (3, 3, 3, 1, 4)


def test_what_is_not_allowed_is_said_as_in_this_process(tmp_path):
    outside = [("/x", 0, 36)]
    path = h5_file(tmp_path, write=lambda file: file.create_dataset("model_weights/x", (9,), "f4", external=outside))
    with pytest.raises(ModelProblem, match="external storage"):
        read_h5_file(path)


def test_arrays_arrive_whole_with_their_names(tmp_path):
    content = weights()
    (tmp_path / "packed").write_bytes(b"x" * 5 + content)
    with (tmp_path / "packed").open("rb") as file, h5py.File(io.BytesIO(content)) as stored:
        found = read_arrays_apart(file, "net", len(content), start=5)
        for path, values in found.items():
            np.testing.assert_array_equal(values, stored[path])
    assert found["layers/conv/vars/0"].shape == (3, 3, 3, 1, 4)


def test_arrays_of_a_file_that_ends_the_library_are_damaged(tmp_path, monkeypatch):
    monkeypatch.setattr(h5_apart, "COMMAND", "import os; os.abort()")
    with h5_file(tmp_path).open("rb") as file, pytest.raises(ModelProblem, match="HDF5 itself fails"):
        read_arrays_apart(file, "net", 100)


ANSWER = """
import json, os, sys, zipfile
import numpy as np
target = sys.argv[-1]
def say(names=("a",), shapes={"a": [3]}):
    sys.stdout.write(json.dumps({"layout": "weights", "names": names, "shapes": shapes}))
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files here")
@pytest.mark.parametrize(
    "act",
    [
        "os.mkfifo(target); say()",
        "np.savez(target[:-4] + '2.npz', np.zeros(3)); os.symlink('arrays2.npz', target); say()",
        "np.savez_compressed(target, np.zeros(3)); say()",
        "np.savez(target, np.zeros(4)); say()",
        "np.savez(target, np.zeros(3)); say(shapes={})",
        "np.savez(target, np.zeros(3)); say(names=('a', 'b'), shapes={'a': [3], 'b': [3]})",
        "np.savez(target, np.array([1, 'x', None], object)); say()",
    ],
    ids=["a pipe", "a link", "packed", "another shape", "never proved", "not there", "objects"],
)
def test_arrays_that_are_not_as_they_are_packed_are_not_read(act, tmp_path, monkeypatch):
    monkeypatch.setattr(h5_apart, "COMMAND", ANSWER + act)
    with h5_file(tmp_path).open("rb") as file, pytest.raises(ModelProblem, match="the arrays of net can't be read"):
        read_arrays_apart(file, "net", 100)


def test_arrays_as_they_are_packed_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(h5_apart, "COMMAND", ANSWER + "np.savez(target, np.arange(3)); say()")
    with h5_file(tmp_path).open("rb") as file:
        assert read_arrays_apart(file, "net", 100)["a"].tolist() == [0, 1, 2]


def test_a_file_that_ends_the_library_is_damaged_and_this_process_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(h5_apart, "COMMAND", "import os; os.abort()")
    with pytest.raises(ModelProblem, match="HDF5 itself fails"):
        read_h5_file(h5_file(tmp_path))


def test_a_file_that_keeps_the_library_busy_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(h5_apart, "COMMAND", "while True: pass")
    monkeypatch.setattr(h5_apart, "LEAST_SECONDS", 0.2)
    with pytest.raises(ModelProblem, match="HDF5 itself fails"):
        read_h5_file(h5_file(tmp_path))


def test_files_with_random_bytes_in_them_are_refused_or_read(tmp_path):
    """Most of these make HDF5 1.14 end the process that opens them, by a wild pointer or a wrong free()."""
    good, path, lots = h5_file(tmp_path).read_bytes(), tmp_path / "bad.h5", random.Random(5)
    for _ in range(20):
        bad = bytearray(good)
        for at in (lots.randrange(len(bad)) for _ in range(8)):
            bad[at : at + 8] = lots.choice((b"\xff" * 8, b"\0" * 8, b"\xff" * 7 + b"\x7f"))[: len(bad) - at]
        path.write_bytes(bad)
        try:
            assert read_h5_file(path).layout
        except ModelProblem as problem:
            assert "bad.h5" in problem.message  # noqa: PT017 -- either is right


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the cage is Linux's")
def test_it_sits_in_the_cage(tmp_path, monkeypatch):
    from napari_vol3d.engine.landlock import find_abi

    if not find_abi():
        pytest.skip("no Landlock here")
    secret, marker = tmp_path / "secret", tmp_path / "marker"
    secret.write_text("x")
    act = REACHES_OUT.format(marker=str(marker), secret=str(secret))
    monkeypatch.setattr(h5_apart, "COMMAND", h5_apart.COMMAND.split("runpy.run_module")[0] + act)
    path = h5_file(tmp_path)
    with path.open("rb") as file:
        answer = h5_apart._answer(file, [tempfile.mkdtemp(), "0", "1", "x"], 1)
    for left in Path(tempfile.gettempdir()).iterdir():
        left.rmdir()
    assert answer == b"no no no "
    assert not marker.exists()
