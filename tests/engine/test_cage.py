"""In the cage a process reads Python and its own folder and writes there only, whatever code or graph it runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from napari_vol3d.engine import cage
from napari_vol3d.engine.landlock import find_abi

caged = pytest.mark.skipif(find_abi() < 4, reason="this kernel, or its container, has no Landlock of ABI 4")

# Each attempt says nothing, or the name of what stopped it.
ATTEMPTS = """
import json, os, socket, subprocess, sys, threading
from pathlib import Path
from napari_vol3d.engine.cage import enter

inside, outside, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
(inside / "mine.txt").write_text("x")
said = enter(str(inside))

def connect(kind):
    with socket.socket(socket.AF_INET, kind) as client:
        client.connect(("127.0.0.1", port))

def start_a_program():
    subprocess.run([sys.executable, "-c", f"open({str(outside / 'by-child')!r}, 'w')"], check=True)

attempts = {
    "read inside": lambda: (inside / "mine.txt").read_text(),
    "write inside": lambda: (inside / "new.txt").write_text("x"),
    "rename inside": lambda: (inside / "mine.txt").rename(inside / "ours.txt"),
    "folder inside": lambda: (inside / "a" / "b").mkdir(parents=True),
    "read Python": lambda: Path(os.__file__).read_text(),
    "to nothing": lambda: Path(os.devnull).write_text("x"),
    "read": lambda: (outside / "secret.txt").read_text(),
    "list": lambda: os.listdir(outside),
    "list home": lambda: os.listdir(os.path.expanduser("~" + __import__("pwd").getpwuid(os.getuid()).pw_name)),
    "write": lambda: (outside / "new.txt").write_text("x"),
    "truncate": lambda: os.truncate(outside / "secret.txt", 0),
    "remove": lambda: (outside / "secret.txt").unlink(),
    "remove folder": lambda: (outside / "empty").rmdir(),
    "rename out": lambda: (inside / "ours.txt").rename(outside / "ours.txt"),
    "link in": lambda: os.link(outside / "secret.txt", inside / "link.txt"),
    "follow a link": lambda: ((inside / "way").symlink_to(outside), (inside / "way" / "secret.txt").read_text()),
    "through proc": lambda: Path(f"/proc/{os.getppid()}/root{outside}/secret.txt").read_text(),
    "environment": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "connect": lambda: connect(socket.SOCK_STREAM),
    "send": lambda: connect(socket.SOCK_DGRAM),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "end the parent": lambda: os.kill(os.getppid(), 15),
}
found = {}
for name, attempt in attempts.items():
    try:
        attempt()
    except (OSError, subprocess.SubprocessError) as error:
        found[name] = type(error).__name__
def in_a_thread():
    try:
        (outside / "by-thread").write_text("x")
    except PermissionError:
        found["thread"] = "PermissionError"
thread = threading.Thread(target=in_a_thread)
thread.start()
thread.join()
try:
    start_a_program()
except subprocess.CalledProcessError:
    found["program"] = "PermissionError"
print(json.dumps({"said": said, "found": found, "home": os.path.expanduser("~"), "cwd": os.getcwd()}))
"""

# Two SavedModels: one that convolves, and one that also writes a file as soon as it is loaded.
MAKE = """
import sys, tensorflow as tf
from tensorflow.python.trackable.resource import TrackableResource
folder, marker = sys.argv[1:]

class Writing(TrackableResource):
    def _create_resource(self):
        return tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
    def _initialize(self):
        tf.io.write_file(marker, "loaded")

class Network(tf.Module):
    def __init__(self):
        self.kernel = tf.Variable(tf.ones((3, 3, 3, 1, 2)))
    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None, 1))])
    def __call__(self, x):
        return tf.nn.conv3d(x, self.kernel, (1,) * 5, "SAME")

tf.saved_model.save(Network(), folder + "/good")
bad = Network()
bad.writing = Writing()
tf.saved_model.save(bad, folder + "/bad")
"""
LOAD = """
import json, os, sys
from napari_vol3d.engine.cage import enter
folder, marker, closed = sys.argv[1:]
said = enter(folder) if closed == "closed" else None
import tensorflow as tf
if os.path.exists(marker):
    os.unlink(marker)  # saving made it
try:
    tf.saved_model.load(folder + "/bad")
    bad = "loaded"
except tf.errors.OpError as error:
    bad = type(error).__name__
good = tf.saved_model.load(folder + "/good")(tf.ones((1, 5, 5, 5, 1)))
print(json.dumps({"said": said, "bad": bad, "good": [list(good.shape), float(good[0, 2, 2, 2, 0])]}))
"""


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout else None


@caged
def test_in_the_cage_only_its_own_folder_is_within_reach(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "home"
    for folder in (inside, outside, outside / "empty"):
        folder.mkdir()
    (outside / "secret.txt").write_text("a person's letter")
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = run(ATTEMPTS, inside, outside, server.getsockname()[1])
    allowed = {"read inside", "write inside", "rename inside", "folder inside", "read Python", "to nothing"}
    refused = {
        "read", "list", "list home", "write", "truncate", "remove", "remove folder", "rename out",
        "follow a link", "through proc", "environment", "connect", "send", "unix socket", "thread", "program",
    }  # fmt: skip
    if find_abi() >= 6:
        refused |= {"end the parent"}
    assert not allowed & set(told["found"])
    assert told["found"].pop("link in") in ("OSError", "PermissionError")  # the first: as if on another disk
    assert {name: told["found"].get(name) for name in refused} == dict.fromkeys(refused, "PermissionError")
    assert told["said"] == "" or find_abi() < 6
    assert told["home"] == told["cwd"] == str(inside)
    assert sorted(path.name for path in outside.iterdir()) == ["empty", "secret.txt"]
    assert (outside / "secret.txt").read_text() == "a person's letter"


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory):
    """A folder with two SavedModels, and the file that one writes when it is loaded."""
    folder, marker = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("outside") / "marker"
    run(MAKE, folder, marker)
    return folder, marker


@caged
def test_a_saved_model_that_writes_when_it_is_loaded_cannot_and_a_good_one_runs(saved_models):
    folder, marker = saved_models
    marker.unlink(missing_ok=True)
    told = run(LOAD, folder, marker, "closed")
    assert not marker.exists()
    assert told["bad"] == "PermissionDeniedError"
    assert told["good"] == [[1, 5, 5, 5, 2], 27.0]


def test_without_the_cage_it_does_write(saved_models):
    folder, marker = saved_models
    told = run(LOAD, folder, marker, "open")
    assert told["bad"] == "loaded"
    assert marker.read_text() == "loaded"
    assert told["good"] == [[1, 5, 5, 5, 2], 27.0]


def test_where_there_is_no_cage_it_says_why(monkeypatch, tmp_path):
    before, here = dict(os.environ), Path.cwd()
    assert "no folder of its own" in cage.enter(None)
    monkeypatch.setattr(cage, "find_abi", lambda: 0)
    assert cage.enter(str(tmp_path)).startswith("No cage on this system: it takes Linux 5.13")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cage.enter(str(tmp_path)).startswith("No cage on this system: only Linux has one; a model")
    assert (dict(os.environ), Path.cwd()) == (before, here)


@caged
def test_what_it_cannot_hold_is_said():
    code = """
import json, sys, tempfile, threading
from napari_vol3d.engine import cage
threading.Thread(target=threading.Event().wait, daemon=True).start()
find_abi, cage.find_abi = cage.find_abi, lambda: 1
cage.forbid_sockets = lambda families: False
print(json.dumps(cage.enter(tempfile.mkdtemp(dir=sys.argv[1]))))
"""
    assert run(code, os.environ.get("TMPDIR", "/tmp")) == (
        "A cage with gaps on this system: it can't keep a model from emptying files of yours or ending other programs "
        "of yours or reaching the network or acting through what this Python started before it."
    )


def test_a_folder_to_import_from_never_opens_the_whole_home(monkeypatch, tmp_path):
    home = tmp_path / "home" / "someone"
    packages, store = home / "lib" / "site-packages", tmp_path / "store" / "of-packages"
    (store / "linked").mkdir(parents=True)
    (store / "linked" / "__init__.py").touch()
    (packages / "linked").mkdir(parents=True)
    (packages / "linked" / "__init__.py").symlink_to(store / "linked" / "__init__.py")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(sys, "path", ["", str(home), str(home.parent), "/", str(packages)])
    found = cage._python()
    assert {str(packages), str(store), os.path.realpath(sys.base_prefix)} <= set(found)
    assert not {"/", str(home), str(home.parent), str(tmp_path)} & set(found)


def test_libraries_that_a_person_named_are_readable(monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/apps/cuda/lib64::relative:{Path.home()}")
    monkeypatch.setenv("CUDA_HOME", "/apps/cuda")
    assert {"/apps/cuda/lib64", "/apps/cuda"} <= set(cage._libraries())
    assert not {"relative", str(Path.home()), ""} & set(cage._libraries())
