"""Waking TensorFlow, in a process of its own: it can be set up only once in each."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from napari_vol3d.engine import runtime

ASK = """
import json, sys
from napari_vol3d.engine import runtime
awake = runtime.start("cpu", precision=sys.argv[1], train=sys.argv[2] == "train")
import keras, numpy as np, tensorflow as tf
print(json.dumps({
    "device": awake.device, "policy": awake.policy, "versions": awake.versions,
    "keras": keras.config.dtype_policy().name, "backend": keras.config.backend(),
    "gpus": len(tf.config.list_physical_devices("GPU")),
    "layer": keras.layers.Conv3D(2, 3)(np.zeros((1, 4, 4, 4, 1), np.float32)).dtype.name,
}))
"""


def start(precision="auto", purpose="infer"):
    done = subprocess.run(
        [sys.executable, "-c", ASK, precision, purpose], capture_output=True, text=True, check=True
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def test_inference_on_a_cpu_is_float32():
    woken = start()
    assert woken["device"] == "CPU"
    assert woken["policy"] == woken["keras"] == woken["layer"] == "float32"
    assert (woken["backend"], woken["gpus"]) == ("tensorflow", 0)
    assert woken["versions"].startswith("TensorFlow 2.")


def test_a_named_precision_is_taken():
    assert start("mixed_bfloat16")["layer"] == "bfloat16"


@pytest.mark.parametrize(
    ("capability", "policy"), [((9, 0), "mixed_bfloat16"), ((7, 5), "mixed_float16"), ((6, 1), "float32")]
)
@pytest.mark.parametrize("train", [True, False])
def test_the_policy_of_a_gpu(capability, policy, train):
    assert runtime._policy({"compute_capability": capability}, train=train) == policy


@pytest.mark.parametrize(("able", "policy"), [(True, "mixed_bfloat16"), (False, "float32")])
def test_the_policy_of_a_cpu(monkeypatch, able, policy):
    monkeypatch.setattr(runtime, "_cpu_has_bfloat16", lambda: able)
    assert runtime._policy({}, train=True) == policy
    assert runtime._policy({}, train=False) == "float32"
