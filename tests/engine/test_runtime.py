"""Waking a backend, in a process of its own: it can be set up only once in each."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import tensorflow as tf

from napari_vol3d.engine import runtime

ASK = """
import json, sys
from napari_vol3d.engine import runtime
awake = runtime.start("cpu", precision=sys.argv[1], train=sys.argv[2] == "train", backend=sys.argv[3])
import keras, numpy as np
layer = keras.layers.Conv3D(2, 3)
print(json.dumps({
    "device": awake.device, "policy": awake.policy, "versions": awake.versions,
    "keras": keras.config.dtype_policy().name, "backend": keras.config.backend(),
    "layer": keras.backend.standardize_dtype(layer(np.zeros((1, 4, 4, 4, 1), np.float32)).dtype),
    "loaded": sorted({"tensorflow", "jax", "torch"} & set(sys.modules)),
}))
"""


REFUSE = """
import sys
from napari_vol3d.core.errors import EngineProblem
from napari_vol3d.engine import runtime
try:
    runtime.start("gpu")
except EngineProblem as problem:
    print(problem.message, problem.hint, sep="|")
"""


def run(code, *words):
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def start(precision="auto", purpose="infer", backend="tensorflow"):
    return json.loads(run(ASK, precision, purpose, backend))


def test_inference_on_a_cpu_is_float32():
    woken = start()
    assert woken["device"] == "CPU"
    assert woken["policy"] == woken["keras"] == woken["layer"] == "float32"
    assert woken["backend"] == "tensorflow"
    assert re.fullmatch(r"TensorFlow 2\.\S+, Keras 3\.\S+", woken["versions"])


def test_jax_wakes_without_tensorflow():
    pytest.importorskip("jax")
    woken = start(backend="jax")
    assert (woken["device"], woken["backend"], woken["layer"]) == ("CPU", "jax", "float32")
    assert woken["loaded"] == ["jax"]
    assert re.fullmatch(r"jax \S+, Keras 3\.\S+", woken["versions"])


def test_a_demanded_gpu_that_is_missing_is_said():
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU here")
    assert run(REFUSE).startswith("Keras finds no GPU here.|Choose auto or cpu")


def test_a_named_precision_is_taken():
    assert start("mixed_bfloat16")["layer"] == "bfloat16"


@pytest.mark.parametrize(
    ("capability", "policy"), [((9, 0), "mixed_bfloat16"), ((7, 5), "mixed_float16"), ((6, 1), "float32")]
)
@pytest.mark.parametrize("train", [True, False])
def test_the_policy_of_a_gpu(capability, policy, train):
    gpu = runtime._Gpu("some GPU", capability)
    assert runtime._policy(gpu, train=train) == policy


@pytest.mark.parametrize("train", [True, False])
def test_a_gpu_that_says_nothing_of_itself_computes_in_float32(train):
    assert runtime._policy(runtime._Gpu("Apple GPU"), train=train) == "float32"


@pytest.mark.parametrize(("able", "policy"), [(True, "mixed_bfloat16"), (False, "float32")])
def test_the_policy_of_a_cpu(monkeypatch, able, policy):
    monkeypatch.setattr(runtime, "_cpu_has_bfloat16", lambda: able)
    assert runtime._policy(None, train=True) == policy
    assert runtime._policy(None, train=False) == "float32"
